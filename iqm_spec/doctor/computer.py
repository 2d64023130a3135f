"""Checks of a quantum computer's state and limits against the needs of a spec. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.cost.job_shape import JobShape
from iqm_spec.cost.machine_times import published_times
from iqm_spec.cost.ranges import total
from iqm_spec.cost.timeslots import SlotNeed, timeslot_for_total
from iqm_spec.doctor.local import Check, fine, problem, unknown, warning
from iqm_spec.model import Mode, SpecPoint
from iqm_spec.plan.label import count
from iqm_spec.stages.server.batch import USUAL_CIRCUITS

if TYPE_CHECKING:
    from iqm_spec.server_api.computers import ComputerInfo, Slot


LAYERS = 100
"""Assumed depth of circuits: `doctor` transpiles nothing."""

LOOKED_AHEAD = timedelta(days=7)
"""Period for which windows and timeslots are read."""
_SLOTS_LISTED = 3


@frozen
class Need:
    """What a spec needs of one machine. `groups` has (shots, circuits) for equal options."""

    target: str
    groups: tuple[tuple[int, int], ...]
    resets_actively: bool = False

    @property
    def circuits(self) -> int:
        """Number of circuits, including repeats."""
        return sum(circuits for _, circuits in self.groups)

    @property
    def shots(self) -> int:
        """Most shots of a circuit."""
        return max(shots for shots, _ in self.groups)

    @property
    def executions(self) -> int:
        """Shots of all circuits together."""
        return sum(shots * circuits for shots, circuits in self.groups)

    def jobs(self, info: ComputerInfo) -> int:
        """Number of jobs within the server's limits on circuits, shots and executions."""
        known = [limit for limit in (info.max_shots, info.max_executions) if limit]
        jobs = 0
        for shots, circuits in self.groups:
            parts = -(-shots // min(known, default=shots))
            each = -(-shots // parts)
            most = info.max_circuits or USUAL_CIRCUITS
            if info.max_executions:
                most = min(most, max(1, info.max_executions // each))
            jobs += parts * -(-circuits // most)
        return jobs

    def slot(self, jobs: int) -> SlotNeed:
        """Needed length of a timeslot, from the published times of sister machines."""
        times = published_times(self.target)
        shapes = [
            JobShape(circuits, shots, 0, LAYERS * circuits, 0) for shots, circuits in self.groups
        ]
        (start,) = times.predict([JobShape(0, 0, 0, 0, 0)])
        more = max(0, jobs - len(shapes))
        return timeslot_for_total(total([*times.predict(shapes), start.times(more)]), jobs)


def needs_of(points: Iterable[SpecPoint]) -> dict[str, Need]:
    """What a spec's points need, by machine."""
    groups: dict[str, Counter[Any]] = {}
    active: set[str] = set()
    for point in points:
        options = tuple(sorted((key, str(value)) for key, value in point.options.items()))
        groups.setdefault(point.target, Counter())[options, point.shots] += 1
        if point.options.get("active_reset_cycles") is not None:
            active.add(point.target)
    return {
        target: Need(target, tuple((shots, n) for (_, shots), n in sizes.items()), target in active)
        for target, sizes in groups.items()
    }


def machine_checks(info: ComputerInfo, need: Need, mode: Mode, now: datetime) -> list[Check]:
    """Health, queue, limits, price, and the timeslots or windows of the spec's mode."""
    checks = [*standing_checks(info), _limits(info, need)]
    if mode is Mode.TIMESLOT:
        checks.append(_timeslots(info, need, now))
    else:
        if info.price_per_second is not None:
            price = f"{info.price_per_second} credits per second of QPU time"
            checks.append(fine(f"{info.alias} price", price))
        checks.append(_windows(info, now))
    # timeslots that can be booked: `in 2 h (Tue 24 Nov 03:00 CET), 30 min for 90.00 credits`
    listed = []
    bookable = [slot for slot in info.available or () if slot.end > now]
    for slot in bookable[:_SLOTS_LISTED]:
        starts = "now" if slot.start <= now else moment(slot.start, now)
        price = "" if slot.price is None else f" for {slot.price} credits"
        listed.append(f"{starts}, {span(slot.end - slot.start)}{price}")
    if len(bookable) > len(listed):
        listed.append(f"and {len(bookable) - len(listed)} more")
    if listed:
        checks.append(fine(f"{info.alias} bookable slots", "; ".join(listed)))
    return checks


def standing_checks(info: ComputerInfo) -> list[Check]:
    """Health, status and queue of a quantum computer."""
    name = f"{info.alias} health"
    if info.healthy is None:
        health = unknown(name, _not_reported(info, "health"))
    elif info.healthy:
        health = fine(name, "healthy")
    else:
        hint = "jobs may wait or fail; look at the server's dashboard"
        health = warning(name, "not healthy", hint)
    name = f"{info.alias} status"
    if info.operational_status is None:
        status = unknown(name, _not_reported(info, "details"))
    elif info.is_online:
        status = fine(name, info.operational_status)
    else:
        hint = "jobs wait until the machine is online again"
        status = warning(name, info.operational_status, hint)
    name = f"{info.alias} queue"
    if info.queue_length is None:
        queue = unknown(name, _not_reported(info, "queue"))
    else:
        queue = fine(name, f"{count(info.queue_length, 'job')} waiting")
    return [health, status, queue]


def _limits(info: ComputerInfo, need: Need) -> Check:
    name = f"{info.alias} limits"
    limits = [info.max_circuits, info.max_shots, info.max_executions, info.max_instructions]
    if all(limit is None for limit in limits):
        return unknown(name, _not_reported(info, "limits"))
    jobs = need.jobs(info)
    text = f"{count(need.circuits, 'circuit')}, at most {need.shots:,} shots: {count(jobs, 'job')}"
    known = [limit for limit in (info.max_shots, info.max_executions) if limit]
    if need.shots > min(known, default=need.shots):
        text += f" (a job takes {min(known):,} shots of a circuit; more shots are split over jobs)"
    if info.max_queued is not None and jobs > info.max_queued:
        most = f"{info.max_queued:,} may wait at once"
        return warning(name, f"{text}; {most}", "the same `run` submits refused jobs again")
    return fine(name, text)


def _windows(info: ComputerInfo, now: datetime) -> Check:
    name = f"{info.alias} pay-as-you-go"
    if info.windows is None:
        return unknown(name, _not_reported(info, "queue"))
    window = _next(info.windows, now)
    if window is None:
        return warning(
            name,
            f"no window in the next {LOOKED_AHEAD.days} days",
            "jobs wait for the next window; `mode: timeslot` uses booked timeslots",
        )
    if window.start > now:
        return fine(name, f"the next window opens {moment(window.start, now)}")
    if window.end >= now + LOOKED_AHEAD - timedelta(hours=1):
        return fine(name, "open now")
    return fine(name, f"open now; the window closes {moment(window.end, now)}")


def _timeslots(info: ComputerInfo, need: Need, now: datetime) -> Check:
    name = f"{info.alias} timeslots"
    jobs = need.jobs(info)
    needed_slot = need.slot(jobs)
    needed_time = timedelta(minutes=needed_slot.minutes)
    needed = (
        f"This spec needs a timeslot of about {span(needed_time)}: by published times of sister "
        f"machines, {count(jobs, 'job')} of circuits with {LAYERS} layers would take "
        f"{needed_slot.seconds.low:,.0f} to {needed_slot.seconds.high:,.0f} s; "
        "`iqm-spec run --dry-run` computes the time from the transpiled circuits."
    )
    if need.resets_actively:
        needed += " This does not hold for active reset."
    if info.booked is None:
        return unknown(name, _not_reported(info, "timeslots"), needed)
    slot = _next(info.booked, now)
    if slot is None:
        return problem(
            name,
            f"none is booked in the next {LOOKED_AHEAD.days} days",
            "someone with the role PI or Scheduler must book one on the server's dashboard. "
            f"{needed} Or use `mode: pay-as-you-go`.",
        )
    text = f"booked now, until {moment(slot.end, now)}"
    if slot.start > now:
        length = span(slot.end - slot.start)
        text = f"the next one begins {moment(slot.start, now)} and lasts {length}"
    if slot.end - max(now, slot.start) < needed_time:
        return warning(name, text, f"that may be too short. {needed}")
    return fine(name, text)


def _next(slots: Sequence[Slot], now: datetime) -> Slot | None:
    """The current or next slot."""
    ordered = sorted(slots, key=lambda slot: slot.start)
    return next((slot for slot in ordered if slot.end > now), None)


def moment(when: datetime, now: datetime) -> str:
    """`in 5 h 20 min (Tue 24 Nov 03:00 CET)`: from now, and in local time."""
    local = when.astimezone()
    year = f" {local.year}" if local.year != now.astimezone().year else ""
    return f"in {span(when - now)} ({local:%a} {local.day} {local:%b}{year} {local:%H:%M %Z})"


def span(length: timedelta) -> str:
    """A length of time in words, to the minute."""
    minutes = max(0, round(length.total_seconds() / 60))
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    if days:
        return count(days, "day") + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{minutes} min" if minutes else "less than a minute"


_WHAT: Mapping[str, str] = {"details": "the status", "queue": "the queue"}


def _not_reported(info: ComputerInfo, what: str) -> str:
    """Why something is unknown: the server's reason, or that it does not report it."""
    for note in info.notes:
        name, _, why = note.partition(": ")
        if name == what:
            return why
    return f"the server does not report {_WHAT.get(what, f'the {what}')}"
