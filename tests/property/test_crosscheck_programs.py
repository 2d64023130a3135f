"""Random programs by the independent reading, beside matrices multiplied without any text."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from attrs import evolve, frozen
from branching import outcomes_of
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping

from iqm_spec.circuits import CircuitError, build_circuit
from iqm_spec.crosscheck import (
    Agrees,
    Differs,
    NotReadable,
    crosscheck,
    readings_of_circuit,
    readings_of_file,
)
from iqm_spec.model import NativeCircuit, Op, SourceKind
from iqm_spec.targets import architecture
from iqm_spec.transpile import transpile

pytestmark = pytest.mark.slow

WORDS = {"measure", "reset", "barrier", "delay", "box", "gate", "if", "qreg", "creg", "opaque"}
OTHERS = "permutation unitary u0 c4x rccx prx move qft own isometry initialize u1 u2 u3 IQFT"
NAMES = sorted(
    name
    for name in {*get_standard_gate_name_mapping(), *OTHERS.split()}
    if name not in WORDS and name.islower()
)
WIDTH = 3


def u(theta: float, phi: float, lam: float) -> np.ndarray:
    cos, sin = math.cos(theta / 2), math.sin(theta / 2)
    low, high = np.exp(1j * phi), np.exp(1j * lam)
    return np.array([[cos, -high * sin], [low * sin, low * high * cos]])


def spread(matrix: np.ndarray, qubits: list[int], width: int) -> np.ndarray:
    """A matrix on some of `width` qubits, entry by entry; the first qubit is the lowest bit."""
    whole = np.zeros((2**width, 2**width), complex)
    for column in range(2**width):
        inside = sum((column >> qubit & 1) << i for i, qubit in enumerate(qubits))
        rest = column & ~sum(1 << qubit for qubit in qubits)
        for row in range(2 ** len(qubits)):
            target = rest | sum((row >> i & 1) << qubit for i, qubit in enumerate(qubits))
            whole[target, column] += matrix[row, inside]
    return whole


def under(matrix: np.ndarray, value: int) -> np.ndarray:
    """A matrix under one control qubit, which comes first."""
    whole = np.zeros((2 * len(matrix),) * 2, complex)
    for i in range(len(matrix)):
        whole[2 * i + (1 - value), 2 * i + (1 - value)] = 1
    whole[value::2, value::2] = matrix
    return whole


@frozen
class Own:
    """A gate as text and as matrix."""

    text: str
    name: str
    qubits: int
    matrix: Callable[[float, float], np.ndarray]


@st.composite
def own_gates(draw: st.DrawFn, version: int, known: list[Own], taken: set[str]) -> Own:
    name = draw(st.sampled_from([name for name in NAMES if name not in taken]))
    qubits = draw(st.integers(1, WIDTH))
    first, second = draw(st.permutations([f"theta{len(known)}", f"a{len(known)}"]))
    lines: list[str] = []
    makers: list[Callable[[float, float], np.ndarray]] = []
    for _ in range(draw(st.integers(1, 4))):
        inner = [each for each in known if each.qubits <= qubits]
        kind = draw(st.sampled_from(["u", "u", "cx" if qubits > 1 else "u", "own"]))
        order = draw(st.permutations(range(qubits)))
        factor = draw(st.integers(-3, 3))
        angle = f"{factor}*{first}/4 + {second}"
        if kind == "own" and inner:
            gate = draw(st.sampled_from(inner))
            wires = list(order[: gate.qubits])
            lines.append(f"{gate.name}({angle},{first}) {','.join(f'b{i}' for i in wires)};")
            makers.append(_nested(gate, wires, qubits, factor))
        elif kind == "cx" and qubits > 1:
            wires = list(order[:2])
            word = "CX" if version == 2 else "ctrl @ U(pi,0,pi)"
            lines.append(f"{word} b{wires[0]},b{wires[1]};")
            makers.append(_fixed(spread(under(u(math.pi, 0, math.pi), 1), wires, qubits)))
        else:
            lines.append(f"U({angle},{first},-{second}) b{order[0]};")
            makers.append(_turn(order[0], qubits, factor))
    arguments = ",".join(f"b{i}" for i in range(qubits))

    def matrix(one: float, other: float) -> np.ndarray:
        whole = np.eye(2**qubits, dtype=complex)
        for maker in makers:
            whole = maker(one, other) @ whole
        return whole

    text = f"gate {name}({first},{second}) {arguments} {{ {' '.join(lines)} }}"
    return Own(text, name, qubits, matrix)


def _fixed(matrix: np.ndarray) -> Callable[[float, float], np.ndarray]:
    return lambda one, other: matrix


def _turn(qubit: int, width: int, factor: int) -> Callable[[float, float], np.ndarray]:
    return lambda one, other: spread(u(factor * one / 4 + other, one, -other), [qubit], width)


def _nested(
    gate: Own, wires: list[int], width: int, factor: int
) -> Callable[[float, float], np.ndarray]:
    return lambda one, other: spread(gate.matrix(factor * one / 4 + other, one), wires, width)


angles = st.floats(-3, 3).map(lambda value: round(value, 3))


@st.composite
def programs(draw: st.DrawFn, version: int) -> tuple[str, np.ndarray]:
    """A file, and the probabilities of its outcomes."""
    gates: list[Own] = []
    for _ in range(draw(st.integers(1, 3))):
        gates.append(draw(own_gates(version, gates, {gate.name for gate in gates})))
    library = {2: 'include "qelib1.inc";', 3: 'include "stdgates.inc";'}[version]
    lines = [f"OPENQASM {version}.0;"] + ([library] if draw(st.booleans()) else [])
    lines += [gate.text for gate in gates]
    lines.append(f"qreg q[{WIDTH}]; creg c[{WIDTH}];")
    whole = np.eye(2**WIDTH, dtype=complex)
    for qubit in range(WIDTH):
        one, other, third = draw(angles), draw(angles), draw(angles)
        lines.append(f"U({one},{other},{third}) q[{qubit}];")
        whole = spread(u(one, other, third), [qubit], WIDTH) @ whole
    for _ in range(draw(st.integers(1, 4))):
        gate = draw(st.sampled_from(gates))
        one, other = draw(angles), draw(angles)
        matrix, wires = gate.matrix(one, other), list(draw(st.permutations(range(WIDTH))))
        size, words = gate.qubits, ""
        modifiers = ["", "inv", "pow", "ctrl", "negctrl"] if version == 3 else [""]
        for modifier in draw(st.lists(st.sampled_from(modifiers), max_size=3)):
            if modifier == "inv":
                matrix, words = matrix.conj().T, f"inv @ {words}"
            elif modifier == "pow":
                power = draw(st.integers(-2, 3))
                matrix = np.linalg.matrix_power(matrix, power)
                words = f"pow({power}) @ {words}"
            elif modifier and size < WIDTH:
                matrix, words = under(matrix, int(modifier == "ctrl")), f"{modifier} @ {words}"
                size += 1
        operands = ",".join(f"q[{wire}]" for wire in wires[:size])
        lines.append(f"{words}{gate.name}({one},{other}) {operands};")
        whole = spread(matrix, wires[:size], WIDTH) @ whole
    lines.append("measure q -> c;" if version == 2 else "c = measure q;")
    return "\n".join(lines), np.abs(whole[:, 0]) ** 2


@pytest.mark.parametrize("version", [2, 3])
@given(st.data())
@settings(max_examples=150)
def test_files_mean_what_their_bodies_multiply_to(version: int, data: st.DataObject) -> None:
    text, chances = data.draw(programs(version))
    readings = [outcomes_of(reading) for reading in readings_of_file(text.encode())]
    assert any(
        all(abs(found.get(i, 0) - chance) < 1e-9 for i, chance in enumerate(chances))
        for found in readings
    ), text


@pytest.mark.parametrize("version", [2, 3])
@given(st.data(), st.sampled_from(["garnet", "deneb", "emerald", "sirius"]), st.integers(0, 3))
@settings(max_examples=60)
def test_what_is_transpiled_agrees(
    version: int, data: st.DataObject, alias: str, level: int
) -> None:
    text, _ = data.draw(programs(version))
    circuit = built(text)
    native = transpile(circuit, architecture(alias), {"optimization_level": level})
    assert isinstance(crosscheck(readings_of_file(text.encode()), native, 1e-4), Agrees), text
    assert isinstance(crosscheck(readings_of_circuit(circuit), native, 1e-4), Agrees), text


def built(text: str) -> QuantumCircuit:
    """The circuit that the program sends; what it refuses is no matter of a check."""
    try:
        return build_circuit(SourceKind.QASM, "file", text.encode(), {})
    except CircuitError:
        reject()


def mutated(native: NativeCircuit, source: random.Random) -> NativeCircuit | None:
    """A native circuit with one mistake in it; None where the mistake drawn has no place."""
    ops = list(native.ops)
    kind = source.choice(["drop", "theta", "phi", "qubit", "bits", "move", "flip", "order"])
    names = {"theta": {"r"}, "phi": {"r"}, "move": {"move"}, "bits": {"measure"}}
    wanted = names.get(kind, {"r", "cz"})
    places = [i for i, op in enumerate(ops) if op.name in wanted]
    if not places:
        return None
    place = source.choice(places)
    op = ops[place]
    if kind in ("drop", "move"):
        del ops[place]
    elif kind in ("theta", "phi"):
        theta, phi = op.params
        params = (theta + 1e-3, phi) if kind == "theta" else (theta, phi + 1e-3)
        ops[place] = evolve(op, params=params)
    elif kind == "qubit":
        other = source.randrange(len(native.components))
        if other in op.qubits:
            return None
        ops[place] = evolve(op, qubits=(other, *op.qubits[1:]))
    elif kind == "bits":
        other = source.choice(places)
        ops[place], ops[other] = (
            evolve(op, clbits=ops[other].clbits),
            evolve(ops[other], clbits=op.clbits),
        )
    elif kind == "flip":
        ops.insert(place, Op("r", op.qubits[:1], (math.pi, source.choice([0.0, math.pi / 2]))))
    else:
        other = source.choice(places)
        ops[place], ops[other] = ops[other], ops[place]
    return None if ops == list(native.ops) else evolve(native, ops=tuple(ops))


def changes_outcomes(left: NativeCircuit, right: NativeCircuit) -> bool:
    """By the tests' own simulator: does the mistake show in any outcome at all?"""
    from exact import distance, distribution

    from iqm_spec.transpile import to_qiskit

    return distance(distribution(to_qiskit(left)), distribution(to_qiskit(right))) > 2e-6


@given(st.data(), st.sampled_from(["garnet", "deneb"]), st.integers(0, 2**32))
@settings(max_examples=60)
def test_a_mistake_that_shows_is_found(data: st.DataObject, alias: str, seed: int) -> None:
    text, _ = data.draw(programs(3))
    circuit = built(text)
    # from level 2 on Qiskit leaves small angles out, which would be a mistake of its own
    native = transpile(circuit, architecture(alias), {"optimization_level": 1})
    source = random.Random(seed)
    mutant = mutated(native, source)
    assume(mutant is not None)
    assert mutant is not None
    verdict = crosscheck(readings_of_file(text.encode()), mutant)
    if changes_outcomes(native, mutant):
        assert isinstance(verdict, Differs)
    else:
        assert isinstance(verdict, Agrees)


@given(st.text(max_size=60), st.sampled_from([2, 3]))
@settings(max_examples=100)
def test_any_text_is_read_or_not_read(text: str, version: int) -> None:
    data = f"OPENQASM {version}.0;\nqreg q[2]; creg c[2];\n{text}".encode("utf-8", "replace")
    try:
        readings_of_file(data)
    except NotReadable:
        return


PIECES = "gate x U ( ) q [ ] 0 1 , ; { } c -> measure if == pi ^ - + * / 9 . h cx barrier reset"


@given(st.lists(st.sampled_from(PIECES.split()), max_size=25), st.sampled_from([2, 3]))
@settings(max_examples=200)
def test_any_pieces_are_read_or_not_read(pieces: list[str], version: int) -> None:
    library = {2: "qelib1.inc", 3: "stdgates.inc"}[version]
    text = f'OPENQASM {version}.0;\ninclude "{library}";\nqreg q[2]; creg c[2];\n'
    try:
        readings_of_file((text + " ".join(pieces)).encode())
    except NotReadable:
        return
