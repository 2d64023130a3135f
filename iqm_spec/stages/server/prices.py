"""Time models and prices for a run's machines, each from the best source at hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from iqm_spec.cost.estimate import Assumption, Tariff
from iqm_spec.cost.job_shape import JobShape, Timing
from iqm_spec.cost.machine_times import (
    LEAST_MEASURED,
    MachineTimes,
    PublishedTimes,
    TimePredictor,
    published_times,
)
from iqm_spec.cost.prices import Price, published_price
from iqm_spec.stages.server.attempts import Attempt, Phase, read_all_attempts
from iqm_spec.stages.server.server_info import Session
from iqm_spec.store import Store

if TYPE_CHECKING:
    from iqm_spec.cost.time_model import TimeModel


@frozen
class CostOptions:
    """What the command line says of costs: a price, a time model, limits, the length of a slot."""

    price: float | None = None
    model: TimeModel | None = None
    model_name: str = ""
    most: float | None = None
    slot_seconds: float | None = None


@frozen
class PriceSources:
    """Prices by where they come from; `told` are the server's own answers now, by computer."""

    given: float | None = None
    spec: float | None = None
    told: Mapping[str, float] = field(factory=dict)
    emulated: bool = False


def sources_of(
    options: CostOptions,
    budget: Mapping[str, Any],
    told: Mapping[str, float],
    session: Session | None,
) -> PriceSources:
    """A run's sources: the command line, the spec's `budget`, and what the server told just now."""
    emulated = bool(told) and session is not None and session.emulated
    return PriceSources(options.price, budget.get("price_per_second"), told, emulated)


def tariff_of(
    computers: Iterable[str],
    realm: str | None,
    store: Store,
    options: CostOptions,
    sources: PriceSources,
) -> Tariff:
    """How jobs on some computers are priced, with every assumption by name."""
    times: dict[str, MachineTimes] = {}
    prices: dict[str, Price] = {}
    assumptions: list[Assumption] = []
    at_server = [] if realm is None else _attempts_at(realm, store)
    measured = measured_in(at_server)
    for computer in dict.fromkeys(computers):
        own = [one for one in measured if one.computer == computer]
        published = published_times(computer)
        usable = [one for one in own if len(one.timings) >= LEAST_MEASURED]
        times[computer] = MachineTimes(published, options.model, _fitted(usable, options))
        prices[computer] = _price(computer, at_server, sources)
        assumptions += _assumptions(computer, published, usable, prices[computer], options)
    return Tariff(times, prices, tuple(_joined(assumptions)))


def _attempts_at(realm: str, store: Store) -> list[Attempt]:
    return [one for one in read_all_attempts(store) if one.intent.realm == realm]


def _joined(assumptions: Iterable[Assumption]) -> Iterator[Assumption]:
    """One line for machines of which the same is assumed: `price per second of garnet, sirius`."""
    names: dict[tuple[str, str, str, str], list[str]] = {}
    for one in assumptions:
        what, _, computer = one.name.partition(" of ")
        names.setdefault((what, one.value, one.source, one.date), []).append(computer)
    for (what, value, source, date), computers in names.items():
        yield Assumption(f"{what} of {', '.join(computers)}", value, source, date)


def _fitted(usable: Iterable[Measured], options: CostOptions) -> dict[str, TimePredictor]:
    if options.model is not None:
        return {}
    from iqm_spec.cost.time_model import fit

    return {one.conditions: fit(one.timings) for one in usable}


def _price(computer: str, at_server: Sequence[Attempt], sources: PriceSources) -> Price:
    if sources.given is not None:
        return Price(sources.given, "given", "the command line", "")
    if sources.spec is not None:
        return Price(sources.spec, "spec", "the spec's `budget.price_per_second`", "")
    if computer in sources.told:
        source = "the server's own answer"
        if sources.emulated:
            source = "the emulator's answer, made up: a rehearsal's"
        return Price(sources.told[computer], "server", source, f"{datetime.now(UTC):%Y-%m-%d}")
    return _last_told(computer, at_server) or published_price()


def _last_told(computer: str, at_server: Iterable[Attempt]) -> Price | None:
    """What the server said when a job was last submitted to the computer."""
    answers = [
        (attempt.intent.at, estimate.price_per_second)
        for attempt in at_server
        if attempt.intent.computer == computer
        and (estimate := attempt.intent.estimate) is not None
        and estimate.price_from == "server"
        and estimate.price_per_second is not None
    ]
    if not answers:
        return None
    when, price = max(answers)
    source = "the server's answer when a job was last submitted"
    return Price(float(price), "kept", source, when[:10])


def _assumptions(
    computer: str,
    published: PublishedTimes,
    usable: Iterable[Measured],
    price: Price,
    options: CostOptions,
) -> list[Assumption]:
    name = f"price per second of {computer}"
    assumed = [Assumption(name, f"{price.per_second:g} credits", price.source, price.date)]
    model = f"time model of {computer}"
    if options.model is not None:
        jobs = len(options.model.timings)
        return [*assumed, Assumption(model, f"fitted to {jobs} jobs", options.model_name, "")]
    for one in usable:
        fitted = f"fitted to {len(one.timings)} jobs of it in this results folder"
        if one.emulated:
            fitted += " (emulated)"
        source = "measured, from execution_started to execution_ended"
        assumed.append(Assumption(model, f"{fitted}, {one.conditions}", source, ""))
    law = published.sister
    value = (
        f"as its sister {law.name}: {law.execution * 1e6:.0f} µs per execution, "
        f"{law.layer * 1e9:.0f} ns per layer of it, {law.circuit * 1e3:.1f} ms per circuit, "
        f"{max(law.job, law.least):.2f} s per job; the range holds all published machines, "
        f"widened by {published.margin - 1:.0%}"
    )
    if not assumed[1:]:
        assumed.append(Assumption(model, value, law.source, law.date))
    else:
        assumed.append(Assumption(f"{model}, where that says little", value, law.source, law.date))
    return assumed


@frozen
class Measured:
    """Jobs of one computer under the same conditions, with the seconds between start and end."""

    computer: str
    realm: str
    emulated: bool
    conditions: str
    timings: tuple[Timing, ...]


def timings_of(
    store: Store, *, computer: str | None = None, realm: str | None = None
) -> list[Measured]:
    """The measured jobs of a folder, of one computer or realm where that is named."""
    return [
        one
        for one in measured_in(read_all_attempts(store))
        if computer in (None, one.computer) and realm in (None, one.realm)
    ]


def measured_in(every: Iterable[Attempt]) -> list[Measured]:
    """The measured ones of some jobs by computer, realm and conditions; mocks measure nothing."""
    groups: dict[tuple[str, str, bool, str], list[Timing]] = {}
    for attempt in every:
        intent, seconds = attempt.intent, attempt.qpu_seconds
        if attempt.phase is not Phase.COMPLETED or intent.stage != "hardware":
            continue
        if seconds is None or seconds <= 0 or intent.shape is None:
            continue
        group = (intent.computer, intent.realm, intent.emulated, intent.conditions)
        timing = Timing(JobShape.from_json(intent.shape), float(seconds))
        groups.setdefault(group, []).append(timing)
    return [Measured(*group, timings=tuple(timings)) for group, timings in sorted(groups.items())]


def slot_of(booked: float | None, given: float | None) -> float | None:
    """Seconds of a timeslot: what the server says is `booked`, but no more than what was `given`.

    Where it says that none is booked, or nothing, what was given counts; None where nothing is
    known.
    """
    if booked and given is not None:
        return min(booked, given)
    return booked if given is None else given
