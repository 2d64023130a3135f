"""What a person sees during a run: progress on stderr, and the question before credits are spent.

On a terminal progress is a live line, elsewhere plain lines; with `--quiet` only stages that did
not pass are shown.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

import click

from iqm_spec.cli import output
from iqm_spec.engine.event_lines import SECONDS_BETWEEN_LINES, lines, pace
from iqm_spec.plan.transpiling import Crosschecked
from iqm_spec.stages.events import (
    Event,
    JobDone,
    Planned,
    RunDone,
    StageDone,
    StageStarted,
    Transpiling,
)
from iqm_spec.stages.server.budget import Bill

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID


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
        self.pause()

    def show(self, event: Event) -> None:
        """Show one event."""
        if output.is_quiet():
            if isinstance(event, StageDone) and event.status not in ("passed", "waived"):
                self._print_lines(event)
            return
        match event:
            case Transpiling(done, total):
                if done == 0:
                    self._begin("transpiling", "circuits", total)
                self._advance(done)
            case Crosschecked() | Planned() | StageDone():
                self.pause()
                self._print_lines(event)
            case StageStarted(stage, points, cached):
                self._print_lines(event)
                if points > cached:
                    self._begin(f"{stage}", "points", points - cached)
            case JobDone(_, _, points):
                self._advance(self._done + points)
            case RunDone():
                self.pause()
            case _:
                self._print_lines(event)

    def pause(self) -> None:
        """Remove the live line: something else is about to be printed."""
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None

    def _begin(self, what: str, unit: str, total: int) -> None:
        self.pause()
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
            seconds = self._last_line - self._started
            self._say(pace(self._what, self._unit, self._done, self._total, seconds))

    def _print_lines(self, event: Event) -> None:
        for line in lines(event):
            self._say(line)

    def _say(self, text: str) -> None:
        style = "dim" if text.startswith("plan") else None
        output.print_fitted([text], self._console, style)


def _bar(console: object, unit: str) -> Bar:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class Rate(ProgressColumn):
        """Completed items per second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.3g}/s" if task.speed else "", style="dim")

    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=14),
        MofNCompleteColumn(),
        TextColumn(unit),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,  # type: ignore[arg-type]
        transient=True,
    )


def consent(*, yes: bool, progress: Progress) -> Callable[[Bill], bool]:
    """Show a bill and ask for consent. `--yes` gives it; without a terminal it is refused."""

    def agree(bill: Bill) -> bool:
        progress.pause()
        output.say(f"about to {bill.text}")
        output.say(f"  {bill.price}")
        for note in bill.notes:
            output.say(f"  {note}")
        if yes:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        return click.confirm("Submit?", default=False, err=True)

    return agree
