"""Calibration circuits of the readout: all zeros and all ones on the qubits that a plan measures.

Two circuits per target measure how often each qubit is read wrongly in either state, as far as
qubits are read independently of each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from math import pi

from iqm_spec.canonical import digest
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op, Values
from iqm_spec.native import Native, Template
from iqm_spec.plan.plan import PlannedPoint

ZEROS, ONES = "readout_zeros", "readout_ones"

NAMES = (ZEROS, ONES)
"""Names that the points of calibration circuits have."""


@lru_cache(maxsize=4096)
def measured_components(template: Template) -> frozenset[str]:
    """Physical names of the qubits that circuits of a template measure."""
    circuit = template.structure
    return frozenset(circuit.components[op.qubits[0]] for op in circuit.ops if op.name == "measure")


def readout_points(
    planned: list[PlannedPoint],
    measured: Mapping[str, Iterable[str]],
    order: Mapping[str, tuple[str, ...]],
) -> Iterator[tuple[PlannedPoint, Native]]:
    """The points that stand behind `planned`, with their circuits.

    `measured` are the measured qubits by target, `order` all of its components in order. The points
    get the most shots that any point of their target has, and the target's options.
    """
    index = len(planned)
    for target, names_measured in sorted(measured.items()):
        of_target = [point for point in planned if point.target == target]
        qubits = tuple(name for name in order[target] if name in set(names_measured))
        for name in NAMES:
            turns = [Op("r", (i,), (pi, 0.0)) for i in range(len(qubits))] if name == ONES else []
            measures = [Op("measure", (i,), (), (i,)) for i in range(len(qubits))]
            native = Native.of(NativeCircuit(qubits, (("c", len(qubits)),), (*turns, *measures)))
            values: Values = () if len(measured) == 1 else (("machine", target),)
            identity: Json = {"circuit": name, "values": dict(values), "repeat": 0}
            yield (
                PlannedPoint(
                    index=index,
                    id=digest(identity)[:16],
                    name=name,
                    values=values,
                    repeat=0,
                    shots=max(point.shots for point in of_target),
                    target=target,
                    options=of_target[0].options,
                    circuit_key=_key(native.digest),
                    circuit=native.digest,
                    summary=native.template.summary,
                ),
                native,
            )
            index += 1


def is_calibration(point: PlannedPoint) -> bool:
    """Whether a point is one of these, and no circuit of the spec that happens to be named so."""
    return point.name in NAMES and point.circuit_key == _key(point.circuit)


def _key(circuit: str) -> str:
    return digest({"format": "iqm-spec/readout-ask/1", "circuit": circuit})
