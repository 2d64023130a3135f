"""Angles that no machine can turn by: infinite, not a number, or beyond 1e300."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Number
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import CircuitInstruction, Operation, ParameterExpression

LARGEST_ANGLE = 1e300
"""Radians; a transpiler adds angles up, and a sum of very many of these is still finite."""

HINT = "angles are finite numbers, in radians"


def strange_angles(circuit: QuantumCircuit) -> Iterator[tuple[str, str]]:
    """Gate and value of each angle that is none: inside of definitions, the gate defined."""
    if not _is_angle(circuit.global_phase):
        yield "gphase", str(circuit.global_phase)
    for instruction in circuit.data:
        strange = _strange(instruction)
        if strange:
            yield instruction.name, strange
        elif not instruction.is_standard_gate():
            yield from _inside(instruction.operation)


def compound_angles(circuit: QuantumCircuit) -> tuple[ParameterExpression, ...]:
    """Angles that are computed from free parameters, each once; plain parameters are left out."""
    return tuple(dict.fromkeys(_compound(circuit)))


def not_finite(angles: tuple[ParameterExpression, ...], values: Mapping[str, float]) -> str:
    """The first of `angles` that has no finite value at `values`, as text, or nothing."""
    for angle in angles:
        try:
            bound = angle.bind({free: values[free.name] for free in angle.parameters})
        except ArithmeticError:
            return str(angle)
        if not _is_angle(bound):
            return str(angle)
    return ""


def _inside(operation: Operation) -> Iterator[tuple[str, str]]:
    for body in getattr(operation, "blocks", ()):
        yield from strange_angles(body)
    # only what has been defined already: asking for a definition may mean a long synthesis
    definition = getattr(operation, "_definition", None)
    inner = None if definition is None else next(strange_angles(definition), None)
    if inner is not None:
        yield operation.name, inner[1]


def _strange(instruction: CircuitInstruction) -> str:
    return next((str(value) for value in instruction.params if not _is_angle(value)), "")


def _is_angle(value: Any) -> bool:
    """True too for what is no number: free parameters, labels, blocks."""
    if isinstance(value, float):
        return abs(value) <= LARGEST_ANGLE
    from qiskit.circuit import ParameterExpression

    if isinstance(value, ParameterExpression):
        return bool(value.parameters) or _is_angle(value.numeric())
    if hasattr(value, "dtype") and value.ndim:
        return value.dtype.kind not in "fc" or bool((abs(value) <= LARGEST_ANGLE).all())
    try:
        return not isinstance(value, Number) or abs(complex(value)) <= LARGEST_ANGLE  # type: ignore[call-overload]
    except OverflowError:
        return False


def _compound(circuit: QuantumCircuit) -> Iterator[ParameterExpression]:
    from qiskit.circuit import Parameter, ParameterExpression

    for instruction in circuit.data:
        for value in instruction.params:
            if isinstance(value, ParameterExpression) and not isinstance(value, Parameter):
                yield value
        if not instruction.is_standard_gate():
            for body in getattr(instruction.operation, "blocks", ()):
                yield from _compound(body)
