"""Ideal Clifford circuits in the gates that Aer's stabilizer method knows.

It has no `r`. The names must not be used with noise: the noise model is keyed on `r`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.stages.aer.shape import quarter_turns

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def clifford_circuit(circuit: NativeCircuit) -> QuantumCircuit:
    """The circuit with named Clifford gates; ValueError where an instruction is none."""
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    bits = [ClassicalRegister(size, name) for name, size in circuit.registers]
    built = QuantumCircuit(QuantumRegister(len(circuit.components), "q"), *bits)
    for op in circuit.ops:
        _append(built, op)
    return built


def _append(built: QuantumCircuit, op: Op) -> None:
    match op.name:
        case "r":
            _append_turn(built, op)
        case "cc_r":
            with built.if_test((built.clbits[op.clbits[0]], 1)):
                _append_turn(built, op)
        case "cz":
            built.cz(*op.qubits)
        case "move":
            built.swap(*op.qubits)
        case "measure":
            built.measure(op.qubits, op.clbits)
        case "reset":
            built.reset(op.qubits)
        case "barrier" | "delay":
            pass
        case _:
            raise ValueError(f"{op.name} is not a Clifford gate")


def _append_turn(built: QuantumCircuit, op: Op) -> None:
    """A half turn is X and S^axis up to a phase; a quarter turn is S^-a, SX, S^a."""
    found = quarter_turns(*op.params)
    if found is None:
        raise ValueError(f"r{op.params} is not a Clifford gate")
    (turns, axis), (qubit,) = found, op.qubits
    if turns == 2:
        built.x(qubit)
        _phase(built, axis, qubit)
    elif turns:
        _phase(built, -axis // 2, qubit)
        built.sx(qubit) if turns == 1 else built.sxdg(qubit)
        _phase(built, axis // 2, qubit)


def _phase(built: QuantumCircuit, quarters: int, qubit: int) -> None:
    match quarters % 4:
        case 1:
            built.s(qubit)
        case 2:
            built.z(qubit)
        case 3:
            built.sdg(qubit)
