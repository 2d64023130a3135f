"""Circuits as the spec means them, before transpiling, made again from the folder alone.

A circuit is shown only where its ask, computed anew, is the one that the plan names: then nothing
about it has changed. Code of the spec's author (`python:`) is never run, and no file is read but
those in the folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from iqm_spec.check.files import refs
from iqm_spec.circuits import CircuitError, identity, inspect_qpy, scan_inputs
from iqm_spec.circuits.build import build_circuit
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.errors import IqmSpecError
from iqm_spec.json_types import Json
from iqm_spec.model import CircuitSpec, Point, SourceKind, Spec
from iqm_spec.plan.ask import circuit_ask
from iqm_spec.plan.explain import PointName, point_name
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.report.subject import Subject
from iqm_spec.spec import build_source
from iqm_spec.sweep import circuit_points
from iqm_spec.sweep.expand import CircuitPoints
from iqm_spec.sweep.parse import MOST_POINTS
from iqm_spec.sweep.template import TemplateError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

MOST_GATES = 20_000
"""Gates of a circuit that is drawn; larger ones are not built."""

_FOREIGN = "the circuit is made by code that is not part of iqm-spec, which a report does not run"


@frozen
class Missing:
    """Why a circuit cannot be shown."""

    why: str


def logical(
    subject: Subject, wanted: Sequence[PlannedPoint]
) -> dict[str, QuantumCircuit | Missing]:
    """The circuits of some points by their ids, or why there is none."""
    gone: dict[str, QuantumCircuit | Missing] = {
        point.id: Missing("the run keeps too little to make it again") for point in wanted
    }
    if subject.source is None or subject.inputs is None:
        return gone
    sets = [f"{path}={json.dumps(one)}" for path, one in subject.overridden.items()]
    _, spec, mistakes, _ = build_source(subject.source, sets)
    if spec is None or any(one.severity == "error" for one in mistakes):
        return {p.id: Missing("this version of iqm-spec cannot read the spec") for p in wanted}
    files = {path: subject.store.get_file(one) for path, one in subject.inputs.files.items()}
    names = {point_name(point): point for point in wanted}
    for point in _found(spec, files, names):
        planned = names[_name(point)]
        gone[planned.id] = _circuit(subject, spec, files, point, planned)
    return gone


def _found(
    spec: Spec, files: Mapping[str, bytes], names: Mapping[PointName, object]
) -> Iterator[Point]:
    """The points of these names, from a sweep of bounded size."""
    try:
        every = [_bound(circuit, spec, files) for circuit in spec.circuits]
    except (TemplateError, KeyError, CircuitError):
        return
    if sum(one.count() for one in every) > MOST_POINTS:
        return
    left = set(names)
    circuits = {name[0] for name in names}
    for one in every:
        if one.circuit.name not in circuits:
            continue
        for point in one.points():
            if _name(point) in left:
                left.discard(_name(point))
                yield point
            if not left:
                return


def _bound(circuit: CircuitSpec, spec: Spec, files: Mapping[str, bytes]) -> CircuitPoints:
    """How a circuit meets the sweep, `parameters: by-name` written out."""
    found = circuit_points(circuit, spec.sweep)
    if not circuit.by_name:
        return found
    names: dict[str, None] = {}
    for ref in refs(found):
        names.update(dict.fromkeys(_inputs(circuit.kind, files[ref])))
    parameters = {name: f"${{{name}}}" for name in names}
    return circuit_points(evolve(circuit, parameters=parameters), spec.sweep)


def _inputs(kind: SourceKind, data: bytes) -> Sequence[str]:
    if kind is SourceKind.QASM:
        return scan_inputs(data)
    facts, _ = inspect_qpy(data)
    return () if facts is None else facts.inputs


def _name(point: Point) -> PointName:
    return point.name, tuple(sorted(point.values, key=lambda item: item[0])), point.repeat


def _circuit(
    subject: Subject,
    spec: Spec,
    files: Mapping[str, bytes],
    point: Point,
    planned: PlannedPoint,
) -> QuantumCircuit | Missing:
    kind = spec.circuits[point.circuit].kind
    if kind is SourceKind.GENERATOR and point.ref not in BUILT_IN:
        return Missing(_FOREIGN)
    if kind is SourceKind.GENERATOR and _too_large(point.ref, point.args):
        return Missing("it has too many gates to be drawn")
    data = files.get(point.ref)
    inputs = subject.inputs
    machine = None if inputs is None else inputs.architectures.get(point.target)
    if machine is None or (kind is not SourceKind.GENERATOR and data is None):
        return Missing("the run keeps too little to make it again")
    source: tuple[Any, ...] = (kind, point.ref, data, point.args, point.parameters)
    try:
        told: Json = identity(*source)
        if circuit_ask(point, told, machine.digest) != planned.ask:
            return Missing("this version of iqm-spec would make another circuit of it")
        return build_circuit(*source)
    except (IqmSpecError, CircuitError) as error:
        return Missing(f"it cannot be made again: {error}")


def _too_large(ref: str, args: Mapping[str, Json]) -> bool:
    size = BUILT_IN[ref].size
    return size is not None and size(BUILT_IN[ref].complete(args)) > MOST_GATES
