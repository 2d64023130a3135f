"""Random small circuits: what is transpiled does the same, in no more gates than it has runs."""

from __future__ import annotations

import pytest
from exact import distance, distribution
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import architecture
from iqm_spec.transpile import to_qiskit, transpile, violations
from iqm_spec.transpile.fuse import fuse
from iqm_spec.transpile.moves import insert_moves

QUBITS = 3
angles = st.one_of(
    # from level 1 on Qiskit itself leaves out rotations of less than about 1e-6 radians
    st.floats(-7, 7, allow_nan=False).map(lambda angle: round(angle, 5)),
    st.sampled_from([k * 0.7853981633974483 for k in range(-9, 10)]),
)
wire = st.integers(0, QUBITS - 1)
wires = st.permutations(range(QUBITS)).map(lambda order: tuple(order[:2]))
natives = st.one_of(
    st.builds(lambda q, theta, phi: Op("r", (q,), (theta, phi)), wire, angles, angles),
    st.builds(lambda pair: Op("cz", pair), wires),
    st.builds(lambda pair: Op("barrier", pair), wires),
    st.builds(lambda q: Op("measure", (q,), (), (q,)), wire),
)
programs = st.lists(natives, max_size=24)


def native(ops: list[Op]) -> NativeCircuit:
    """`ops`, turned so that phases show, and measured."""
    turns = [Op("r", (q,), (1.1, 0.4 * q)) for q in range(QUBITS)]
    reads = [Op("measure", (q,), (), (QUBITS + q,)) for q in range(QUBITS)]
    names = tuple(f"QB{i + 1}" for i in range(QUBITS))
    return NativeCircuit(names, (("c", 2 * QUBITS),), (*ops, *turns, *reads))


def runs(ops: tuple[Op, ...]) -> int:
    """Number of stretches of single-qubit gates with nothing else on their qubit between."""
    found, playing = 0, set[int]()
    for op in ops:
        if op.name == "r":
            found += op.qubits[0] not in playing
            playing.add(op.qubits[0])
        else:
            playing -= set(op.qubits)
    return found


@given(programs)
@settings(max_examples=150)
def test_fusion_keeps_the_distribution_in_at_most_one_gate_a_run(ops: list[Op]) -> None:
    before = native(ops)
    after = NativeCircuit(before.components, before.registers, tuple(fuse(before.ops)))
    assert after.counts().get("r", 0) <= runs(before.ops)
    assert [op for op in after.ops if op.name != "r"] == [op for op in before.ops if op.name != "r"]
    assert distance(distribution(to_qiskit(before)), distribution(to_qiskit(after))) < 1e-9
    assert fuse(after.ops) == list(after.ops)


@given(programs)
@settings(max_examples=100)
def test_moves_keep_the_distribution(ops: list[Op]) -> None:
    deneb, before = architecture("deneb"), native(ops)
    moved = tuple(insert_moves(before.ops, deneb))
    after = NativeCircuit(deneb.components, before.registers, moved)
    assert violations(after, deneb) == []
    assert distance(distribution(to_qiskit(before)), distribution(to_qiskit(after))) < 1e-9


@pytest.mark.slow
@given(programs, st.sampled_from(["garnet", "deneb"]), st.integers(0, 3), st.integers(0, 3))
@settings(max_examples=100)
def test_transpiling_keeps_the_distribution(
    ops: list[Op], alias: str, level: int, seed: int
) -> None:
    circuit: QuantumCircuit = to_qiskit(native(ops))
    made = transpile(circuit, architecture(alias), {"optimization_level": level, "seed": seed})
    assert violations(made, architecture(alias)) == []
    assert distance(distribution(circuit), distribution(to_qiskit(made))) < 1e-9
