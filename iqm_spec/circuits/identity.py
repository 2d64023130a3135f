"""Identity of a circuit's source, known without qiskit: it enters the circuit key."""

from __future__ import annotations

from collections.abc import Mapping, Set

from iqm_spec.canonical import sha256
from iqm_spec.circuits import user_code
from iqm_spec.circuits.angles import parameter_value
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.circuits.lookup import find_generator
from iqm_spec.json_types import Json
from iqm_spec.model import SourceKind

READING_VERSION = 2
"""Version of the reading of circuit files and of other people's code. It increases whenever the
meaning of one of them changes: circuits transpiled under an earlier reading are no cache hits."""


def depends_on_reading(kind: SourceKind, ref: str) -> bool:
    """Whether a circuit's meaning depends on `READING`; built-in generators have versions."""
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

    Arguments are valid (`Generator.check`); defaults are filled in, so that a default written out
    changes nothing. A file's path is left out; `parameters` are numbers by name.
    """
    bound: dict[str, Json] = {
        name: parameter_value(name, item) for name, item in (parameters or {}).items()
    }
    if kind is not SourceKind.GENERATOR:
        return {kind.value: sha256(data or b""), "parameters": bound}
    if ref.startswith(user_code.PREFIX):
        source = user_code.source_digest(ref, allowed_code)
        return {"generator": ref, "source": source, "args": dict(args), "parameters": bound}
    generator = find_generator(ref)
    known_by_version: dict[str, Json] = {
        "generator": ref,
        "version": generator.version,
        "args": generator.complete(args),
        "parameters": bound,
    }
    if generator.source is None:
        return known_by_version
    return {**known_by_version, "source": generator.source}
