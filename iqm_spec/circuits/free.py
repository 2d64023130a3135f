"""A point's circuit taken apart: what it shares with other points, and numbers of its own.

Numbers are the values of `parameters`, and of those arguments of a generator whose parameter is
`free`: with Qiskit parameters in their place the circuit is the same, instruction by instruction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.circuits.build import raw_circuit
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.circuits.sealed import sealed
from iqm_spec.json_types import Json
from iqm_spec.model import SourceKind

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter


@frozen
class Parts:
    """`shared` is equal for points whose circuits differ in their `numbers` alone."""

    shared: str
    numbers: tuple[float, ...]


def parts_of(
    kind: SourceKind, ref: str, args: Mapping[str, Json], parameters: Mapping[str, Json] | None
) -> Parts | None:
    """The parts of a point's circuit; None where it has no numbers of its own."""
    free = _free_names(kind, ref)
    shapes: list[object] = []
    numbers: list[Json] = []
    for name, value in args.items():
        if name in free and value is not None:
            shapes.append((name, len(value) if isinstance(value, list | tuple) else None))
            numbers += _flat(value)
        else:
            shapes.append((name, value))
    bound = sorted((parameters or {}).items())
    numbers += [value for _, value in bound]
    if not numbers or not all(map(_is_number, numbers)):
        return None
    shared = repr((kind, ref, shapes, [name for name, _ in bound]))
    return Parts(shared, tuple(map(float, numbers)))  # type: ignore[arg-type]


def free_circuit(
    kind: SourceKind,
    ref: str,
    data: bytes | None,
    args: Mapping[str, Json],
    parameters: Mapping[str, Json] | None,
    allowed_code: Set[str] = frozenset(),
) -> tuple[QuantumCircuit, list[Parameter]] | None:
    """The circuit with its parameters free, which stand in the order of `Parts.numbers`.

    None where they are not those that the circuit has: to build it with its numbers tells why.
    Raises `CircuitError`.
    """
    from qiskit.circuit import Parameter

    free = _free_names(kind, ref)
    given: list[Parameter] = []

    def stand_in(name: str, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(stand_in(f"{name}:{i}", item) for i, item in enumerate(value))
        given.append(Parameter(name))
        return given[-1]

    if free:
        whole: dict[str, Any] = BUILT_IN[ref].complete(args)
        for name in args:
            if name in free and whole[name] is not None:
                whole[name] = stand_in(name, whole[name])
        circuit = sealed(BUILT_IN[ref].circuit(whole))
    else:
        circuit = raw_circuit(kind, ref, data, args, allowed_code)
    rest = {parameter.name: parameter for parameter in circuit.parameters if parameter not in given}
    if rest.keys() != (parameters or {}).keys():
        return None
    return circuit, [*given, *(rest[name] for name in sorted(rest))]


def _free_names(kind: SourceKind, ref: str) -> frozenset[str]:
    if kind is not SourceKind.GENERATOR or ref not in BUILT_IN:
        return frozenset()
    return frozenset(parameter.name for parameter in BUILT_IN[ref].parameters if parameter.free)


def _flat(value: Json) -> Iterator[Json]:
    if isinstance(value, list | tuple):
        yield from value
    else:
        yield value


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
