"""The quantum Fourier transform of a basis state, and back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import (
    Args,
    ArgumentProblem,
    Generator,
    Parameter,
    all_measured,
    num_qubits,
)
from iqm_spec.circuits.generators.common import measure_all, new_circuit, ones

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(args: Args) -> QuantumCircuit:
    from qiskit.synthesis import synth_qft_full

    qubits = args["num_qubits"]
    state = args["state"] or "0" * qubits
    circuit = new_circuit("qft", qubits)
    inverse = args["direction"] == "inverse"
    if inverse:
        # the Fourier transform of a basis state, which is a product of one-qubit states
        for qubit in range(circuit.num_qubits):
            circuit.h(qubit)
            # 2 pi value 2^qubit / 2^n, reduced in integers: exact for any width
            part = (int(state, 2) << qubit) % (1 << circuit.num_qubits)
            circuit.p(2 * math.pi * (part / (1 << circuit.num_qubits)), qubit)
    else:
        for qubit in ones(state):
            circuit.x(qubit)
    transform = synth_qft_full(qubits, inverse=inverse, do_swaps=args["swaps"] or inverse)
    circuit.compose(transform, inplace=True)
    return measure_all(circuit)


def _rules(args: Args) -> Iterator[ArgumentProblem]:
    state = args["state"]
    if state is not None and len(state) != args["num_qubits"]:
        text = f"`state` has {len(state)} bits for {args['num_qubits']} qubits"
        yield ArgumentProblem("state", text, "write one bit per qubit, qubit 0 last")


QFT = Generator(
    name="qft",
    version="1",
    summary="Quantum Fourier transform of a basis state, or back to it.",
    parameters=(
        num_qubits("Number of qubits."),
        Parameter("state", "bits", "The basis state; all zeros when left out.", default=None),
        Parameter(
            "direction",
            "text",
            "forward: the basis state is transformed, every outcome is equally likely; inverse: "
            "its transform is prepared by one-qubit gates and the inverse transform gives the "
            "state back as the one ideal outcome.",
            default="forward",
            choices=("forward", "inverse"),
        ),
        Parameter(
            "swaps",
            "bool",
            "Whether forward ends with the swaps that put the qubits in order.",
            default=True,
        ),
    ),
    example={"num_qubits": 4, "state": "0110", "direction": "inverse"},
    circuit=_circuit,
    shape=lambda args: all_measured(args["num_qubits"]),
    size=lambda args: args["num_qubits"] * (args["num_qubits"] + 6),
    rules=_rules,
)
