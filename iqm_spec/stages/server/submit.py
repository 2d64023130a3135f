"""Submits one batch exactly once: claim, intent, POST, outcome, each on the disk before the next.

A crash between any two of them leaves a journal that tells what can be known; `settle` writes down
that an intent without an outcome, whose process has ended, has an unknown one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen

from iqm_spec.cost.conditions import conditions_of
from iqm_spec.cost.estimate import JobAsked, JobCost
from iqm_spec.cost.shape import job_shape
from iqm_spec.errors import JobFailed, UnknownOutcome, Unreachable
from iqm_spec.json_types import Json
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.stages.server.batch import Batch
from iqm_spec.stages.server.claims import alone, at_work, is_at_work
from iqm_spec.stages.server.desk import Desk
from iqm_spec.stages.server.interrupts import Signals, deferred
from iqm_spec.stages.server.keys import job_key
from iqm_spec.stages.server.ledger import covering, read_attempts
from iqm_spec.stages.server.state import Attempt, Phase, attempts
from iqm_spec.store import Store
from iqm_spec.store.events import (
    Estimate,
    JobIntent,
    JobRejected,
    JobSubmitted,
    JobUnknown,
    Span,
)
from iqm_spec.store.journals import Journal

if TYPE_CHECKING:
    from iqm_spec.server.submission import Outcome

TRIES = 8
"""Submissions of a job that the server did not take in (refused connections, 429)."""

Ignored = frozenset[tuple[str, int]]


def submit(
    desk: Desk, batch: Batch, ignored: Ignored, tell: Callable[[str, float], None]
) -> Attempt | None:
    """The attempt and what became of it; None where another process has asked in the meantime.

    `tell(why, seconds)` hears of every pause before a submission that was not accepted is made
    again. Unreachable where none of `TRIES` got through, Refused where the budget does not cover
    the job or nothing can be sent as things are: nothing was submitted then.
    """
    body = _body(desk, batch)
    key = job_key(
        desk.stage, desk.session.realm, desk.queue, batch.shots, [part.id for part in batch.parts]
    )
    with ExitStack() as working:
        # broken off between the intent and the outcome, a submission would be an unknown one
        signals = working.enter_context(deferred())
        with alone(desk.store):
            if _asked_meanwhile(desk, batch, ignored):
                return None
            priced = asked(desk.alias(batch.target), batch)
            cost = None if desk.tariff is None else desk.tariff.cost(priced)
            if desk.purse is not None and cost is not None:
                desk.purse.require(cost.credits.high)
            journal = desk.store.job(key)
            number = 1 + max((a.number for a in attempts(key, journal.events())), default=0)
            if not journal.claim("claimed", number):
                return None
            # from before the intent until after the outcome, or others would think us dead
            working.enter_context(at_work(desk.store, key, number))
            journal.add(_intent(desk, batch, number, body, priced, cost))
            if desk.purse is not None:
                desk.purse.mine.add((key, number))
        _post(desk, batch, journal, number, body, _Pauses(signals, tell))
    return next(a for a in attempts(key, journal.events()) if a.number == number)


def settle(store: Store, found: Iterable[Attempt]) -> bool:
    """Mark intents as unknown whose process ended before an outcome; whether there were any."""
    dead = [
        attempt
        for attempt in found
        if attempt.phase is Phase.INTENDED and not is_at_work(store, attempt.job, attempt.number)
    ]
    for attempt in dead:
        why = "the program ended between the intent and the server's answer"
        store.job(attempt.job).add(JobUnknown(attempt.number, why, now()))
    return bool(dead)


def now() -> str:
    """The time of an event, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _body(desk: Desk, batch: Batch) -> bytes:
    from iqm_spec.server.body import job_body

    circuits = [(part.point.name, part.circuit) for part in batch.parts]
    return job_body(circuits, batch.shots, desk.sets.get(batch.target), batch.options)


def _asked_meanwhile(desk: Desk, batch: Batch, ignored: Ignored) -> bool:
    found = read_attempts(desk.store, desk.stage, desk.session.realm)
    held = covering(found, ignored=ignored, retry_failed=desk.free)
    return any(part.number in held[part.key].parts for part in batch.parts if part.key in held)


def asked(computer: str, batch: Batch) -> JobAsked:
    """A batch as something to be priced."""
    points = [part.point for part in batch.parts]
    return asked_of(computer, points, batch.shots, batch.options)


def asked_of(
    computer: str, points: Iterable[PlannedPoint], shots: int, options: Mapping[str, Json]
) -> JobAsked:
    """A job of some points as something to be priced."""
    summaries = [point.summary for point in points]
    shape = job_shape(((one.qubits, one.depth) for one in summaries), shots)
    return JobAsked(computer, shape, conditions_of(options))


def _intent(
    desk: Desk, batch: Batch, number: int, body: bytes, priced: JobAsked, cost: JobCost | None
) -> JobIntent:
    return job_intent(
        priced,
        cost,
        attempt=number,
        run=desk.run,
        plan=desk.plan,
        stage=desk.stage.value,
        realm=desk.session.realm,
        emulated=desk.session.emulated,
        fresh=desk.fresh,
        target=batch.target,
        queue=desk.queue,
        calibration_set_id=desk.sets.get(batch.target),
        body=desk.store.put_json(json.loads(body)),
        parts=tuple((part.key, part.number) for part in batch.parts),
    )


def job_intent(priced: JobAsked, cost: JobCost | None, **fields: Any) -> JobIntent:
    """The intent of a job that is priced, now; `fields` are the others of `JobIntent`."""
    return JobIntent(
        computer=priced.computer,
        shots=priced.shape.shots,
        shape=asdict(priced.shape),
        conditions=priced.conditions,
        estimate=None if cost is None else _estimate(cost),
        at=now(),
        **fields,
    )


def _estimate(cost: JobCost) -> Estimate:
    return Estimate(
        qpu_seconds=Span(**asdict(cost.seconds)),
        credits=Span(**asdict(cost.credits)),
        price_per_second=cost.per_second,
        price_from=cost.price_from,
        basis=cost.basis,
    )


@frozen
class _Pauses:
    """Waits between two tries of a submission that the server did not take in."""

    signals: Signals
    tell: Callable[[str, float], None]

    def wait(self, seconds: float) -> bool:
        """False where a signal came."""
        end = time.monotonic() + seconds
        while not self.signals.arrived and time.monotonic() < end:
            time.sleep(min(0.1, seconds))
        return not self.signals.arrived


def _post(
    desk: Desk, batch: Batch, journal: Journal, number: int, body: bytes, pauses: _Pauses
) -> None:
    """POST until the server has said something; whatever it said is an event when this returns."""
    from iqm_spec.server.submission import NotAccepted, submit

    computer = desk.alias(batch.target)
    tag = f"{desk.run[:24]}-{journal.path.name[:12]}-{number}"
    why, refusal = "", None
    for turn in range(TRIES):
        outcome = submit(desk.session.connection, computer, body, desk.use_timeslot, tag)
        if not isinstance(outcome, NotAccepted):
            _note(desk, journal, outcome, number)
            return
        why, seconds = outcome.why, outcome.retry_after or min(30.0, 0.5 * 2**turn)
        refusal = outcome.refusal
        if turn + 1 == TRIES or refusal is not None:
            break
        pauses.tell(why, seconds)
        if not pauses.wait(seconds):
            break
    journal.add(JobRejected(number, "not_accepted", why, at=now()))
    if refusal is not None:
        raise refusal
    if not pauses.signals.arrived:
        raise Unreachable(
            f"the server did not take the job: {why}",
            hint="nothing was submitted; the same command, or `iqm-spec resume`, goes on from here",
        )


def _note(desk: Desk, journal: Journal, outcome: Outcome, number: int) -> None:
    """Write the outcome down; where the disk does not take it, at least the id is told."""
    from iqm_spec.server.submission import Accepted

    try:
        journal.add(_event(outcome, number))
    except JobFailed as error:
        if desk.free or not isinstance(outcome, Accepted):
            raise
        raise UnknownOutcome(
            f"the server has job {outcome.job_id}, which could not be noted: {error.message}",
            hint=f"keep this id; when there is room, `iqm-spec adopt {desk.run} {outcome.job_id}`",
        ) from error


def _event(outcome: Outcome, number: int) -> JobSubmitted | JobRejected | JobUnknown:
    """What the server said."""
    from iqm_spec.server.submission import Accepted, Rejected, Unknown

    match outcome:
        case Accepted(job_id=job_id):
            return JobSubmitted(number, job_id, now())
        case Rejected():
            return JobRejected(
                number, outcome.code, outcome.message, outcome.hint, outcome.status, now()
            )
        case Unknown(why=why):
            return JobUnknown(number, why, now())
    raise AssertionError(f"no outcome: {outcome!r}")
