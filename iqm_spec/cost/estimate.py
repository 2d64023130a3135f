"""What jobs cost: QPU seconds and credits of each, together, and what was assumed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import field, frozen

from iqm_spec.cost.conditions import PLAIN, notes
from iqm_spec.cost.prices import Price
from iqm_spec.cost.ranges import Range, total
from iqm_spec.cost.shape import JobShape
from iqm_spec.cost.times import MachineTimes
from iqm_spec.json_types import Json


@frozen
class JobAsked:
    """A job to be priced."""

    computer: str
    shape: JobShape
    conditions: str = PLAIN


@frozen
class JobCost:
    """What a job is expected to cost, as its intent keeps it."""

    seconds: Range
    credits: Range
    per_second: float
    price_from: str
    basis: str

    def to_json(self) -> dict[str, Json]:
        """As the intent of a submission keeps it."""
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
        return {"name": self.name, "value": self.value, "source": self.source, "date": self.date}


@frozen
class Tariff:
    """What it takes to price a job: time models and prices by computer, and what they rest on."""

    times: Mapping[str, MachineTimes]
    prices: Mapping[str, Price]
    assumptions: tuple[Assumption, ...] = field(factory=tuple)

    def cost(self, job: JobAsked) -> JobCost:
        """The cost of one job."""
        predicted = self.times[job.computer].predict(job.shape, job.conditions)
        price = self.prices[job.computer]
        credits_ = predicted.seconds.times(price.per_second)
        return JobCost(predicted.seconds, credits_, price.per_second, price.kind, predicted.basis)

    def assumed(self, jobs: Sequence[JobAsked]) -> list[Assumption]:
        """Everything that the costs of some jobs rest on."""
        unusual = dict.fromkeys(job.conditions for job in jobs if job.conditions != PLAIN)
        return [
            *self.assumptions,
            *(
                Assumption(conditions, note, "assumed; nothing is published", "")
                for conditions in unusual
                for note in notes(conditions)
            ),
        ]


def seconds_of(costs: Iterable[JobCost]) -> Range:
    """QPU seconds of jobs together."""
    return total(cost.seconds for cost in costs)


def credits_of(costs: Iterable[JobCost]) -> Range:
    """Credits of jobs together."""
    return total(cost.credits for cost in costs)
