"""Events of a run as lines for people."""

from __future__ import annotations

from iqm_spec.plan.label import count
from iqm_spec.runs.events import (
    Event,
    Heard,
    Note,
    Paused,
    Planned,
    RunDone,
    StageDone,
    StageStarted,
    Submitted,
)


def told(event: Event) -> str:
    """A line, or nothing for what is no news by itself."""
    match event:
        case Planned(plan, _):
            return f"plan {plan.digest[:12]}: {count(len(plan.points), 'point')}"
        case StageStarted():
            left = event.points - event.cached
            return f"{event.stage.value}: {count(event.points, 'point')}, {left:,} to do"
        case Submitted():
            return f"{event.stage.value}: {count(event.circuits, 'circuit')} to {event.computer}"
        case Heard():
            return f"{event.stage.value}: job {event.attempt.id} is {event.status}"
        case Paused():
            return f"{event.why}; trying again in {event.seconds:.0f} s"
        case Note():
            return f"{event.stage.value}: {event.text}"
        case StageDone():
            why = f" ({'; '.join(event.reasons)})" if event.reasons else ""
            return f"{event.stage.value}: {event.status}{why}"
        case RunDone():
            return f"run {event.run}{', as before' if event.again else ''}"
    return ""
