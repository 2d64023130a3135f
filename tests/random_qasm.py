"""Random OpenQASM programs, with what they do computed from Qiskit's matrices and not from text.

Gates of their own take names of Qiskit's library: a reader that goes by names reads them wrongly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray
from qiskit import qasm2
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit_qasm3_import.converter import _STDGATES

Matrix = NDArray[np.complex128]

RESERVED = {"measure", "reset", "barrier", "delay", "if_else", "for_loop", "U", "CX"}
LIBRARY_NAMES = sorted(
    {*get_standard_gate_name_mapping(), "unitary", "permutation", "qft", "pauli", "diagonal"}
    - RESERVED
)
_LEGACY = {
    one.name: one
    for one in qasm2.LEGACY_CUSTOM_INSTRUCTIONS
    if one.name not in ("delay", "u0") and one.num_qubits <= 3
}
_OPEN = ("u2", "u3")
_LARGEST = 7


@frozen(eq=False)
class Gate:
    """A gate with its matrix by angles; the first qubit is the lowest bit."""

    name: str
    angles: int
    qubits: int
    matrix: object = field(repr=False)

    def at(self, angles: list[float]) -> Matrix:
        return np.asarray(self.matrix(*angles), dtype=complex)  # type: ignore[operator]


def gates_of_2() -> list[Gate]:
    return [
        Gate(
            one.name,
            one.num_params,
            one.num_qubits,
            lambda *a, one=one: one.constructor(*a).to_matrix(),
        )
        for name, one in _LEGACY.items()
    ]


def gates_of_3() -> list[Gate]:
    return [
        Gate(name, angles, qubits, lambda *a, make=make: make(*a).to_matrix())
        for name, (make, angles, qubits) in _STDGATES.items()
        if name not in _OPEN
    ]


@frozen(eq=False)
class RandomProgram:
    """The text, and the probability of each outcome by its number, over `bits` bits."""

    text: str
    bits: int
    probabilities: NDArray[np.float64]


def embedded(matrix: Matrix, places: list[int], width: int) -> Matrix:
    """`matrix` on the qubits `places` of `width`, entry by entry."""
    whole = np.zeros((1 << width, 1 << width), dtype=complex)
    for column in range(1 << width):
        inner = sum((column >> place & 1) << i for i, place in enumerate(places))
        rest = column & ~sum(1 << place for place in places)
        for row in range(len(matrix)):
            target = rest | sum((row >> i & 1) << place for i, place in enumerate(places))
            whole[target, column] += matrix[row, inner]
    return whole


def _angle(random: Random, names: list[str]) -> tuple[str, object]:
    """Text of an angle, and its value by the parameters' values."""
    kind = random.randrange(4) if names else random.randrange(2)
    number = random.choice([0.1, 0.7, 1.3, 2.0, 0.25])
    if kind == 0:
        return f"{number}", lambda values: number
    if kind == 1:
        whole = random.choice([2, 3, 4, 8])
        return f"-pi/{whole}+{number}", lambda values: -math.pi / whole + number
    name = random.choice(names)
    if kind == 2:
        return f"{number}*{name}", lambda values: number * values[name]
    return f"cos({name})-{name}/2.0", lambda values: math.cos(values[name]) - values[name] / 2


def own_gate(random: Random, name: str, known: list[Gate], version: int) -> tuple[str, Gate]:
    """A definition of `name` from gates that are known, and what it is."""
    width = random.randint(1, 3)
    names = ["theta", "phi"][: random.randint(0, 2)]
    qubits = ["a", "b", "c"][:width]
    lines, calls = [], []
    for _ in range(random.randint(1, 4)):
        gate = random.choice([one for one in known if one.qubits <= width])
        places = random.sample(range(width), gate.qubits)
        angles = [_angle(random, names) for _ in range(gate.angles)]
        prefix, kind = "", 0
        if version == 3 and random.random() < 0.3:
            prefix, kind = random.choice([("inv @ ", 1), ("pow(2) @ ", 2), ("pow(-1) @ ", 1)])
        given = f"({', '.join(text for text, _ in angles)})" if angles else ""
        on = ", ".join(qubits[place] for place in places)
        lines.append(f"{prefix}{gate.name}{given} {on};")
        calls.append((gate, [value for _, value in angles], places, kind))

    def matrix(*values: float) -> Matrix:
        given = dict(zip(names, values, strict=True))
        whole = np.eye(1 << width, dtype=complex)
        for gate, angles, places, kind in calls:
            inner = gate.at([angle(given) for angle in angles])
            inner = {0: inner, 1: inner.conj().T, 2: inner @ inner}[kind]
            whole = embedded(inner, places, width) @ whole
        return whole

    head = f"({', '.join(names)})" if names else ""
    text = f"gate {name}{head} {', '.join(qubits)} {{ {' '.join(lines)} }}"
    return text, Gate(name, len(names), width, matrix)


def random_program(
    random: Random, version: int, gates: int = 8, names: Sequence[str] = LIBRARY_NAMES
) -> RandomProgram:
    """A program of up to four qubits, all measured at the end into two registers."""
    width = random.randint(3, 4)
    known = gates_of_2() if version == 2 else gates_of_3()
    include = "qelib1.inc" if version == 2 else "stdgates.inc"
    lines = [f"OPENQASM {version}.0;", f'include "{include}";']
    for name in random.sample(names, 3):
        text, gate = own_gate(random, name, known, version)
        known = [one for one in known if one.name != name] + [gate]
        lines.append(text)
    own = known[-3:]
    if version == 2:
        lines += [f"qreg q[{width}];", "creg first[1];", f"creg rest[{width - 1}];"]
    else:
        lines += [f"qubit[{width}] q;", "bit[1] first;", f"bit[{width - 1}] rest;"]
    state = np.zeros(1 << width, dtype=complex)
    state[0] = 1
    for _ in range(gates):
        gate = random.choice(own if random.random() < 0.6 else known)
        places = random.sample(range(width), gate.qubits)
        matrix_angles = [_angle(random, []) for _ in range(gate.angles)]
        matrix = gate.at([value({}) for _, value in matrix_angles])  # type: ignore[operator]
        prefix = ""
        if version == 3 and gate.qubits < width and random.random() < 0.4:
            value = random.random() < 0.5
            prefix = "ctrl @ " if value else "negctrl @ "
            free = [place for place in range(width) if place not in places]
            places = [random.choice(free), *places]
            wider = np.eye(2 * len(matrix), dtype=complex)
            rows = np.arange(len(matrix)) * 2 + value
            wider[np.ix_(rows, rows)] = matrix
            matrix = wider
        given = f"({', '.join(text for text, _ in matrix_angles)})" if matrix_angles else ""
        on = ", ".join(f"q[{place}]" for place in places)
        lines.append(f"{prefix}{gate.name}{given} {on};")
        state = embedded(matrix, places, width) @ state
    order = random.sample(range(width), width)
    for bit, qubit in enumerate(order):
        target = "first[0]" if bit == 0 else f"rest[{bit - 1}]"
        lines.append(
            f"measure q[{qubit}] -> {target};"
            if version == 2
            else f"{target} = measure q[{qubit}];"
        )
    found = np.zeros(1 << width)
    for outcome, amplitude in enumerate(state):
        bits = sum((outcome >> qubit & 1) << bit for bit, qubit in enumerate(order))
        found[bits] += abs(amplitude) ** 2
    return RandomProgram("\n".join(lines) + "\n", width, found)
