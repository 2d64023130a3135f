"""Means with their errors, and intervals of means, proportions and distances."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.statistics.sampling import sampled_distances

if TYPE_CHECKING:
    from iqm_spec.statistics.sampling import Floats


CONFIDENCE = 0.95
"""How often an interval holds the true value, were the experiment repeated."""

_QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)

RESAMPLES = 1000
MOST_RESAMPLED = 1 << 15
"""Outcomes that are resampled: more than the 20,000 shots that one circuit has on IQM's devices."""

_CELLS = 1 << 20
"""Outcomes times resamples that are in memory at once."""

Interval = tuple[float, float]


@frozen
class Mean:
    """A mean and its standard error."""

    value: float
    error: float


def interval(value: float, error: float) -> Interval:
    """The 95 % interval of a value whose error is normal."""
    return value - _QUANTILE * error, value + _QUANTILE * error


def wilson(hits: float, shots: int) -> Interval:
    """The 95 % interval of a proportion (E. Wilson, J. Am. Stat. Assoc. 22, 209, 1927)."""
    z = _QUANTILE
    share = hits / shots
    middle = (share + z * z / (2 * shots)) / (1 + z * z / shots)
    half = z / (1 + z * z / shots) * sqrt(share * (1 - share) / shots + (z / (2 * shots)) ** 2)
    return (0.0 if not hits else middle - half, 1.0 if hits == shots else middle + half)


def distance_intervals(
    counts: Mapping[str, int], ideal_probabilities: Mapping[str, float], seed: int
) -> tuple[Interval, Interval]:
    """95 % intervals of Hellinger fidelity and total variation distance of counts to the ideal.

    The basic bootstrap (A. Davison and D. Hinkley, Bootstrap Methods and their Application, 1997,
    section 5.2): the quantiles of 1,000 multinomial resamples, mirrored at the estimate. A sample
    always looks further away than the truth; mirroring takes that bias off to first order. Of more
    than `MOST_RESAMPLED` outcomes the resamples' mean and variance are computed, not drawn: a sum
    over so many is normal, and a thousand draws would take minutes.
    """
    import numpy as np

    shots = sum(counts.values())
    outcomes = [bits for bits, count in counts.items() if count]
    drawn = np.fromiter((counts[bits] / shots for bits in outcomes), float, len(outcomes))
    ideal = np.fromiter(
        (ideal_probabilities.get(bits, 0.0) for bits in outcomes), float, len(outcomes)
    )
    del outcomes  # many bitstrings: free their list before more arrays are made
    ideal_of_missing = max(0.0, 1.0 - float(ideal.sum()))
    fidelity, distance = _distances(drawn[None, :], ideal, ideal_of_missing)
    estimates = float(fidelity[0]), float(distance[0])
    if drawn.size <= MOST_RESAMPLED:
        again = _quantiles_of_resamples(drawn, ideal, ideal_of_missing, shots, seed)
    else:
        again = _quantiles_of_normal(drawn, ideal, ideal_of_missing, shots)
    first, second = (_mirrored(*both) for both in zip(estimates, again, strict=True))
    return first, second


def _quantiles_of_resamples(
    drawn: Floats, ideal: Floats, ideal_of_missing: float, shots: int, seed: int
) -> tuple[Interval, Interval]:
    """Quantiles of both distances over multinomial resamples; few are in memory at a time."""
    import numpy as np

    source = np.random.default_rng(seed)
    at_once = max(1, _CELLS // drawn.size)
    parts = []
    for start in range(0, RESAMPLES, at_once):  # the same numbers as of all at once
        rows = source.multinomial(shots, drawn, size=min(at_once, RESAMPLES - start))
        parts.append(_distances(rows / shots, ideal, ideal_of_missing))
    tail = (1 - CONFIDENCE) / 2
    fidelities, distances = (np.concatenate(part) for part in zip(*parts, strict=True))
    first, second = (
        (float(low), float(high))
        for low, high in (np.quantile(part, [tail, 1 - tail]) for part in (fidelities, distances))
    )
    return first, second


def _quantiles_of_normal(
    drawn: Floats, ideal: Floats, ideal_of_missing: float, shots: int
) -> tuple[Interval, Interval]:
    """The same quantiles where both sums are normal; F is the square of one."""
    root, distance = sampled_distances(ideal, drawn, shots)
    low, high = (min(1.0, max(0.0, end)) ** 2 for end in interval(root.mean, sqrt(root.variance)))
    return (low, high), interval(distance.mean + ideal_of_missing / 2, sqrt(distance.variance))


def _distances(rows: Floats, ideal: Floats, ideal_of_missing: float) -> tuple[Floats, Floats]:
    import numpy as np

    fidelity = np.minimum(1.0, np.sqrt(rows * ideal).sum(axis=1)) ** 2
    return fidelity, (np.abs(rows - ideal).sum(axis=1) + ideal_of_missing) / 2


def _mirrored(value: float, quantiles: Interval) -> Interval:
    """The basic interval, between 0 and 1, and never without the estimate."""
    low, high = quantiles
    return (
        min(value, max(0.0, 2 * value - high)),
        max(value, min(1.0, 2 * value - low)),
    )
