"""Values of a circuit's parameters, and angles without a finite value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Number
from typing import TYPE_CHECKING, Any

from iqm_spec.circuits.problems import CircuitError
from iqm_spec.diagnostics import nearest
from iqm_spec.json_types import Json

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterExpression


LARGEST_ANGLE = 1e300
"""Radians. A transpiler adds angles: a sum of very many of this size is still finite."""

ANGLE_HINT = "angles are finite numbers, in radians"


def non_finite_angles(circuit: QuantumCircuit) -> Iterator[tuple[str, str]]:
    """(gate, value) of each angle that is infinite, not a number or beyond `LARGEST_ANGLE`.

    An angle inside a definition is listed with the name of the gate that is defined.
    """
    if not _is_angle(circuit.global_phase):
        yield "gphase", str(circuit.global_phase)
    for instruction in circuit.data:
        bad_value = next((str(value) for value in instruction.params if not _is_angle(value)), "")
        if bad_value:
            yield instruction.name, bad_value
        elif not instruction.is_standard_gate():
            for body in getattr(instruction.operation, "blocks", ()):
                yield from non_finite_angles(body)
            # only definitions that exist already: making a new one may take a long synthesis
            definition = getattr(instruction.operation, "_definition", None)
            inner = None if definition is None else next(non_finite_angles(definition), None)
            if inner is not None:
                yield instruction.operation.name, inner[1]


def computed_angles(circuit: QuantumCircuit) -> tuple[ParameterExpression, ...]:
    """Expressions of free parameters that stand as angles, each once; no lone parameters."""
    return tuple(dict.fromkeys(_expressions(circuit)))


def first_non_finite(angles: tuple[ParameterExpression, ...], values: Mapping[str, float]) -> str:
    """Text of the first of `angles` without a finite value at `values`; empty where all are finite.

    `values` are numbers by parameter name.
    """
    for angle in angles:
        try:
            bound = angle.bind({free: values[free.name] for free in angle.parameters})
        except ArithmeticError:
            return str(angle)
        if not _is_angle(bound):
            return str(angle)
    return ""


def _is_angle(value: Any) -> bool:
    """False for a number that is no finite angle; True for free parameters, labels and blocks."""
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


def _expressions(circuit: QuantumCircuit) -> Iterator[ParameterExpression]:
    from qiskit.circuit import Parameter, ParameterExpression

    for instruction in circuit.data:
        for value in instruction.params:
            if isinstance(value, ParameterExpression) and not isinstance(value, Parameter):
                yield value
        if not instruction.is_standard_gate():
            for body in getattr(instruction.operation, "blocks", ()):
                yield from _expressions(body)


def bind_parameters(
    circuit: QuantumCircuit, parameters: Mapping[str, Json], ref: str
) -> QuantumCircuit:
    """`circuit` with a number for each of its parameters.

    Raises `CircuitError` S407 where a parameter lacks a value, or an angle is not finite.
    """
    free = {parameter.name: parameter for parameter in circuit.parameters}
    for name in parameters:
        if name not in free:
            hint = nearest(name, free) or f"its parameters are {', '.join(free) or 'none'}"
            raise CircuitError("S407", f"`{ref}` has no parameter `{name}`", hint=hint)
    for name in free:
        if name not in parameters:
            hint = f"add `{name}` to `parameters`"
            raise CircuitError("S407", f"the parameter `{name}` of `{ref}` has no value", hint=hint)
    values = {free[name]: parameter_value(name, value) for name, value in parameters.items()}
    if not values:
        return circuit
    try:
        bound = circuit.assign_parameters(values)
    except Exception as error:  # qiskit evaluates the expressions of the file here
        assigned = ", ".join(f"{name} = {value}" for name, value in parameters.items())
        text = f"with {assigned} an angle of `{ref}` is not finite"
        raise CircuitError("S407", text, hint=ANGLE_HINT) from error
    for gate, value in non_finite_angles(bound):
        text = f"an angle of `{gate}` in `{ref}` comes out as {value}"
        raise CircuitError("S407", text, hint=ANGLE_HINT)
    return bound


def parameter_value(name: str, value: Json) -> float:
    """The value of a parameter; raises `CircuitError` S407 where it is no finite number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) <= LARGEST_ANGLE:  # type: ignore[arg-type]
        shown = str(value).lower() if isinstance(value, bool) else repr(str(value)[:60])
        raise CircuitError(
            "S407", f"the parameter `{name}` must be a number, got {shown}", hint=ANGLE_HINT
        )
    return float(value)  # type: ignore[arg-type]
