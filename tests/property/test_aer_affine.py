"""Clifford circuits by their tableau against the same circuits by a state vector."""

from __future__ import annotations

from math import pi

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.native import Native
from iqm_spec.stages.aer import AerTask, Setup, simulate
from iqm_spec.stages.aer.distributions import affine_distribution, dense_distributions

WIDTH = 5


@st.composite
def clifford_circuits(draw: st.DrawFn) -> NativeCircuit:
    """Random r, cz and move gates on five components, some measured into some of six bits."""
    wires = st.integers(0, WIDTH - 1)
    turn = st.builds(
        lambda q, k, j: Op("r", (q,), (k * pi / 2, j * pi / 2)),
        *(wires, st.integers(-4, 4), st.integers(-4, 4)),
    )
    half_turn = st.builds(lambda q, j: Op("r", (q,), (pi, j * pi / 4)), wires, st.integers(0, 7))
    pair = st.lists(wires, min_size=2, max_size=2, unique=True).map(tuple)
    two = st.builds(Op, st.sampled_from(["cz", "cz", "move"]), pair)
    gates = draw(st.lists(st.one_of(turn, turn, half_turn, two), max_size=25))
    measured = draw(st.lists(wires, unique=True))
    bits = draw(st.permutations(range(6)))
    ops = [Op("measure", (q,), (), (bit,)) for q, bit in zip(measured, bits, strict=False)]
    names = tuple(f"Q{i}" for i in range(WIDTH))
    return NativeCircuit(names, (("a", 2), ("b", 4)), (*gates, *ops))


@given(clifford_circuits())
@settings(deadline=None, max_examples=120)
@pytest.mark.slow
def test_the_tableau_gives_the_statevectors_distribution(circuit: NativeCircuit) -> None:
    (dense,) = dense_distributions([Native.of(circuit)], "statevector", "CPU")
    space = affine_distribution(Native.of(circuit), "CPU")
    expected = dense.ideal((), 100)
    told = space.ideal((), 100)
    assert told.complete
    assert told.probabilities == pytest.approx(dict(expected.probabilities))
    assert set(space.sample(200, 1)) <= set(expected.probabilities)


@given(clifford_circuits(), st.integers(0, 2**60))
@settings(deadline=None, max_examples=25)
def test_asked_for_methods_see_only_what_is_possible(circuit: NativeCircuit, seed: int) -> None:
    for method in ("stabilizer", "statevector", "density_matrix", "matrix_product_state"):
        (told,) = simulate([AerTask("k", circuit, 50, seed)], Setup(method=method))
        assert told.method == method
        assert told.ideal
        assert all(told.ideal.probabilities.get(bits, 0) > 0 for bits in told.counts)
        assert sum(told.counts.values()) == 50
