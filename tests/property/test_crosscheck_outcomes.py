"""State vectors and stabilizers beside a simulator that follows every branch."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from iqm_spec.crosscheck import stabilizer
from iqm_spec.crosscheck.library import qelib1
from iqm_spec.crosscheck.program import (
    BitTest,
    Conditional,
    DeferredProgram,
    Measure,
    NotReadable,
    Program,
    ProgramStep,
    Reset,
    Unitary,
    apply_in_place,
    apply_matrix,
    defer_measurements,
)
from iqm_spec.crosscheck.state_vector import distribution
from tests.branching import distance, outcomes_of

pytestmark = pytest.mark.slow

QUBITS, BITS = 3, 3
CLIFFORD = ("x", "y", "z", "h", "s", "sdg", "sx", "cx", "cz", "cy", "swap")
ANY = (*CLIFFORD, "t", "ry", "cp", "ch", "u3", "ccx")


def unitary(random: Random, names: tuple[str, ...]) -> Unitary:
    gate = qelib1()[random.choice(names)]
    angles = [random.choice([0.3, 1.1, -2.0]) for _ in range(gate.angles)]
    return Unitary(gate.matrix(*angles), tuple(random.sample(range(QUBITS), gate.qubits)))


def condition(random: Random) -> BitTest:
    bits = random.sample(range(BITS), random.randint(1, 2))
    value = random.randrange(1 << len(bits))
    return BitTest(
        frozenset(bits),
        lambda state: sum((state >> bit & 1) << i for i, bit in enumerate(bits)) == value,
    )


def steps(random: Random, names: tuple[str, ...], count: int, depth: int) -> list[ProgramStep]:
    found: list[ProgramStep] = []
    for _ in range(count):
        kind = random.random()
        if kind < 0.6:
            found.append(unitary(random, names))
        elif kind < 0.75:
            found.append(Measure(random.randrange(QUBITS), random.randrange(BITS)))
        elif kind < 0.85:
            found.append(Reset(random.randrange(QUBITS)))
        elif depth:
            then = tuple(steps(random, names, 2, depth - 1))
            otherwise = tuple(steps(random, names, 1, depth - 1)) if random.random() < 0.4 else ()
            found.append(Conditional(condition(random), then, otherwise))
    return found


def dynamic(random: Random, names: tuple[str, ...], depth: int = 2) -> Program:
    end = [Measure(qubit, qubit) for qubit in range(QUBITS) if random.random() < 0.7]
    return Program((("c", BITS),), (*steps(random, names, 9, depth), *end))


def as_outcomes(whole: DeferredProgram) -> dict[int, float]:
    found = distribution(whole.gates, whole.reading).over(range(BITS))
    return {number: float(chance) for number, chance in enumerate(found) if chance > 1e-12}


def uniform(affine: stabilizer.OutcomeEquations) -> dict[int, float]:
    every = stabilizer.widened(affine, frozenset(range(BITS)))
    allowed = [
        outcome
        for outcome in range(1 << BITS)
        if all((outcome & mask).bit_count() % 2 == value for mask, value in every.rows.values())
    ]
    assert len(allowed) == 1 << every.free
    return dict.fromkeys(allowed, 1 / len(allowed))


@settings(max_examples=150, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_state_vectors(random: Random) -> None:
    program = dynamic(random, ANY)
    try:
        whole = defer_measurements(program)
    except NotReadable:
        assume(False)
    wires = {wire for gate in whole.gates for wire in gate.qubits}
    assume(len(wires) <= 14)
    assert distance(as_outcomes(whole), outcomes_of(program)) < 1e-9


@settings(max_examples=150, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_stabilizers(random: Random) -> None:
    program = dynamic(random, CLIFFORD, depth=0)
    whole = defer_measurements(program)
    found = stabilizer.outcomes(whole.gates, whole.reading)
    assert distance(uniform(found), outcomes_of(program)) < 1e-9


@settings(max_examples=100, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_distances_and_examples_of_stabilizers(random: Random) -> None:
    one, other = (
        stabilizer.widened(
            stabilizer.outcomes(
                (whole := defer_measurements(dynamic(random, CLIFFORD, 0))).gates, whole.reading
            ),
            frozenset(range(BITS)),
        )
        for _ in range(2)
    )
    first, second = uniform(one), uniform(other)
    assert stabilizer.distance(one, other) == pytest.approx(distance(first, second))
    example = stabilizer.example(one, other)
    assert (example is None) == (set(first) <= set(second))
    assert example is None or (example in first and example not in second)


def test_a_paulis_phase_is_kept_through_wide_sums() -> None:
    rows = [((1 << 3) | 1, 1), (1 << 3, 0), (0b110, 1)]
    assert stabilizer.reduced(rows) == {0: (1, 1), 2: (0b110, 1), 3: (8, 0)}
    assert stabilizer.reduced([(1, 0), (1, 1)]) is None


def test_a_gate_that_is_almost_clifford_is_none() -> None:
    gate = Unitary(qelib1()["ry"].matrix(np.pi / 2 + 1e-4), (0,))
    with pytest.raises(NotReadable, match="Clifford"):
        stabilizer.outcomes([gate], {0: 0})


@pytest.mark.parametrize("seed", range(4))
def test_large_states_are_evolved_as_small_ones_are(seed: int) -> None:
    random, width = Random(seed), 12
    state = np.random.default_rng(seed).normal(size=(1 << width, 2)) @ np.array([1, 1j])
    for _ in range(12):
        gate = qelib1()[random.choice([*ANY, "cswap", "rxx"])]
        matrix = gate.matrix(*[0.3, 1.1, -2.0][: gate.angles])
        places = random.sample(range(width), gate.qubits)
        expected = apply_matrix(state, matrix, places, width)
        assert np.allclose(apply_in_place(state.copy(), matrix, places, width), expected)
        state = expected
