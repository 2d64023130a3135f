"""Is every point's circuit the one that its plan names?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from iqm_spec import memory
from iqm_spec.analysis.logical_error import NAME as LOGICAL_ERROR
from iqm_spec.analysis.logical_error import can_decode
from iqm_spec.analysis.run_analyses import analysis_records, analyze_run, stored_analyses
from iqm_spec.engine.respec import StoredSpec, respec
from iqm_spec.engine.saved import SavedRun
from iqm_spec.model import SpecPoint
from iqm_spec.plan.circuits import natives_of
from iqm_spec.plan.differences import point_name
from iqm_spec.plan.label import count, label
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.plan.readout import is_calibration
from iqm_spec.replay.check import Mismatch, ReplayCheck, check_of, differing, named
from iqm_spec.spec.schema import PLUGINS, DeclaredAnalyses
from iqm_spec.stages.aer.stage import comparison_of
from iqm_spec.stages.keys import aer_key
from iqm_spec.stages.shots import in_order
from iqm_spec.statistics.requirements import judge
from iqm_spec.store import Store
from iqm_spec.store.records import AER_MEMORY, AER_RECORDS, AnalysisRecord
from iqm_spec.version import __version__

_AT_ONCE = 4096


def check_circuits(store: Store, plan: Plan) -> ReplayCheck:
    """Digest and summary (qubits, depth, gates) of every transpiled circuit, computed anew."""
    return check_of("transpiled circuits", len(plan.points), _mismatches(store, plan))


def _mismatches(store: Store, plan: Plan) -> Iterator[Mismatch]:
    for start in range(0, len(plan.points), _AT_ONCE):
        points = plan.points[start : start + _AT_ONCE]
        natives = natives_of(store, plan, points)
        for point in points:
            native = natives[point.circuit_key]
            if native.digest != point.circuit:
                yield Mismatch(
                    named(point, "plan"),
                    f"the stored circuit is {native.digest[:12]}, the plan names "
                    f"{point.circuit[:12]}",
                )
            elif native.summary != point.summary:
                told, summary = point.summary.to_json(), native.summary.to_json()
                yield Mismatch(named(point, "plan"), f"its plan tells {told}, it has {summary}")


_SETTINGS = ("name", "seed", "calibration", "order")


def check_spec(store: Store, saved: SavedRun) -> ReplayCheck | None:
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


def _settings(again: StoredSpec, saved: SavedRun) -> Iterator[Mismatch]:
    header = saved.plan.header
    planned = (header.spec.name, header.seed, header.calibration, header.order)
    for name, setting in zip(_SETTINGS, planned, strict=True):
        if setting != getattr(again.spec, name):
            yield Mismatch(f"{name} (spec)", f"the plan has {setting}")
    if saved.state.name != saved.plan.name:
        yield Mismatch("name (run)", f"the plan is of {saved.plan.name}")


def _differences(point: SpecPoint, own: PlannedPoint) -> Iterator[str]:
    for what, asked, have in (
        ("shots", point.shots, own.shots),
        ("machine", point.target, own.target),
        ("options", dict(point.options), dict(own.options)),
        ("memory", point.memory, own.memory),
    ):
        if asked != have:
            yield f"the spec asks for {what} {asked}, the plan has {have}"


def check_verdict(store: Store, saved: SavedRun) -> ReplayCheck | None:
    """The verdicts of Aer and machine beside those in the journal; None where there are none."""
    wrong: list[Mismatch] = []
    total = 0
    for told in saved.stages:
        if told.stage != "mock" and told.stage in saved.judged:
            total += 1
            of = _aer if told.stage == "aer" else _hardware
            wrong += of(store, saved, told.status)
    return check_of("verdicts", total, wrong) if total else None


def _hardware(store: Store, saved: SavedRun, status: str) -> Iterator[Mismatch]:
    """It passes where every point was measured."""
    rows = [row for row in saved.each_row(store) if row.stage == "hardware"]
    without = sum(1 for row in rows if row.record is None)
    if status == "passed" and (without or not rows):
        told = f"{without:,} of {count(len(rows), 'point')}" if rows else "all points"
        yield Mismatch("hardware", f"the journal says passed, and the counts of {told} are gone")


def _aer(store: Store, saved: SavedRun, status: str) -> Iterator[Mismatch]:
    require = saved.plan.header.require.get("aer", {})
    rows = (row for row in saved.each_row(store) if row.stage == "aer")
    named = (
        (label(row.point.name, row.point.values, row.point.repeat), comparison_of(row))
        for row in rows
    )
    verdict = judge(require, named)
    if verdict.status != status:
        yield Mismatch("aer", f"the journal says {status}, it is {verdict.status}")


def check_simulated_shots(store: Store, saved: SavedRun) -> ReplayCheck | None:
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


def check_analyses(store: Store, saved: SavedRun) -> ReplayCheck | None:
    """What the folder holds of analyses beside the same made anew; None where it holds none.

    Plugins are left out: their packages may be others by now. So is decoding where its packages
    are not installed.
    """
    left_out = {PLUGINS} if can_decode() else {PLUGINS, LOGICAL_ERROR}
    wrong: list[Mismatch] = []
    total, left = 0, 0
    for _, told, lines in stored_analyses(store, saved):
        wanted = {name: options for name, options in told.items() if name not in left_out}
        made = _made(store, saved, wanted)
        own = [line for line in lines if line.analysis in wanted]
        left += len(lines) - len(own)
        total += len(own)
        wrong += _compared({line.key: line for line in own}, made)
    if not total and not left:
        return None
    note = f"{left} of {' and '.join(sorted(left_out))} are left out" if left else ""
    return check_of("analyses", total, wrong, note)


def _made(store: Store, saved: SavedRun, analyses: DeclaredAnalyses) -> dict[str, AnalysisRecord]:
    results = analyze_run(store, saved, analyses=analyses)
    return {record.key: record for record in analysis_records(results)}


def _compared(
    stored: Mapping[str, AnalysisRecord], made: Mapping[str, AnalysisRecord]
) -> Iterator[Mismatch]:
    for key, line in stored.items():
        what = f"{line.analysis} of {line.circuit} ({line.stage})"
        if key not in made:
            yield Mismatch(what, "the run's counts give no such analysis")
        elif wrong := differing(line, made[key]):
            yield Mismatch(what, f"{' and '.join(wrong)} came out otherwise")
