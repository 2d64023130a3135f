"""Checks the kept shots of a run: of simulated ones the order that their record draws."""

from __future__ import annotations

from collections.abc import Iterator

from iqm_spec import memory
from iqm_spec.engine.saved import SavedRun
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.replay.check import Check, Mismatch, check_of, named
from iqm_spec.stages.keys import aer_key
from iqm_spec.stages.shots import in_order
from iqm_spec.store import Store
from iqm_spec.store.records import AER_MEMORY, AER_RECORDS


def check_simulated_shots(store: Store, saved: SavedRun) -> Check | None:
    """Whether simulated shots stand in the order that follows from their counts.

    None where no shots were to be kept. (That they are those of the counts is checked with the
    files, for measured ones too.)
    """
    points = {aer_key(saved.plan, p, saved.simulator): p for p in saved.plan.points if p.memory}
    if not points:
        return None
    return check_of("Aer shots", len(points), _wrong(store, points, "aer" in saved.judged))


def _wrong(store: Store, points: dict[str, PlannedPoint], ended: bool) -> Iterator[Mismatch]:
    for key, point in points.items():
        shots = store.find(AER_MEMORY, [key]).get(key)
        counts = store.find(AER_RECORDS, [key]).get(key)
        if shots is None:
            if ended:
                yield Mismatch(named(point, "aer"), "its shots are not in the folder")
        elif counts is not None:
            held = shots.record
            stored = memory.unpack(held.shots, held.width, held.bits)
            if stored.tobytes() != memory.unpack(**in_order(key, counts.record)).tobytes():
                yield Mismatch(named(point, "aer"), "its shots came out in another order")
