"""Stdout and stderr that never end a command: a reader may go away, a disk may be full.

A run stores what it computes whoever reads along, so what cannot be written is dropped here, below
all that prints; a failed answer is told once, at the end.
"""

from __future__ import annotations

import io
import select
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO, cast

from iqm_spec.errors import ExitCode

if TYPE_CHECKING:
    from typing_extensions import Buffer

_GIVES_WAY = {ExitCode.DONE, ExitCode.REFUSED, ExitCode.UNREACHABLE, ExitCode.WAITING}
"""Exit codes that tell less than that the answer was lost."""


class Outlet(io.FileIO):
    """A file descriptor that takes everything; `failed` is the first error that is one."""

    failed: OSError | None = None

    def write(self, data: Buffer, /) -> int:
        """The number of bytes taken: all of them once nothing can be written any more."""
        try:
            while (taken := cast("int | None", super().write(data))) is None:
                select.select([], [self], [])
        except OSError as error:
            if not isinstance(error, BrokenPipeError):  # a reader that has enough: `| head`
                self.failed = self.failed or error
            return memoryview(data).nbytes
        return taken


def guarded(run: Callable[[], int]) -> int:
    """The exit code of `run`; `failed` (5) where its answer could not be written."""
    outlet = None
    if sys.stdout is not None:
        sys.stdout, outlet = _steady(sys.stdout)
    if sys.stderr is not None:
        sys.stderr, _ = _steady(sys.stderr)
    code = run()
    if sys.stdout is not None:
        sys.stdout.flush()
    if outlet is None or outlet.failed is None:
        return code
    if sys.stderr is not None:
        sys.stderr.write(f"error: the answer cannot be written: {outlet.failed.strerror}\n")
    return int(ExitCode.FAILED) if code in _GIVES_WAY else code


def _steady(stream: TextIO) -> tuple[TextIO, Outlet]:
    """A text stream to the same place as `stream`, and the outlet below it."""
    stream.flush()
    outlet = Outlet(stream.fileno(), "w", closefd=False)
    made = io.TextIOWrapper(
        io.BufferedWriter(outlet),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream is sys.stderr or stream.isatty(),
    )
    return made, outlet
