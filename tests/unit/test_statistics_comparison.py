"""Distances and their errors, against Qiskit's definition and against repeated sampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import hellinger_fidelity

from iqm_spec.statistics.comparison import compare, perfect_device

SEED = 20_260_101
RNG = np.random.default_rng(SEED)
EXPONENTIAL = RNG.exponential(size=1024)
MANY = RNG.exponential(size=4096)

DISTRIBUTIONS = {
    "certain": np.array([1.0]),
    "ghz": np.array([0.5, 0.5]),
    "rare": np.array([0.999, 0.001]),
    "three": np.array([0.7, 0.2, 0.1]),
    "even": np.full(32, 1 / 32),
    "random": EXPONENTIAL / EXPONENTIAL.sum(),
    "wide": np.full(4096, 1 / 4096),
    "binned": MANY / MANY.sum(),
}


def bitstrings(size: int) -> list[str]:
    return [format(i, "013b") for i in range(size)]


@pytest.mark.slow
@pytest.mark.parametrize("shots", [10, 1000, 20_000])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_perfect_device_is_what_sampling_shows(name: str, shots: int) -> None:
    p = DISTRIBUTIONS[name]
    repeats = 1500
    q = np.random.default_rng(SEED).multinomial(shots, p, size=repeats) / shots
    fidelity = np.sqrt(q * p).sum(1) ** 2
    distance = np.abs(q - p).sum(1) / 2
    told = perfect_device(p, shots)
    within = 5 / np.sqrt(repeats)
    assert told.hellinger_fidelity == pytest.approx(
        fidelity.mean(), abs=within * fidelity.std() + 1e-4
    )
    assert told.total_variation_distance == pytest.approx(
        distance.mean(), abs=within * distance.std() + 1e-4
    )
    if name != "certain" and shots > 10:  # at 10 shots both spreads hang on a few rare repeats
        assert told.hellinger_fidelity_spread == pytest.approx(fidelity.std(), rel=0.15)
        assert told.total_variation_distance_spread == pytest.approx(distance.std(), rel=0.15)


def test_a_certain_outcome_leaves_nothing_to_chance() -> None:
    told = perfect_device(np.array([1.0]), 1000)
    assert told.hellinger_fidelity == pytest.approx(1.0, abs=1e-12)
    assert told.hellinger_fidelity_spread == 0.0
    assert told.total_variation_distance == pytest.approx(0.0, abs=1e-12)


def test_ten_random_qubits_at_a_thousand_shots_reach_about_0_69() -> None:
    """Fidelity of a perfect device on Porter-Thomas outcomes."""
    assert perfect_device(DISTRIBUTIONS["random"], 1000).hellinger_fidelity == pytest.approx(
        0.69, abs=0.02
    )


def test_many_alike_outcomes_count_as_often_as_they_are_there() -> None:
    one_by_one = perfect_device(np.full(256, 1 / 256), 500)
    together = perfect_device(np.array([1 / 256]), 500, np.array([256.0]))
    assert together == one_by_one
    vast = perfect_device(np.array([2.0**-40]), 500, np.array([2.0**40]))
    assert vast.hellinger_fidelity == pytest.approx(500 * 2.0**-40, rel=1e-3)
    assert vast.total_variation_distance == pytest.approx(1.0, abs=1e-6)


@pytest.mark.slow
@given(
    st.lists(st.integers(0, 200), min_size=2, max_size=8).filter(any),
    st.lists(st.floats(0.001, 1), min_size=8, max_size=8),
)
@settings(deadline=None, max_examples=60)
def test_the_fidelity_is_qiskits(numbers: list[int], weights: list[float]) -> None:
    p = np.array(weights) / sum(weights)
    ideal = dict(zip(bitstrings(8), p.tolist(), strict=True))
    counts = dict(zip(bitstrings(8), numbers, strict=False))
    told = compare(counts, ideal, complete=True)
    expected = hellinger_fidelity({k: v for k, v in counts.items() if v}, ideal)
    assert told.hellinger_fidelity == pytest.approx(expected, abs=1e-9)
    seen = {bits: ideal[bits] for bits, count in counts.items() if count}
    partial = compare(counts, seen, complete=False)
    assert partial.hellinger_fidelity == told.hellinger_fidelity
    assert partial.total_variation_distance == pytest.approx(told.total_variation_distance)
    assert partial.perfect_hellinger_fidelity is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ghz", "three", "even", "random"])
@pytest.mark.parametrize("mixed", [0.0, 0.1, 0.5])
def test_error_bars_cover_the_scatter(name: str, mixed: float) -> None:
    """One error bar holds over 60 % of repetitions, two over 90 %; no bar is far too wide."""
    p = DISTRIBUTIONS[name]
    true = (1 - mixed) * p + mixed / p.size
    true = true if name != "ghz" else np.array([0.5 + 0.4 * mixed, 0.5 - 0.4 * mixed])
    repeats = 120 if p.size > 100 else 400
    draws = np.random.default_rng(SEED).multinomial(1000, true, size=repeats)
    keys = bitstrings(p.size)
    ideal = dict(zip(keys, p.tolist(), strict=True))
    told = [compare(dict(zip(keys, x.tolist(), strict=True)), ideal, False) for x in draws]
    for value, error in (
        ("hellinger_fidelity", "hellinger_fidelity_error"),
        ("total_variation_distance", "total_variation_distance_error"),
    ):
        values = np.array([getattr(one, value) for one in told])
        errors = np.array([getattr(one, error) for one in told])
        away = np.abs(values - values.mean())
        assert np.mean(away <= errors) > 0.60
        assert np.mean(away <= 2 * errors) > 0.90
        assert errors.mean() < 2.2 * values.std()


@pytest.mark.parametrize(
    ("counts", "ideal"),
    [({}, {}), ({"0": 0}, {"0": 1.0}), ({"0": -1, "1": 2}, {"0": 1.0}), ({"0": 1}, {"0": 1.1})],
)
def test_what_cannot_be_compared_is_refused(
    counts: dict[str, int], ideal: dict[str, float]
) -> None:
    with pytest.raises(ValueError):
        compare(counts, ideal, complete=False)


def test_an_impossible_outcome_costs_fidelity() -> None:
    told = compare({"0": 50, "1": 50}, {"0": 1.0}, complete=True)
    assert told.hellinger_fidelity == pytest.approx(0.5)
    assert told.total_variation_distance == pytest.approx(0.5)
    assert told.to_json()["perfect_hellinger_fidelity"] == pytest.approx(1.0)
