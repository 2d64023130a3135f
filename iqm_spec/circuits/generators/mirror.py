"""Randomized mirror circuits: random layers, their inverse, and one ideal outcome.

After T. Proctor et al., "Measuring the capabilities of quantum computers", Nature Physics 18, 75
(2022), with Clifford layers: a random Pauli layer stands between the half and its inverse.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import Args, Generator, Parameter, all_measured, num_qubits, seed
from iqm_spec.circuits.generators.common import measure_all, new_circuit, seeded

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_CLIFFORDS = tuple(
    (turn, pauli)
    for turn in ((), ("h",), ("s",), ("h", "s"), ("s", "h"), ("h", "s", "h"))
    for pauli in ("id", "x", "y", "z")
)
"""The 24 one-qubit Cliffords: six that permute the axes, times the four Paulis."""


def _circuit(args: Args) -> QuantumCircuit:
    from qiskit import QuantumCircuit

    qubits = args["num_qubits"]
    draw = seeded(args["seed"])
    half = QuantumCircuit(qubits)
    for _ in range(args["depth"]):
        _random_cliffords(half, draw)
        half.barrier()
        for first, second in _random_pairs(qubits, args["pairs"], args["density"], draw):
            half.cz(first, second)
        half.barrier()
    _random_cliffords(half, draw)
    half.barrier()
    circuit = new_circuit("mirror", qubits)
    circuit.compose(half, inplace=True)
    for qubit in range(qubits):
        getattr(circuit, draw.choice(("id", "x", "y", "z")))(qubit)
    circuit.compose(half.inverse(), inplace=True)
    return measure_all(circuit)


def _random_cliffords(circuit: QuantumCircuit, draw: Random) -> None:
    for qubit in range(circuit.num_qubits):
        turn, pauli = draw.choice(_CLIFFORDS)
        for name in (*turn, pauli):
            getattr(circuit, name)(qubit)


def _random_pairs(
    qubits: int, pairs: str, density: float, draw: Random
) -> Iterator[tuple[int, int]]:
    """Disjoint pairs: each of a random pairing is kept with probability `density`."""
    order = list(range(qubits))
    if pairs == "any":
        draw.shuffle(order)
        start = 0
    else:
        start = draw.randrange(2)
    for place in range(start, qubits - 1, 2):
        if draw.random() < density:
            yield order[place], order[place + 1]


MIRROR = Generator(
    name="mirror",
    version="1",
    summary="Randomized mirror circuit: random Clifford layers and their inverse around random "
    "Paulis, with one ideal outcome; barriers keep the halves from cancelling.",
    parameters=(
        num_qubits("Width."),
        Parameter(
            "depth",
            "int",
            "Layers of one-qubit Cliffords and CZ in each half.",
            minimum=0,
            maximum=10_000,
        ),
        Parameter(
            "density",
            "float",
            "Probability that a pair of a layer's pairing gets its CZ.",
            default=0.5,
            minimum=0,
            maximum=1,
        ),
        Parameter(
            "pairs",
            "text",
            "Pairs are neighbours on a line of qubits (line), or of any two qubits (any).",
            default="line",
            choices=("line", "any"),
        ),
        seed(),
    ),
    example={"num_qubits": 4, "depth": 3, "seed": 2},
    circuit=_circuit,
    shape=lambda args: all_measured(args["num_qubits"]),
    size=lambda args: 10 * args["num_qubits"] * (args["depth"] + 1),
)
