"""Templated fields once they are filled: each must be what the schema asks of a plain value."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from attrs import evolve

from iqm_spec.canonical import canonical
from iqm_spec.check.reporter import Reporter, place
from iqm_spec.diagnostics import Problem, TreePath
from iqm_spec.json_types import Json
from iqm_spec.model import Values
from iqm_spec.spec.schema import default_schema, fields
from iqm_spec.spec.schema_problems import schema_problems
from iqm_spec.sweep.expand import CircuitPoints

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

FIELDS = ("shots", "repeat", "layout", "transpile", "options", "parameters")


def check_values(circuit: CircuitPoints, report: Reporter) -> bool:
    """Whether every templated field of a circuit has values that it can take; reports S2xx."""
    fine = True
    for field in FIELDS:
        template = circuit.templates[field]
        if template.constant:
            continue
        for values, value in _filled(circuit, field):
            if not _validator(field).is_valid(value):
                fine = False
                where = place(report.source, circuit.circuit, field)
                for problem in _problems(field, value, where, values):
                    report(problem)
    return fine


def _filled(circuit: CircuitPoints, field: str) -> Iterator[tuple[Values, Json]]:
    """Distinct values of a field, each with the first assignment that gives it."""
    template = circuit.templates[field]
    seen: set[bytes] = set()
    for values in circuit.assignments(template.axes):
        value = template.fill(dict(values))
        key = canonical(value)
        if key not in seen:
            seen.add(key)
            yield values, value


@cache
def _validator(field: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    schema: dict[str, Any] = {"$defs": default_schema()["$defs"], **fields("circuits")[field]}
    return Draft202012Validator(schema)


def _problems(field: str, value: Json, where: TreePath, values: Values) -> Iterator[Problem]:
    """The schema's words for one bad value, at the place of its template."""
    circuit = {"generator": "ghz", field: value}
    tree: dict[str, Json] = {"iqm_spec": 1, "name": "x", "target": "x", "circuits": [circuit]}
    told = ", ".join(f"{axis} = {item}" for axis, item in values)
    for problem in schema_problems(tree):
        inner = problem.path[3:]
        yield evolve(problem, path=(*where, *inner), message=f"{problem.message} (at {told})")
