"""What jobs cost so far, from the folder alone, and the budget guard that refuses more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import define, field, frozen

from iqm_spec.cost.estimate import JobCost, total_credits, total_seconds
from iqm_spec.cost.ranges import Range, amount
from iqm_spec.errors import Refused
from iqm_spec.model import StageName
from iqm_spec.plan.label import count
from iqm_spec.stages.server.attempts import Attempt, AttemptId, Phase, read_all_attempts
from iqm_spec.stages.server.batch import Batch
from iqm_spec.stages.server.server_info import Session, computer_of
from iqm_spec.store import Store
from iqm_spec.store.events import Estimate, EstimateRange

RESERVED = (Phase.INTENDED, Phase.UNKNOWN, Phase.SUBMITTED)
"""Jobs that may cost up to their upper estimate."""


_CANCELLED = ("aborted", "canceled", "cancelled", "deleted", "expired")


@frozen
class Counting:
    """What jobs without results count for: `measured`, `upper` or `nothing`."""

    failed: str = "measured"
    cancelled: str = "measured"

    def of(self, status: str) -> str:
        """The rule for a job that ended with that status."""
        return self.cancelled if status in _CANCELLED else self.failed


@frozen
class Entry:
    """One submission in the ledger.

    `phase` is measured, reserved (at the server), unknown, failed or cancelled. `predicted` are the
    seconds expected when it was submitted, None where that was not recorded. `credits` are what it
    counts for now. `ids` is the number of jobs that the server has of it.
    """

    experiment: str
    computer: str
    server_id: str
    emulated: bool
    mode: str
    month: str
    phase: str
    ids: int
    circuits: int
    executions: int
    predicted: Range | None
    measured_seconds: float | None
    credits: float
    per_second: float | None

    @property
    def open(self) -> bool:
        """Whether it has not ended as far as is known, and may cost up to its upper estimate."""
        return self.phase in ("reserved", "unknown")

    @property
    def measured_credits(self) -> float | None:
        """Credits of its measured time; None where that or the price is not known."""
        if self.measured_seconds is None or self.per_second is None:
            return None
        return self.measured_seconds * self.per_second


def entries(attempts: Iterable[Attempt], rules: Counting) -> list[Entry]:
    """The ledger of some attempts: those on hardware that are, or may be, at the server."""
    return [
        entry_of(attempt, rules)
        for attempt in attempts
        if attempt.intent.stage == "hardware"
        and (attempt.phase in (*RESERVED, Phase.COMPLETED) or attempt.failure is not None)
    ]


def entry_of(attempt: Attempt, rules: Counting) -> Entry:
    """One submission as the ledger has it."""
    intent = attempt.intent
    estimate = intent.estimate or Estimate()
    measured = _measured(attempt)
    per_second = estimate.price_per_second
    shots, parts = intent.shots, attempt.parts
    return Entry(
        experiment=experiment_of(intent.run or ""),
        computer=intent.computer,
        server_id=intent.realm,
        emulated=intent.emulated,
        mode=intent.queue or "",
        month=intent.at[:7],
        phase=_phase(attempt),
        ids=max(1, len(attempt.ids)),
        circuits=len(parts),
        executions=shots * len(parts),
        predicted=_range(estimate.qpu_seconds),
        measured_seconds=measured,
        credits=_credits(attempt, measured, per_second, _range(estimate.credits), rules),
        per_second=per_second,
    )


def experiment_of(run: str) -> str:
    """The spec's name in a run's id: `<name>-<date>-<time>-<digits>`."""
    return run.rsplit("-", 3)[0]


def spent(ledger: Iterable[Entry]) -> tuple[float, float]:
    """Credits that are spent, and credits that are reserved or unknown."""
    listed = list(ledger)
    open_ones = [entry.credits for entry in listed if entry.open]
    return sum(entry.credits for entry in listed) - sum(open_ones), sum(open_ones)


def _phase(attempt: Attempt) -> str:
    if attempt.phase is Phase.COMPLETED:
        return "measured"
    if attempt.failure is not None:
        return "cancelled" if attempt.failure.status in _CANCELLED else "failed"
    return "reserved" if attempt.phase is Phase.SUBMITTED else "unknown"


def _measured(attempt: Attempt) -> float | None:
    """Seconds that its ids took together, as far as reported; None where none was reported."""
    ends = attempt.completions.values() or ([attempt.failure] if attempt.failure else [])
    known = [float(end.qpu_seconds) for end in ends if end.qpu_seconds is not None]
    return sum(known) if known else None


def _credits(
    attempt: Attempt,
    measured: float | None,
    per_second: float | None,
    estimate: Range | None,
    rules: Counting,
) -> float:
    """What it counts for, each of its ids in full: a job that was paid twice cost twice."""
    upper = estimate.high if estimate else 0.0
    by_time = (measured or 0.0) * (per_second or 0.0)
    if attempt.phase is Phase.COMPLETED:
        without_time = sum(1 for end in attempt.completions.values() if end.qpu_seconds is None)
        open_ids = max(1, len(attempt.ids)) - len(attempt.completions)
        return by_time + (without_time + open_ids) * upper
    if attempt.failure is not None:
        rule = rules.of(str(attempt.failure.status or ""))
        credits_per_id = {"nothing": 0.0, "upper": upper, "measured": by_time}[rule]
    else:
        credits_per_id = upper
    return credits_per_id * max(1, len(attempt.ids))


def _range(span: EstimateRange | None) -> Range | None:
    return None if span is None else Range(*map(float, (span.low, span.expected, span.high)))


def of_experiment(ledger: Sequence[Entry], experiment: str, server_id: str) -> list[Entry]:
    """The entries that a budget covers: all runs of a spec's name, on one server."""
    return [
        entry for entry in ledger if (entry.experiment, entry.server_id) == (experiment, server_id)
    ]


@frozen
class Limits:
    """`budget` is over all runs of the spec's name in the folder, `most` over this invocation."""

    budget: float | None = None
    most: float | None = None
    counting: Counting = field(factory=Counting)


@define
class BudgetGuard:
    """Refuses jobs beyond the limits of an experiment at one server.

    `own_attempts` are the attempts of this invocation.
    """

    store: Store
    experiment: str
    server_id: str
    limits: Limits
    own_attempts: set[AttemptId] = field(factory=set)

    def require(self, upper: float, what: str = "the next job") -> None:
        """Refused unless both limits cover `upper` credits more; what is open counts in full."""
        if self.limits.budget is None and self.limits.most is None:
            return
        attempts = read_all_attempts(self.store)
        ledger = entries(attempts, self.limits.counting)
        of_budget = of_experiment(ledger, self.experiment, self.server_id)
        own = entries(
            (a for a in attempts if (a.job, a.number) in self.own_attempts), self.limits.counting
        )
        if self.limits.budget is not None:
            hint = "raise `budget.credits`, or ask for fewer shots or points"
            limit_name = f"the budget of {_in_credits(self.limits.budget)}"
            _require(limit_name, self.limits.budget, *spent(of_budget), upper, what, hint)
        if self.limits.most is not None:
            hint = "raise --max-credits, or ask for fewer shots or points"
            limit_name = f"--max-credits {self.limits.most:g}"
            _require(limit_name, self.limits.most, *spent(own), upper, what, hint)


def _require(
    limit_name: str, limit: float, spent_: float, open_: float, upper: float, what: str, hint: str
) -> None:
    if spent_ + open_ + upper <= limit * (1 + 1e-9):
        return
    before = ""
    if spent_ or open_:
        before = f" beside {_in_credits(spent_)} spent"
        before += f" and up to {_in_credits(open_)} reserved or unknown" if open_ else ""
    raise Refused(
        f"{limit_name} does not cover {what}: up to {_in_credits(upper)}{before}",
        hint=hint,
        code="refused.budget",
    )


def _in_credits(value: float) -> str:
    return f"{amount(value)} credits"


@frozen
class Bill:
    """Jobs that are about to be submitted, and their costs; `notes` are what to read first."""

    server: str
    emulated: bool
    computers: tuple[str, ...]
    mode: str
    jobs: int
    circuits: int
    executions: int
    credits: Range
    seconds: Range
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is to be submitted, in one line."""
        where = f"{self.server}{' (an emulator)' if self.emulated else ''}"
        return (
            f"submit {count(self.jobs, 'job')} ({count(self.circuits, 'circuit')}, "
            f"{self.executions:,} shots in all) to {', '.join(self.computers)} at {where}, "
            f"{self.mode}"
        )

    @property
    def price(self) -> str:
        """The costs in one line."""
        return (
            f"expected to cost {self.credits.expected:,.2f} credits ({self.credits.low:,.2f} to "
            f"{self.credits.high:,.2f}), {self.seconds.expected:,.1f} s of QPU time"
        )


def bill_of(
    session: Session,
    stage: StageName,
    queue: str,
    batches: Sequence[Batch],
    costs: Sequence[JobCost],
    notes: Sequence[str],
) -> Bill:
    """The bill of some batches."""
    return Bill(
        server=session.server_id,
        emulated=session.emulated,
        computers=tuple(dict.fromkeys(computer_of(stage, batch.target) for batch in batches)),
        mode=queue,
        jobs=len(batches),
        circuits=sum(len(batch.parts) for batch in batches),
        executions=sum(batch.executions for batch in batches),
        credits=total_credits(costs),
        seconds=total_seconds(costs),
        notes=tuple(notes),
    )
