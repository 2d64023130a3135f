"""Does the spec's text, with the files and machines of its run, ask what the plan has?"""

from __future__ import annotations

from collections.abc import Iterator

from iqm_spec.engine.respec import Respec, respec
from iqm_spec.engine.saved import SavedRun
from iqm_spec.model import Point
from iqm_spec.plan.differences import point_name
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.plan.readout import is_calibration
from iqm_spec.replay.check import Check, Mismatch, check_of, named
from iqm_spec.store import Store
from iqm_spec.version import __version__

_SETTINGS = ("name", "seed", "calibration", "order")


def check_spec(store: Store, saved: SavedRun) -> Check | None:
    """Settings, and circuit, shots, machine and options of every point, from the text anew.

    None for a run that kept too little, or whose spec this version cannot read. Circuits that code
    of the spec's author makes are not made again: their points are compared in all else.
    """
    again = respec(store, saved)
    if again is None:
        return None
    planned = [point for point in saved.plan.points if not is_calibration(point)]
    versions = saved.versions(store)
    same_version = versions.get("iqm-spec") == __version__
    unknown = others = 0
    wrong = list(_settings(again, saved))
    left = {point_name(point): point for point in planned}
    for point in again.points():
        own = left.pop(point_name(point), None)
        if own is None:
            wrong.append(Mismatch(f"{point.name} (spec)", "the plan has no such point"))
            continue
        ask = again.circuit_key(point)
        unknown += ask is None
        wrong += [Mismatch(named(own, "plan"), why) for why in _differences(point, own)]
        if ask is not None and ask != own.circuit_key:
            others += not same_version
            wrong += [Mismatch(named(own, "plan"), _OTHER)] if same_version else []
    wrong += [Mismatch(named(p, "plan"), "the spec asks for no such point") for p in left.values()]
    notes = [f"{unknown:,} are made by code that is not run here"] if unknown else []
    if others:
        notes.append(f"of {others:,} this version of iqm-spec would make another circuit")
    return check_of("spec", len(planned) + len(_SETTINGS), wrong, "; ".join(notes))


_OTHER = "the spec, its files and machines ask for another circuit"


def _settings(again: Respec, saved: SavedRun) -> Iterator[Mismatch]:
    header = saved.plan.header
    planned = (header.spec.name, header.seed, header.calibration, header.order)
    for name, setting in zip(_SETTINGS, planned, strict=True):
        if setting != getattr(again.spec, name):
            yield Mismatch(f"{name} (spec)", f"the plan has {setting}")
    if saved.state.name != saved.plan.name:
        yield Mismatch("name (run)", f"the plan is of {saved.plan.name}")


def _differences(point: Point, own: PlannedPoint) -> Iterator[str]:
    for what, asked, have in (
        ("shots", point.shots, own.shots),
        ("machine", point.target, own.target),
        ("options", dict(point.options), dict(own.options)),
        ("memory", point.memory, own.memory),
    ):
        if asked != have:
            yield f"the spec asks for {what} {asked}, the plan has {have}"
