"""How the files that a spec names beside its circuits are read: in its folder, or in a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from iqm_spec.circuits import CircuitFileError, read_circuit_file

Reader = Callable[[str], bytes]
"""Bytes of the file at a path that is relative to the spec; raises `CircuitFileError`."""


def from_folder(folder: Path) -> Reader:
    """Reads files of the spec's folder and below."""
    return lambda ref: read_circuit_file(folder, ref, "file")


def from_kept(files: Mapping[str, bytes]) -> Reader:
    """Reads what a run kept."""

    def read(ref: str) -> bytes:
        if ref not in files:
            raise CircuitFileError("S401", f"the run kept no file `{ref}`")
        return files[ref]

    return read
