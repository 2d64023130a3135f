"""Stands in for the handlers of Ctrl-C and SIGTERM for a while."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any] | int


@contextmanager
def handled(instead: Callable[[Handler], Handler]) -> Iterator[None]:
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
