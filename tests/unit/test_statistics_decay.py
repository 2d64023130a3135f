"""Fits of decays: known times come back, errors are what they say, and what cannot be is said."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, exp, pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iqm_spec.statistics.decay import Decay, NoDecay, fit_decay, fit_fringes

SHORT = [1.5e-6 * k for k in range(41)]
LONG = [5e-6 * k for k in range(21)]


def exponential(t: float, time: float, amplitude: float = 0.93, offset: float = 0.03) -> float:
    return offset + amplitude * exp(-t / time)


def fringes(t: float, time: float, frequency: float) -> float:
    return 0.5 + 0.46 * exp(-t / time) * cos(2 * pi * frequency * t + 0.2)


def shared_out(probabilities: Sequence[float], shots: int) -> list[int]:
    return [round(shots * p) for p in probabilities]


def drawn(probabilities: Sequence[float], shots: int, seed: int) -> list[int]:
    return [int(n) for n in np.random.default_rng(seed).binomial(shots, probabilities)]


@pytest.mark.parametrize("time", [4e-6, 15e-6, 37e-6, 80e-6])
@pytest.mark.parametrize(("amplitude", "offset"), [(0.93, 0.03), (0.5, 0.5), (-0.47, 0.52)])
def test_a_decay_comes_back(time: float, amplitude: float, offset: float) -> None:
    hits = shared_out([exponential(t, time, amplitude, offset) for t in LONG], 10**8)
    fit = fit_decay(LONG, hits, [10**8] * len(LONG))
    assert isinstance(fit, Decay)
    assert fit.time.value == pytest.approx(time, rel=1e-3)
    assert fit.amplitude.value == pytest.approx(amplitude, abs=1e-3)
    assert fit.offset.value == pytest.approx(offset, abs=1e-3)
    assert fit.at(20e-6) == pytest.approx(exponential(20e-6, time, amplitude, offset), abs=1e-4)
    assert fit.time.low < fit.time.value < fit.time.high
    assert fit.frequency is None


@pytest.mark.parametrize("time", [4e-6, 15e-6, 40e-6])
@pytest.mark.parametrize("frequency", [6e4, 1.5e5, 3.1e5])
def test_fringes_come_back(time: float, frequency: float) -> None:
    hits = shared_out([fringes(t, time, frequency) for t in SHORT], 10**8)
    fit = fit_fringes(SHORT, hits, [10**8] * len(SHORT))
    assert isinstance(fit, Decay)
    assert fit.frequency is not None
    assert fit.time.value == pytest.approx(time, rel=1e-3)
    assert fit.frequency.value == pytest.approx(frequency, rel=1e-3)
    assert fit.phase == pytest.approx(0.2, abs=1e-2)
    assert fit.at(7e-6) == pytest.approx(fringes(7e-6, time, frequency), abs=1e-4)


def test_delays_need_not_begin_at_zero() -> None:
    """Long after the start a decay is what it was."""
    late = [1e-3 + t for t in SHORT]
    early = drawn([exponential(t, 15e-6) for t in SHORT], 1000, 1)
    waves = drawn([fringes(t, 15e-6, 1.5e5) for t in SHORT], 1000, 1)
    for fit, hits in ((fit_decay, early), (fit_fringes, waves)):
        at_zero, at_late = fit(SHORT, hits, [1000] * 41), fit(late, hits, [1000] * 41)
        assert isinstance(at_zero, Decay)
        assert isinstance(at_late, Decay)
        assert at_late.time.value == pytest.approx(at_zero.time.value, rel=1e-3)
        assert at_late.amplitude.value == pytest.approx(at_zero.amplitude.value, rel=1e-3)
        assert at_late.at(1e-3 + 7e-6) == pytest.approx(at_zero.at(7e-6), abs=1e-4)


def test_equal_delays_are_one_point() -> None:
    hits = drawn([exponential(t, 30e-6) for t in LONG], 500, 1)
    more = drawn([exponential(t, 30e-6) for t in LONG], 300, 2)
    once = fit_decay(LONG, [a + b for a, b in zip(hits, more, strict=True)], [800] * len(LONG))
    twice = fit_decay([*LONG, *LONG], [*hits, *more], [500] * len(LONG) + [300] * len(LONG))
    assert once == twice
    assert isinstance(once, Decay)
    assert once.goodness.degrees == len(LONG) - 3


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(1e-7, 1e7), seed=st.integers(0, 1000), swapped=st.booleans())
def test_units_and_names_of_outcomes_do_not_matter(scale: float, seed: int, swapped: bool) -> None:
    hits = drawn([exponential(t, 30e-6) for t in LONG], 2000, seed)
    fit = fit_decay(LONG, hits, [2000] * len(LONG))
    same = [2000 - n if swapped else n for n in hits]
    scaled = fit_decay([scale * t for t in LONG], same, [2000] * len(LONG))
    assert isinstance(fit, Decay)
    assert isinstance(scaled, Decay)
    for name in ("value", "error", "low", "high"):
        assert getattr(scaled.time, name) == pytest.approx(
            scale * getattr(fit.time, name), rel=1e-3
        )
    assert scaled.goodness.chi_square == pytest.approx(fit.goodness.chi_square, rel=1e-3)


LINE = [1e-6 * k for k in range(31)]

CASES = {
    "T1": ("decay", 37e-6, 1000, LONG),
    "T1 of few shots": ("decay", 37e-6, 100, LONG),
    "T1, logarithmic delays": ("decay", 37e-6, 1000, list(np.geomspace(1e-6, 150e-6, 15))),
    "T1 of a short-lived qubit": ("decay", 12e-6, 1000, LONG),
    "echo": ("echo", 20e-6, 1000, LONG),
    "Ramsey": ("fringes", 9e-6, 1000, LINE),
    "Ramsey of few shots": ("fringes", 9e-6, 200, LINE),
    "Ramsey beyond the delays": ("fringes", 35e-6, 1000, LINE),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_intervals_hold_the_truth_and_estimates_are_unbiased(case: str) -> None:
    """Over 100 seeds; 90 % intervals from the error of log T, 95 % ones from the profile."""
    kind, time, shots, delays = CASES[case]
    estimates, within_90, within_95 = [], 0, 0
    of_frequency = []
    for seed in range(100):
        if kind == "fringes":
            hits = drawn([fringes(t, time, 2e5) for t in delays], shots, seed)
            fit = fit_fringes(delays, hits, [shots] * len(delays))
        else:
            shape = (0.46, 0.5) if kind == "echo" else (0.93, 0.03)
            hits = drawn([exponential(t, time, *shape) for t in delays], shots, seed)
            fit = fit_decay(delays, hits, [shots] * len(delays))
        assert isinstance(fit, Decay), (seed, fit)
        found = fit.time
        width = exp(1.645 * found.error / found.value)
        within_90 += found.value / width <= time <= found.value * width
        within_95 += found.low <= time <= found.high
        estimates.append(found.value / time)
        if fit.frequency is not None:
            of_frequency.append((fit.frequency.value - 2e5) / fit.frequency.error)
    # binomial deviations of 100 trials at 90 and 95 % are 3 and 2.2 %
    assert 82 <= within_90 <= 97, within_90
    assert 88 <= within_95 <= 100, within_95
    spread = float(np.std(estimates))
    bias = float(np.mean(estimates)) - 1
    # a decay time is skewed by a part of its squared relative error
    assert abs(bias) < 3 * spread / sqrt(100) + 2 * spread**2, (bias, spread)
    if of_frequency:
        assert np.std(of_frequency) == pytest.approx(1, abs=0.25)
        assert abs(np.mean(of_frequency)) < 0.35


def test_errors_are_wider_where_the_points_do_not_follow() -> None:
    """A beat between two states of the machine, which an exponential does not have."""
    probabilities = [exponential(t, 30e-6) + 0.05 * cos(2 * pi * 5e4 * t) for t in LONG]
    fit = fit_decay(LONG, shared_out([min(1.0, p) for p in probabilities], 4000), [4000] * 21)
    assert isinstance(fit, Decay)
    assert fit.goodness.mismatch.startswith("the points do not follow the fitted curve")
    assert fit.widened == pytest.approx(sqrt(fit.goodness.chi_square / fit.goodness.degrees))
    assert fit.widened > 2


def bounds(fit: Decay | NoDecay) -> tuple[str, float | None, float | None]:
    assert isinstance(fit, NoDecay), fit
    return fit.reason, fit.at_least, fit.at_most


def test_too_few_delays() -> None:
    delays = [0.0, 1e-6, 1e-6, 2e-6]
    assert bounds(fit_decay(delays, [90, 80, 81, 70], [100] * 4)) == (
        "the probability is known at 3 delays, and a fit needs 4",
        None,
        None,
    )
    assert bounds(fit_fringes([1e-6], [3], [100]))[0] == (
        "the probability is known at 1 delay, and a fit needs 6"
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_level_far_from_its_end_bounds_the_time_from_below(seed: int) -> None:
    hits = drawn([0.96] * 21, 1000, seed)
    reason, least, most = bounds(fit_decay(LONG, hits, [1000] * 21, ends_at=0.0))
    assert reason == (
        "no decay within the delays: the probability stays the same within its errors; the bound "
        "assumes that it tends to 0 at long delays"
    )
    assert most is None
    assert least is not None
    # a slope of 0.96 / T over 100 us is less than its error, about 0.6 %, times 1.6 or so
    assert 3e-3 < least < 0.1
    assert bounds(fit_decay(LONG, hits, [1000] * 21))[1] is None


@pytest.mark.parametrize("seed", range(5))
def test_a_level_near_its_end_bounds_nothing(seed: int) -> None:
    hits = drawn([0.52] * 21, 1000, seed)
    assert bounds(fit_decay(LONG, hits, [1000] * 21, ends_at=0.5))[1:] == (None, None)


@pytest.mark.parametrize("seed", range(20))
def test_a_decay_that_has_only_begun_has_a_lower_bound(seed: int) -> None:
    time = 600e-6
    hits = drawn([exponential(t, time) for t in LONG], 1000, seed)
    fit = fit_decay(LONG, hits, [1000] * 21, ends_at=0.0)
    reason, least, _ = bounds(fit)
    assert "the delays end before the decay does" in reason
    assert least is not None
    assert 10e-6 < least < time


@pytest.mark.parametrize("kind", ["decay", "fringes"])
@pytest.mark.parametrize("seed", range(5))
def test_a_decay_that_is_over_has_an_upper_bound(seed: int, kind: str) -> None:
    time = 1e-7
    if kind == "decay":
        hits = drawn([exponential(t, time) for t in LONG], 1000, seed)
        reason, _, most = bounds(fit_decay(LONG, hits, [1000] * 21))
    else:
        hits = drawn([fringes(t, time, 2e5) for t in SHORT], 1000, seed)
        reason, _, most = bounds(fit_fringes(SHORT, hits, [1000] * 41))
    assert "before the second delay: take shorter delays" in reason
    assert most is not None
    assert time < most < 5e-6


@pytest.mark.parametrize("seed", range(5))
def test_fringes_that_are_none(seed: int) -> None:
    noise = drawn([0.5] * 41, 1000, seed)
    assert bounds(fit_fringes(SHORT, noise, [1000] * 41)) == (
        "no fringes stand out of the noise",
        None,
        None,
    )
    still = drawn([fringes(t, 9e-6, 0) for t in SHORT], 1000, seed)
    assert bounds(fit_fringes(SHORT, still, [1000] * 41))[0] == (
        "the delays hold less than a fringe: take a larger detuning"
    )


def test_fringes_that_do_not_decay_have_a_lower_bound() -> None:
    hits = drawn([fringes(t, 1.0, 2e5) for t in SHORT], 1000, 3)
    reason, least, _ = bounds(fit_fringes(SHORT, hits, [1000] * 41))
    assert reason == "the fringes hardly decay within the delays: take longer delays"
    assert least is not None
    assert least > 300e-6


@pytest.mark.parametrize("hits", [[0] * 8, [500] * 8, [500, 0, 0, 0, 0, 0, 0, 0], [0] * 7 + [500]])
def test_extreme_counts_are_no_crash(hits: list[int]) -> None:
    delays = [1e-6 * k for k in range(8)]
    for fit in (fit_decay(delays, hits, [500] * 8, 0.0), fit_fringes(delays, hits, [500] * 8)):
        if isinstance(fit, Decay):
            assert fit.time.low <= fit.time.value <= fit.time.high
        else:
            assert fit.reason
