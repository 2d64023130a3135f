"""A native circuit as Qiskit sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iqm_spec.model import NativeCircuit, Op

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Instruction

_SWAP = ((1, 0, 0, 0), (0, 0, 1, 0), (0, 1, 0, 0), (0, 0, 0, 1))


def to_qiskit(native: NativeCircuit) -> QuantumCircuit:
    """The circuit on `len(native.components)` qubits, with the same classical registers.

    A MOVE is a `UnitaryGate` labelled `move` that swaps: right wherever MOVEs come in pairs.
    """
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    qubits = QuantumRegister(len(native.components), "q")
    bits = [ClassicalRegister(size, name) for name, size in native.registers]
    circuit = QuantumCircuit(qubits, *bits)
    for op in native.ops:
        circuit.append(_instruction(op), list(op.qubits), list(op.clbits), copy=False)
    return circuit


def _instruction(op: Op) -> Instruction:
    from qiskit.circuit import Barrier, Delay, Measure, Reset
    from qiskit.circuit.library import CZGate, RGate, UnitaryGate

    match op.name:
        case "r":
            return RGate(*op.params)
        case "cz":
            return CZGate()
        case "move":
            return UnitaryGate(_SWAP, label="move")
        case "measure":
            return Measure()
        case "barrier":
            return Barrier(len(op.qubits))
        case "reset":
            return Reset()
        case "delay":
            return Delay(op.params[0], unit="s")
    raise ValueError(f"no instruction is called {op.name!r}")
