"""Events of a run as lines of text, the same wherever they are shown."""

from __future__ import annotations

from iqm_spec.plan.label import count
from iqm_spec.plan.plan import collapsed
from iqm_spec.plan.transpiling import Crosschecked
from iqm_spec.stages.events import (
    Event,
    JobPolled,
    Note,
    Paused,
    Planned,
    StageDone,
    StageStarted,
    Submitted,
)
from iqm_spec.stages.registry import STAGES

SECONDS_BETWEEN_LINES = 5.0
"""The shortest time between two lines of progress where lines are not overwritten."""


def lines(event: Event) -> list[str]:
    """The lines of an event; none of events that only count."""
    match event:
        case Planned(plan, stored):
            note = " (stored plan)" if stored else ""
            line = f"plan {plan.digest[:12]}: {count(len(plan.points), 'point')}{note}"
            return [line, *(f"  warning: {warning}" for warning in collapsed(plan.points))]
        case Crosschecked():
            return [event.words]
        case StageStarted(stage):
            line = STAGES[stage].started_line(event)
            return [f"{stage_label(stage, event.emulated)}: {line}"]
        case Note(_, text):
            return [f"  {text}"]
        case Submitted(_, computer, circuits, attempt):
            job = ", ".join(attempt.ids) or f"not submitted ({attempt.phase})"
            return [f"  {computer}: {count(circuits, 'circuit')}, job {job}"]
        case JobPolled(_, attempt, status, position):
            place = f", {count(position, 'job')} before it" if position else ""
            return [f"  job {attempt.ids[0]}: {status}{place}"]
        case Paused(_, why, seconds):
            return [f"  {why}; trying again in {seconds:.0f} s"]
        case StageDone(stage, status, reasons):
            return [f"{stage_label(stage, event.emulated)}: {status}", *(f"  {r}" for r in reasons)]
    return []


def pace(what: str, unit: str, done: int, total: int, seconds: float) -> str:
    """`aer: 120 of 400 points, 31/s, 9 s left`, where `seconds` have passed."""
    rate = done / max(1e-9, seconds)
    left = (total - done) / rate if rate else 0
    return f"{what}: {done:,} of {total:,} {unit}, {rate:.3g}/s, {left:.0f} s left"


def stage_label(stage: str, emulated: bool) -> str:
    """A stage's name, marked where a program stood for the machine."""
    return f"{stage} (emulated)" if emulated else stage
