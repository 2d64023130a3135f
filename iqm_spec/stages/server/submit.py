"""Submits one batch exactly once: claim, intent, POST, outcome, each on the disk before the next.

A crash between any two of them leaves a journal with all that can be known; `settle` marks an
intent without an outcome, whose process has ended, as unknown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from attrs import asdict, frozen

from iqm_spec.cost.estimate import JobCost, JobToPrice
from iqm_spec.errors import JobFailed, UnknownOutcome, Unreachable
from iqm_spec.model import Mode, StageName
from iqm_spec.stages.keys import job_key
from iqm_spec.stages.server.attempts import (
    Attempt,
    AttemptId,
    attempts,
    covering,
    event_time,
    read_attempts,
)
from iqm_spec.stages.server.batch import Batch, job_to_price
from iqm_spec.stages.server.locks import attempt_lock, submission_lock
from iqm_spec.stages.server.server_info import Session, computer_of
from iqm_spec.stages.signals import Signals, deferred_signals
from iqm_spec.store import Store
from iqm_spec.store.events import (
    Estimate,
    EstimateRange,
    JobIntent,
    JobRejected,
    JobSubmitted,
    JobUnknown,
)
from iqm_spec.store.journals import Journal

if TYPE_CHECKING:
    from iqm_spec.cost.estimate import Tariff
    from iqm_spec.server_api.jobs import Outcome
    from iqm_spec.stages.server.budget import BudgetGuard


@frozen
class SubmissionContext:
    """Under which conditions the jobs of a stage are submitted.

    Args:
        run: id of the run that submits.
        plan: digest of its plan.
        calibration_sets: by target, the set to ask for; None for the server's default.
        tariff: prices of the jobs; None where they cost nothing.
        budget: what may be spent; None where jobs cost nothing.
        fresh: whether cached results are ignored.
    """

    stage: StageName
    session: Session
    store: Store
    run: str
    plan: str
    mode: Mode
    calibration_sets: Mapping[str, str | None]
    tariff: Tariff | None = None
    budget: BudgetGuard | None = None
    fresh: bool = False

    @property
    def free(self) -> bool:
        """Whether jobs cost nothing."""
        return self.stage is StageName.MOCK

    @property
    def queue(self) -> str:
        """The queue of its jobs; mocks have one only."""
        return Mode.PAY_AS_YOU_GO.value if self.stage is StageName.MOCK else self.mode.value

    @property
    def use_timeslot(self) -> bool:
        """Whether jobs go to the timeslots that the project has booked."""
        return self.queue == Mode.TIMESLOT.value

    def alias(self, target: str) -> str:
        """The quantum computer that a target means in this stage."""
        return computer_of(self.stage, target)


def submit(
    context: SubmissionContext,
    batch: Batch,
    ignored: Collection[AttemptId],
    report_pause: Callable[[str, float], None],
) -> Attempt | None:
    """The attempt and what became of it; None where another process has submitted it meanwhile.

    `report_pause(why, seconds)` is called before a submission that was not accepted is repeated.
    Unreachable where no try under `SUBMISSIONS` got through, Refused where the budget does not
    cover the job or nothing can be sent as things are: nothing was submitted then.
    """
    from iqm_spec.server_api.payload import job_body

    calibration_set_id = context.calibration_sets.get(batch.target)
    circuits = [(part.point.name, part.circuit) for part in batch.parts]
    body = job_body(circuits, batch.shots, calibration_set_id, batch.options)
    key = job_key(
        context.stage,
        context.session.server_id,
        context.queue,
        batch.shots,
        [part.id for part in batch.parts],
    )
    with ExitStack() as stack:
        # a signal between the intent and the outcome would make the submission unknown
        signals = stack.enter_context(deferred_signals())
        with submission_lock(context.store):
            every = read_attempts(context.store, context.stage, context.session.server_id)
            covered = covering(every, ignored=ignored, retry_failed=context.free)
            known = [part for part in batch.parts if part.key in covered]
            if any(part.number in covered[part.key].parts for part in known):
                return None  # another process has submitted it meanwhile
            priced = job_to_price(context.alias(batch.target), batch)
            cost = None if context.tariff is None else context.tariff.cost(priced)
            if context.budget is not None and cost is not None:
                context.budget.require(cost.credits.high)
            journal = context.store.job(key)
            number = 1 + max((a.number for a in attempts(key, journal.events())), default=0)
            if not journal.claim("claimed", number):
                return None
            # held until after the outcome: without it others would mark the intent as unknown
            stack.enter_context(attempt_lock(context.store, key, number))
            intent = job_intent(
                priced,
                cost,
                attempt=number,
                run=context.run,
                plan=context.plan,
                stage=context.stage,
                session=context.session,
                target=batch.target,
                queue=context.queue,
                calibration_set_id=calibration_set_id,
                body=context.store.put_json(json.loads(body)),
                parts=tuple((part.key, part.number) for part in batch.parts),
                fresh=context.fresh,
            )
            journal.add(intent)
            if context.budget is not None:
                context.budget.own_attempts.add((key, number))
        _post(context, batch, journal, number, body, signals, report_pause)
    return next(a for a in attempts(key, journal.events()) if a.number == number)


def job_intent(
    priced: JobToPrice,
    cost: JobCost | None,
    *,
    attempt: int,
    run: str,
    plan: str,
    stage: StageName,
    session: Session,
    target: str,
    queue: str,
    calibration_set_id: str | None,
    body: str,
    parts: tuple[tuple[str, int], ...],
    fresh: bool | None = None,
    imported: bool = False,
) -> JobIntent:
    """The intent of a job that is priced, as of now; the fields are those of `JobIntent`."""
    estimate = None
    if cost is not None:
        estimate = Estimate(
            qpu_seconds=EstimateRange(**asdict(cost.seconds)),
            credits=EstimateRange(**asdict(cost.credits)),
            price_per_second=cost.per_second,
            price_from=cost.price_from,
            basis=cost.basis,
        )
    return JobIntent(
        attempt=attempt,
        stage=stage.value,
        realm=session.server_id,
        computer=priced.computer,
        shots=priced.shape.shots,
        parts=parts,
        at=event_time(),
        run=run,
        plan=plan,
        body=body,
        target=target,
        queue=queue,
        emulated=session.emulated,
        fresh=fresh,
        imported=imported,
        calibration_set_id=calibration_set_id,
        shape=asdict(priced.shape),
        conditions=priced.conditions,
        estimate=estimate,
    )


def _post(
    context: SubmissionContext,
    batch: Batch,
    journal: Journal,
    number: int,
    body: bytes,
    signals: Signals,
    report_pause: Callable[[str, float], None],
) -> None:
    """POST until the server has answered; its answer is an event when this returns."""
    from iqm_spec.server_api.jobs import NotAccepted, submit
    from iqm_spec.server_api.retry import SUBMISSIONS, Backoff, Clock, Retry

    computer = context.alias(batch.target)
    tag = f"{context.run[:24]}-{journal.path.name[:12]}-{number}"

    def sleep(seconds: float) -> None:
        """Ends early where a signal comes."""
        end = time.monotonic() + seconds
        while not signals.arrived and time.monotonic() < end:
            time.sleep(min(0.1, seconds))

    backoff = Backoff(Retry(SUBMISSIONS, report_pause, Clock(sleep=sleep)))
    while True:
        outcome = submit(context.session.connection, computer, body, context.use_timeslot, tag)
        if not isinstance(outcome, NotAccepted):
            _record_outcome(context, journal, outcome, number)
            return
        why, refusal = outcome.why, outcome.refusal
        if refusal is not None or not backoff.pause(why, outcome.retry_after) or signals.arrived:
            break
    journal.add(JobRejected(number, "not_accepted", why, at=event_time()))
    if refusal is not None:
        raise refusal
    if not signals.arrived:
        raise Unreachable(
            f"the server did not take the job: {why}",
            hint="nothing was submitted; the same command, or `iqm-spec resume`, goes on from here",
        )


def _record_outcome(
    context: SubmissionContext, journal: Journal, outcome: Outcome, number: int
) -> None:
    """Add the outcome to the journal; where the disk does not take it, the error names the id."""
    from iqm_spec.server_api.jobs import Accepted, Rejected, Unknown

    event: JobSubmitted | JobRejected | JobUnknown
    match outcome:
        case Accepted(job_id=job_id):
            event = JobSubmitted(number, job_id, event_time())
        case Rejected():
            event = JobRejected(
                number, outcome.code, outcome.message, outcome.hint, outcome.status, event_time()
            )
        case Unknown(why=why):
            event = JobUnknown(number, why, event_time())
        case _:
            raise AssertionError(f"no outcome: {outcome!r}")
    try:
        journal.add(event)
    except JobFailed as error:
        if context.free or not isinstance(outcome, Accepted):
            raise
        raise UnknownOutcome(
            f"the server has job {outcome.job_id}, which could not be stored: {error.message}",
            hint=f"keep this id; when there is room, `iqm-spec adopt {context.run} "
            f"{outcome.job_id}`",
        ) from error
