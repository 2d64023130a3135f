"""Two samples: alike ones are called alike as often as promised, unlike ones are found."""

from __future__ import annotations

import numpy as np
import pytest

from iqm_spec.statistics.significance import compare_counts, holm

SEED = 20260101


def drawn(rng: np.random.Generator, p: list[float], shots: int) -> dict[str, int]:
    found = rng.multinomial(shots, p)
    return {f"{i:03b}": int(n) for i, n in enumerate(found) if n}


@pytest.mark.parametrize("shots", [(1000, 1000), (200, 5000)])
@pytest.mark.parametrize(
    "p", [[0.5, 0.5], [0.25] * 4, [0.45, 0.45, 0.05, 0.03, 0.02], [0.97] + [0.005] * 6]
)
@pytest.mark.slow
def test_alike_samples_are_seldom_called_different(p: list[float], shots: tuple[int, int]) -> None:
    rng = np.random.default_rng(SEED)
    values = [
        compare_counts(drawn(rng, p, shots[0]), drawn(rng, p, shots[1])).p_value for _ in range(400)
    ]
    # a test's promise: at most 5 % below 0.05 (with room for 400 repetitions)
    assert np.mean(np.array(values) < 0.05) < 0.09, f"seed {SEED}"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"0": 500, "1": 500}, {"0": 600, "1": 400}),
        ({"00": 96, "11": 94, "01": 6, "10": 4}, {"00": 2500, "11": 2500}),
        ({"0": 1000}, {"1": 1000}),
    ],
)
def test_unlike_samples_are_found(left: dict[str, int], right: dict[str, int]) -> None:
    assert compare_counts(left, right).p_value < 1e-4
    assert compare_counts(right, left).p_value < 1e-4


def test_distance() -> None:
    assert compare_counts({"0": 1}, {"1": 5}).total_variation_distance == 1
    assert compare_counts({"0": 3, "1": 1}, {"0": 2, "1": 2}).total_variation_distance == 0.25
    assert compare_counts({}, {"0": 1}).p_value == 1


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
