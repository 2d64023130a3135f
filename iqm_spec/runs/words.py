"""Events of a run in words, the same wherever they are shown."""

from __future__ import annotations

from iqm_spec.model import Stage
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import collapsed
from iqm_spec.plan.transpiling import Crosschecked
from iqm_spec.runs.events import (
    Event,
    Heard,
    Note,
    Paused,
    Planned,
    StageDone,
    StageStarted,
    Submitted,
)

SECONDS_BETWEEN_LINES = 5.0
"""Where lines stay, the pace is told at most so often."""


def lines(event: Event) -> list[str]:
    """What is told of an event; nothing of those that only count."""
    match event:
        case Planned(plan, stored):
            note = " (stored plan)" if stored else ""
            told = f"plan {plan.digest[:12]}: {count(len(plan.points), 'point')}{note}"
            return [told, *(f"  warning: {line}" for line in collapsed(plan.points))]
        case Crosschecked():
            return [event.words]
        case StageStarted(stage):
            told = aer_line(event) if stage is Stage.AER else server_line(event)
            return [f"{named(stage, event.emulated)}: {told}"]
        case Note(_, text):
            return [f"  {text}"]
        case Submitted(_, computer, circuits, attempt):
            told = ", ".join(attempt.ids) or f"not submitted ({attempt.phase})"
            return [f"  {computer}: {count(circuits, 'circuit')}, job {told}"]
        case Heard(_, attempt, status, position):
            place = f", {count(position, 'job')} before it" if position else ""
            return [f"  job {attempt.ids[0]}: {status}{place}"]
        case Paused(_, why, seconds):
            return [f"  {why}; trying again in {seconds:.0f} s"]
        case StageDone(stage, status, reasons):
            return [f"{named(stage, event.emulated)}: {status}", *(f"  {r}" for r in reasons)]
    return []


def pace(what: str, unit: str, done: int, total: int, seconds: float) -> str:
    """`aer: 120 of 400 points, 31/s, 9 s left`, after so many seconds."""
    rate = done / max(1e-9, seconds)
    left = (total - done) / rate if rate else 0
    return f"{what}: {done:,} of {total:,} {unit}, {rate:.3g}/s, {left:.0f} s left"


def named(stage: str, emulated: bool) -> str:
    """A stage's name, marked where a program stood for the machine."""
    return f"{stage} (emulated)" if emulated else stage


def server_line(stage: StageStarted) -> str:
    """`24 points: 20 in the results folder, 1 job to submit`."""
    told = [f"{stage.cached:,} in the results folder"] if stage.cached else []
    if stage.jobs:
        told.append(f"{count(stage.jobs, 'job')} to submit")
    if stage.shared:
        told.append(f"{stage.shared:,} the same question as another, sharing its counts")
    return f"{count(stage.points, 'point')}{': ' if told else ''}{', '.join(told)}"


def aer_line(stage: StageStarted) -> str:
    """`24 points: 20 in the results folder, 4 to simulate, about 3 s on one core`."""
    left = stage.points - stage.cached
    told = [f"{stage.cached:,} in the results folder"] if stage.cached else []
    if left:
        takes = duration(stage.seconds)
        if stage.at_most:
            takes = takes.replace("about", "at most")
        told.append(f"{left:,} to simulate, {takes} on one core")
    if stage.shared:
        told.append(f"{stage.shared:,} the same question as another, sharing its counts")
    return f"{count(stage.points, 'point')}: {'; '.join(told)}"


def duration(seconds: float) -> str:
    """A rough time in words: `about 3 s`, `about 2 min`."""
    for most, unit, name in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < most:
            return "below 1 s" if seconds < 1 else f"about {seconds / unit:.0f} {name}"
    return f"about {seconds / 86_400:,.0f} days"
