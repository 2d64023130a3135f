"""Progress on stderr while a run goes on: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from iqm_spec.cli import output
from iqm_spec.model import Stage
from iqm_spec.plan.label import count
from iqm_spec.runs.events import (
    Event,
    Heard,
    JobDone,
    Note,
    Paused,
    Planned,
    RunDone,
    StageDone,
    StageStarted,
    Submitted,
    Transpiling,
)

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, TaskID

SECONDS_BETWEEN_LINES = 5.0
"""Where there is no terminal, a line of progress at most so often."""


class Progress:
    """Shows events: what runs, how many points are done, the rate and the time left."""

    def __init__(self) -> None:
        self._console = output.console(err=True)
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._total = 0
        self._done = 0
        self._started = self._last_line = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def show(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Transpiling(done, total):
                if done == 0:
                    self._begin("transpiling", "circuits", total)
                self._advance(done)
            case Planned(plan, stored):
                self._end()
                note = " (stored plan)" if stored else ""
                self._say(f"plan {plan.digest[:12]}: {count(len(plan.points), 'point')}{note}")
            case StageStarted(stage, points, cached):
                told = aer_line(event) if stage is Stage.AER else server_line(event)
                self._say(f"{named(stage, event.emulated)}: {told}")
                if points > cached:
                    self._begin(f"{stage}", "points", points - cached)
            case JobDone(_, _, points):
                self._advance(self._done + points)
            case Note(_, text):
                self._say(f"  {text}")
            case Submitted(stage, computer, circuits, attempt):
                told = ", ".join(attempt.ids) or f"not submitted ({attempt.phase})"
                self._say(f"  {computer}: {count(circuits, 'circuit')}, job {told}")
            case Heard(_, attempt, status, position):
                place = f", {count(position, 'job')} before it" if position else ""
                self._say(f"  job {attempt.ids[0]}: {status}{place}")
            case Paused(_, why, seconds):
                self._say(f"  {why}; trying again in {seconds:.0f} s")
            case StageDone(stage, status, reasons):
                self._end()
                self._say(f"{named(stage, event.emulated)}: {status}")
                for reason in reasons:
                    self._say(f"  {reason}")
            case RunDone():
                self._end()

    def show_transpiling(self, event: Event) -> None:
        """Show one event of the making of a plan, and not the plan."""
        if isinstance(event, Transpiling):
            self.show(event)

    def pause(self) -> None:
        """Take the live line away: something else is about to be shown."""
        self._end()

    def _begin(self, what: str, unit: str, total: int) -> None:
        self._end()
        self._total, self._done = total, 0
        self._what, self._unit = what, unit
        self._started = self._last_line = time.monotonic()
        if self._console.is_terminal:
            self._bar = _bar(self._console, unit)
            self._task = self._bar.add_task(what, total=total)
            self._bar.start()

    def _advance(self, done: int) -> None:
        self._done = done
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done)
        elif time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self._say(self._line())

    def _line(self) -> str:
        """`aer: 120 of 400 points, 31/s, 9 s left` for logs."""
        elapsed = max(1e-9, time.monotonic() - self._started)
        rate = self._done / elapsed
        left = (self._total - self._done) / rate if rate else 0
        return (
            f"{self._what}: {self._done:,} of {self._total:,} {self._unit},"
            f" {rate:.3g}/s, {left:.0f} s left"
        )

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None

    def _say(self, text: str) -> None:
        style = "dim" if text.startswith("plan") else None
        self._console.print(output.fitted(text, self._console), style=style, soft_wrap=True)


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


def _bar(console: object, unit: str) -> Bar:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress

    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=14),
        MofNCompleteColumn(),
        TextColumn(unit),
        _rate_column(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,  # type: ignore[arg-type]
        transient=True,
    )


def _rate_column() -> ProgressColumn:
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        """Completed items per second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.3g}/s" if task.speed else "", style="dim")

    return Rate()
