"""Time models and prices for a run's machines, each from the best available source."""

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
    """Prices and limits of the command line.

    `price` is in credits per second, `most` the limit in credits of one invocation, `slot_seconds`
    the length of a timeslot.
    """

    price: float | None = None
    model: TimeModel | None = None
    model_name: str = ""
    most: float | None = None
    slot_seconds: float | None = None


@frozen
class PriceSources:
    """Prices in credits per second by their sources; `server` are its answers now, by computer."""

    command_line: float | None = None
    spec: float | None = None
    server: Mapping[str, float] = field(factory=dict)
    emulated: bool = False


def sources_of(
    options: CostOptions,
    budget: Mapping[str, Any],
    server_prices: Mapping[str, float],
    session: Session | None,
) -> PriceSources:
    """A run's sources: the command line, the spec's `budget`, and the server's prices."""
    emulated = bool(server_prices) and session is not None and session.emulated
    return PriceSources(options.price, budget.get("price_per_second"), server_prices, emulated)


def tariff_of(
    computers: Iterable[str],
    server_id: str | None,
    store: Store,
    options: CostOptions,
    sources: PriceSources,
) -> Tariff:
    """How jobs on some computers are priced, with every assumption by name."""
    times: dict[str, MachineTimes] = {}
    prices: dict[str, Price] = {}
    assumptions: list[Assumption] = []
    every = () if server_id is None else read_all_attempts(store)
    at_server = [attempt for attempt in every if attempt.intent.realm == server_id]
    measured = measured_in(at_server)
    for computer in dict.fromkeys(computers):
        own = [group for group in measured if group.computer == computer]
        published = published_times(computer)
        usable = [group for group in own if len(group.timings) >= LEAST_MEASURED]
        fitted: dict[str, TimePredictor] = {}
        if options.model is None:
            from iqm_spec.cost.time_model import fit

            fitted = {group.conditions: fit(group.timings) for group in usable}
        times[computer] = MachineTimes(published, options.model, fitted)
        prices[computer] = _price(computer, at_server, sources)
        assumptions += _assumptions(computer, published, usable, prices[computer], options)
    return Tariff(times, prices, tuple(_joined(assumptions)))


def _joined(assumptions: Iterable[Assumption]) -> Iterator[Assumption]:
    """One assumption for all machines that share it: `price per second of garnet, sirius`."""
    names: dict[tuple[str, str, str, str], list[str]] = {}
    for assumption in assumptions:
        what, _, computer = assumption.name.partition(" of ")
        names.setdefault((what, assumption.value, assumption.source, assumption.date), []).append(
            computer
        )
    for (what, value, source, date), computers in names.items():
        yield Assumption(f"{what} of {', '.join(computers)}", value, source, date)


def _price(computer: str, at_server: Sequence[Attempt], sources: PriceSources) -> Price:
    if sources.command_line is not None:
        return Price(sources.command_line, "given", "the command line", "")
    if sources.spec is not None:
        return Price(sources.spec, "spec", "the spec's `budget.price_per_second`", "")
    if computer in sources.server:
        source = "the server's own answer"
        if sources.emulated:
            source = "the emulator's answer, made up: a rehearsal's"
        return Price(sources.server[computer], "server", source, f"{datetime.now(UTC):%Y-%m-%d}")
    return _last_reported(computer, at_server) or published_price()


def _last_reported(computer: str, at_server: Iterable[Attempt]) -> Price | None:
    """The server's price when a job was last submitted to the computer."""
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
    for group in usable:
        fitted = f"fitted to {len(group.timings)} jobs of it in this results folder"
        if group.emulated:
            fitted += " (emulated)"
        source = "measured, from execution_started to execution_ended"
        assumed.append(Assumption(model, f"{fitted}, {group.conditions}", source, ""))
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
    server_id: str
    emulated: bool
    conditions: str
    timings: tuple[Timing, ...]


def timings_of(
    store: Store, *, computer: str | None = None, server_id: str | None = None
) -> list[Measured]:
    """The measured jobs of a folder; only of one computer or server where given."""
    return [
        group
        for group in measured_in(read_all_attempts(store))
        if computer in (None, group.computer) and server_id in (None, group.server_id)
    ]


def measured_in(every: Iterable[Attempt]) -> list[Measured]:
    """The measured jobs among attempts, by computer, server id and conditions; none of mocks."""
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


def slot_of(booked: float | None, chosen: float | None) -> float | None:
    """Seconds of a timeslot: those that the server says are `booked`, at most the user's `chosen`.

    Where it says that none is booked, or nothing, `chosen` counts; None where neither is known.
    """
    if booked and chosen is not None:
        return min(booked, chosen)
    return booked if chosen is None else chosen
