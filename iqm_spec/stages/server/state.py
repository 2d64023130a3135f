"""What became of a job: the join of its journal's events, whatever order they came in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import evolve, field, frozen

from iqm_spec.json_types import Json
from iqm_spec.store.journal import Event


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

KIND_OF = {
    "claimed": Phase.CLAIMED,
    "intent": Phase.INTENDED,
    "rejected": Phase.REJECTED,
    "unknown": Phase.UNKNOWN,
    "released": Phase.RELEASED,
    "submitted": Phase.SUBMITTED,
    "adopted": Phase.SUBMITTED,
    "failed": Phase.FAILED,
    "completed": Phase.COMPLETED,
}
"""Kind of an event to what it tells."""


@frozen
class Attempt:
    """One submission of a job, or the try of one.

    `intent` holds what was to be submitted: run, stage, realm, target, queue, shots, calibration
    set, `body` (digest of the payload) and `parts` (`[point key, part number]` per circuit). `ids`
    are the server's ids: more than one means that the job was paid twice. `fields` are those of the
    event that decided the phase.
    """

    job: str
    number: int
    phase: Phase
    intent: Mapping[str, Any]
    ids: tuple[str, ...]
    fields: Mapping[str, Json]
    completions: Mapping[str, Mapping[str, Json]] = field(factory=dict)
    """What each of the server's ids brought: the fields of its `completed` event."""
    failure: Mapping[str, Json] | None = None
    """The fields of its `failed` event; they stay when it is released."""

    def as_of(self, job_id: str | None) -> Attempt:
        """The attempt as that id has it, where it was completed under it."""
        if job_id is None or job_id not in self.completions:
            return self
        return evolve(self, fields=self.completions[job_id])

    @property
    def id(self) -> str | None:
        """The server's id in the event that decided the phase."""
        told = self.fields.get("id")
        return None if told is None else str(told)

    @property
    def parts(self) -> Sequence[tuple[str, int]]:
        """Point key and part number of each of its circuits, in order."""
        return [(key, number) for key, number in self.intent.get("parts", ())]

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
    by_number: dict[int, list[Event]] = {}
    for event in events:
        if event.kind in KIND_OF:
            number = event.seq if event.kind == "claimed" else event.fields.get("attempt")
            by_number.setdefault(int(str(number)), []).append(event)
    return tuple(_attempt(job, number, by_number[number]) for number in sorted(by_number))


def _attempt(job: str, number: int, events: Sequence[Event]) -> Attempt:
    order = list(Phase)
    told = {KIND_OF[event.kind] for event in events}
    if {Phase.RELEASED, Phase.SUBMITTED} <= told and Phase.FAILED not in told:
        told.discard(Phase.RELEASED)  # released in the belief that it was lost, then found
    phase = max(told, key=order.index)
    last = next(event for event in reversed(events) if KIND_OF[event.kind] is phase)
    completions = {
        str(event.fields["id"]): event.fields
        for event in reversed(events)
        if event.kind == "completed"
    }
    # of a job that was paid twice everybody takes the same one, whoever fetched it first
    fields = completions[min(completions)] if phase is Phase.COMPLETED else last.fields
    intent = next((event.fields for event in events if event.kind == "intent"), {})
    ids = {str(event.fields["id"]) for event in events if event.kind in ("submitted", "adopted")}
    failure = next((event.fields for event in events if event.kind == "failed"), None)
    return Attempt(job, number, phase, intent, tuple(sorted(ids)), fields, completions, failure)
