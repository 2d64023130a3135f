"""Events of jobs for tests: with every field that is needed, and those that matter said."""

from __future__ import annotations

from typing import Any

from iqm_spec.store import Event, Journal
from iqm_spec.store.events import EVENTS, JOBS
from iqm_spec.store.structure import structure

AT = "2026-11-23T12:00:00Z"
INTENT: dict[str, Any] = {
    "attempt": 1,
    "stage": "hardware",
    "realm": "emulator",
    "computer": "garnet",
    "shots": 10,
    "parts": [],
    "at": AT,
}
NEEDED: dict[str, dict[str, Any]] = {
    "claimed": {},
    "intent": INTENT,
    "unknown": {"why": "no answer"},
    "submitted": {"id": "a", "at": AT},
    "adopted": {"id": "a", "at": AT},
    "failed": {"status": "failed", "at": AT},
    "completed": {"id": "a", "records": "0" * 64, "at": AT},
}
"""Kind of an event to fields that it cannot be without."""


def fields_of(kind: str, attempt: int = 1, **changes: Any) -> dict[str, Any]:
    """The fields of an event."""
    if kind == "claimed":
        return {}
    return {**NEEDED.get(kind, {}), "attempt": attempt, **changes}


def job_event(seq: int, kind: str, attempt: int = 1, **changes: Any) -> Event:
    """An event as a journal gives it."""
    fields = fields_of(kind, attempt, **changes)
    data = structure(fields, EVENTS[JOBS, kind])
    return Event(seq, kind, fields, f"{seq:04d}-{kind}-00000000.json", data)


def append(journal: Journal, kind: str, attempt: int = 1, **changes: Any) -> None:
    """Writes an event of a job."""
    journal.append(kind, fields_of(kind, attempt, **changes))
