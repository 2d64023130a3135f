"""GHZ states turned before they are measured: their parity oscillates with the phase."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import Args, Generator, Parameter, all_measured, num_qubits
from iqm_spec.circuits.generators.common import measure_all, new_circuit
from iqm_spec.circuits.generators.ghz import SHAPE, entangle

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(args: Args) -> QuantumCircuit:
    """T. Monz et al., Phys. Rev. Lett. 106, 130506 (2011)."""
    circuit = new_circuit("ghz_parity", args["num_qubits"])
    entangle(circuit, args["shape"])
    for qubit in circuit.qubits:
        circuit.r(pi / 2, args["phase"], qubit)
    return measure_all(circuit)


GHZ_PARITY = Generator(
    name="ghz_parity",
    version="1",
    summary="GHZ state whose qubits are turned by R(pi/2, phase) before they are measured: the "
    "parity oscillates as cos(n phase), by twice the state's coherence.",
    parameters=(
        num_qubits("Number of qubits."),
        Parameter("phase", "float", "Axis of the turn in the xy-plane, in radians.", free=True),
        SHAPE,
    ),
    example={"num_qubits": 3, "phase": 0.5},
    circuit=_circuit,
    shape=lambda args: all_measured(args["num_qubits"]),
    size=lambda args: 3 * args["num_qubits"],
)
