"""The circuit of a point: with its numbers, or with Qiskit parameters in their place.

Numbers are the values of `parameters`, and of a generator's arguments whose parameter is `free`:
with Qiskit parameters in their place the circuit is the same, instruction by instruction.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.circuits.angles import bind_parameters, computed_angles
from iqm_spec.circuits.expand import expand_definitions
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.circuits.lookup import find_generator
from iqm_spec.circuits.problems import CircuitError, InvalidCircuitFile
from iqm_spec.circuits.qasm import circuit_of_qasm
from iqm_spec.circuits.qpy import QpyInvalid, circuit_of_qpy
from iqm_spec.circuits.stim import circuit_of_stim
from iqm_spec.json_types import Json
from iqm_spec.model import SourceKind

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter, ParameterExpression


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
    return bind_parameters(raw_circuit(kind, ref, data, args, allowed_code), parameters or {}, ref)


def raw_circuit(
    kind: SourceKind,
    ref: str,
    data: bytes | None,
    args: Mapping[str, Json],
    allowed_code: Set[str] = frozenset(),
) -> QuantumCircuit:
    """The circuit of a source in Qiskit's standard gates, its parameters unbound.

    Raises `CircuitError`.
    """
    if kind is SourceKind.GENERATOR:
        return expand_definitions(find_generator(ref, allowed_code).build(args))
    return _file_circuit(kind, ref, data or b"")


def _file_circuit(kind: SourceKind, ref: str, data: bytes) -> QuantumCircuit:
    readers = {
        SourceKind.QASM: circuit_of_qasm,
        SourceKind.QPY: circuit_of_qpy,
        SourceKind.STIM: circuit_of_stim,
    }
    try:
        return readers[kind](data)
    except InvalidCircuitFile as invalid:
        first = invalid.problems[0]
        text = f"{ref}:{first.line}:{first.column}: {first.message}"
        raise CircuitError(first.code, text, hint=first.hint) from invalid
    except QpyInvalid as invalid:
        raise CircuitError("S402", f"{ref}: {invalid}", hint=invalid.hint) from invalid


def computed_angles_of_file(
    kind: SourceKind, ref: str, data: bytes
) -> tuple[ParameterExpression, ...]:
    """Angles that a circuit file computes from its parameters. Raises `CircuitError`."""
    return computed_angles(_file_circuit(kind, ref, data))


@frozen
class FamilyPoint:
    """A point of a family: circuits with the same `family_key` differ in `values` only."""

    family_key: str
    values: tuple[float, ...]


def family_point(
    kind: SourceKind, ref: str, args: Mapping[str, Json], parameters: Mapping[str, Json] | None
) -> FamilyPoint | None:
    """A point's family and its values there; None where the circuit has no free numbers."""
    free = _free_names(kind, ref)
    shapes: list[object] = []
    numbers: list[Json] = []
    for name, value in args.items():
        if name in free and value is not None:
            shapes.append((name, len(value) if isinstance(value, list | tuple) else None))
            numbers += value if isinstance(value, list | tuple) else [value]
        else:
            shapes.append((name, value))
    bound = sorted((parameters or {}).items())
    numbers += [value for _, value in bound]
    if not numbers or not all(map(_is_number, numbers)):
        return None
    family_key = repr((kind, ref, shapes, [name for name, _ in bound]))
    return FamilyPoint(family_key, tuple(map(float, numbers)))  # type: ignore[arg-type]


def parametric_circuit(
    kind: SourceKind,
    ref: str,
    data: bytes | None,
    args: Mapping[str, Json],
    parameters: Mapping[str, Json] | None,
    allowed_code: Set[str] = frozenset(),
) -> tuple[QuantumCircuit, list[Parameter]] | None:
    """The circuit with its parameters unbound, listed in the order of `FamilyPoint.values`.

    None where `parameters` does not name the parameters of the circuit: `build_circuit` says why.
    Raises `CircuitError`.
    """
    from qiskit.circuit import Parameter

    free = _free_names(kind, ref)
    replaced: list[Parameter] = []

    def replace(name: str, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(replace(f"{name}:{i}", item) for i, item in enumerate(value))
        replaced.append(Parameter(name))
        return replaced[-1]

    if free:
        complete: dict[str, Any] = BUILT_IN[ref].complete(args)
        for name in args:
            if name in free and complete[name] is not None:
                complete[name] = replace(name, complete[name])
        circuit = expand_definitions(BUILT_IN[ref].circuit(complete))
    else:
        circuit = raw_circuit(kind, ref, data, args, allowed_code)
    rest = {
        parameter.name: parameter for parameter in circuit.parameters if parameter not in replaced
    }
    if rest.keys() != (parameters or {}).keys():
        return None
    return circuit, [*replaced, *(rest[name] for name in sorted(rest))]


def _free_names(kind: SourceKind, ref: str) -> frozenset[str]:
    if kind is not SourceKind.GENERATOR or ref not in BUILT_IN:
        return frozenset()
    return frozenset(parameter.name for parameter in BUILT_IN[ref].parameters if parameter.free)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
