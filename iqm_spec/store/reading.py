"""Reads of a results folder that a stranger may have made: no pipe is waited for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from iqm_spec.errors import StoreCorrupt


def open_regular(path: Path) -> BinaryIO:
    """A regular file for reading; `OSError` for anything else, a pipe or a device for instance."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def names_in(path: Path) -> list[str]:
    """Names in one of the folder's own folders, none where it is missing; else StoreCorrupt."""
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreCorrupt(
            f"{path} cannot be listed: {error.strerror}",
            hint="it must be a folder; `git checkout` brings a committed one back",
        ) from error
