"""Stands in for the handlers of Ctrl-C and SIGTERM for a while."""

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
    """Signals go to what `instead` makes of their handler; the handlers are put back.

    Outside of the main thread, which alone hears of signals, nothing is done.
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
    """The signals that wait."""

    waiting: list[int] = field(factory=list)

    @property
    def arrived(self) -> bool:
        """Whether the user, or the system, wants an end."""
        return bool(self.waiting)


@contextmanager
def deferred_signals() -> Iterator[Signals]:
    """Signals that arrive meanwhile are handled at the end."""
    signals = Signals()
    try:
        with replaced_handlers(lambda _: lambda number, frame: signals.waiting.append(number)):
            yield signals
    finally:
        for got in signals.waiting[:1]:
            signal.raise_signal(got)


@contextmanager
def noted_interrupts() -> Iterator[Callable[[], None]]:
    """A function that raises what an interrupt raises where one came.

    Outside of the main thread, which alone hears of interrupts, it does nothing.
    """
    heard: list[Callable[[], None]] = []

    def look() -> None:
        if heard:
            heard[-1]()

    def noting(handler: Handler) -> Handler:
        if not callable(handler):
            return handler

        def handle(number: int, frame: FrameType | None) -> None:
            heard.append(lambda: handler(number, None))
            handler(number, frame)

        return handle

    with replaced_handlers(noting):
        yield look
