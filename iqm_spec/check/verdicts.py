"""Remembers circuit files that were found sound, by sha256: parsing one takes qiskit a second.

Only facts are kept, no part of a circuit.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from attrs import asdict

from iqm_spec.cache import cache_folder
from iqm_spec.canonical import digest, sha256
from iqm_spec.circuits import READING_VERSION
from iqm_spec.json_types import Json
from iqm_spec.model import CircuitFacts, Feature
from iqm_spec.version import __version__

_LARGEST = 1 << 20
_TELLING = 2
"""What facts tell. It is raised whenever they tell more of the same file."""


def recall(kind: str, data: bytes) -> CircuitFacts | None:
    """The facts of a file that was found sound by the same versions, or None."""
    path = _path(kind, data)
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return _facts(json.loads(file.read(_LARGEST)))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def remember(kind: str, data: bytes, facts: CircuitFacts) -> None:
    """Keep the facts of a sound file, in one step; a full disk or none at all is no matter."""
    path = _path(kind, data)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(facts), file)
        os.replace(part, path)
    except OSError:
        return


def _path(kind: str, data: bytes) -> Path | None:
    folder = cache_folder()
    if folder is None:
        return None
    versions: list[Json] = [READING_VERSION, _TELLING, *_versions()]
    name = digest({"file": sha256(data), "kind": kind, "versions": versions})
    return folder / "verdicts" / name[:2] / f"{name}.json"


@cache
def _versions() -> tuple[str, ...]:
    """Versions of what parses: another one may think otherwise."""
    from importlib.metadata import PackageNotFoundError, version

    found = [__version__]
    for name in ("qiskit", "qiskit-qasm3-import"):
        try:
            found.append(version(name))
        except PackageNotFoundError:
            found.append("")
    return tuple(found)


def _facts(told: Mapping[str, Any]) -> CircuitFacts:
    return CircuitFacts(
        num_qubits=int(told["num_qubits"]),
        num_clbits=int(told["num_clbits"]),
        measured=int(told["measured"]),
        inputs=tuple(map(str, told["inputs"])),
        features=tuple(Feature(str(one["kind"]), one["line"]) for one in told["features"]),
        physical=bool(told["physical"]),
    )
