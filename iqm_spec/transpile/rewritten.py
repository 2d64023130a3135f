"""Measurements into a bit that another qubit is measured into later: Qiskit must not swap them.

`BarrierBeforeFinalMeasurements` looks at qubits alone and may put the later one first. An opaque
instruction in the place of the earlier one keeps the order of its bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Instruction

EARLY_MEASURE = "early_measure"


def early_measure() -> Instruction:
    """The opaque instruction on one qubit and one bit."""
    from qiskit.circuit import Instruction

    return Instruction(EARLY_MEASURE, 1, 1, [])


def mark_rewritten(circuit: QuantumCircuit) -> QuantumCircuit:
    """`circuit` with an early measurement as an opaque one; itself where there is none."""
    next_writer: dict[Any, Any] = {}
    early: set[int] = set()
    for place in range(len(circuit.data) - 1, -1, -1):
        item = circuit.data[place]
        if item.operation.name != "measure":
            continue
        (qubit,), (bit,) = item.qubits, item.clbits
        if next_writer.get(bit, qubit) != qubit:
            early.add(place)
        next_writer[bit] = qubit
    if not early:
        return circuit
    marked = circuit.copy_empty_like()
    for place, item in enumerate(circuit.data):
        operation = early_measure() if place in early else item.operation
        marked.append(operation, item.qubits, item.clbits, copy=False)
    return marked
