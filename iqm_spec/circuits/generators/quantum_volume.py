"""Quantum volume circuits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import Args, Generator, Parameter, all_measured, num_qubits, seed
from iqm_spec.circuits.generators.common import measure_all, new_circuit

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_GATES_OF_A_BLOCK = 20


def _circuit(args: Args) -> QuantumCircuit:
    from qiskit.circuit.library import quantum_volume

    qubits = args["num_qubits"]
    circuit = new_circuit("quantum_volume", qubits)
    model = quantum_volume(qubits, depth=_depth(args), seed=args["seed"])
    circuit.compose(model, inplace=True)
    return measure_all(circuit)


def _depth(args: Args) -> int:
    return int(args["num_qubits"] if args["depth"] is None else args["depth"])


QUANTUM_VOLUME = Generator(
    name="quantum_volume",
    version="1",
    summary="Quantum volume model circuit: layers of random SU(4) on a random pairing.",
    parameters=(
        num_qubits("Width.", minimum=2),
        Parameter(
            "depth",
            "int",
            "Number of layers; the width when left out.",
            default=None,
            minimum=1,
            maximum=10_000,
        ),
        seed(),
    ),
    example={"num_qubits": 4, "seed": 5},
    circuit=_circuit,
    shape=lambda args: all_measured(args["num_qubits"]),
    size=lambda args: _GATES_OF_A_BLOCK * (args["num_qubits"] // 2) * _depth(args),
)
