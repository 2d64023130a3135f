"""A native circuit as Qiskit sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from iqm_spec.model import NativeCircuit, Op

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Instruction, ParameterExpression

_SWAP = ((1, 0, 0, 0), (0, 0, 1, 0), (0, 1, 0, 0), (0, 0, 0, 1))


def to_qiskit(
    native: NativeCircuit, angles: Sequence[ParameterExpression] | None = None
) -> QuantumCircuit:
    """The circuit on `len(native.components)` qubits, with the same classical registers.

    `angles` stand in for those of all `r`, in order. A MOVE is a `UnitaryGate` labelled `move`
    that swaps: right wherever MOVEs come in pairs.
    """
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    qubits = QuantumRegister(len(native.components), "q")
    bits = [ClassicalRegister(size, name) for name, size in native.registers]
    circuit = QuantumCircuit(qubits, *bits)
    given = None if angles is None else iter(angles)
    for op in native.ops:
        if op.name == "cc_r":
            _append_conditional(circuit, op)
            continue
        params = (next(given), next(given)) if given and op.name == "r" else op.params
        circuit.append(_instruction(op, params), list(op.qubits), list(op.clbits), copy=False)
    return circuit


def _append_conditional(circuit: QuantumCircuit, op: Op) -> None:
    with circuit.if_test((circuit.clbits[op.clbits[0]], 1)):
        circuit.r(*op.params, op.qubits[0])


def _instruction(op: Op, params: Sequence[Any]) -> Instruction:
    from qiskit.circuit import Barrier, Delay, Measure, Reset
    from qiskit.circuit.library import CZGate, RGate, UnitaryGate

    match op.name:
        case "r":
            return RGate(*params)
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
            return Delay(params[0], unit="s")
    raise ValueError(f"no instruction is called {op.name!r}")
