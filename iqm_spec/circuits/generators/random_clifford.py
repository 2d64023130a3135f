"""Uniformly random Clifford circuits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import Args, Generator, all_measured, num_qubits, seed
from iqm_spec.circuits.generators.common import measure_all, new_circuit

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(args: Args) -> QuantumCircuit:
    from qiskit.quantum_info import random_clifford

    qubits = args["num_qubits"]
    circuit = new_circuit("random_clifford", qubits)
    clifford = random_clifford(qubits, seed=args["seed"])
    circuit.compose(clifford.to_circuit(), inplace=True)
    return measure_all(circuit)


RANDOM_CLIFFORD = Generator(
    name="random_clifford",
    version="1",
    summary="A Clifford operation drawn uniformly, as qiskit synthesises it.",
    parameters=(num_qubits("Number of qubits.", maximum=256), seed()),
    example={"num_qubits": 3, "seed": 11},
    circuit=_circuit,
    shape=lambda args: all_measured(args["num_qubits"]),
    size=lambda args: 2 * args["num_qubits"] ** 2 + 8 * args["num_qubits"],
)
