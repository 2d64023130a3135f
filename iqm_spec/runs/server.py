"""A stage at a server: ask what nobody has asked yet, wait for what is asked, judge the whole."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence

from iqm_spec.cost.estimate import JobCost
from iqm_spec.errors import ExitCode, Refused, Terminated
from iqm_spec.model import Stage
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.plan import Plan
from iqm_spec.runs.afford import price_jobs, require_budget, that_fit
from iqm_spec.runs.calibrations import Used, keep_calibrations, used_sets
from iqm_spec.runs.events import (
    Event,
    Heard,
    JobDone,
    StageDone,
    StageStarted,
    Submitted,
)
from iqm_spec.runs.gaps import require_journals
from iqm_spec.runs.late_shots import fetch_late
from iqm_spec.runs.log import RunLog
from iqm_spec.runs.mock_gate import no_mock, require_mock, untestable
from iqm_spec.runs.request import Request
from iqm_spec.runs.server_notes import estimate_note, machine_notes
from iqm_spec.runs.server_rows import derive, server_rows
from iqm_spec.runs.server_stage import ServerStage, calibration_sets, deadline_of, desk_of
from iqm_spec.runs.shots import wanted_keys
from iqm_spec.stages.server.batch import Batch, Part, batches_of
from iqm_spec.stages.server.collect import collect
from iqm_spec.stages.server.consent import bill_of
from iqm_spec.stages.server.desk import EMULATOR, computer_of
from iqm_spec.stages.server.judge import judge_server
from iqm_spec.stages.server.state import Attempt, Phase
from iqm_spec.stages.server.submit import submit
from iqm_spec.stages.server.work import ServerWork, circuits_of_attempts, ended_already
from iqm_spec.store import Store

OTHERS_SECONDS = 0.2
"""Between two looks at a job that another process is submitting."""

ROUNDS = 3
"""So often is looked for what is left, as other processes may submit from the same folder."""


def run_server(
    stage: Stage,
    before: Sequence[StageDone],
    plan: Plan,
    request: Request,
    store: Store,
    log: RunLog,
) -> Generator[Event, None, StageDone]:
    """Carry a server stage out; raises Refused and Unreachable before anything is submitted."""
    session = request.session
    if session is None:
        return refused(stage, request.why_no_session, request)
    it = ServerStage(stage, plan, request, session, store, log)
    if request.fresh:
        it.ignored = ended_already(store, stage, session.realm)
    work = it.look()
    cached = work.cached
    left = any(True for _ in work.left())
    if left and (reason := no_mock(it)):
        return _ended(stage, "waived", reason, ExitCode.DONE, request)
    parts = _parts(it, work) if left else []
    jobs = _batches(it, parts)
    it.emulated = any(a.intent.emulated for a in work.attempts()) or (left and session.emulated)
    shared = len(work.keys) - len(set(work.keys))
    yield StageStarted(
        stage, len(work.keys), cached, len(jobs), shared=shared, emulated=it.emulated
    )
    sets: Mapping[str, str | None] = {}
    if jobs:
        require_mock(it, before)
        sets = calibration_sets(it, jobs)
        if it.stage is Stage.HARDWARE:
            require_journals(store, session.realm)
            jobs = _afford(it, jobs)
    try:
        if jobs:
            yield from _submit(it, jobs, sets)
        yield from _wait(it)
    except Terminated:
        if not it.look().attempts(Phase.SUBMITTED):
            raise
        it.found.notes.append("ended by SIGTERM; the jobs go on at the server")
    return _judged(it, cached, len(jobs))


def _parts(it: ServerStage, work: ServerWork) -> list[Part]:
    """What is left to ask and can be: circuits that a mock lacks the loci for are left out."""
    points = [point for point, *_ in work.left()]
    parts = work.parts(circuits_of(it.store, it.plan, points))
    if it.stage is not Stage.MOCK:
        return parts
    it.found.untestable = untestable(it.counter, parts)
    return [part for part in parts if part.key not in it.found.untestable]


def _batches(it: ServerStage, parts: Sequence[Part]) -> list[Batch]:
    if not parts:
        return []
    targets = dict.fromkeys(part.point.target for part in parts)
    bounds = it.counter.bounds([computer_of(it.stage, target) for target in targets])
    by_target = {target: bounds[computer_of(it.stage, target)] for target in targets}
    return batches_of(it.plan, parts, by_target)


def _afford(it: ServerStage, jobs: Sequence[Batch]) -> list[Batch]:
    """The jobs that fit in what is booked, priced, in the budget, and agreed to."""
    costs = price_jobs(it, jobs)
    kept = that_fit(it, jobs, costs)
    costs = [cost for job, cost in zip(jobs, costs, strict=True) if job in kept]
    require_budget(it, costs)
    if kept:
        _agree(it, kept, costs)
    return kept


def _agree(it: ServerStage, jobs: Sequence[Batch], costs: Sequence[JobCost]) -> None:
    """Consent is asked where credits can be spent: not of the built-in emulator."""
    if it.session.realm == EMULATOR:
        return
    computers = dict.fromkeys(computer_of(it.stage, job.target) for job in jobs)
    notes = [
        *it.found.notes,
        *machine_notes(it.counter.offer(computer) for computer in computers),
        *estimate_note(it, jobs),
        *([it.found.held] if it.found.held else []),
    ]
    bill = bill_of(it.session, it.stage, it.plan.header.mode, jobs, costs, notes)
    if not it.request.agree(bill):
        raise Refused(
            "nothing was submitted: nobody agreed to it",
            hint="answer `y`, or give --yes where there is no terminal",
            code="refused.consent",
        )


def _submit(
    it: ServerStage, jobs: Sequence[Batch], sets: Mapping[str, str | None]
) -> Iterator[Event]:
    """Submit the jobs in order, then what other processes left behind; `sets` as in `Desk`."""
    desk = desk_of(it, sets)
    for _ in range(ROUNDS):
        for batch in jobs:
            try:
                attempt = submit(desk, batch, it.ignored, it.tell)
            except Refused as error:
                it.found.held = f"{error.message} ({error.hint}); the rest was not submitted"
                return
            if attempt is None:
                continue
            yield Submitted(it.stage, desk.alias(batch.target), len(batch.parts), attempt)
            it.submitted += attempt.phase is not Phase.REJECTED
            if attempt.phase is Phase.REJECTED:
                it.found.rejected.append(attempt)
            elif it.request.fail_fast:
                yield from _wait(it)
            if _hopeless(attempt) or (it.request.fail_fast and _went_wrong(it)):
                return
        if it.found.held:
            return
        refused = {key for attempt in it.found.rejected for key, _ in attempt.parts}
        parts = [part for part in _parts(it, it.look()) if part.key not in refused]
        jobs = _batches(it, parts)
        if not jobs:
            return


def _went_wrong(it: ServerStage) -> bool:
    """Whether a job has been rejected, has failed, or may have."""
    wrong = it.look().attempts(Phase.FAILED, Phase.UNKNOWN)
    return bool(it.found.rejected or it.found.troubles or wrong)


def _hopeless(attempt: Attempt) -> bool:
    """Whether the next job would be rejected for the same reason."""
    return attempt.status in (401, 403)


def _wait(it: ServerStage) -> Iterator[Event]:
    """Bring in what the server has, until the deadline; other processes' jobs too."""
    work = it.look()
    while work.attempts(Phase.INTENDED):  # another process is submitting at this moment
        time.sleep(OTHERS_SECONDS)
        work = it.look()
    waiting = work.attempts(Phase.SUBMITTED)
    if not waiting:
        return
    it.heard = True
    deadline = deadline_of(it)
    circuits = circuits_of_attempts(it.store, waiting)
    memory = _memory(it, work)
    try:
        for heard in collect(waiting, it.session, it.store, circuits, deadline, it.tell, memory):
            yield Heard(it.stage, heard.attempt, heard.status, heard.queue_position)
            if heard.lacks:
                it.lacking[heard.attempt.job, heard.attempt.number] = heard.lacks
            if heard.trouble:
                it.found.troubles.append(heard.trouble)
            elif heard.ended:
                yield JobDone(it.stage, 0, len(heard.attempt.parts))
    except Refused as error:
        it.found.stopped = f"{error.message} ({error.hint}); the jobs go on, and their ids are kept"


def _memory(it: ServerStage, work: ServerWork) -> frozenset[str]:
    """Keys of the points whose shots are kept: none of a mock, whose bits mean nothing."""
    wanted = it.stage is Stage.HARDWARE
    return wanted_keys(it.plan.points, work.keys) if wanted else frozenset()


def _judged(it: ServerStage, cached: int, jobs: int) -> StageDone:
    work = it.look()
    if not it.found.stopped:
        fetch_late(it, work, _memory(it, work))
    it.found.notes += it.lacking.values()
    attempts = work.attempts()
    derived: list[str] = []
    calibrations: list[str] = []
    if it.stage is Stage.HARDWARE:
        ids = [(a.job, a.number, a.id) for a in attempts]
        rows = list(server_rows(it.store, it.plan, it.stage, it.session.realm, ids))
        derived = derive(it.store, it.plan, rows)
        used = used_sets(rows)
        calibrations = keep_calibrations(
            it.store, it.session, used, ask=it.heard and not it.found.stopped
        )
        it.found.notes += _other_sets(it, used)
    verdict = judge_server(work, it.stage, it.found)
    it.log.used(it.stage, it.session.realm, attempts, derived, calibrations)
    return StageDone(
        stage=it.stage,
        status=verdict.status,
        reasons=verdict.reasons,
        jobs=jobs,
        cached=cached,
        points=len(work.keys),
        emulated=it.emulated,
        submitted=it.submitted,
        code=verdict.code,
    )


def _other_sets(it: ServerStage, used: Sequence[Used]) -> Iterator[str]:
    """Results of other calibration sets than the one that the plan's machine was read under."""
    if it.plan.header.calibration != "pin":
        return
    for target, calibration in used:
        pinned = it.request.pins.get(target)
        if pinned is not None and calibration != pinned:
            yield (
                f"{target}: the results in the folder are of calibration set {calibration}, the "
                f"plan is for {pinned}; `--fresh` measures again"
            )


def refused(stage: Stage, reason: str, request: Request) -> StageDone:
    """The end of a stage in which nothing was submitted."""
    return _ended(stage, "refused", reason, ExitCode.REFUSED, request)


def _ended(stage: Stage, status: str, reason: str, code: ExitCode, request: Request) -> StageDone:
    return StageDone(
        stage=stage,
        status=status,
        reasons=(reason,),
        jobs=0,
        cached=0,
        points=0,
        emulated=request.session is not None and request.session.realm == EMULATOR,
        code=code,
    )
