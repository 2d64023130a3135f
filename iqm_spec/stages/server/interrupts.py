"""Ctrl-C and SIGTERM wait while a submission is under way: broken off, its outcome were unknown."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

from iqm_spec.stages.signals import handled


@define
class Signals:
    """The signals that wait."""

    waiting: list[int] = field(factory=list)

    @property
    def arrived(self) -> bool:
        """Whether the user, or the system, wants an end."""
        return bool(self.waiting)


@contextmanager
def deferred() -> Iterator[Signals]:
    """Signals that arrive meanwhile are handled at the end."""
    signals = Signals()
    try:
        with handled(lambda _: lambda number, frame: signals.waiting.append(number)):
            yield signals
    finally:
        for got in signals.waiting[:1]:
            signal.raise_signal(got)
