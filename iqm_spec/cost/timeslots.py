"""Timeslots: how many jobs fit into one, and how long a slot jobs need."""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import frozen

from iqm_spec.cost.ranges import Range, total
from iqm_spec.json_types import Json

BETWEEN_JOBS = Range(0.0, 3.0, 15.0)
"""Seconds of a slot that a job takes besides its QPU time: validation, compilation, queueing.
IT4Innovations names 3 to 15 s for VLQ, an IQM machine; jobs that queue hide some of it."""

MARGIN = 0.1
"""Share of a slot that is kept free."""

STEP_MINUTES = 5
"""Slots are booked in steps of so many minutes."""


@frozen
class SlotNeed:
    """Time that jobs take in a slot, in seconds, and the minutes of the slot to book."""

    jobs: int
    seconds: Range
    minutes: int

    def to_json(self) -> dict[str, Json]:
        """As the dry run gives it."""
        return {"jobs": self.jobs, "seconds": self.seconds.to_json(), "ask_minutes": self.minutes}


def timeslot_for_jobs(jobs: Sequence[Range]) -> SlotNeed:
    """The timeslot that jobs of these QPU seconds need."""
    return timeslot_for_total(total(jobs), len(jobs))


def timeslot_for_total(qpu: Range, jobs: int) -> SlotNeed:
    """The timeslot that `jobs` need which take `qpu` seconds in all."""
    seconds = qpu.plus(BETWEEN_JOBS.times(jobs))
    steps = math.ceil(seconds.high / (1 - MARGIN) / 60 / STEP_MINUTES)
    return SlotNeed(jobs, seconds, steps * STEP_MINUTES)


def jobs_fitting_timeslot(jobs: Sequence[Range], slot_seconds: float) -> int:
    """How many of the jobs, in order, surely fit in a slot with its margin kept free."""
    seconds_left = slot_seconds * (1 - MARGIN)
    for number, seconds in enumerate(jobs):
        seconds_left -= seconds.high + BETWEEN_JOBS.high
        if seconds_left < 0:
            return number
    return len(jobs)
