"""Rows of a server stage: the counts of a point that was split over jobs, added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from iqm_spec.model import StageName
from iqm_spec.plan.plan import Plan
from iqm_spec.stages.derived import derive_measured, derived_key
from iqm_spec.stages.keys import record_key
from iqm_spec.stages.rows import Row
from iqm_spec.stages.server.attempts import (
    Attempt,
    Phase,
    ServerWork,
    covering,
    point_keys,
    read_attempts,
)
from iqm_spec.stages.server.collect import records_kind
from iqm_spec.store import Store
from iqm_spec.store.events import UsedAttempt
from iqm_spec.store.records import HARDWARE_DERIVED, MeasuredRecord


def server_rows(
    store: Store,
    plan: Plan,
    stage: StageName,
    server_id: str,
    used: Sequence[UsedAttempt] | None = None,
    *,
    emulated: bool = False,
) -> Iterator[Row]:
    """Rows in plan order, one per point and calibration set.

    `used` are the attempts of one run; None takes the best that the folder has. `emulated` marks
    all rows as emulated, also where the jobs that say so are missing.
    """
    keys = point_keys(plan, stage, server_id)
    every = read_attempts(store, stage, server_id)
    if used is not None:
        named = {(job, number): job_id for job, number, job_id in used}
        every = [a.as_of(named[a.job, a.number]) for a in every if (a.job, a.number) in named]
    work = ServerWork(keys, covering(every), plan.points)
    emulated = emulated or any(attempt.intent.emulated for attempt in work.attempts())
    records = _records(store, stage, work.attempts(Phase.COMPLETED))
    waiting = work.waiting()
    completed = {key for attempt in work.attempts(Phase.COMPLETED) for key, _ in attempt.parts}
    grouped = [_by_set(records.get(key, [])) for key in keys]
    names = {derived_key([r.key for r in part]) for parts in grouped for part in parts if part}
    derived = store.find(HARDWARE_DERIVED, names) if stage is StageName.HARDWARE else {}
    for point, key, parts in zip(plan.points, keys, grouped, strict=True):
        for part in parts:
            more = derived.get(derived_key([record.key for record in part]))
            merged = MeasuredRecord(
                key=key,
                counts=_added([record.counts for record in part]),
                shots_returned=sum(record.shots_returned for record in part),
                calibration_set_id=part[0].calibration_set_id if part else None,
            )
            yield Row(
                point=point,
                stage=stage.value,
                key=key,
                record=merged if part else None,
                derived=more.record if more else None,
                emulated=emulated,
                ended=bool(part) or key in completed,
                waiting=key in waiting,
                sources=tuple(record.key for record in part),
            )


def _by_set(records: Sequence[MeasuredRecord]) -> list[list[MeasuredRecord]]:
    """Records of one point by calibration set; one empty list where there are none."""
    sets = dict.fromkeys(record.calibration_set_id for record in records)
    by_set = [
        [r for r in records if r.calibration_set_id == calibration_set] for calibration_set in sets
    ]
    return by_set or [[]]


def derive(store: Store, plan: Plan, rows: Iterable[Row]) -> list[str]:
    """Compute and store the distances of measured rows that have none.

    Returns the digests of the packs with the distances of all rows, sorted.
    """
    counted = [
        (derived_key(row.sources), row.point.circuit_key, row.counts, row.derived is None)
        for row in rows
        if row.record is not None
    ]
    derive_measured(
        store,
        plan,
        [(key, circuit_key, counts) for key, circuit_key, counts, new in counted if new],
    )
    stored = store.find(HARDWARE_DERIVED, {key for key, _, _, _ in counted})
    return sorted({item.digest for item in stored.values()})


def _records(
    store: Store, stage: StageName, completed: Sequence[Attempt]
) -> dict[str, list[MeasuredRecord]]:
    """Records by point key."""
    names = {
        record_key(key, attempt.job, attempt.number, attempt.completion.id): key
        for attempt in completed
        for key, _ in attempt.parts
    }
    packs = {attempt.completion.records for attempt in completed}
    stored = store.find(records_kind(stage), names, within=packs)
    by_point: dict[str, list[MeasuredRecord]] = {}
    for name, key in names.items():
        if name in stored:
            by_point.setdefault(key, []).append(stored[name].record)
    return by_point


def _added(several: Sequence[Mapping[str, int]]) -> Mapping[str, int]:
    """The sum of counts, in the order of their outcomes; a single sorted one is not copied."""
    if len(several) == 1 and all(a < b for a, b in pairwise(several[0])):
        return several[0]
    counts: Counter[str] = Counter()
    for counts_of_job in several:
        counts.update(counts_of_job)
    return {bits: counts[bits] for bits in sorted(counts)}
