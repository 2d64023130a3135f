"""Writes the files that a user asked for: complete or not at all, with plain errors."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from iqm_spec.diagnostics import printable
from iqm_spec.errors import JobFailed, UsageError


def write_text(path: Path, text: str) -> None:
    """Write a file in one step; see `write_bytes`."""
    write_bytes(path, text.encode("utf-8"))


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """As `write_text`, a piece at a time."""
    _write(path, lambda file: file.writelines(piece.encode("utf-8") for piece in pieces))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file in one step, in the place of an older one.

    UsageError where there is no place for it, JobFailed where the disk does not take it. A device
    or a pipe is written to as it is.
    """
    _write(path, lambda file: file.write(data))


def _write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    with _plain_errors(path):
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                write(file)
        else:
            _replace(path, write)


def write_with(path: Path, write: Callable[[BinaryIO], object]) -> tuple[int, str]:
    """As `write_bytes`, by a function that writes piece by piece into a file that can seek.

    Gives the file's size and its sha256.
    """
    with _plain_errors(path):
        return _replace(path, write)


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    """Turn errors of the operating system into errors for the user."""
    name = printable(path.as_posix())
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        hint = "make its folder first, or name another file"
        raise UsageError(f"{name} cannot be written: {error.strerror}", hint=hint) from error
    except (PermissionError, IsADirectoryError) as error:
        raise UsageError(
            f"{name} cannot be written: {error.strerror}", hint="name another file"
        ) from error
    except OSError as error:
        raise JobFailed(f"{name} cannot be written: {error.strerror}", code="disk") from error


def make_folder(path: Path) -> None:
    """A folder for files that stand beside another; UsageError where it cannot be."""
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        name = printable(path.as_posix())
        raise UsageError(
            f"{name} cannot be made: {error.strerror}", hint="name another file"
        ) from error


def _replace(path: Path, write: Callable[[BinaryIO], object]) -> tuple[int, str]:
    handle, part = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            write(file)
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(part, 0o666 & ~umask)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
    return size, digest
