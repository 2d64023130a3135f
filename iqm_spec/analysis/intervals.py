"""Intervals of proportions and of distances: how they would scatter, were it all repeated."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING

from iqm_spec.analysis.merit import CONFIDENCE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 1000

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
    always looks further away than the truth; mirroring takes that bias off to first order.
    """
    import numpy as np

    shots = sum(counts.values())
    seen = [bits for bits, count in counts.items() if count]
    drawn = np.array([counts[bits] / shots for bits in seen])
    ideal = np.array([ideal_probabilities.get(bits, 0.0) for bits in seen])
    unseen = max(0.0, 1.0 - float(ideal.sum()))
    again = np.random.default_rng(seed).multinomial(shots, drawn, size=RESAMPLES) / shots
    fidelity, distance = _distances(drawn[None, :], ideal, unseen)
    fidelities, distances = _distances(again, ideal, unseen)
    return _mirrored(float(fidelity[0]), fidelities), _mirrored(float(distance[0]), distances)


def _distances(
    rows: NDArray[np.float64], ideal: NDArray[np.float64], unseen: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import numpy as np

    fidelity = np.minimum(1.0, np.sqrt(rows * ideal).sum(axis=1)) ** 2
    return fidelity, (np.abs(rows - ideal).sum(axis=1) + unseen) / 2


def _mirrored(value: float, resampled: NDArray[np.float64]) -> Interval:
    """The basic interval, between 0 and 1, and never without the estimate."""
    import numpy as np

    tail = (1 - CONFIDENCE) / 2
    low, high = (float(q) for q in np.quantile(resampled, [tail, 1 - tail]))
    return (
        min(value, max(0.0, 2 * value - high)),
        max(value, min(1.0, 2 * value - low)),
    )
