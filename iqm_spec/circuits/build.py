"""The circuit of a resolved point."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING

from iqm_spec.circuits.errors import CircuitError
from iqm_spec.circuits.registry import find
from iqm_spec.diagnostics import nearest
from iqm_spec.json_types import Json
from iqm_spec.model import SourceKind

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


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
    if kind is SourceKind.GENERATOR:
        circuit = find(ref, allowed_code).build(args)
    else:
        circuit = _of_file(kind, ref, data or b"")
    return _bound(circuit, parameters or {}, ref)


def _of_file(kind: SourceKind, ref: str, data: bytes) -> QuantumCircuit:
    from iqm_spec.circuits.qasm import circuit_of_qasm
    from iqm_spec.circuits.qasm.problem import QasmInvalid
    from iqm_spec.circuits.qpy import circuit_of_qpy
    from iqm_spec.circuits.qpy.reader import QpyInvalid

    try:
        return circuit_of_qasm(data) if kind is SourceKind.QASM else circuit_of_qpy(data)
    except QasmInvalid as invalid:
        first = invalid.problems[0]
        text = f"{ref}:{first.line}:{first.column}: {first.message}"
        raise CircuitError(first.code, text, hint=first.hint) from invalid
    except QpyInvalid as invalid:
        raise CircuitError("S402", f"{ref}: {invalid}", hint=invalid.hint) from invalid


def _bound(circuit: QuantumCircuit, parameters: Mapping[str, Json], ref: str) -> QuantumCircuit:
    free = {parameter.name: parameter for parameter in circuit.parameters}
    for name in parameters:
        if name not in free:
            hint = nearest(name, free) or f"its parameters are {', '.join(free) or 'none'}"
            raise CircuitError("S407", f"`{ref}` has no parameter `{name}`", hint=hint)
    for name in free:
        if name not in parameters:
            hint = f"add `{name}` to `parameters`"
            raise CircuitError("S407", f"the parameter `{name}` of `{ref}` has no value", hint=hint)
    values = {free[name]: number(name, value) for name, value in parameters.items()}
    return circuit.assign_parameters(values) if values else circuit


def number(name: str, value: Json) -> float:
    """The value of a parameter: a finite number (`CircuitError` S407 otherwise)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        text = f"the parameter `{name}` must be a number, got {str(value)[:60]!r}"
        raise CircuitError("S407", text, hint="angles are in radians")
    return float(value)
