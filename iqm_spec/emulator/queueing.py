"""When a job starts: behind the jobs before it, in a pay-as-you-go window or a booked slot."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import asdict, frozen

from iqm_spec.emulator.clock import occupies
from iqm_spec.emulator.machines import Computer
from iqm_spec.emulator.messages import Rejected
from iqm_spec.emulator.options import Options, Span
from iqm_spec.emulator.state import State


@frozen
class Place:
    """A job's place in a computer's queue, in real seconds since 1970; None: it never starts."""

    job: str
    starts: float | None
    ends: float | None
    slot: bool = False
    """Whether it waits for a booked timeslot, not in the pay-as-you-go queue."""


def spans(state: State, options: Options, wanted: Sequence[Span], alias: str) -> list[Span]:
    """A computer's slots or windows in real seconds since 1970, earliest first."""
    found = [
        Span(alias, state.born + span.start / options.speed, state.born + span.end / options.speed)
        for span in wanted
        if span.alias == alias
    ]
    return sorted(found, key=lambda span: span.start)


def queue(state: State, computer: Computer, now: float) -> list[Place]:
    """Jobs that have not left the computer by `now`, in the order of acceptance."""
    places = [Place(**item) for item in state.read(_file(computer)) or []]
    return [
        place
        for place in places
        if (place.ends is None or place.ends > now)
        and not state.has(f"jobs/{place.job}.cancelled.json")
    ]


def ahead(state: State, computer: Computer, job: str, now: float) -> int:
    """How many waiting jobs are before this one."""
    count = 0
    for place in queue(state, computer, now):
        if place.job == job:
            break
        count += place.starts is None or place.starts > now
    return count


def enqueue(
    state: State,
    options: Options,
    computer: Computer,
    job: str,
    runs: float,
    now: float,
    slot: bool,
) -> float | None:
    """Give a job its place; modelled seconds until it starts, or None: never.

    To be called under the computer's lock. `Rejected` where its queue is closed or full.
    """
    places = queue(state, computer, now)
    waiting = sum(place.starts is None or place.starts > now for place in places)
    if waiting >= options.limit("max_queued_jobs_per_user"):
        raise Rejected(403, "quota_exceeded", f"{waiting} of your jobs are waiting already")
    busy = max((place.ends for place in places if place.ends is not None), default=now)
    earliest = max(now + options.queue_seconds / options.speed, busy)
    starts = _first(state, options, computer, earliest, slot)
    ends = None if starts is None else starts + occupies(runs) / options.speed
    places.append(Place(job, starts, ends, slot))
    state.write(_file(computer), [asdict(place) for place in places])
    return None if starts is None else (starts - now) * options.speed


def _first(
    state: State, options: Options, computer: Computer, earliest: float, slot: bool
) -> float | None:
    """The first moment from `earliest` on at which such a job may start."""
    if slot:
        booked = spans(state, options, options.slots, computer.alias)
        usable = [span for span in booked if span.end > earliest]
        if not usable:
            raise Rejected(
                403, "no_booked_timeslots", f"no timeslot on {computer.alias} is booked for you"
            )
        return max(usable[0].start, earliest)
    if computer.alias in options.timeslot_only:
        raise Rejected(
            403, "timeslot_required", f"{computer.alias} takes jobs in booked timeslots only"
        )
    windows = spans(state, options, options.windows, computer.alias)
    if not windows:
        return earliest
    usable = [span for span in windows if span.end > earliest]
    return max(usable[0].start, earliest) if usable else None


def _file(computer: Computer) -> str:
    return f"queues/{computer.id}.json"
