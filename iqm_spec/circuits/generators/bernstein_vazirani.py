"""The Bernstein-Vazirani algorithm: the secret is the one ideal outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import Args, Generator, Parameter
from iqm_spec.circuits.generators.common import measure_all, new_circuit, ones
from iqm_spec.model import CircuitFacts

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(args: Args) -> QuantumCircuit:
    secret = args["secret"]
    answer = len(secret)
    circuit = new_circuit("bernstein_vazirani", answer + 1, answer)
    circuit.x(answer)
    circuit.h(range(answer + 1))
    for qubit in ones(secret):
        circuit.cx(qubit, answer)
    circuit.h(range(answer))
    return measure_all(circuit)


def _shape(args: Args) -> CircuitFacts:
    width = len(args["secret"])
    return CircuitFacts(num_qubits=width + 1, num_clbits=width, measured=width)


BERNSTEIN_VAZIRANI = Generator(
    name="bernstein_vazirani",
    version="1",
    summary="Bernstein-Vazirani: finds the secret with one call of its oracle.",
    parameters=(
        Parameter(
            "secret",
            "bits",
            "The secret, which is the ideal outcome; one qubit per bit and one more.",
            longest=1023,
        ),
    ),
    example={"secret": "1011"},
    circuit=_circuit,
    shape=_shape,
)
