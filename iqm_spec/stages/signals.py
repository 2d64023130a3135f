"""Replaces the handlers of Ctrl-C and SIGTERM for the length of a `with` block."""

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
    """Handle signals by what `instead` makes of each handler; restore the handlers afterwards.

    Does nothing outside of the main thread, which alone receives signals.
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
    """Numbers of the signals that wait to be handled."""

    waiting: list[int] = field(factory=list)

    @property
    def arrived(self) -> bool:
        """Whether the user or the system asked this process to end."""
        return bool(self.waiting)


@contextmanager
def deferred_signals() -> Iterator[Signals]:
    """Handle signals that arrive in the block at its end."""
    signals = Signals()
    try:
        with replaced_handlers(lambda _: lambda number, frame: signals.waiting.append(number)):
            yield signals
    finally:
        for number in signals.waiting[:1]:
            signal.raise_signal(number)


@contextmanager
def noted_interrupts() -> Iterator[Callable[[], None]]:
    """Yield a function that raises again what the last interrupt in the block raised, if any.

    Libraries may swallow an exception that a handler raises in their callbacks. Outside of the main
    thread, which alone receives signals, the function does nothing.
    """
    noted: list[Callable[[], None]] = []

    def raise_again() -> None:
        if noted:
            noted[-1]()

    def noting(handler: Handler) -> Handler:
        if not callable(handler):
            return handler

        def handle(number: int, frame: FrameType | None) -> None:
            noted.append(lambda: handler(number, None))
            handler(number, frame)

        return handle

    with replaced_handlers(noting):
        yield raise_again
