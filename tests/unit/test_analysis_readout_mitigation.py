"""Readout mitigation against exact inversion, and against what was put in."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec.analysis.expectation import value_of
from iqm_spec.analysis.readout_mitigation import Flip, flip_of, mitigate, nearest_probabilities

FLIPS = (Flip(0.02, 0.05, 0.0, 0.0), Flip(0.01, 0.08, 0.0, 0.0), Flip(0.0, 0.03, 0.0, 0.0))
ALL = ["".join(bits) for bits in product("01", repeat=3)]


def assignment(flips: tuple[Flip, ...]) -> np.ndarray:
    """The whole matrix, bit by bit from the left."""
    whole = np.eye(1)
    for flip in flips:
        whole = np.kron(whole, [[1 - flip.up, flip.down], [flip.up, 1 - flip.down]])
    return whole


def counts_of(probabilities: np.ndarray, shots: int = 10**7) -> dict[str, int]:
    return {bits: round(shots * p) for bits, p in zip(ALL, probabilities, strict=True)}


@pytest.mark.parametrize("seed", range(4))
def test_where_everything_was_seen_it_is_exact_inversion(seed: int) -> None:
    true = np.random.default_rng(seed).dirichlet(np.ones(8))
    counts = counts_of(assignment(FLIPS) @ true)
    found = mitigate(counts, FLIPS).quasi()
    assert list(found.values()) == pytest.approx(true, abs=1e-6)
    wanted = np.linalg.solve(assignment(FLIPS), np.array(list(counts.values())) / 1e7)
    assert list(found.values()) == pytest.approx(wanted, abs=1e-6)


def test_on_the_outcomes_seen_a_ghz_state_is_found_again() -> None:
    true = np.zeros(8)
    true[[0, 7]] = 0.5
    counts = counts_of(assignment(FLIPS) @ true, 2000)
    seen = {bits: count for bits, count in counts.items() if count}
    found = mitigate(seen, FLIPS)
    quasi = found.quasi()
    assert sum(quasi.values()) == pytest.approx(1)
    assert quasi["000"] == pytest.approx(0.5, abs=0.01)
    assert quasi["111"] == pytest.approx(0.5, abs=0.01)
    raw = sum(n * value_of(bits, {"ZZI": 1.0}) for bits, n in seen.items()) / sum(seen.values())
    mean = found.mean(lambda bits: value_of(bits, {"ZZI": 1.0}))
    assert raw < 0.9 < mean.value
    assert mean.value == pytest.approx(1, abs=0.02)


def test_the_error_is_the_scatter_of_shots_and_calibration() -> None:
    print("seed 5")
    draw = np.random.default_rng(5)
    true = np.array([0.4, 0.05, 0.05, 0.1, 0.1, 0.05, 0.05, 0.2])
    noisy = assignment(FLIPS) @ true
    shots = 1000
    values, errors = [], []
    for _ in range(200):
        flips = tuple(
            flip_of(
                int(draw.binomial(shots, flip.up)),
                shots,
                int(draw.binomial(shots, flip.down)),
                shots,
            )
            for flip in FLIPS
        )
        counts = dict(zip(ALL, map(int, draw.multinomial(shots, noisy)), strict=True))
        mean = mitigate(counts, flips).mean(lambda bits: value_of(bits, {"ZZZ": 1.0}))
        values.append(mean.value)
        errors.append(mean.error)
    wanted = sum(p * value_of(bits, {"ZZZ": 1.0}) for bits, p in zip(ALL, true, strict=True))
    assert np.mean(values) == pytest.approx(wanted, abs=0.02)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.2)


def test_too_many_outcomes_are_refused() -> None:
    counts = {format(k, "013b"): 1 for k in range(5000)}
    with pytest.raises(ValueError, match="5,000 different outcomes"):
        mitigate(counts, [Flip(0.01, 0.01, 0.0, 0.0)] * 13)


@given(st.lists(st.floats(-0.3, 1), min_size=2, max_size=12))
def test_the_nearest_probabilities(values: list[float]) -> None:
    quasi = {str(i): value + (1 - sum(values)) / len(values) for i, value in enumerate(values)}
    found = nearest_probabilities(quasi)
    assert list(found) == list(quasi)
    assert min(found.values()) >= 0
    assert sum(found.values()) == pytest.approx(1)
    # the projection on the simplex: a common shift, cut off at zero
    shifts = {round(quasi[key] - p, 9) for key, p in found.items() if p > 0}
    assert len(shifts) == 1
    assert all(quasi[key] <= next(iter(shifts)) + 1e-9 for key, p in found.items() if p == 0)
