"""Random dynamic circuits do the same before and after transpiling, branch by branch."""

from __future__ import annotations

from typing import Any

import pytest
from courses import distance, outcomes_of_circuit, outcomes_of_native
from hypothesis import given, note, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit

from iqm_spec.model import NativeCircuit
from iqm_spec.native import Native
from iqm_spec.stages.aer.distributions import Dense, branched_distribution
from iqm_spec.stages.aer.method import without_moves
from iqm_spec.targets import Architecture, architecture, architecture_from_json
from iqm_spec.transpile import transpile, violations

pytestmark = pytest.mark.slow

ONE = ("h", "x", "y", "z", "s", "sdg", "t", "sx", "rx", "ry", "rz")


def conditional(alias: str) -> Architecture:
    """A machine whose every qubit has conditional gates."""
    data: Any = dict(architecture(alias).to_json())
    data["gates"] = {**data["gates"], "cc_prx": [[qubit] for qubit in data["qubits"]]}
    return architecture_from_json(data, alias)


MACHINES = {alias: conditional(alias) for alias in ("emerald", "deneb")}


@st.composite
def circuits(draw: st.DrawFn) -> QuantumCircuit:
    """Three qubits, two registers and a loose bit: gates, measurements, resets and conditions."""
    a, b = ClassicalRegister(2, "a"), ClassicalRegister(1, "b")
    circuit = QuantumCircuit(QuantumRegister(3, "q"), a, b, [Clbit()])
    for qubit in range(3):
        circuit.ry(0.4 + 0.5 * qubit, qubit)
    measured = 0
    for _ in range(draw(st.integers(4, 14))):
        kind = draw(st.sampled_from(["one", "cx", "measure", "reset", "if", "if", "if"]))
        if kind == "one":
            _one(draw, circuit, range(3))
        elif kind == "cx":
            pair = draw(st.permutations(range(3)))[:2]
            draw(st.sampled_from([circuit.cx, circuit.cz, circuit.swap]))(*pair)
        elif kind == "measure" and measured < 6:
            circuit.measure(draw(st.integers(0, 2)), draw(st.integers(0, 3)))
            measured += 1
        elif kind == "reset":
            circuit.reset(draw(st.integers(0, 2)))
        elif kind == "if":
            _conditional(draw, circuit, depth=0)
    circuit.measure([0, 1, 2], [0, 2, 3])
    return circuit


def _one(draw: st.DrawFn, circuit: QuantumCircuit, qubits: range) -> None:
    name = draw(st.sampled_from(ONE))
    qubit = draw(st.sampled_from(qubits))
    angle = [draw(st.floats(-3, 3))] if name.startswith("r") else []
    getattr(circuit, name)(*angle, qubit)


def _conditional(draw: st.DrawFn, circuit: QuantumCircuit, depth: int) -> None:
    a, b = circuit.cregs
    condition = draw(
        st.sampled_from([(bit, value) for bit in circuit.clbits for value in (0, 1)])
        | st.sampled_from([(a, 0), (a, 1), (a, 2), (a, 3), (b, 0), (b, 1)])
    )
    with circuit.if_test(condition) as otherwise:
        _body(draw, circuit, depth)
    if draw(st.booleans()):
        with otherwise:
            _body(draw, circuit, depth)


def _body(draw: st.DrawFn, circuit: QuantumCircuit, depth: int) -> None:
    for _ in range(draw(st.integers(1, 2))):
        _one(draw, circuit, range(3))
    if depth < 1 and draw(st.booleans()):
        _conditional(draw, circuit, depth + 1)


@pytest.mark.parametrize("alias", MACHINES)
@pytest.mark.parametrize("level", [0, 1, 2, 3])
@settings(max_examples=25)
@given(circuit=circuits())
def test_native_circuits_follow_the_same_branches(
    alias: str, level: int, circuit: QuantumCircuit
) -> None:
    machine = MACHINES[alias]
    note(str(circuit.draw("text", fold=-1)))
    native = transpile(circuit, machine, {"optimization_level": level})
    note(str(native))
    assert violations(native, machine) == []
    expected = outcomes_of_circuit(circuit)
    found = outcomes_of_native(native)
    assert distance(_in_order(circuit, expected), found) < 1e-6
    ideal = branched_distribution(without_moves(Native.of(native)))
    assert isinstance(ideal, Dense)
    shown = ideal.ideal(set(), 1).probabilities
    assert distance({_text(native, bits): p for bits, p in found.items()}, shown) < 1e-9


def _text(native: NativeCircuit, bits: tuple[int, ...]) -> str:
    """A bitstring as Qiskit prints it."""
    parts, low = [], 0
    for _, size in native.registers:
        parts.append("".join(map(str, bits[low : low + size]))[::-1])
        low += size
    return " ".join(reversed(parts))


def _in_order(circuit: QuantumCircuit, found: dict[Any, float]) -> dict[Any, float]:
    """Bits by registers, the loose one last, as native circuits count them."""
    order = [circuit.find_bit(bit).index for register in circuit.cregs for bit in register]
    order += [i for i in range(circuit.num_clbits) if i not in order]
    return {tuple(bits[i] for i in order): p for bits, p in found.items()}
