"""Ctrl-C and SIGTERM that cannot be lost.

Python drops an interrupt that comes while an object is being finalized, and Dask's futures are
finalized all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from iqm_spec.stages.signals import Handler, handled


@contextmanager
def remembered() -> Iterator[Callable[[], None]]:
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

    with handled(noting):
        yield look
