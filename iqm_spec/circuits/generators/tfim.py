"""Trotterised time evolution of the transverse-field Ising model."""

from __future__ import annotations

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
from iqm_spec.circuits.generators.common import measure_all, new_circuit

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(args: Args) -> QuantumCircuit:
    from qiskit.circuit.library import PauliEvolutionGate
    from qiskit.quantum_info import SparsePauliOp
    from qiskit.synthesis import SuzukiTrotter

    qubits, steps = args["num_qubits"], args["steps"]
    circuit = new_circuit("tfim", qubits)
    time = args["dt"] * steps if args["time"] is None else args["time"]
    if steps:
        bonds = [("ZZ", pair, -args["J"]) for pair in _bonds(qubits, args["periodic"])]
        fields = [("X", (qubit,), -args["h"]) for qubit in range(qubits)]
        hamiltonian = SparsePauliOp.from_sparse_list([*bonds, *fields], num_qubits=qubits)
        trotter = SuzukiTrotter(order=args["order"], reps=steps)
        evolution = PauliEvolutionGate(hamiltonian, time=time, synthesis=trotter)
        circuit.compose(evolution.definition, inplace=True)
    return measure_all(circuit)


def _bonds(qubits: int, periodic: bool) -> list[tuple[int, int]]:
    """Neighbours, even bonds first: each half is one layer."""
    line = [(qubit, qubit + 1) for qubit in range(qubits - 1)]
    ring = [(qubits - 1, 0)] if periodic else []
    return line[0::2] + line[1::2] + ring


def _rules(args: Args) -> Iterator[ArgumentProblem]:
    if (args["time"] is None) == (args["dt"] is None):
        text = "exactly one of `time` and `dt` must be given"
        yield ArgumentProblem(None, text, "`time` is the total time, `dt` that of one step")
    elif args["time"] and not args["steps"]:
        yield ArgumentProblem("steps", "a `time` other than 0 needs `steps` of at least 1")
    if args["periodic"] and args["num_qubits"] < 3:
        yield ArgumentProblem("periodic", "a ring needs at least 3 qubits")


TFIM = Generator(
    name="tfim",
    version="1",
    summary="Transverse-field Ising model H = -J sum Z_i Z_i+1 - h sum X_i: Trotterised evolution "
    "exp(-iHt) of all zeros. A step is even bonds, odd bonds, then the field; order 2 is its "
    "symmetric splitting.",
    parameters=(
        num_qubits("Length of the chain.", minimum=2),
        Parameter("steps", "int", "Number of Trotter steps.", minimum=0, maximum=100_000),
        Parameter("time", "float", "Total time, in units of 1/J.", default=None, free=True),
        Parameter("dt", "float", "Time of one step, instead of `time`.", default=None, free=True),
        Parameter("J", "float", "Coupling of neighbours.", default=1.0),
        Parameter("h", "float", "Transverse field.", default=1.0),
        Parameter("periodic", "bool", "Whether the chain is closed to a ring.", default=False),
        Parameter(
            "order",
            "int",
            "Order of the Suzuki-Trotter formula, 1 or 2.",
            default=1,
            minimum=1,
            maximum=2,
        ),
    ),
    example={"num_qubits": 5, "steps": 4, "time": 1.0, "h": 0.5},
    circuit=_circuit,
    shape=lambda args: all_measured(args["num_qubits"]),
    size=lambda args: 4 * args["num_qubits"] * args["steps"],
    rules=_rules,
)
