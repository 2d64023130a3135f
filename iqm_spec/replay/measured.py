"""Checks of data from a server, without contacting it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from iqm_spec.canonical import digest
from iqm_spec.engine.saved import SavedRun
from iqm_spec.model import StageName
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan, PlannedPoint, read_plan
from iqm_spec.replay.check import (
    Mismatch,
    ReplayCheck,
    check_of,
    differing,
    mismatch_of,
    named,
)
from iqm_spec.server_api.errors import BadAnswer
from iqm_spec.server_api.jobs import parse_stored
from iqm_spec.stages.derived import derived_key, measured_records
from iqm_spec.stages.keys import record_key
from iqm_spec.stages.registry import SERVER_STAGES, stage_named
from iqm_spec.stages.rows import Row
from iqm_spec.stages.server.attempts import (
    Attempt,
    Phase,
    plan_of,
    point_keys,
    read_attempts,
    read_work,
)
from iqm_spec.stages.server.collect import records_kind
from iqm_spec.stages.server.judge import short_job_key
from iqm_spec.stages.server.server_info import EMULATOR
from iqm_spec.store import Store
from iqm_spec.store.objects import JobReportObject


def check_measured(store: Store, saved: SavedRun) -> Iterator[ReplayCheck]:
    """Check the requests of mock and hardware jobs, and counts and distances of the machine."""
    if saved.server_id is None:
        return
    for stage in [stage.name for stage in SERVER_STAGES]:
        if stage.value in saved.plan.header.stages:
            yield from _check_bodies(store, saved, stage, saved.server_id)
    hardware = stage_named(StageName.HARDWARE)
    rows = [row for row in saved.rows_of_stage(store, hardware) if row.record]
    if rows:
        wrong_counts = []
        for row in rows:
            added = sum(row.counts.values())
            returned = row.record.shots_returned if row.record else 0
            if added != returned:
                why = f"its counts add up to {added}, but {returned} shots were returned"
                wrong_counts.append(Mismatch(named(row.point, row.stage), why))
        yield check_of("hardware counts", len(rows), wrong_counts)
        known = [row for row in rows if row.derived is None or row.comparison]
        left = len(rows) - len(known)
        note = f"{count(left, 'point')} have no distances to compare" if left else ""
        wrong = _wrong_distances(store, saved, rows)
        yield check_of("hardware distances", len(known), wrong, note)


def _check_bodies(
    store: Store, saved: SavedRun, stage: StageName, server_id: str
) -> Iterator[ReplayCheck]:
    """Build each job's request again from the plan's circuits, and compare with the sent one.

    Includes the jobs that have the run's points, and all jobs of the run itself: failed, waiting,
    refused and released ones, too.
    """
    every = read_attempts(store, stage, server_id)  # also those without a point of the plan
    of_run = [attempt for attempt in every if attempt.intent.run == saved.state.id]
    ids_of_run = {(attempt.job, attempt.number) for attempt in of_run}
    others = [
        attempt
        for attempt in read_work(saved.plan, stage, server_id, store).attempts()
        if (attempt.job, attempt.number) not in ids_of_run
    ]
    sent = [attempt for attempt in (*others, *of_run) if attempt.phase is not Phase.CLAIMED]
    own = [attempt for attempt in sent if not attempt.intent.imported]
    left = len(sent) - len(own)
    note = f"{left} more jobs were imported: their requests cannot be built again" if left else ""
    if sent:
        yield check_of(f"{stage.value} requests", len(own), _other_bodies(store, own), note)


def _other_bodies(store: Store, own: Sequence[Attempt]) -> Iterator[Mismatch]:
    from iqm_spec.server_api.payload import job_body

    # by the plan's digest, the plan and its points by point key
    plans: dict[str, tuple[Plan, dict[str, PlannedPoint]]] = {}
    for attempt in own:
        plan_digest, intent = plan_of(attempt), attempt.intent
        if plan_digest not in plans:
            plan = read_plan(store, plan_digest)
            keys = point_keys(plan, StageName(intent.stage), intent.realm)
            # of points with equal keys, the first was sent
            pairs_in_reverse = zip(reversed(keys), reversed(plan.points), strict=True)
            plans[plan_digest] = plan, dict(pairs_in_reverse)
        plan, by_key = plans[plan_digest]
        name = f"job {attempt.id or short_job_key(attempt)}"
        if any(key not in by_key for key, _ in attempt.parts):
            yield Mismatch(name, "its circuits are not in the plan that it names")
            continue
        points = [by_key[key] for key, _ in attempt.parts]
        circuits = circuits_of(store, plan, points)
        pairs = [(point.name, circuits[point.circuit_key]) for point in points]
        body = job_body(pairs, intent.shots, intent.calibration_set_id, points[0].options)
        if digest(json.loads(body)) != intent.body:
            yield Mismatch(name, "its request does not match the plan's circuits")


def _wrong_distances(store: Store, saved: SavedRun, rows: Sequence[Row]) -> Iterator[Mismatch]:
    counted = [
        (derived_key(row.sources), row.point.circuit_key, row.counts)
        for row in rows
        if row.record is not None
    ]
    made = measured_records(store, saved.plan, counted)
    for row, line in zip(rows, made, strict=True):
        if row.derived is None:
            yield Mismatch(named(row.point, row.stage), "its distances are missing")
        elif fields := differing(row.derived, line):
            yield mismatch_of(named(row.point, row.stage), fields)


def check_journals(store: Store, saved: SavedRun) -> ReplayCheck:
    """Check that versions, stages, emulation, calibration sets, times and reports agree.

    A forger has to change all of them together: this is no proof, but detects contradictions.
    """
    stages = [stage.name for stage in SERVER_STAGES] if saved.server_id is not None else []
    jobs = [
        (stage, attempt)
        for stage in stages
        for attempt in read_work(saved.plan, stage, saved.server_id or "", store).attempts()
    ]
    mismatches = [*_of_run(store, saved)]
    for stage, attempt in jobs:
        name = f"job {attempt.id or short_job_key(attempt)}"
        mismatches += [Mismatch(name, why) for why in _of_job(store, saved, stage, attempt)]
    return check_of("journals", 1 + len(jobs), mismatches)


def _of_run(store: Store, saved: SavedRun) -> Iterator[Mismatch]:
    name = f"run {saved.state.id}"
    version = saved.versions(store).get("qiskit-aer", saved.simulator.aer)
    if version != saved.simulator.aer:
        yield Mismatch(name, f"it has Aer {saved.simulator.aer}, but its versions have {version}")
    if saved.state.start.spec.digest != saved.plan.header.spec.digest:
        yield Mismatch(name, "its spec differs from that of its plan")
    if not set(saved.state.start.wanted) <= set(saved.plan.header.stages):
        yield Mismatch(name, "it has stages that its plan does not have")
    for verdict in saved.stages:
        at_server = stage_named(verdict.stage).needs_server and verdict.points
        if saved.server_id == EMULATOR and at_server and not verdict.emulated:
            yield Mismatch(
                name, f"its {verdict.stage} stage was emulated, but its verdict denies it"
            )


def _of_job(store: Store, saved: SavedRun, stage: StageName, attempt: Attempt) -> Iterator[str]:
    intent = attempt.intent
    if saved.server_id == EMULATOR and not intent.emulated:
        yield "it was emulated, but its intent denies it"
    verdict = next((entry for entry in saved.stages if entry.stage == stage.value), None)
    if verdict and intent.emulated and verdict.points and not verdict.emulated:
        yield f"it was emulated, but the verdict of the {stage.value} stage denies it"
    if attempt.phase is not Phase.COMPLETED:
        return
    yield from _of_report(store, attempt)
    set_id = attempt.calibration_set_id
    keys = [
        record_key(key, attempt.job, attempt.number, str(attempt.id)) for key, _ in attempt.parts
    ]
    packs = {attempt.completion.records}
    records = store.find(records_kind(stage), keys, within=packs).values()
    if any(stored.record.calibration_set_id != set_id for stored in records):
        yield f"its counts have another calibration set than {set_id}"


def _of_report(store: Store, attempt: Attempt) -> Iterator[str]:
    """Compare the server's report of a job with the event that was made from it."""
    name = attempt.completion.report
    if name is None:
        return
    try:
        report = parse_stored(store.get(name, JobReportObject).job)
    except BadAnswer:
        yield "the server's report of the job cannot be read"
        return
    seconds = attempt.qpu_seconds
    for what, in_event, in_report in (
        ("id", str(attempt.id).lower(), report.id.lower() or str(attempt.id).lower()),
        ("status", attempt.status, report.status),
        # runs of earlier versions took the time from the timeline alone
        ("time", seconds, report.execution_seconds if seconds is None else report.qpu_seconds),
        ("calibration set", attempt.calibration_set_id, report.calibration_set_id),
    ):
        if in_event != in_report:
            yield f"its {what} is {in_event}, but the server's report has {in_report}"
