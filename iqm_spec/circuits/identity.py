"""What tells a circuit's source from another, known without qiskit: it enters the ask key."""

from __future__ import annotations

from collections.abc import Mapping, Set

from iqm_spec.canonical import sha256
from iqm_spec.circuits import user_code
from iqm_spec.circuits.bind import number
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.circuits.registry import find
from iqm_spec.json_types import Json
from iqm_spec.model import SourceKind

READING = 2
"""How circuits of files and of code that is not ours are read. It is raised whenever the meaning of
one of them changes: what was transpiled under an earlier reading answers no question any more."""


def is_read(kind: SourceKind, ref: str) -> bool:
    """Whether a circuit's meaning depends on `READING`; our own generators have versions."""
    return kind is not SourceKind.GENERATOR or ref not in BUILT_IN


def identity(
    kind: SourceKind,
    ref: str,
    data: bytes | None,
    args: Mapping[str, Json],
    parameters: Mapping[str, Json] | None = None,
    allowed_code: Set[str] = frozenset(),
) -> Json:
    """Name, version and full arguments of a generator, or the sha256 of a circuit file.

    Arguments are sound (`Generator.check`); their defaults are filled in, so that writing one out
    changes nothing. A file's path is left out, `parameters` are numbers by name.
    """
    bound: dict[str, Json] = {name: number(name, item) for name, item in (parameters or {}).items()}
    if kind is not SourceKind.GENERATOR:
        return {kind.value: sha256(data or b""), "parameters": bound}
    if ref.startswith(user_code.PREFIX):
        source = user_code.source_digest(ref, allowed_code)
        return {"generator": ref, "source": source, "args": dict(args), "parameters": bound}
    generator = find(ref)
    found: dict[str, Json] = {
        "generator": ref,
        "version": generator.version,
        "args": generator.complete(args),
        "parameters": bound,
    }
    return found if generator.source is None else {**found, "source": generator.source}
