"""A stage at a server: ask what nobody has asked yet, wait for what is asked, judge the whole."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence

from attrs import define, field

from iqm_spec.errors import ExitCode, Refused, Terminated
from iqm_spec.model import Mode, NativeCircuit, Stage
from iqm_spec.plan.build import circuits_of
from iqm_spec.plan.label import count, label
from iqm_spec.plan.plan import Plan
from iqm_spec.run.events import (
    Event,
    Heard,
    JobDone,
    Paused,
    StageDone,
    StageStarted,
    Submitted,
)
from iqm_spec.run.log import RunLog
from iqm_spec.run.request import Request
from iqm_spec.run.server_rows import derive, server_rows
from iqm_spec.stages.server.batch import Batch, Part, batches
from iqm_spec.stages.server.collect import collect
from iqm_spec.stages.server.consent import bill_of
from iqm_spec.stages.server.counter import Counter
from iqm_spec.stages.server.desk import EMULATOR, Desk, Session, computer_of
from iqm_spec.stages.server.judge import Findings, judge_server
from iqm_spec.stages.server.state import Attempt, Phase
from iqm_spec.stages.server.submit import submit
from iqm_spec.stages.server.work import ServerWork, circuits_of_attempts, ended_already, look
from iqm_spec.store import Store

OTHERS_SECONDS = 0.2
"""Between two looks at a job that another process is submitting."""

ROUNDS = 3
"""So often is looked for what is left, as other processes may submit from the same folder."""


@define
class ServerStage:
    """One server stage of one run, with what it finds out on the way."""

    stage: Stage
    plan: Plan
    request: Request
    session: Session
    store: Store
    log: RunLog
    ignored: frozenset[tuple[str, int]] = frozenset()
    found: Findings = field(factory=Findings)
    submitted: int = 0
    emulated: bool = False

    @property
    def counter(self) -> Counter:
        """What the server told so far."""
        return self.request.counter

    def look(self) -> ServerWork:
        """The stage as the folder has it."""
        return look(self.plan, self.stage, self.session.realm, self.store, self.ignored)

    def tell(self, why: str, seconds: float) -> None:
        """Hear of a pause in between."""
        self.request.tell(Paused(self.stage, why, seconds))


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
    if left and (reason := _no_mock(it)):
        return _ended(stage, "waived", reason, ExitCode.DONE, request)
    parts = _parts(it, work) if left else []
    jobs = _batches(it, parts)
    it.emulated = any(a.intent.get("emulated") for a in work.attempts()) or (
        left and session.emulated
    )
    yield StageStarted(stage, len(work.keys), cached, len(jobs), emulated=it.emulated)
    if jobs:
        _require_mock(it, before)
        _agree(it, jobs)
    try:
        if jobs:
            yield from _submit(it, jobs)
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


def untestable(counter: Counter, parts: Sequence[Part]) -> frozenset[str]:
    """Keys of the points whose circuits act where the mock of their machine has no gate."""
    from iqm_spec.transpile import violations

    found: dict[tuple[str, NativeCircuit], bool] = {}
    for part in parts:
        alias = computer_of(Stage.MOCK, part.point.target)
        one = alias, part.circuit
        if one not in found:
            found[one] = bool(violations(part.circuit, counter.architecture(alias).architecture))
    return frozenset(
        part.key
        for part in parts
        if found[computer_of(Stage.MOCK, part.point.target), part.circuit]
    )


def _no_mock(it: ServerStage) -> str:
    """Why there is no mock to ask, or nothing."""
    if it.stage is not Stage.MOCK:
        return ""
    waived = it.plan.header["require"].get("mock", {}).get("waived")
    listed = it.counter.aliases()
    wanted = {computer_of(Stage.MOCK, point.target) for point in it.plan.points}
    missing = sorted(wanted - set(listed))
    if missing:
        why = f": {waived}" if waived else ""
        return f"the server has no {', '.join(missing)}{why}"
    return f"waived: {waived}" if waived else ""


def _batches(it: ServerStage, parts: Sequence[Part]) -> list[Batch]:
    if not parts:
        return []
    targets = dict.fromkeys(part.point.target for part in parts)
    bounds = it.counter.bounds([computer_of(it.stage, target) for target in targets])
    by_target = {target: bounds[computer_of(it.stage, target)] for target in targets}
    header = it.plan.header
    return batches(parts, by_target, header["order"], header["references"])


def _require_mock(it: ServerStage, before: Sequence[StageDone]) -> None:
    """Refused unless the mock accepted every point, or that is waived; notes say so."""
    if it.stage is not Stage.HARDWARE:
        return
    waived = it.plan.header["require"].get("mock", {}).get("waived")
    mock = next((done for done in before if done.stage is Stage.MOCK), None)
    if waived or (mock is not None and mock.status == "waived"):
        it.found.notes += [f"no mock has accepted this: {waived or (mock and mock.reasons[0])}"]
        return
    work = look(it.plan, Stage.MOCK, it.session.realm, it.store)
    left = [index for index in range(len(work.keys)) if not work.has(index)]
    if not left:
        return
    circuits = circuits_of(it.store, it.plan, [it.plan.points[index] for index in left])
    points = [it.plan.points[index] for index in left]
    parts = [
        Part(point, work.keys[index], circuits[point.ask], point.shots)
        for index, point in zip(left, points, strict=True)
    ]
    outside = untestable(it.counter, parts)
    refused = [part.point for part in parts if part.key not in outside]
    if refused:
        first = label(refused[0].name, refused[0].values, refused[0].repeat)
        raise Refused(
            f"the mock has not accepted {count(len(refused), 'point')} (the first is {first})",
            hint="add `mock` to `stages`, or waive it: `require: {mock: {waived: REASON}}`",
            code="refused.mock",
        )
    it.found.notes += [f"not testable on the mock: {count(len(outside), 'point')}"]


def _agree(it: ServerStage, jobs: Sequence[Batch]) -> None:
    """Consent is asked where credits can be spent: not of mocks, nor the built-in emulator."""
    if it.stage is Stage.MOCK or it.session.realm == EMULATOR:
        return
    budget = it.request.checked.spec.budget if it.request.checked else {}
    if budget:
        told = f"the budget of {budget['credits']} credits is not checked by this version"
        it.found.notes.append(told)
    bill = bill_of(it.session, it.stage, it.plan.header["mode"], jobs, it.found.notes)
    if not it.request.agree(bill):
        raise Refused(
            "nothing was submitted: nobody agreed to it",
            hint="answer `y`, or give --yes where there is no terminal",
            code="refused.consent",
        )


def _desk(it: ServerStage, sets: Mapping[str, str | None]) -> Desk:
    mode = Mode(it.plan.header["mode"])
    fresh = it.request.fresh
    return Desk(it.stage, it.session, it.store, it.log.run_id(), it.plan.digest, mode, sets, fresh)


def _submit(it: ServerStage, jobs: Sequence[Batch]) -> Iterator[Event]:
    """Submit the jobs in order, then what other processes left behind."""
    desk = _desk(it, _sets(it, jobs))
    for _ in range(ROUNDS):
        for batch in jobs:
            attempt = submit(desk, batch, it.ignored, it.tell)
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
    return attempt.fields.get("status") in (401, 403)


def _sets(it: ServerStage, jobs: Sequence[Batch]) -> dict[str, str | None]:
    """The calibration set to ask for, by target; mocks have sets of their own."""
    found: dict[str, str | None] = {}
    policy = it.plan.header["calibration"]
    for target in dict.fromkeys(batch.target for batch in jobs):
        if it.stage is Stage.MOCK:
            alias = computer_of(it.stage, target)
            found[target] = it.counter.architecture(alias).calibration_set_id
        elif policy == "pin":
            found[target] = _pinned(it, target)
        else:
            found[target] = None if policy == "latest" else policy
    return found


def _pinned(it: ServerStage, target: str) -> str | None:
    """The set that the plan's machine was read under; a moved default is told."""
    pinned = it.request.pins.get(target)
    current = it.counter.architecture(target).calibration_set_id
    if pinned is not None and pinned != current:
        it.counter.architecture(target, pinned)  # Refused where the server no longer takes it
        it.found.notes.append(
            f"{target}: the default calibration set moved to {current}; the pinned {pinned} is used"
        )
    return pinned or current


def _wait(it: ServerStage) -> Iterator[Event]:
    """Bring in what the server has, until the deadline; other processes' jobs too."""
    work = it.look()
    while work.attempts(Phase.INTENDED):  # another process is submitting at this moment
        time.sleep(OTHERS_SECONDS)
        work = it.look()
    waiting = work.attempts(Phase.SUBMITTED)
    if not waiting:
        return
    wait = it.request.wait
    deadline = None if wait is None else time.monotonic() + wait
    circuits = circuits_of_attempts(it.store, waiting)
    try:
        for heard in collect(waiting, it.session, it.store, circuits, deadline, it.tell):
            yield Heard(it.stage, heard.attempt, heard.status, heard.queue_position)
            if heard.trouble:
                it.found.troubles.append(heard.trouble)
            elif heard.ended:
                yield JobDone(it.stage, 0, len(heard.attempt.parts))
    except Refused as error:
        it.found.stopped = f"{error.message} ({error.hint}); the jobs go on, and their ids are kept"


def _judged(it: ServerStage, cached: int, jobs: int) -> StageDone:
    work = it.look()
    verdict = judge_server(work, it.stage, it.found)
    attempts = work.attempts()
    if it.stage is Stage.HARDWARE:
        used = [(attempt.job, attempt.number) for attempt in attempts]
        rows = server_rows(it.store, it.plan, it.stage, it.session.realm, used)
        derive(it.store, it.plan, rows)
    it.log.used(it.stage, it.session.realm, attempts)
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
