"""Runs other people's code in this process without its output on stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TextIO


@contextmanager
def printing_to_stderr() -> Iterator[None]:
    """Send output of Python code, of C libraries and of subprocesses to stderr."""
    _flush(sys.stdout)
    with redirect_stdout(sys.stderr):
        saved = _stdout_to_stderr()
        try:
            yield
        finally:
            _flush()
            if saved is not None:
                os.dup2(saved, 1)
                os.close(saved)


def _stdout_to_stderr() -> int | None:
    """Point file descriptor 1 at stderr; return a copy of it, or None where either is closed."""
    try:
        saved = os.dup(1)
    except OSError:
        return None
    try:
        os.dup2(2, 1)
    except OSError:
        os.close(saved)
        return None
    return saved


def _flush(*streams: TextIO | None) -> None:
    """Flush what is buffered, while descriptor 1 still points where it belongs."""
    for stream in (*streams, sys.__stdout__):
        with suppress(OSError, ValueError):  # a closed pipe or stream
            if stream is not None:
                stream.flush()


def with_article(noun: str) -> str:
    """`an int`, `a str`."""
    return f"{'an' if noun[:1] in 'aeiouAEIOU' else 'a'} {noun}"
