"""What jobs cost: QPU seconds and credits of each and of all, and the assumptions behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import asdict, field, frozen

from iqm_spec.cost.job_shape import JobShape
from iqm_spec.cost.machine_times import PLAIN, MachineTimes, condition_notes
from iqm_spec.cost.prices import Price
from iqm_spec.cost.ranges import Range, total
from iqm_spec.json_types import Json


@frozen
class JobToPrice:
    """A job to be priced."""

    computer: str
    shape: JobShape
    conditions: str = PLAIN


@frozen
class JobCost:
    """What a job is expected to cost, as its intent stores it."""

    seconds: Range
    credits: Range
    per_second: float
    price_from: str
    basis: str

    def to_json(self) -> dict[str, Json]:
        """As the intent of a job stores it."""
        return {
            "qpu_seconds": self.seconds.to_json(),
            "credits": self.credits.to_json(),
            "price_per_second": self.per_second,
            "price_from": self.price_from,
            "basis": self.basis,
        }


@frozen
class Assumption:
    """A figure that an estimate rests on."""

    name: str
    value: str
    source: str
    date: str

    def to_json(self) -> dict[str, Json]:
        """As the dry run gives it."""
        return dict(asdict(self))


@frozen
class Tariff:
    """What it takes to price a job: time models and prices by computer, and their assumptions."""

    times: Mapping[str, MachineTimes]
    prices: Mapping[str, Price]
    assumptions: tuple[Assumption, ...] = field(factory=tuple)

    def cost(self, job: JobToPrice) -> JobCost:
        """The cost of one job."""
        predicted = self.times[job.computer].predict(job.shape, job.conditions)
        price = self.prices[job.computer]
        credits_ = predicted.seconds.times(price.per_second)
        return JobCost(predicted.seconds, credits_, price.per_second, price.kind, predicted.basis)

    def assumptions_of(self, jobs: Sequence[JobToPrice]) -> list[Assumption]:
        """Everything that the costs of these jobs rest on."""
        unusual = dict.fromkeys(job.conditions for job in jobs if job.conditions != PLAIN)
        return [
            *self.assumptions,
            *(
                Assumption(conditions, note, "assumed; nothing is published", "")
                for conditions in unusual
                for note in condition_notes(conditions)
            ),
        ]


def total_seconds(costs: Iterable[JobCost]) -> Range:
    """QPU seconds of all jobs."""
    return total(cost.seconds for cost in costs)


def total_credits(costs: Iterable[JobCost]) -> Range:
    """Credits of all jobs."""
    return total(cost.credits for cost in costs)
