"""The four Bell states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import Args, Generator, Parameter, all_measured
from iqm_spec.circuits.generators.common import measure_all, new_circuit

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(args: Args) -> QuantumCircuit:
    circuit = new_circuit("bell", 2)
    circuit.h(0)
    if args["state"].endswith("-"):
        circuit.z(0)
    circuit.cx(0, 1)
    if args["state"].startswith("psi"):
        circuit.x(1)
    return measure_all(circuit)


BELL = Generator(
    name="bell",
    version="1",
    summary="One of the four Bell states of two qubits.",
    parameters=(
        Parameter(
            "state",
            "text",
            "phi+ and phi- give 00 and 11, psi+ and psi- give 01 and 10; the sign is the relative "
            "phase, which a measurement in this basis does not show.",
            default="phi+",
            choices=("phi+", "phi-", "psi+", "psi-"),
        ),
    ),
    example={"state": "psi-"},
    circuit=_circuit,
    shape=lambda args: all_measured(2),
)
