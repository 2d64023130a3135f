"""Circuits that share a routing: each is the same as if it had been transpiled by itself."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
from exact import distance, distribution
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from test_transpile_properties import native, programs

from iqm_spec.native import Native
from iqm_spec.targets import architecture
from iqm_spec.transpile import to_qiskit, transpile, violations
from iqm_spec.transpile.family import family_of
from iqm_spec.transpile.fuse import NEGLIGIBLE, fuse, fuse_arrays, tidy, tidy_arrays

QUBITS = 3
A, B = Parameter("a"), Parameter("b")
wire = st.integers(0, QUBITS - 1)
wires = st.permutations(range(QUBITS)).map(lambda order: tuple(order[:2]))
angle = st.sampled_from([A, B, 2 * A, A - B, B / 2 + 0.3, 0.7, pi / 2])
gates = st.one_of(
    st.tuples(st.sampled_from(["rx", "ry", "rz", "p"]), angle, wire.map(lambda q: (q,))),
    st.tuples(st.sampled_from(["rzz", "cp", "crx"]), angle, wires),
    st.tuples(st.sampled_from(["cz", "cx", "swap", "barrier"]), st.none(), wires),
    st.tuples(st.sampled_from(["h", "sx"]), st.none(), wire.map(lambda q: (q,))),
)
generic = st.floats(-6, 6).map(lambda value: round(value, 3) + 0.000123)
"""Of the size that experiments sweep; `serves` leaves out what is near a multiple of pi/4."""


def built(steps: list[tuple[str, object, tuple[int, ...]]]) -> QuantumCircuit:
    circuit = QuantumCircuit(QUBITS, QUBITS)
    for name, theta, qubits in steps:
        getattr(circuit, name)(*([] if theta is None else [theta]), *qubits)
    circuit.measure(range(QUBITS), range(QUBITS))
    return circuit


@pytest.mark.slow
@given(
    st.lists(gates, min_size=1, max_size=12),
    st.lists(st.tuples(generic, generic), min_size=1, max_size=4, unique=True),
    st.sampled_from(["garnet", "deneb"]),
    st.integers(0, 3),
)
@settings(max_examples=60)
def test_a_family_makes_what_each_of_its_circuits_would_be_alone(
    steps: list[tuple[str, object, tuple[int, ...]]],
    values: list[tuple[float, float]],
    alias: str,
    level: int,
) -> None:
    circuit, machine = built(steps), architecture(alias)
    free = sorted(circuit.parameters, key=lambda parameter: parameter.name)
    assume(free)
    assume(all(abs(a - b) > 1e-3 for a, b in values))
    options = {"optimization_level": level}
    family = family_of(circuit, free, machine, options, None)
    assume(family)
    assert family
    rows = np.array([[{"a": a, "b": b}[p.name] for p in free] for a, b in values])
    made = family.natives(rows[family.serves(rows)])
    for one, row in zip(made, rows[family.serves(rows)].tolist(), strict=True):
        bound = circuit.assign_parameters(dict(zip(free, row, strict=True)))
        ours, own = one.circuit(), transpile(bound, machine, options)
        assert violations(ours, machine) == []
        entangling = [sum(c.counts().get(n, 0) for n in ("cz", "move")) for c in (ours, own)]
        assert entangling[0] <= entangling[1]
        # joining blocks by number, Qiskit happens to find a trivial gate at some values
        assert ours.counts().get("r", 0) <= own.counts().get("r", 0) + entangling[0]
        assert distance(distribution(bound), distribution(to_qiskit(ours))) < 1e-9
        assert family.natives(np.array([row])) == [one]
        assert one.digest == ours.digest


@given(st.lists(programs, min_size=1, max_size=1), st.integers(1, 4), st.randoms())
@settings(max_examples=60)
def test_arrays_are_fused_like_numbers(given_ops: list, size: int, random: object) -> None:
    """The same instructions and, to rounding, the same angles as one circuit after the other."""
    whole = native(given_ops[0])
    turns = [op for op in whole.ops if op.name == "r"]
    columns = iter(range(2 * len(turns)))
    marked = [
        type(op)(op.name, op.qubits, (float(next(columns)), float(next(columns))))
        if op.name == "r"
        else op
        for op in whole.ops
    ]
    first = np.array([angle for op in turns for angle in op.params])
    table = np.stack([first * (i + 1) for i in range(size)])
    fused, thetas, phis = fuse_arrays(marked, table)
    for row in range(size):
        values = iter(table[row].tolist())
        alone = fuse(
            type(op)(op.name, op.qubits, (next(values), next(values))) if op.name == "r" else op
            for op in whole.ops
        )
        together = [
            op for op in fused if op.name != "r" or thetas[row, int(op.params[0])] > NEGLIGIBLE
        ]
        assert [(op.name, op.qubits) for op in together] == [(op.name, op.qubits) for op in alone]
        for ours, theirs in zip(together, alone, strict=True):
            if ours.name == "r":
                column = int(ours.params[0])
                pair = np.array([thetas[row, column], phis[row, column]])
                apart = np.array(theirs.params) - tidy_arrays(pair)
                assert np.abs((apart + pi) % (2 * pi) - pi).max() < 1e-9


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=20))
def test_angles_are_tidied_alike(angles: list[float]) -> None:
    assert tidy_arrays(np.array(angles)).tolist() == pytest.approx(
        [tidy(one) for one in angles], abs=2e-12
    )


def test_special_angles_are_left_to_a_circuit_of_their_own() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h([0, 1])
    circuit.rzz(2 * A, 0, 1)
    circuit.h([0, 1])
    circuit.measure([0, 1], [0, 1])
    family = family_of(circuit, [A], architecture("garnet"), {}, None)
    assert family
    values = np.array([[0.0], [0.1], [pi / 8], [pi / 4], [1.0], [1e5], [-pi / 2 + 1e-12]])
    assert family.serves(values).tolist() == [False, True, False, False, True, False, False]
    assert transpile(circuit.assign_parameters([0.0]), architecture("garnet")).counts()["measure"]


@pytest.mark.parametrize("what", ["curved", "merged", "too wide", "reset"])
def test_where_there_is_no_family(what: str) -> None:
    """Angles that are not linear, blocks that Qiskit merges by number, and what cannot be done."""
    circuit = QuantumCircuit(21 if what == "too wide" else 2, 2)
    circuit.rx(A * A if what == "curved" else A, 0)
    circuit.cx(0, 1)
    if what == "merged":
        circuit.ry(A, 1)
        circuit.ry(-A, 1)
        circuit.cx(0, 1)
    if what == "reset":
        circuit.reset(0)
    circuit.measure([0, 1], [0, 1])
    assert family_of(circuit, [A], architecture("garnet"), {}, None) is None


def test_a_family_knows_that_gates_fall_away_at_some_values() -> None:
    """Rotations that cancel at one value of the parameter are not played there."""
    circuit = QuantumCircuit(1, 1)
    circuit.rx(A, 0)
    circuit.rx(-0.5, 0)
    circuit.measure(0, 0)
    family = family_of(circuit, [A], architecture("garnet"), {}, None)
    assert family
    full, none = family.natives(np.array([[0.3], [0.5]]))
    assert full.circuit().counts() == {"measure": 1, "r": 1}
    assert none.circuit().counts() == {"measure": 1}
    own = transpile(circuit.assign_parameters([0.3]), architecture("garnet"))
    assert Native.of(own).template == full.template
