"""Values for the free parameters of a circuit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from iqm_spec.circuits.angles import HINT, LARGEST_ANGLE, non_finite_angles
from iqm_spec.circuits.errors import CircuitError
from iqm_spec.diagnostics import nearest
from iqm_spec.json_types import Json

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def bind(circuit: QuantumCircuit, parameters: Mapping[str, Json], ref: str) -> QuantumCircuit:
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
    values = {free[name]: number(name, value) for name, value in parameters.items()}
    if not values:
        return circuit
    try:
        bound = circuit.assign_parameters(values)
    except Exception as error:  # qiskit evaluates the expressions of the file here
        assigned = ", ".join(f"{name} = {value}" for name, value in parameters.items())
        text = f"with {assigned} an angle of `{ref}` is not finite"
        raise CircuitError("S407", text, hint=HINT) from error
    for gate, value in non_finite_angles(bound):
        text = f"an angle of `{gate}` in `{ref}` comes out as {value}"
        raise CircuitError("S407", text, hint=HINT)
    return bound


def number(name: str, value: Json) -> float:
    """The value of a parameter; raises `CircuitError` S407 where it is no finite number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) <= LARGEST_ANGLE:  # type: ignore[arg-type]
        shown = str(value).lower() if isinstance(value, bool) else repr(str(value)[:60])
        raise CircuitError(
            "S407", f"the parameter `{name}` must be a number, got {shown}", hint=HINT
        )
    return float(value)  # type: ignore[arg-type]
