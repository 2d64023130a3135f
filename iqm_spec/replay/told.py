"""Do the events of a run, its jobs and its records tell the same where they tell of the same?"""

from __future__ import annotations

from collections.abc import Iterator

from iqm_spec.engine.saved import SavedRun
from iqm_spec.model import StageName
from iqm_spec.replay.check import Check, Mismatch, check_of
from iqm_spec.server_api.errors import BadAnswer
from iqm_spec.server_api.jobs import parse_stored
from iqm_spec.stages.keys import record_key
from iqm_spec.stages.registry import SERVER_STAGES, stage_named
from iqm_spec.stages.server.attempts import Attempt, Phase, read_work
from iqm_spec.stages.server.collect import records_kind
from iqm_spec.stages.server.judge import short_job_key
from iqm_spec.stages.server.server_info import EMULATOR
from iqm_spec.store import Store
from iqm_spec.store.objects import JobReportObject


def check_told(store: Store, saved: SavedRun) -> Check:
    """Versions and stages of the run; of its jobs emulation, calibration sets, times and reports.

    Whoever changes one of them has to change all: no proof, but few contradictions pass.
    """
    stages = [stage.name for stage in SERVER_STAGES] if saved.realm is not None else []
    jobs = [
        (stage, attempt)
        for stage in stages
        for attempt in read_work(saved.plan, stage, saved.realm or "", store).attempts()
    ]
    wrong = [*_of_run(store, saved)]
    for stage, attempt in jobs:
        name = f"job {attempt.id or short_job_key(attempt)}"
        wrong += [Mismatch(name, why) for why in _of_job(store, saved, stage, attempt)]
    return check_of("journals", 1 + len(jobs), wrong)


def _of_run(store: Store, saved: SavedRun) -> Iterator[Mismatch]:
    name = f"run {saved.state.id}"
    version = saved.versions(store).get("qiskit-aer", saved.simulator.aer)
    if version != saved.simulator.aer:
        yield Mismatch(name, f"it names Aer {saved.simulator.aer}, its versions name {version}")
    if saved.state.start.spec.digest != saved.plan.header.spec.digest:
        yield Mismatch(name, "it names another spec than its plan")
    if not set(saved.state.start.wanted) <= set(saved.plan.header.stages):
        yield Mismatch(name, "it wanted stages that its plan does not have")
    for one in saved.stages:
        if (
            saved.realm == EMULATOR
            and stage_named(one.stage).needs_server
            and one.points
            and not one.emulated
        ):
            yield Mismatch(name, f"its {one.stage} stage was emulated, and says it was not")


def _of_job(store: Store, saved: SavedRun, stage: StageName, attempt: Attempt) -> Iterator[str]:
    intent = attempt.intent
    if saved.realm == EMULATOR and not intent.emulated:
        yield "it was emulated, and says it was not"
    verdict = next((one for one in saved.stages if one.stage == stage.value), None)
    if verdict and intent.emulated and verdict.points and not verdict.emulated:
        yield f"it was emulated, and the verdict of the {stage.value} stage says it was not"
    if attempt.phase is not Phase.COMPLETED:
        return
    yield from _of_report(store, attempt)
    set_id = attempt.calibration_set_id
    keys = [
        record_key(key, attempt.job, attempt.number, str(attempt.id)) for key, _ in attempt.parts
    ]
    packs = {attempt.completion.records}
    found = store.find(records_kind(stage), keys, within=packs)
    if any(one.record.calibration_set_id != set_id for one in found.values()):
        yield f"its counts name another calibration set than {set_id}"


def _of_report(store: Store, attempt: Attempt) -> Iterator[str]:
    """The server's own report of a job beside what its event took from it."""
    name = attempt.completion.report
    if name is None:
        return
    try:
        report = parse_stored(store.get(name, JobReportObject).job)
    except BadAnswer:
        yield "the server's report of it cannot be read"
        return
    seconds = attempt.qpu_seconds
    for what, mine, theirs in (
        ("id", str(attempt.id).lower(), report.id.lower() or str(attempt.id).lower()),
        ("status", attempt.status, report.status),
        # runs of earlier versions took the time from the timeline alone
        ("time", seconds, report.execution_seconds if seconds is None else report.qpu_seconds),
        ("calibration set", attempt.calibration_set_id, report.calibration_set_id),
    ):
        if mine != theirs:
            yield f"its {what} is {mine}, and the server's report says {theirs}"
