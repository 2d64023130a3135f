"""Code of others, run in this process: what it prints goes to stderr, stdout is ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TextIO


@contextmanager
def printing_to_stderr() -> Iterator[None]:
    """Output of Python code, of libraries and of subprocesses goes to stderr."""
    _flush(sys.stdout)
    with redirect_stdout(sys.stderr):
        kept = _stdout_to_stderr()
        try:
            yield
        finally:
            _flush()
            if kept is not None:
                os.dup2(kept, 1)
                os.close(kept)


def _stdout_to_stderr() -> int | None:
    """Point file descriptor 1 at stderr; returns a copy of it, None where one of them is closed."""
    try:
        kept = os.dup(1)
    except OSError:
        return None
    try:
        os.dup2(2, 1)
    except OSError:
        os.close(kept)
        return None
    return kept


def _flush(*streams: TextIO | None) -> None:
    """What has been written so far goes where descriptor 1 points now."""
    for stream in (*streams, sys.__stdout__):
        with suppress(OSError, ValueError):  # nobody reads, or it is closed
            if stream is not None:
                stream.flush()


def with_article(noun: str) -> str:
    """`an int`, `a str`."""
    return f"{'an' if noun[:1] in 'aeiouAEIOU' else 'a'} {noun}"
