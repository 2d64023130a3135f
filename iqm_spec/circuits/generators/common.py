"""Helpers of the generators: registers, measurements, bits from text, random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def new_circuit(name: str, qubits: int, clbits: int | None = None) -> QuantumCircuit:
    """An empty circuit with registers `q` and `c`, by default as many bits as qubits."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ClassicalRegister, QuantumRegister

    bits = qubits if clbits is None else clbits
    return QuantumCircuit(QuantumRegister(qubits, "q"), ClassicalRegister(bits, "c"), name=name)


def measure_all(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit with its first qubits measured into `c`, after a barrier."""
    bits = range(circuit.num_clbits)
    circuit.barrier()
    circuit.measure(bits, bits)
    return circuit


def ones(bits: str) -> Iterator[int]:
    """Qubits whose bit is 1 in text as Qiskit prints it: the last character is qubit 0."""
    return (qubit for qubit, bit in enumerate(reversed(bits)) if bit == "1")


def seeded(seed: int) -> Random:
    """Random numbers of a circuit: the same for a seed on every Python and platform."""
    return Random(seed)  # noqa: S311 (nothing secret is drawn)
