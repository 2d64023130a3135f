"""Progress as plain lines."""

from __future__ import annotations

import sys
import time

from iqm_spec.engine.prepare import Tell
from iqm_spec.engine.words import SECONDS_BETWEEN_LINES, lines, pace
from iqm_spec.stages.events import Event, JobDone, RunDone, StageStarted, Transpiling


def to_stderr(line: str) -> None:
    """Writes a line to stderr, where notebooks and terminals show it at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class Progress:
    """Tells events, and every few seconds how many circuits or points are done."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._count("", "", 0)

    def show(self, event: Event) -> None:
        """Tell one event."""
        for line in lines(event):
            self._tell(line)
        match event:
            case Transpiling(done, total):
                if done == 0:
                    self._count("transpiling", "circuits", total)
                self._advance(done)
            case StageStarted(stage, points, cached):
                self._count(stage.value, "points", points - cached)
            case JobDone(_, _, points):
                self._advance(self._done + points)
            case RunDone(run, again):
                self._tell(f"run {run}{', as before' if again else ''}")

    def _count(self, what: str, unit: str, total: int) -> None:
        self._what, self._unit, self._total, self._done = what, unit, total, 0
        self._started = self._last = time.monotonic()

    def _advance(self, done: int) -> None:
        self._done = done
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            seconds = now - self._started
            self._tell(pace(self._what, self._unit, done, self._total, seconds))
