"""Hardware-efficient ansatz: layers of rotations and entangling gates."""

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
    seed,
)
from iqm_spec.circuits.generators.common import measure_all, new_circuit, seeded

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_MOST_ANGLES = 100_000


def _circuit(args: Args) -> QuantumCircuit:
    from qiskit.circuit.library import n_local

    qubits = args["num_qubits"]
    ansatz = n_local(
        qubits,
        rotation_blocks=args["rotation"].split("+"),
        entanglement_blocks=args["entangler"],
        entanglement=args["entanglement"],
        reps=args["reps"],
    )
    circuit = new_circuit("hardware_efficient", qubits)
    circuit.compose(ansatz.assign_parameters(_angles(args)), inplace=True)
    return measure_all(circuit)


def _num_angles(args: Args) -> int:
    layers = args["reps"] + 1
    return int(args["num_qubits"] * layers * len(args["rotation"].split("+")))


def _angles(args: Args) -> list[float]:
    angles = args["angles"]
    if angles is None:
        draw = seeded(args["seed"])
        return [2 * math.pi * draw.random() for _ in range(_num_angles(args))]
    return list(angles) if isinstance(angles, tuple) else [angles] * _num_angles(args)


def _rules(args: Args) -> Iterator[ArgumentProblem]:
    angles, num_rotations = args["angles"], _num_angles(args)
    if isinstance(angles, tuple) and len(angles) != num_rotations:
        text = f"`angles` has {len(angles)} entries, the circuit has {num_rotations} rotations"
        hint = "num_qubits * (reps + 1) angles per rotation of the block, layer by layer"
        yield ArgumentProblem("angles", text, hint)
    if num_rotations > _MOST_ANGLES:
        text = f"the circuit would have {num_rotations:,} rotations"
        yield ArgumentProblem(None, text, f"at most {_MOST_ANGLES:,} are built")


def _size(args: Args) -> int:
    qubits = int(args["num_qubits"])
    pairs = qubits * qubits // 2 if args["entanglement"] == "full" else qubits
    return _num_angles(args) + pairs * int(args["reps"])


HARDWARE_EFFICIENT = Generator(
    name="hardware_efficient",
    version="1",
    summary="Hardware-efficient ansatz: rotations on every qubit, entangling layers between.",
    parameters=(
        num_qubits("Number of qubits.", minimum=2),
        Parameter("reps", "int", "Entangling layers.", default=1, minimum=0, maximum=10_000),
        Parameter(
            "angles",
            "floats",
            "Angles in radians, layer by layer, in a layer rotation by rotation, then qubit by "
            "qubit; or one for all; drawn from [0, 2 pi) by `seed` when left out.",
            default=None,
            longest=_MOST_ANGLES,
            free=True,
        ),
        Parameter(
            "rotation",
            "text",
            "The rotations of a layer, in order.",
            default="ry",
            choices=("rx", "ry", "rz", "rx+ry", "rx+rz", "ry+rz", "rz+ry", "rz+rx", "rz+ry+rz"),
        ),
        Parameter(
            "entangler", "text", "The two-qubit gate.", default="cz", choices=("cz", "cx", "iswap")
        ),
        Parameter(
            "entanglement",
            "text",
            "Which qubits it joins, as qiskit's n_local names it.",
            default="linear",
            choices=("linear", "reverse_linear", "pairwise", "circular", "full"),
        ),
        seed("Seed of the angles where they are not given."),
    ),
    example={"num_qubits": 3, "reps": 2, "rotation": "rz+ry", "seed": 3},
    circuit=_circuit,
    shape=lambda args: all_measured(args["num_qubits"]),
    size=_size,
    rules=_rules,
)
