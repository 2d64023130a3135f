"""W states: exactly one qubit is 1, each with the same probability."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import Args, Generator, all_measured, num_qubits
from iqm_spec.circuits.generators.common import measure_all, new_circuit

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(args: Args) -> QuantumCircuit:
    """One excitation that every qubit of a line keeps with its share and else hands on."""
    qubits = args["num_qubits"]
    circuit = new_circuit("w_state", qubits)
    circuit.x(0)
    for qubit in range(qubits - 1):
        share = 1 / (qubits - qubit)
        circuit.cry(2 * math.acos(math.sqrt(share)), qubit, qubit + 1)
        circuit.cx(qubit + 1, qubit)
    return measure_all(circuit)


W_STATE = Generator(
    name="w_state",
    version="1",
    summary="W state: one qubit is 1, each equally likely.",
    parameters=(num_qubits("Number of qubits."),),
    example={"num_qubits": 4},
    circuit=_circuit,
    shape=lambda args: all_measured(args["num_qubits"]),
    size=lambda args: 5 * args["num_qubits"],
)
