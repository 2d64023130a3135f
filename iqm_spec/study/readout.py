"""Flip rates of the readout from a run's calibration circuits, bit by bit of each point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from iqm_spec.analysis.readout import Flip, Mitigated, flip_of, mitigate
from iqm_spec.model import NativeCircuit
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.plan import Plan
from iqm_spec.plan.readout import NAMES, ONES, ZEROS
from iqm_spec.stages.rows import Row
from iqm_spec.store import Store

_Where = tuple[Any, ...]


@frozen
class Readout:
    """What is known of the readout; nothing for a run without calibration circuits."""

    _flips: Mapping[_Where, Mapping[str, Flip]] = field(factory=dict)
    _circuits: Mapping[str, NativeCircuit] = field(factory=dict)

    def mitigated(self, row: Row) -> Mitigated | str | None:
        """A row's counts mitigated, or why they cannot be; None where nothing is calibrated."""
        flips = self._flips.get(_where(row))
        if flips is None:
            return None
        qubits = _measured(self._circuits[row.point.circuit_key])
        known = {"": Flip(0.0, 0.0, 0.0, 0.0), **flips}
        if any(qubit not in known for qubit in qubits):
            return "its qubits were not all calibrated"
        try:
            return mitigate(row.counts, [known[qubit] for qubit in qubits])
        except ValueError as error:
            return str(error)


def readout_of(store: Store, plan: Plan, rows: Iterable[Row]) -> Readout:
    """The flip rates of every stage, machine and calibration set among the rows."""
    if not plan.header.readout_mitigation:
        return Readout()
    counted = list(rows)
    circuits = circuits_of(store, plan, [row.point for row in counted])
    calibrations: dict[_Where, dict[str, Row]] = {}
    for row in counted:
        if row.point.name in NAMES:
            calibrations.setdefault(_where(row), {})[row.point.name] = row
    flips = {
        where: _flips(found[ZEROS], found[ONES], circuits)
        for where, found in calibrations.items()
        if len(found) == len(NAMES)
    }
    return Readout(flips, circuits)


def _where(row: Row) -> _Where:
    calibration = row.calibration_set_id
    return row.stage, row.emulated, row.point.target, calibration


def _flips(zeros: Row, ones: Row, circuits: Mapping[str, NativeCircuit]) -> dict[str, Flip]:
    qubits = _measured(circuits[zeros.point.circuit_key])
    up, down = _hits(zeros.counts, "1"), _hits(ones.counts, "0")
    shots = sum(zeros.counts.values()), sum(ones.counts.values())
    return {
        qubit: flip_of(up[place], shots[0], down[place], shots[1])
        for place, qubit in enumerate(qubits)
    }


def _hits(counts: Mapping[str, int], wrong: str) -> dict[int, int]:
    """How often each place of the bitstrings shows the wrong bit."""
    size = len(next(iter(counts)))
    return {
        place: sum(n for bits, n in counts.items() if bits[place] == wrong) for place in range(size)
    }


def _measured(circuit: NativeCircuit) -> list[str]:
    """Physical qubits behind a bitstring's bits, the leftmost first; '' for one never measured."""
    qubits = [""] * circuit.num_clbits
    for op in circuit.ops:
        if op.name == "measure":
            qubits[op.clbits[0]] = circuit.components[op.qubits[0]]
    return qubits[::-1]
