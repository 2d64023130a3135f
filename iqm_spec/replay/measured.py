"""Checks of data from a server, without contacting it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from iqm_spec.canonical import digest
from iqm_spec.model import Stage
from iqm_spec.plan.build import read_plan
from iqm_spec.plan.keep import circuits_of
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.replay.check import (
    Mismatch,
    ReplayCheck,
    check_of,
    differing,
    mismatch_of,
    named,
)
from iqm_spec.runs.derived import derived_key, measured_lines
from iqm_spec.runs.rows import Row
from iqm_spec.runs.saved import SavedRun
from iqm_spec.server.errors import BadAnswer
from iqm_spec.server.jobs import parse_stored
from iqm_spec.stages.server.collect import records_kind
from iqm_spec.stages.server.desk import EMULATOR
from iqm_spec.stages.server.judge import short
from iqm_spec.stages.server.keys import record_key
from iqm_spec.stages.server.ledger import read_attempts
from iqm_spec.stages.server.state import Attempt, Phase
from iqm_spec.stages.server.work import look, point_keys
from iqm_spec.store import Store


def check_measured(store: Store, saved: SavedRun) -> Iterator[ReplayCheck]:
    """Check the requests of mock and hardware jobs, and counts and distances of the machine."""
    if saved.realm is None:
        return
    for stage in (Stage.MOCK, Stage.HARDWARE):
        if stage.value in saved.plan.header["stages"]:
            yield from _check_bodies(store, saved, stage, saved.realm)
    rows = [row for row in saved.each_row(store) if row.stage == "hardware" and row.record]
    if rows:
        yield check_of("hardware counts", len(rows), _wrong_counts(rows))
        known = [row for row in rows if row.derived is None or row.comparison]
        left = len(rows) - len(known)
        note = f"{count(left, 'point')} have no distances to compare" if left else ""
        wrong = _wrong_distances(store, saved, rows)
        yield check_of("hardware distances", len(known), wrong, note)


def _check_bodies(store: Store, saved: SavedRun, stage: Stage, realm: str) -> Iterator[ReplayCheck]:
    """Build each job's request again from the plan's circuits, and compare with the sent one.

    Includes the jobs that have the run's points, and all jobs of the run itself: failed, waiting,
    refused and released ones, too.
    """
    every = read_attempts(store, stage, realm)  # also those without a point of the plan
    of_run = [attempt for attempt in every if attempt.intent.get("run") == saved.state.id]
    ids_of_run = {(attempt.job, attempt.number) for attempt in of_run}
    others = [
        attempt
        for attempt in look(saved.plan, stage, realm, store, write=False).attempts()
        if (attempt.job, attempt.number) not in ids_of_run
    ]
    sent = [attempt for attempt in (*others, *of_run) if attempt.phase is not Phase.CLAIMED]
    own = [attempt for attempt in sent if not attempt.intent.get("imported")]
    left = len(sent) - len(own)
    note = f"{left} more jobs were imported: their requests cannot be built again" if left else ""
    if sent:
        yield check_of(f"{stage.value} requests", len(own), _other_bodies(store, own), note)


def _other_bodies(store: Store, own: Sequence[Attempt]) -> Iterator[Mismatch]:
    plans: dict[str, tuple[Plan, dict[str, PlannedPoint]]] = {}
    for attempt in own:
        named_, body = str(attempt.intent["plan"]), attempt.intent["body"]
        if named_ not in plans:
            plans[named_] = _with_keys(read_plan(store, named_), attempt)
        plan, points = plans[named_]
        name = attempt.id or short(attempt)
        if any(key not in points for key, _ in attempt.parts):
            yield Mismatch(f"job {name}", "its circuits are not in the plan that it names")
        elif digest(json.loads(_request(store, plan, attempt, points))) != body:
            yield Mismatch(f"job {name}", "its request does not match the plan's circuits")


def _with_keys(plan: Plan, attempt: Attempt) -> tuple[Plan, dict[str, PlannedPoint]]:
    """A plan, and its points by point key at the stage and server of an attempt."""
    keys = point_keys(plan, Stage(attempt.intent["stage"]), attempt.intent["realm"])
    points: dict[str, PlannedPoint] = {}
    for key, point in zip(keys, plan.points, strict=True):
        points.setdefault(key, point)  # of points with equal keys, the first was sent
    return plan, points


def _request(
    store: Store, plan: Plan, attempt: Attempt, by_key: Mapping[str, PlannedPoint]
) -> bytes:
    from iqm_spec.server.body import job_body

    intent = attempt.intent
    points = [by_key[key] for key, _ in attempt.parts]
    circuits = circuits_of(store, plan, points)
    pairs = [(point.name, circuits[point.ask]) for point in points]
    return job_body(pairs, intent["shots"], intent["calibration_set_id"], points[0].options)


def _wrong_counts(rows: Sequence[Row]) -> Iterator[Mismatch]:
    for row in rows:
        counts, returned = row.counts, row.record["shots_returned"] if row.record else 0
        if sum(counts.values()) != returned:
            yield Mismatch(
                named(row.point, row.stage),
                f"its counts add up to {sum(counts.values())}, but {returned} shots were returned",
            )


def _wrong_distances(store: Store, saved: SavedRun, rows: Sequence[Row]) -> Iterator[Mismatch]:
    counted = [
        (derived_key(row.record["records"]), row.point.ask, row.counts)
        for row in rows
        if row.record is not None
    ]
    made = measured_lines(store, saved.plan, counted)
    for row, line in zip(rows, made, strict=True):
        if row.derived is None:
            yield Mismatch(named(row.point, row.stage), "its distances are missing")
        elif fields := differing(row.derived, line):
            yield mismatch_of(named(row.point, row.stage), fields)


def check_journals(store: Store, saved: SavedRun) -> ReplayCheck:
    """Check that versions, stages, emulation, calibration sets, times and reports agree.

    A forger has to change all of them together: this is no proof, but detects contradictions.
    """
    stages = [Stage.MOCK, Stage.HARDWARE] if saved.realm is not None else []
    jobs = [
        (stage, attempt)
        for stage in stages
        for attempt in look(saved.plan, stage, saved.realm or "", store, write=False).attempts()
    ]
    mismatches = [*_of_run(store, saved)]
    for stage, attempt in jobs:
        name = f"job {attempt.id or short(attempt)}"
        mismatches += [Mismatch(name, why) for why in _of_job(store, saved, stage, attempt)]
    return check_of("journals", 1 + len(jobs), mismatches)


def _of_run(store: Store, saved: SavedRun) -> Iterator[Mismatch]:
    name = f"run {saved.state.id}"
    versions = saved.environment(store).get("versions", {})
    version = versions.get("qiskit-aer", saved.simulator.aer)
    if version != saved.simulator.aer:
        yield Mismatch(name, f"it has Aer {saved.simulator.aer}, but its versions have {version}")
    spec: Any = saved.state.fields["spec"]
    if spec["digest"] != saved.plan.header["spec"]["digest"]:
        yield Mismatch(name, "its spec differs from that of its plan")
    stages: Any = saved.state.fields["wanted"]
    if not set(stages) <= set(saved.plan.header["stages"]):
        yield Mismatch(name, "it has stages that its plan does not have")
    for verdict in saved.stages:
        at_server = verdict["stage"] != "aer" and verdict["points"]
        if saved.realm == EMULATOR and at_server and not verdict["emulated"]:
            stage = verdict["stage"]
            yield Mismatch(name, f"its {stage} stage was emulated, but its verdict denies it")


def _of_job(store: Store, saved: SavedRun, stage: Stage, attempt: Attempt) -> Iterator[str]:
    intent = attempt.intent
    if saved.realm == EMULATOR and not intent.get("emulated"):
        yield "it was emulated, but its intent denies it"
    verdict = next((entry for entry in saved.stages if entry["stage"] == stage.value), None)
    if verdict and intent.get("emulated") and verdict["points"] and not verdict["emulated"]:
        yield f"it was emulated, but the verdict of the {stage.value} stage denies it"
    if attempt.phase is not Phase.COMPLETED:
        return
    yield from _of_report(store, attempt)
    set_id = attempt.fields.get("calibration_set_id")
    keys = [
        record_key(key, attempt.job, attempt.number, str(attempt.id)) for key, _ in attempt.parts
    ]
    packs = {str(attempt.fields["records"])}
    records = store.find(records_kind(stage), keys, within=packs).values()
    if any(stored.record.get("calibration_set_id") != set_id for stored in records):
        yield f"its counts have another calibration set than {set_id}"


def _of_report(store: Store, attempt: Attempt) -> Iterator[str]:
    """Compare the server's report of a job with the event that was made from it."""
    name = attempt.fields.get("report")
    if name is None:
        return
    stored: Any = store.get_json(str(name))
    try:
        report = parse_stored(stored["job"])
    except (BadAnswer, KeyError):
        yield "the server's report of the job cannot be read"
        return
    seconds = attempt.fields.get("qpu_seconds")
    for what, in_event, in_report in (
        ("id", str(attempt.id).lower(), report.id.lower() or str(attempt.id).lower()),
        ("status", attempt.fields.get("status"), report.status),
        # runs of earlier versions took the time from the timeline alone
        ("time", seconds, report.execution_seconds if seconds is None else report.qpu_seconds),
        ("calibration set", attempt.fields.get("calibration_set_id"), report.calibration_set_id),
    ):
        if in_event != in_report:
            yield f"its {what} is {in_event}, but the server's report has {in_report}"
