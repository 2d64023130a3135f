"""Reads the files that a spec names, never outside of the spec's folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PureWindowsPath

from iqm_spec.circuits.problems import CircuitFileError
from iqm_spec.diagnostics import nearest

LARGEST_FILE = 8 * 2**20
"""Bytes of the largest file that is read."""

MOST_BITS = 10_000
"""Qubits of the circuit of a file, and its classical bits."""

MOST_OPERATIONS = 1_000_000
"""Operations of the circuit of a file, the gates that it defines expanded."""


def read_circuit_file(folder: Path, ref: str, what: str = "circuit") -> bytes:
    """Bytes of the file that `ref` names relative to `folder`, links resolved.

    `what` names the kind of file in hints.

    Raises `CircuitFileError`: S401 where it is missing, unreadable or no regular file, S408 where
    it is outside `folder`, S411 where it is larger than 8 MiB.
    """
    path = _inside(folder, ref, what)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(folder, path, ref, error) from error
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        hint = "name the circuit's file" if what == "circuit" else "name a file in it"
        raise CircuitFileError("S401", f"`{ref}` is {kind}", hint=hint)
    with os.fdopen(handle, "rb") as file:
        if status.st_size <= LARGEST_FILE:
            data = file.read(LARGEST_FILE + 1)
            if len(data) <= LARGEST_FILE:
                return data
    text = f"`{ref}` is larger than {LARGEST_FILE // 2**20} MiB"
    hint = "use a generator for circuits of this size" if what == "circuit" else "split it"
    raise CircuitFileError("S411", text, hint=hint)


def _inside(folder: Path, ref: str, what: str) -> Path:
    """The real path of `ref`; raises `CircuitFileError` where it is not below `folder`."""
    windows = PureWindowsPath(ref)
    if ref.startswith("~") or windows.is_absolute() or windows.drive or windows.root:
        text = f"`{ref}` is not relative to the spec's folder"
        raise CircuitFileError("S408", text, hint=f"copy the {what} below the spec's folder")
    try:
        root = folder.resolve()
        path = (root / ref).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        text = f"`{ref[:200]!r}` cannot be followed"
        raise CircuitFileError("S401", text, hint="the path or a link in it is broken") from error
    if not path.is_relative_to(root):
        text = f"`{ref}` leaves the spec's folder"
        raise CircuitFileError("S408", text, hint=f"copy the {what} below the spec's folder")
    return path


def _unreadable(folder: Path, path: Path, ref: str, error: OSError) -> CircuitFileError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        neighbours = _names(path.parent) if path.parent.is_dir() else []
        hint = nearest(path.name, neighbours) or f"paths are relative to {folder.name or '.'}/"
        return CircuitFileError("S401", f"there is no file `{ref}`", hint=hint)
    return CircuitFileError(
        "S401", f"`{ref}` cannot be read: {error.strerror}", hint="check its permissions"
    )


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))[:1000]
    except OSError:
        return []
