"""Ctrl-C and SIGTERM that cannot be lost.

Python drops an interrupt that comes while an object is being finalized, and Dask's futures are
finalized all the time.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def remembered() -> Iterator[Callable[[], None]]:
    """A function that raises what an interrupt raises where one came; handlers are put back.

    Outside of the main thread, which alone hears of interrupts, it does nothing.
    """
    heard: list[Callable[[], None]] = []

    def look() -> None:
        if heard:
            heard[-1]()

    if threading.current_thread() is not threading.main_thread():
        yield look
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        handler = before[signal.Signals(number)]
        if callable(handler):
            heard.append(lambda: handler(number, None))
            handler(number, frame)

    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, handle)
    try:
        yield look
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
