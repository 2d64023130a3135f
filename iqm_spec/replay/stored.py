"""Checks of stored data: circuits, spec, verdicts, shots and analyses."""

from __future__ import annotations

from collections.abc import Iterator

from iqm_spec import packed_shots
from iqm_spec.analysis.logical_error import NAME as LOGICAL_ERROR
from iqm_spec.analysis.logical_error import can_decode
from iqm_spec.analysis.run_analyses import analysis_records, analyze_run, stored_analyses
from iqm_spec.engine.respec import respec
from iqm_spec.engine.saved import SavedRun
from iqm_spec.model import SpecPoint
from iqm_spec.plan.circuits import natives_of
from iqm_spec.plan.differences import point_name
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.plan.readout import is_calibration
from iqm_spec.replay.check import (
    Mismatch,
    ReplayCheck,
    check_of,
    differing,
    mismatch_of,
    named,
)
from iqm_spec.spec.schema import PLUGINS
from iqm_spec.stages.keys import aer_key
from iqm_spec.stages.registry import stage_named
from iqm_spec.stages.shots import in_order
from iqm_spec.store import Store
from iqm_spec.store.records import AER_MEMORY, AER_RECORDS
from iqm_spec.store.structure import to_json
from iqm_spec.version import __version__

_CHUNK = 4096


def check_circuits(store: Store, plan: Plan) -> ReplayCheck:
    """Compute digest and summary (qubits, depth, gates) of every transpiled circuit again."""
    mismatches = []
    for start in range(0, len(plan.points), _CHUNK):
        points = plan.points[start : start + _CHUNK]
        natives = natives_of(store, plan, points)
        for point in points:
            native = natives[point.circuit_key]
            if native.digest != point.circuit:
                mismatches.append(
                    Mismatch(
                        named(point, "plan"),
                        f"the stored circuit is {native.digest[:12]}, but the plan has "
                        f"{point.circuit[:12]}",
                    )
                )
            elif native.summary != point.summary:
                planned, summary = to_json(point.summary), to_json(native.summary)
                why = f"its plan has {planned}, the circuit {summary}"
                mismatches.append(Mismatch(named(point, "plan"), why))
    return check_of("transpiled circuits", len(plan.points), mismatches)


def check_spec(store: Store, saved: SavedRun) -> ReplayCheck | None:
    """Compare the plan with the spec's text: settings, and every point's circuit and options.

    None for a run without the required inputs, or whose spec this version cannot read. Code of the
    spec's author is not run: points with its circuits are compared in everything else.
    """
    again = respec(store, saved)
    if again is None:
        return None
    planned = [point for point in saved.plan.points if not is_calibration(point)]
    versions = saved.versions(store)
    same_version = versions.get("iqm-spec") == __version__
    unknown = others = 0
    header = saved.plan.header
    settings = {
        "name": header.spec.name,
        "seed": header.seed,
        "calibration": header.calibration,
        "order": header.order,
    }
    mismatches = [
        Mismatch(f"{name} (spec)", f"the plan has {setting}")
        for name, setting in settings.items()
        if setting != getattr(again.spec, name)
    ]
    if saved.state.name != saved.plan.name:
        mismatches.append(Mismatch("name (run)", f"the plan is of {saved.plan.name}"))
    left = {point_name(point): point for point in planned}
    for point in again.points():
        own = left.pop(point_name(point), None)
        if own is None:
            mismatches.append(Mismatch(f"{point.name} (spec)", "the plan does not have this point"))
            continue
        ask = again.circuit_key(point)
        unknown += ask is None
        mismatches += [Mismatch(named(own, "plan"), why) for why in _differences(point, own)]
        if ask is not None and ask != own.circuit_key:
            others += not same_version
            mismatches += [Mismatch(named(own, "plan"), _OTHER)] if same_version else []
    mismatches += [
        Mismatch(named(point, "plan"), "the spec does not have this point")
        for point in left.values()
    ]
    notes = [f"{unknown:,} circuits come from code that is not run here"] if unknown else []
    if others:
        notes.append(f"this version of iqm-spec would plan {others:,} other circuits")
    return check_of("spec", len(planned) + len(settings), mismatches, "; ".join(notes))


_OTHER = "the spec, its files and machines give another circuit"


def _differences(point: SpecPoint, own: PlannedPoint) -> Iterator[str]:
    for what, in_spec, in_plan in (
        ("shots", point.shots, own.shots),
        ("machine", point.target, own.target),
        ("options", dict(point.options), dict(own.options)),
        ("memory", point.memory, own.memory),
    ):
        if in_spec != in_plan:
            yield f"the spec has {what} {in_spec}, the plan has {in_plan}"


def check_verdict(store: Store, saved: SavedRun) -> ReplayCheck | None:
    """Compare the verdicts of stages with their stored rows; None if the run has none."""
    mismatches: list[Mismatch] = []
    total = 0
    for verdict in saved.stages:
        stage = stage_named(verdict.stage)
        if stage.counts_are_random or verdict.stage not in saved.judged:
            continue
        total += 1
        rows = saved.rows_of_stage(store, stage)
        if why := stage.wrong_verdict(saved.plan, rows, verdict.status):
            mismatches.append(Mismatch(verdict.stage, why))
    return check_of("verdicts", total, mismatches) if total else None


def check_simulated_shots(store: Store, saved: SavedRun) -> ReplayCheck | None:
    """Check that the order of simulated shots follows from their counts.

    None if the run stores no shots. (The check of files compares shots with counts.)
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
                yield Mismatch(named(point, "aer"), "its shots are missing")
        elif counts is not None:
            record = shots.record
            stored = packed_shots.unpack(record.shots, record.width, record.bits)
            if stored.tobytes() != packed_shots.unpack(**in_order(key, counts.record)).tobytes():
                yield Mismatch(named(point, "aer"), "its shots have another order")


def check_analyses(store: Store, saved: SavedRun) -> ReplayCheck | None:
    """Compute stored analyses again; None if the folder has none.

    Leaves out plugins, whose packages may have changed, and decoding if its packages are not
    installed.
    """
    left_out = {PLUGINS} if can_decode() else {PLUGINS, LOGICAL_ERROR}
    mismatches: list[Mismatch] = []
    total, left = 0, 0
    for _, declared, lines in stored_analyses(store, saved):
        checked = {name: options for name, options in declared.items() if name not in left_out}
        results = analyze_run(store, saved, analyses=checked)
        made = {record.key: record for record in analysis_records(results)}
        own = [line for line in lines if line.analysis in checked]
        left += len(lines) - len(own)
        total += len(own)
        for line in own:
            what = f"{line.analysis} of {line.circuit} ({line.stage})"
            if line.key not in made:
                mismatches.append(Mismatch(what, "the run's counts do not give this analysis"))
            elif fields := differing(line, made[line.key]):
                mismatches.append(mismatch_of(what, fields))
    if not total and not left:
        return None
    note = f"{left} of {' and '.join(sorted(left_out))} are left out" if left else ""
    return check_of("analyses", total, mismatches, note)
