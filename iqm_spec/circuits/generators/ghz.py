"""GHZ states: all zeros and all ones, each half of the shots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import Args, Generator, Parameter, all_measured, num_qubits
from iqm_spec.circuits.generators.common import measure_all, new_circuit

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(args: Args) -> QuantumCircuit:
    circuit = new_circuit("ghz", args["num_qubits"])
    entangle(circuit, args["shape"])
    return measure_all(circuit)


def entangle(circuit: QuantumCircuit, shape: str) -> None:
    """Brings all qubits of a circuit from zeros to a GHZ state."""
    circuit.h(0)
    for qubit in range(1, circuit.num_qubits):
        circuit.cx(_parent(qubit, shape), qubit)


def _parent(qubit: int, shape: str) -> int:
    """The entangled qubit that `qubit` is joined to."""
    if shape == "line":
        return qubit - 1
    return 0 if shape == "star" else qubit - (1 << (qubit.bit_length() - 1))


SHAPE = Parameter(
    "shape",
    "text",
    "Which CX join the qubits: each to the one before it (line), all to qubit 0 (star), "
    "or doubling the state in every layer (tree, of logarithmic depth).",
    default="line",
    choices=("line", "star", "tree"),
)

GHZ = Generator(
    name="ghz",
    version="1",
    summary="GHZ state: all zeros or all ones, half of the shots each.",
    parameters=(
        num_qubits("Number of qubits."),
        SHAPE,
    ),
    example={"num_qubits": 5},
    circuit=_circuit,
    shape=lambda args: all_measured(args["num_qubits"]),
    size=lambda args: 2 * args["num_qubits"],
)
