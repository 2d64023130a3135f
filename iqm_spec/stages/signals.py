"""Replaces the handlers of Ctrl-C and SIGTERM for a while."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from attrs import define, field

Handler = Callable[[int, FrameType | None], Any] | int


@contextmanager
def replaced_handlers(instead: Callable[[Handler], Handler]) -> Iterator[None]:
    """Replaces each signal's handler by `instead(handler)`, and restores it at the end.

    Does nothing outside of the main thread: only the main thread receives signals.
    """
    before: dict[signal.Signals, Handler] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if handler is not None:  # one that is not Python's could not be put back
                before[number] = handler
    for number, handler in before.items():
        signal.signal(number, instead(handler))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@define
class Signals:
    """Signals that arrived and are not handled yet."""

    waiting: list[int] = field(factory=list)

    @property
    def arrived(self) -> bool:
        """Whether a signal asks the program to end."""
        return bool(self.waiting)


@contextmanager
def deferred_signals() -> Iterator[Signals]:
    """Signals that arrive meanwhile are handled at the end."""
    signals = Signals()
    try:
        with replaced_handlers(lambda _: lambda number, frame: signals.waiting.append(number)):
            yield signals
    finally:
        for number in signals.waiting[:1]:
            signal.raise_signal(number)


@contextmanager
def noted_interrupts() -> Iterator[Callable[[], None]]:
    """Yields a function that raises the last interrupt again, if there was one.

    It does nothing outside of the main thread: only the main thread receives signals.
    """
    interrupts: list[Callable[[], None]] = []

    def raise_interrupt() -> None:
        if interrupts:
            interrupts[-1]()

    def noting(handler: Handler) -> Handler:
        if not callable(handler):
            return handler

        def handle(number: int, frame: FrameType | None) -> None:
            interrupts.append(lambda: handler(number, None))
            handler(number, frame)

        return handle

    with replaced_handlers(noting):
        yield raise_interrupt
