"""Phase estimation of a phase gate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import Args, Generator, Parameter, num_qubits
from iqm_spec.circuits.generators.common import measure_all, new_circuit
from iqm_spec.model import CircuitFacts

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(args: Args) -> QuantumCircuit:
    """A power of a phase gate is a phase gate, so no power is built by repetition."""
    from qiskit.synthesis import synth_qft_full

    digits = args["num_qubits"]
    circuit = new_circuit("phase_estimation", digits + 1, digits)
    circuit.h(range(digits))
    circuit.x(digits)
    for qubit in range(digits):
        circuit.cp(2 * math.pi * ((args["phase"] * 2**qubit) % 1), qubit, digits)
    circuit.compose(synth_qft_full(digits, inverse=True), range(digits), inplace=True)
    return measure_all(circuit)


def _shape(args: Args) -> CircuitFacts:
    digits = args["num_qubits"]
    return CircuitFacts(num_qubits=digits + 1, num_clbits=digits, measured=digits)


PHASE_ESTIMATION = Generator(
    name="phase_estimation",
    version="1",
    summary="Phase estimation of the gate P(2 pi phase) in its eigenstate 1: the outcome is the "
    "phase's binary digits.",
    parameters=(
        num_qubits(
            "Number of evaluation qubits, which are measured; one more is used.", maximum=512
        ),
        Parameter(
            "phase",
            "float",
            "The phase in turns. k / 2^num_qubits gives the one outcome k.",
            minimum=0,
            maximum=1,
        ),
    ),
    example={"num_qubits": 4, "phase": 0.3125},
    circuit=_circuit,
    shape=_shape,
    size=lambda args: args["num_qubits"] * (args["num_qubits"] + 6),
)
