"""Drawing outcomes and writing them as bitstrings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iqm_spec.stages.aer.sampling import Bits, draw_bits, draw_outcomes, integers_of_bits


def test_draws_are_of_the_seed_alone_and_never_move() -> None:
    """These numbers are a promise: they follow from PCG64's stream, which numpy keeps for good."""
    first_bits = [raw >> 62 for raw in np.random.PCG64(7).random_raw(1000).tolist()]
    expected = {0: first_bits.count(0) + first_bits.count(1), 1: first_bits.count(2)}
    assert draw_outcomes(np.array([0.5, 0.25, 0.25]), 1000, 7) == {
        **expected,
        2: first_bits.count(3),
    }
    assert expected == {0: 502, 1: 245}


def test_the_last_bits_of_probabilities_move_no_draw() -> None:
    p = np.random.default_rng(1).exponential(size=200)
    p /= p.sum()
    noise = np.random.default_rng(2).normal(size=200) * 1e-16
    assert draw_outcomes(p, 100_000, 5) == draw_outcomes(p + noise, 100_000, 5)


def test_impossible_outcomes_are_never_drawn() -> None:
    p = np.array([0.0, 0.5, 0.0, 1e-14, 0.5, -1e-17])
    assert set(draw_outcomes(p, 10_000, 3)) == {1, 4}


def test_more_draws_than_are_made_at_once() -> None:
    drawn = draw_outcomes(np.array([0.3, 0.7]), 2_500_000, 11)
    assert sum(drawn.values()) == 2_500_000
    assert drawn[0] == pytest.approx(750_000, abs=5 * 725)


def test_draws_follow_the_distribution() -> None:
    p = np.array([0.1, 0.2, 0.3, 0.4])
    drawn = draw_outcomes(p, 100_000, 13)
    squares = sum((drawn[i] - 1e5 * p[i]) ** 2 / (1e5 * p[i]) for i in range(4))
    assert squares < 16.3  # chi-square, 3 degrees of freedom, p = 0.001


@pytest.mark.parametrize("columns", [0, 1, 64, 65, 130])
def test_fair_bits(columns: int) -> None:
    rows = draw_bits(columns, 2000, 17)
    assert rows.shape == (2000, columns)
    assert np.all(np.abs(rows.mean(0) - 0.5) < 5 * 0.5 / np.sqrt(2000))


@given(
    sizes=st.lists(st.integers(0, 4), min_size=1, max_size=4).filter(any),
    data=st.data(),
)
@settings(deadline=None, max_examples=50)
def test_bitstrings_are_read_back(sizes: list[int], data: st.DataObject) -> None:
    total = sum(sizes)
    clbits = data.draw(st.lists(st.integers(0, total - 1), unique=True).map(sorted))
    outcome = data.draw(st.integers(0, 2 ** len(clbits) - 1))
    bits = Bits(tuple((f"c{i}", size) for i, size in enumerate(sizes)), tuple(clbits))
    (text,) = bits.strings([outcome])
    assert bits.outcome(text) == outcome
    assert [len(part) for part in text.split(" ")] == [size for size in reversed(sizes) if size]


def test_the_last_register_is_printed_first() -> None:
    bits = Bits((("a", 2), ("b", 3)), (0, 4))
    assert bits.strings([0b01, 0b10]) == ["000 01", "100 00"]


def test_rows_of_bits_become_integers() -> None:
    assert integers_of_bits([[1, 0, 1], [0, 0, 0], [0, 1, 1]]) == [5, 0, 6]
