"""Ctrl-C and SIGTERM wait while a submission is under way: broken off, its outcome were unknown."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        signal.signal(number, lambda got, _: signals.waiting.append(got))
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for got in signals.waiting[:1]:
            signal.raise_signal(got)
