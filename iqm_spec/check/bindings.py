"""Parameters of circuit files at every point: numbers, and finite angles computed from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from iqm_spec.check.files import CircuitFiles
from iqm_spec.check.reporter import Reporter, leaf_using, place
from iqm_spec.circuits import (
    CircuitError,
    computed_angles_of_file,
    first_non_finite,
    parameter_value,
)
from iqm_spec.circuits.angles import ANGLE_HINT
from iqm_spec.diagnostics import Problem
from iqm_spec.json_types import Json
from iqm_spec.model import CircuitSpec, Values
from iqm_spec.sweep.expand import CircuitPoints

if TYPE_CHECKING:
    from qiskit.circuit import ParameterExpression

Angles = tuple["ParameterExpression", ...]


def check_bindings(points: CircuitPoints, files: CircuitFiles, report: Reporter) -> None:
    """Report S407 where a parameter's value is no number, or leads to no finite angle."""
    circuit = points.circuit
    angles: dict[str, Angles] = {}
    ref_of, parameters_of = points.templates["ref"], points.templates["parameters"]
    for values in points.assignments((*ref_of.axes, *parameters_of.axes)):
        ref = str(ref_of.fill(dict(values)))
        facts = files.facts(circuit, ref)
        parameters = cast("Mapping[str, Json]", parameters_of.fill(dict(values)))
        if facts is None or set(parameters) != set(facts.inputs):
            continue  # told already
        if ref not in angles:
            angles[ref] = computed_angles_of_file(circuit.kind, ref, files.contents[ref])
        problem = _problem(circuit, ref, angles[ref], parameters, values, report)
        if problem is not None:
            report(problem)


def _problem(
    circuit: CircuitSpec,
    ref: str,
    angles: Angles,
    parameters: Mapping[str, Json],
    values: Values,
    report: Reporter,
) -> Problem | None:
    where = place(report.source, circuit, "parameters")
    bound: dict[str, float] = {}
    for name, value in parameters.items():
        try:
            bound[name] = parameter_value(name, value)
        except CircuitError as error:
            return Problem((*where, name), error.code, error.message, error.hint)
    angle = first_non_finite(angles, bound)
    if not angle:
        return None
    told = ", ".join(f"{name} = {value}" for name, value in parameters.items())
    named = "an angle" if "inf" in angle else f"the angle `{angle}`"
    text = f"{named} of `{ref}` is not finite (at {told})"
    given = dict(circuit.parameters or {})
    swept = (leaf_using(given, axis, where) for axis, _ in values)
    inner = next((path for path in swept if path != where), where)
    return Problem(inner, "S407", text, ANGLE_HINT)
