"""Keys of circuits and plans: digests of a spec's meaning, made without qiskit.

A transpiled circuit is stored under the circuit key, a plan under the plan key. Comments, the
order of keys, the style of numbers and the place of a circuit file do not change them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iqm_spec.canonical import digest
from iqm_spec.circuits import READING_VERSION, depends_on_reading
from iqm_spec.json_types import Json
from iqm_spec.model import SourceKind, SpecPoint

if TYPE_CHECKING:
    from iqm_spec.spec.check import CheckedSpec

PLACEMENT_VERSION = 1
"""Counts the ways in which qubits were chosen: of another version is another circuit."""


def circuit_key(
    kind: SourceKind,
    point: SpecPoint,
    identity: Json,
    architecture: str,
    placed_by: str | None = None,
) -> str:
    """Key of a point's transpiled circuit.

    `identity` is that of its source, `architecture` a digest, and `placed_by` that of the error
    profile by which its qubits are chosen, None where they are not.
    """
    placed: dict[str, Json] = {}
    if placed_by is not None:
        placed = {"placement": {"profile": placed_by, "version": PLACEMENT_VERSION}}
    return digest(
        {
            **_reading(kind, point.ref),
            **placed,
            "format": "iqm-spec/circuit-ask/1",
            "circuit": identity,
            "architecture": architecture,
            "transpile": dict(point.transpile),
            "layout": None if point.layout is None else list(point.layout),
        }
    )


def plan_key(checked: CheckedSpec) -> str:
    """Key of the plan."""
    reading: dict[str, Json] = {}
    for circuit in checked.spec.circuits:
        reading |= _reading(circuit.kind, circuit.ref)
    return digest(
        {
            "format": "iqm-spec/plan-ask/1",
            **checked.meaning,
            **reading,
            "architectures": {
                alias: architecture.digest
                for alias, architecture in sorted(checked.architectures.items())
            },
            "noise": noise_digests(checked),
        }
    )


def _reading(kind: SourceKind, ref: str) -> dict[str, Json]:
    return {"reading": READING_VERSION} if depends_on_reading(kind, ref) else {}


def noise_digests(checked: CheckedSpec) -> dict[str, str | None]:
    """Per target the digest of the error profile that the Aer stage uses, or None for `ideal`."""
    return {
        alias: None if profile is None else profile.digest
        for alias, profile in sorted(checked.profiles.items())
    }
