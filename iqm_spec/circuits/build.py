"""The circuit of a resolved point."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING

from iqm_spec.circuits.angles import computed_angles
from iqm_spec.circuits.bind import bind
from iqm_spec.circuits.errors import CircuitError
from iqm_spec.circuits.registry import find
from iqm_spec.circuits.sealed import sealed
from iqm_spec.json_types import Json
from iqm_spec.model import SourceKind

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterExpression


def build_circuit(
    kind: SourceKind,
    ref: str,
    data: bytes | None,
    args: Mapping[str, Json],
    parameters: Mapping[str, Json] | None = None,
    allowed_code: Set[str] = frozenset(),
) -> QuantumCircuit:
    """The circuit with every free parameter bound, as a copy of the caller's own.

    `ref` is a generator's name, or the file's path, whose bytes are `data`; `parameters` holds
    numbers by parameter name, angles in radians. Raises `CircuitError`.
    """
    return bind(raw_circuit(kind, ref, data, args, allowed_code), parameters or {}, ref)


def raw_circuit(
    kind: SourceKind,
    ref: str,
    data: bytes | None,
    args: Mapping[str, Json],
    allowed_code: Set[str] = frozenset(),
) -> QuantumCircuit:
    """The circuit as its source has it, with its free parameters free. Raises `CircuitError`.

    Its gates are Qiskit's own: all others are expanded by their definitions.
    """
    if kind is SourceKind.GENERATOR:
        return sealed(find(ref, allowed_code).build(args))
    return _of_file(kind, ref, data or b"")


def _of_file(kind: SourceKind, ref: str, data: bytes) -> QuantumCircuit:
    from iqm_spec.circuits.qasm import circuit_of_qasm
    from iqm_spec.circuits.qasm.problem import QasmInvalid
    from iqm_spec.circuits.qpy import circuit_of_qpy
    from iqm_spec.circuits.qpy.reader import QpyInvalid
    from iqm_spec.circuits.stim import circuit_of_stim

    readers = {
        SourceKind.QASM: circuit_of_qasm,
        SourceKind.QPY: circuit_of_qpy,
        SourceKind.STIM: circuit_of_stim,
    }
    try:
        return readers[kind](data)
    except QasmInvalid as invalid:
        first = invalid.problems[0]
        text = f"{ref}:{first.line}:{first.column}: {first.message}"
        raise CircuitError(first.code, text, hint=first.hint) from invalid
    except QpyInvalid as invalid:
        raise CircuitError("S402", f"{ref}: {invalid}", hint=invalid.hint) from invalid


def angles_of(kind: SourceKind, ref: str, data: bytes) -> tuple[ParameterExpression, ...]:
    """Angles of a circuit file that are computed from its free parameters; `CircuitError`."""
    return computed_angles(_of_file(kind, ref, data))
