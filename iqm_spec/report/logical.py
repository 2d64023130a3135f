"""Circuits as the spec means them, before transpiling, made again from the folder alone.

A circuit is shown only where its circuit key, computed anew, is the one that the plan names: then
nothing about it has changed. Code of the spec's author (`python:`) is never run, and no file is
read but those in the folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.circuits import CircuitError
from iqm_spec.circuits.build import build_circuit
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.engine.respec import StoredSpec, respec
from iqm_spec.errors import IqmSpecError
from iqm_spec.model import SourceKind, SpecPoint
from iqm_spec.plan.differences import point_name
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.report.subject import Subject

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

MOST_GATES = 20_000
"""Gates of a circuit that is drawn; larger ones are not built."""

MOST_BYTES = 400_000
"""Of a circuit file that is parsed to be drawn."""

_FOREIGN = "the circuit is made by code that is not part of iqm-spec, which a report does not run"
_TOO_LITTLE = "the run keeps too little to make it again, or this version cannot read its spec"


@frozen
class Missing:
    """Why a circuit cannot be shown."""

    why: str


def logical(
    subject: Subject, points: Sequence[PlannedPoint]
) -> dict[str, QuantumCircuit | Missing]:
    """The circuits of some points by their ids, or why there is none."""
    circuits: dict[str, QuantumCircuit | Missing] = {
        point.id: Missing(_TOO_LITTLE) for point in points
    }
    again = respec(subject.store, subject.saved, subject.source)
    left = {point_name(point): point for point in points}
    for point in again.points() if again else ():
        planned = left.pop(point_name(point), None)
        if planned is not None and again is not None:
            circuits[planned.id] = _circuit(again, point, planned)
        if not left:
            break
    return circuits


def _circuit(
    again: StoredSpec, point: SpecPoint, planned: PlannedPoint
) -> QuantumCircuit | Missing:
    kind = again.spec.circuits[point.circuit].kind
    if kind is SourceKind.GENERATOR:
        if point.ref not in BUILT_IN:
            return Missing(_FOREIGN)
        generator = BUILT_IN[point.ref]
        if generator.size and generator.size(generator.complete(point.args)) > MOST_GATES:
            return Missing("it has too many gates to be drawn")
    if len(again.files.get(point.ref, b"")) > MOST_BYTES:
        return Missing("its file is too large to be drawn")
    source = again.source_of(point)
    if source is None:
        return Missing(_TOO_LITTLE)
    if again.circuit_key(point) != planned.circuit_key:
        return Missing("this version of iqm-spec would make another circuit of it")
    try:
        return build_circuit(*source)
    except (IqmSpecError, CircuitError) as error:
        return Missing(f"it cannot be made again: {error}")
