"""Intervals of proportions and of distances: how they would scatter, were it all repeated."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING

from iqm_spec.analysis.distances import sampled_distances
from iqm_spec.analysis.merit import CONFIDENCE, interval

if TYPE_CHECKING:
    from iqm_spec.analysis.moments import Floats

RESAMPLES = 1000
MOST_RESAMPLED = 1 << 15
"""Outcomes that are resampled: more than the 20,000 shots that one circuit has on IQM's devices."""

_CELLS = 1 << 20
"""Outcomes times resamples that are in memory at once."""

Interval = tuple[float, float]


def wilson(hits: float, shots: int) -> Interval:
    """The 95 % interval of a proportion (E. Wilson, J. Am. Stat. Assoc. 22, 209, 1927)."""
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
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
    seen = [bits for bits, count in counts.items() if count]
    drawn = np.fromiter((counts[bits] / shots for bits in seen), float, len(seen))
    ideal = np.fromiter((ideal_probabilities.get(bits, 0.0) for bits in seen), float, len(seen))
    del seen
    unseen = max(0.0, 1.0 - float(ideal.sum()))
    fidelity, distance = _distances(drawn[None, :], ideal, unseen)
    estimates = float(fidelity[0]), float(distance[0])
    quantiles = _drawn if drawn.size <= MOST_RESAMPLED else _computed
    again = quantiles(drawn, ideal, unseen, shots, seed)
    first, second = (_mirrored(*both) for both in zip(estimates, again, strict=True))
    return first, second


def _drawn(
    drawn: Floats, ideal: Floats, unseen: float, shots: int, seed: int
) -> tuple[Interval, Interval]:
    """Quantiles of both distances over multinomial resamples; few are in memory at a time."""
    import numpy as np

    source = np.random.default_rng(seed)
    some = max(1, _CELLS // drawn.size)
    parts = []
    for start in range(0, RESAMPLES, some):  # the same numbers as of all at once
        rows = source.multinomial(shots, drawn, size=min(some, RESAMPLES - start))
        parts.append(_distances(rows / shots, ideal, unseen))
    tail = (1 - CONFIDENCE) / 2
    fidelities, distances = (np.concatenate(part) for part in zip(*parts, strict=True))
    first, second = (
        (float(low), float(high))
        for low, high in (np.quantile(one, [tail, 1 - tail]) for one in (fidelities, distances))
    )
    return first, second


def _computed(
    drawn: Floats, ideal: Floats, unseen: float, shots: int, _: int
) -> tuple[Interval, Interval]:
    """The same quantiles where both sums are normal; F is the square of one."""
    root, apart = sampled_distances(ideal, drawn, shots)
    low, high = (min(1.0, max(0.0, end)) ** 2 for end in interval(root.mean, sqrt(root.variance)))
    return (low, high), interval(apart.mean + unseen / 2, sqrt(apart.variance))


def _distances(rows: Floats, ideal: Floats, unseen: float) -> tuple[Floats, Floats]:
    import numpy as np

    fidelity = np.minimum(1.0, np.sqrt(rows * ideal).sum(axis=1)) ** 2
    return fidelity, (np.abs(rows - ideal).sum(axis=1) + unseen) / 2


def _mirrored(value: float, quantiles: Interval) -> Interval:
    """The basic interval, between 0 and 1, and never without the estimate."""
    low, high = quantiles
    return (
        min(value, max(0.0, 2 * value - high)),
        max(value, min(1.0, 2 * value - low)),
    )
