"""What became of a job: the join of its journal's events, whatever order they came in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from attrs import evolve, field, frozen

from iqm_spec.errors import StoreCorrupt
from iqm_spec.store import Event
from iqm_spec.store.events import (
    JobAdopted,
    JobClaimed,
    JobCompleted,
    JobEnd,
    JobFailed,
    JobIntent,
    JobOutcome,
    JobRejected,
    JobReleased,
    JobSubmitted,
    JobUnknown,
)


class Phase(StrEnum):
    """How far an attempt has come. The order is that of knowledge: later ones overrule."""

    CLAIMED = "claimed"
    INTENDED = "intended"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    SUBMITTED = "submitted"
    FAILED = "failed"
    RELEASED = "released"
    COMPLETED = "completed"


_FREE = {Phase.CLAIMED, Phase.REJECTED, Phase.RELEASED}
_ENDED = {Phase.FAILED, Phase.COMPLETED}

PHASE_OF: Mapping[type[JobOutcome], Phase] = {
    JobClaimed: Phase.CLAIMED,
    JobIntent: Phase.INTENDED,
    JobRejected: Phase.REJECTED,
    JobUnknown: Phase.UNKNOWN,
    JobReleased: Phase.RELEASED,
    JobSubmitted: Phase.SUBMITTED,
    JobAdopted: Phase.SUBMITTED,
    JobFailed: Phase.FAILED,
    JobCompleted: Phase.COMPLETED,
}
"""Class of an event to how far it brings an attempt."""


@frozen
class Attempt:
    """One submission of a job, or the try of one.

    `ids` are the server's ids: more than one means that the job was paid twice. `outcome` is the
    event that decided the phase.
    """

    job: str
    number: int
    phase: Phase
    ids: tuple[str, ...]
    outcome: JobOutcome
    meant: JobIntent | None = None
    """What was to be submitted; None where it did not come so far, or that event is lost."""
    completions: Mapping[str, JobCompleted] = field(factory=dict)
    """What each of the server's ids brought."""
    failure: JobFailed | None = None
    """How it failed; that stays when it is released."""

    @property
    def intent(self) -> JobIntent:
        """What was to be submitted; StoreCorrupt where that is lost."""
        if self.meant is None:
            raise StoreCorrupt(
                f"job {self.job[:12]} has lost its intent: what {', '.join(self.ids) or 'it'} "
                "was submitted for cannot be told",
                hint=f"bring the files of jobs/{self.job} back, from git or a colleague's copy",
            )
        return self.meant

    def with_intent(self) -> Attempt:
        """The attempt; StoreCorrupt where its intent is lost."""
        _ = self.intent
        return self

    def as_of(self, job_id: str | None) -> Attempt:
        """The attempt as that id has it, where it was completed under it."""
        if job_id is None or job_id not in self.completions:
            return self
        return evolve(self, outcome=self.completions[job_id])

    @property
    def id(self) -> str | None:
        """The server's id in the event that decided the phase."""
        outcome = self.outcome
        return outcome.id if isinstance(outcome, JobSubmitted | JobAdopted | JobEnd) else None

    @property
    def completion(self) -> JobCompleted:
        """How it was completed; ValueError where it was not."""
        if not isinstance(self.outcome, JobCompleted):
            raise ValueError(f"job {self.job[:12]} was not completed")
        return self.outcome

    @property
    def end(self) -> JobEnd | None:
        """How the server ended it, where that decided the phase."""
        return self.outcome if isinstance(self.outcome, JobEnd) else None

    @property
    def qpu_seconds(self) -> float | None:
        """Measured seconds on the quantum computer, where the server reported them."""
        return None if self.end is None else self.end.qpu_seconds

    @property
    def calibration_set_id(self) -> str | None:
        """The calibration set that the server ran it under, where that is known."""
        return None if self.end is None else self.end.calibration_set_id

    @property
    def status(self) -> str | int | None:
        """The server's word for how it ended, or the HTTP status by which it was rejected."""
        outcome = self.outcome
        return outcome.status if isinstance(outcome, JobRejected | JobEnd) else None

    @property
    def parts(self) -> Sequence[tuple[str, int]]:
        """Point key and part number of each of its circuits, in order."""
        return () if self.meant is None else self.meant.parts

    @property
    def free(self) -> bool:
        """Whether its circuits may be submitted (again)."""
        return self.phase in _FREE

    @property
    def open(self) -> bool:
        """Whether the server has it and has not been heard to have ended it."""
        return self.phase is Phase.SUBMITTED

    @property
    def ended(self) -> bool:
        """Whether the server has ended it, well or not."""
        return self.phase in _ENDED


def attempts(job: str, events: Iterable[Event]) -> tuple[Attempt, ...]:
    """The attempts that a job's events tell of, by number."""
    by_number: dict[int, list[JobOutcome]] = {}
    for event in events:
        if isinstance(event.data, JobClaimed):
            by_number.setdefault(event.seq, []).append(event.data)
        elif isinstance(event.data, JobOutcome):
            by_number.setdefault(event.data.attempt, []).append(event.data)
    return tuple(_attempt(job, number, by_number[number]) for number in sorted(by_number))


def _attempt(job: str, number: int, events: Sequence[JobOutcome]) -> Attempt:
    order = list(Phase)
    told = {PHASE_OF[type(event)] for event in events}
    if {Phase.RELEASED, Phase.SUBMITTED} <= told and Phase.FAILED not in told:
        told.discard(Phase.RELEASED)  # released in the belief that it was lost, then found
    phase = max(told, key=order.index)
    last = next(event for event in reversed(events) if PHASE_OF[type(event)] is phase)
    completions = {event.id: event for event in reversed(events) if isinstance(event, JobCompleted)}
    return Attempt(
        job=job,
        number=number,
        phase=phase,
        ids=tuple(sorted({e.id for e in events if isinstance(e, JobSubmitted | JobAdopted)})),
        # of a job that was paid twice everybody takes the same one, whoever fetched it first
        outcome=completions[min(completions)] if phase is Phase.COMPLETED else last,
        meant=next((event for event in events if isinstance(event, JobIntent)), None),
        completions=completions,
        failure=next((event for event in events if isinstance(event, JobFailed)), None),
    )
