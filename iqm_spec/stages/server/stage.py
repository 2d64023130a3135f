"""The course of a stage at a server, the same for a mock and for a quantum computer.

Submit what is not submitted yet, wait for what is at the server, judge everything. `mock.py`
and `hardware.py` say where the two differ.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence

from attrs import field, frozen

from iqm_spec.cost.estimate import Tariff
from iqm_spec.errors import ExitCode, Refused, Terminated
from iqm_spec.model import Mode
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan
from iqm_spec.server_api.retry import DETACHED_SECONDS, OTHER_PROCESS, Backoff, Retry
from iqm_spec.stages.events import (
    Event,
    JobDone,
    JobPolled,
    Paused,
    StageDone,
    StageStarted,
    Submitted,
)
from iqm_spec.stages.interface import (
    PreviewContext,
    Stage,
    StageContext,
    StageResults,
)
from iqm_spec.stages.rows import Row
from iqm_spec.stages.server.attempts import (
    AttemptId,
    Phase,
    ServerWork,
    circuits_of_attempts,
    ended_already,
    read_work,
    settled_work,
)
from iqm_spec.stages.server.batch import Batch, BatchPart, batches_of
from iqm_spec.stages.server.budget import BudgetGuard
from iqm_spec.stages.server.collect import collect, fetch_missing_shots
from iqm_spec.stages.server.judge import Findings, judge_server
from iqm_spec.stages.server.preview import ServerPreview, preview_jobs
from iqm_spec.stages.server.rows import server_rows
from iqm_spec.stages.server.server_info import EMULATOR, ServerInfo, Session, computer_of
from iqm_spec.stages.server.submit import SubmissionContext, submit
from iqm_spec.store import Store
from iqm_spec.store.events import UsedAttempt

ROUNDS = 3
"""How often to look for jobs that are left: other processes submit from the same folder."""


@frozen
class Approved:
    """The jobs of a stage that may be submitted, and at what prices and limits (None: free)."""

    jobs: Sequence[Batch]
    tariff: Tariff | None = None
    budget: BudgetGuard | None = None


@frozen
class StageRun:
    """One run of a server stage. `findings` collects what the run learns.

    `ignored` are attempts that `--fresh` leaves out.
    """

    plan: Plan
    context: StageContext
    server: ServerInfo
    findings: Findings = field(factory=Findings)
    ignored: frozenset[AttemptId] = frozenset()

    @property
    def session(self) -> Session:
        """The server."""
        return self.server.session

    @property
    def store(self) -> Store:
        """The results folder."""
        return self.context.store


class ServerStage(Stage):
    """A stage whose jobs go to a server."""

    needs_server = True

    # --- what a mock and a quantum computer do differently ---------------------------------------

    def why_waived(self, run: StageRun) -> str:
        """Why the stage is waived, or an empty string."""
        return ""

    def submittable(self, run: StageRun, parts: Sequence[BatchPart]) -> list[BatchPart]:
        """The parts that the stage's computers can run."""
        return list(parts)

    def require_earlier_stages(self, run: StageRun) -> None:
        """Refused where an earlier stage must accept the circuits first and has not."""

    @abstractmethod
    def calibration_set(self, run: StageRun, target: str) -> str | None:
        """The calibration set to ask for; None for the server's default."""

    def approve(self, run: StageRun, jobs: Sequence[Batch]) -> Approved:
        """The jobs that are within the budget and that the user agrees to; Refused otherwise."""
        return Approved(jobs)

    def keys_with_shots(self, plan: Plan, keys: Sequence[str]) -> frozenset[str]:
        """Keys of the points whose shots are kept."""
        return frozenset()

    def store_derived(
        self, run: StageRun, used: Sequence[UsedAttempt]
    ) -> tuple[list[str], list[str]]:
        """Store what is computed from the counts; digests of these packs, and of calibrations."""
        return [], []

    # --- the course ------------------------------------------------------------------------------

    def run(self, context: StageContext) -> Generator[Event, None, StageDone]:
        """As in `Stage`; where the server or the user refuses, so is the stage."""
        if context.server is None:
            return self._ended(context, "refused", context.why_no_server, ExitCode.REFUSED)
        try:
            return (yield from self._run(context, context.server))
        except Refused as error:
            why = f"{error.message} ({error.hint})" if error.hint else error.message
            return self._ended(context, "refused", why, ExitCode.REFUSED)

    def _run(self, context: StageContext, server: ServerInfo) -> Generator[Event, None, StageDone]:
        """Raises Refused and Unreachable before anything is submitted."""
        ignored: frozenset[AttemptId] = frozenset()
        if context.options.fresh:
            ignored = ended_already(context.store, self.name, server.session.server_id)
        run = StageRun(context.plan, context, server, ignored=ignored)
        work = self._settled(run)
        is_left = any(True for _ in work.left())
        if is_left and (reason := self.why_waived(run)):
            return self._ended(context, "waived", reason, ExitCode.DONE)
        jobs = self._batches(run, work) if is_left else []
        emulated = any(attempt.intent.emulated for attempt in work.attempts())
        emulated = emulated or (is_left and run.session.emulated)
        cached = work.cached
        yield StageStarted(
            self.name,
            len(work.keys),
            cached,
            len(jobs),
            shared=len(work.keys) - len(set(work.keys)),
            emulated=emulated,
        )
        approved = Approved(())
        sets: Mapping[str, str | None] = {}
        if jobs:
            self.require_earlier_stages(run)
            targets = dict.fromkeys(job.target for job in jobs)
            sets = {target: self.calibration_set(run, target) for target in targets}
            approved = self.approve(run, jobs)
        try:
            if approved.jobs:
                yield from self._submit(run, approved, sets)
            yield from self._wait(run)
        except Terminated:
            if not self._settled(run).attempts(Phase.SUBMITTED):
                raise
            run.findings.notes.append("ended by SIGTERM; the jobs go on at the server")
        return self._judge(run, cached, len(approved.jobs), emulated=emulated)

    def _settled(self, run: StageRun) -> ServerWork:
        return settled_work(run.plan, self.name, run.session.server_id, run.store, run.ignored)

    def _batches(
        self, run: StageRun, work: ServerWork, rejected: Collection[str] = ()
    ) -> list[Batch]:
        """The jobs of what is left to submit and can be; `rejected` are keys of points."""
        points = [point for point, *_ in work.left()]
        parts = self.submittable(run, work.parts(circuits_of(run.store, run.plan, points)))
        parts = [part for part in parts if part.key not in rejected]
        if not parts:
            return []
        computers = {part.point.target: self.computer(part.point.target) for part in parts}
        bounds = run.server.bounds(computers.values())
        by_target = {target: bounds[computer] for target, computer in computers.items()}
        return batches_of(run.plan, parts, by_target)

    def computer(self, target: str) -> str:
        """The quantum computer that a target means in this stage."""
        return computer_of(self.name, target)

    def _submit(
        self, run: StageRun, approved: Approved, sets: Mapping[str, str | None]
    ) -> Iterator[Event]:
        """Submit the jobs in order, then what other processes left behind."""
        context = run.context
        submission = SubmissionContext(
            stage=self.name,
            session=run.session,
            store=run.store,
            run=context.journal.run_id(),
            plan=run.plan.digest,
            mode=Mode(run.plan.header.mode),
            calibration_sets=sets,
            tariff=approved.tariff,
            budget=approved.budget,
            fresh=context.options.fresh,
        )
        findings, fail_fast = run.findings, context.inputs.fail_fast
        jobs = approved.jobs
        for _ in range(ROUNDS):
            for batch in jobs:
                try:
                    attempt = submit(submission, batch, run.ignored, self._pause_reporter(run))
                except Refused as error:
                    findings.not_submitted = (
                        f"{error.message} ({error.hint}); the rest was not submitted"
                    )
                    return
                if attempt is None:
                    continue
                yield Submitted(self.name, self.computer(batch.target), len(batch.parts), attempt)
                if attempt.phase is Phase.REJECTED:
                    findings.rejected.append(attempt)
                    if attempt.status in (401, 403):  # the next would be rejected too
                        return
                else:
                    findings.submitted += 1
                    if fail_fast:
                        yield from self._wait(run)
                if fail_fast:
                    failed = self._settled(run).attempts(Phase.FAILED, Phase.UNKNOWN)
                    if findings.rejected or findings.troubles or failed:
                        return
            if findings.not_submitted:
                return
            rejected = {key for attempt in findings.rejected for key, _ in attempt.parts}
            jobs = self._batches(run, self._settled(run), rejected)
            if not jobs:
                return

    def _pause_reporter(self, run: StageRun) -> Callable[[str, float], None]:
        report = run.context.options.report
        return lambda why, seconds: report(Paused(self.name, why, seconds))

    def _wait(self, run: StageRun) -> Iterator[Event]:
        """Store what the server has, until the deadline; jobs of other processes too."""
        findings, options = run.findings, run.context.options
        deadline = options.deadline
        if options.detach:  # the last stage is not waited for
            detached = time.monotonic() + (0 if run.context.is_last else DETACHED_SECONDS)
            deadline = detached if deadline is None else min(detached, deadline)
        work = self._settled(run)
        seconds = None if deadline is None else deadline - time.monotonic()
        others = Backoff(Retry(OTHER_PROCESS.within(seconds)))
        while work.attempts(Phase.INTENDED) and others.pause():  # another process is submitting
            work = self._settled(run)
        waiting = work.attempts(Phase.SUBMITTED)
        if not waiting:
            return
        findings.polled = True
        polls = collect(
            waiting,
            run.session,
            run.store,
            circuits_of_attempts(run.store, waiting),
            deadline,
            self._pause_reporter(run),
            self.keys_with_shots(run.plan, work.keys),
        )
        try:
            for poll in polls:
                yield JobPolled(self.name, poll.attempt, poll.status, poll.queue_position)
                if poll.lacks:
                    findings.missing_shots[poll.attempt.job, poll.attempt.number] = poll.lacks
                if poll.trouble in findings.troubles:
                    continue  # with fail_fast jobs are waited for twice
                if poll.trouble:
                    findings.troubles.append(poll.trouble)
                elif poll.ended:
                    yield JobDone(self.name, 0, len(poll.attempt.parts))
        except Refused as error:
            findings.stopped = (
                f"{error.message} ({error.hint}); the jobs go on, and their ids are kept"
            )

    def _judge(self, run: StageRun, cached: int, jobs: int, *, emulated: bool) -> StageDone:
        findings, work = run.findings, self._settled(run)
        if not findings.stopped:
            fetch_missing_shots(
                run.session,
                run.store,
                work,
                self.keys_with_shots(run.plan, work.keys),
                findings.missing_shots,
                self._pause_reporter(run),
            )
        findings.notes += findings.missing_shots.values()
        used = [(attempt.job, attempt.number, attempt.id) for attempt in work.attempts()]
        derived, calibrations = self.store_derived(run, used)
        verdict = judge_server(work, self.name, findings)
        run.context.journal.used(self.name, run.session.server_id, used, derived, calibrations)
        return StageDone(
            stage=self.name,
            status=verdict.status,
            reasons=verdict.reasons,
            jobs=jobs,
            cached=cached,
            points=len(work.keys),
            emulated=emulated,
            submitted=findings.submitted,
            code=verdict.code,
        )

    def _ended(self, context: StageContext, status: str, reason: str, code: ExitCode) -> StageDone:
        """The end of a stage in which nothing was submitted."""
        server = context.server
        return StageDone(
            stage=self.name,
            status=status,
            reasons=(reason,),
            jobs=0,
            cached=0,
            points=0,
            emulated=server is not None and server.session.server_id == EMULATOR,
            code=code,
        )

    # --- what is stored, what is left ------------------------------------------------------------

    def preview(self, context: PreviewContext) -> ServerPreview:
        """As in `Stage`; nothing of it costs credits."""
        return preview_jobs(self.name, context)[0]

    def rows(self, store: Store, plan: Plan, results: StageResults) -> Iterator[Row]:
        """As in `Stage`: one row per point and calibration set."""
        if results.server_id is not None and results.attempts:
            yield from server_rows(
                store,
                plan,
                self.name,
                results.server_id,
                results.attempts,
                emulated=results.emulated,
            )

    def has_begun(self, results: StageResults) -> bool:
        """As in `Stage`: attempts stand for points of the run."""
        return results.server_id is not None and bool(results.attempts)

    def started_line(self, started: StageStarted) -> str:
        """`24 points: 20 in the results folder, 1 job to submit`."""
        parts = [f"{started.cached:,} in the results folder"] if started.cached else []
        if started.jobs:
            parts.append(f"{count(started.jobs, 'job')} to submit")
        if started.shared:
            parts.append(f"{started.shared:,} with the key of another point, sharing its counts")
        return f"{count(started.points, 'point')}{': ' if parts else ''}{', '.join(parts)}"

    def is_settled(self, store: Store, plan: Plan, server_id: str) -> bool:
        """As in `Stage`."""
        work = read_work(plan, self.name, server_id, store)
        return not work.attempts(Phase.UNKNOWN, Phase.INTENDED)
