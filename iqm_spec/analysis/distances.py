"""The two distances as sums over outcomes, with their means and variances under sampling."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from iqm_spec.analysis.moments import Sum, multinomial_sums
from iqm_spec.analysis.tabled import tabled_distances

if TYPE_CHECKING:
    from iqm_spec.analysis.moments import Floats


MOST_APART = 1 << 15
"""Outcomes that are summed up each by itself; of more, those drawn alike share a table.

Both ways agree, means to 1e-12 and variances to 1e-4. Figures that folders hold were made by the
first one.
"""


def sampled_distances(
    ideal: Floats, drawn: Floats, shots: int, many: Floats | None = None
) -> tuple[Sum, Sum]:
    """Moments of sum sqrt(p_i X_i / N), the root of F, and of sum |X_i / N - p_i| / 2."""
    import numpy as np

    if drawn.size > MOST_APART:
        return tabled_distances(ideal, drawn, shots, many)

    def overlap(count: Floats, p: Floats) -> Floats:
        root: Floats = np.sqrt(p * count / shots)
        return root

    def distance(count: Floats, p: Floats) -> Floats:
        half: Floats = np.abs(count / shots - p) / 2
        return half

    root, apart = multinomial_sums((overlap, distance), ideal, drawn, shots, many)
    return root, apart


def error_of_square(mean: float, variance: float) -> float:
    """Standard deviation of the square of a nearly normal quantity: of F from its root's."""
    return sqrt(4 * mean**2 * variance + 2 * variance**2)
