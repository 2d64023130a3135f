"""P-values: are two counts from one distribution, and do points follow the curve fitted to them?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import frozen

LEAST_EXPECTED = 5
"""Outcomes expected less often than this are pooled: the usual condition of the chi-square test."""

_LARGEST_EXACT = 10**8
"""Shots up to which the exact test is quick."""

UNLIKELY = 0.01
"""P-values below this say that the curve is not that of the points."""

Pair = tuple[int, int]
"""Counts of one outcome on the left and on the right."""


@frozen
class Homogeneity:
    """Distance between two relative frequencies, and the p-value of their being one."""

    total_variation_distance: float
    p_value: float


def compare_counts(left: Mapping[str, int], right: Mapping[str, int]) -> Homogeneity:
    """How far apart two counts are, and how likely so far apart by chance; 1.0 where untestable."""
    total_left, total_right = sum(left.values()), sum(right.values())
    if not total_left or not total_right:
        return Homogeneity(0.0, 1.0)
    outcomes = sorted([*left, *(bits for bits in right if bits not in left)])

    def pairs() -> Iterator[Pair]:
        return ((left.get(bits, 0), right.get(bits, 0)) for bits in outcomes)

    distance = sum(abs(a / total_left - b / total_right) for a, b in pairs()) / 2
    return Homogeneity(distance, _p_value(pairs, total_left, total_right))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number by Holm's step-down method, in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected = [1.0] * len(p_values)
    worst = 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = worst
    return corrected


def _p_value(pairs: Callable[[], Iterator[Pair]], total_left: int, total_right: int) -> float:
    """A chi-square test of frequent outcomes and an exact one of all the rare ones together.

    Bonferroni's bound joins the two: rare outcomes alone can tell noise from none.
    """
    smaller = min(total_left, total_right) / (total_left + total_right)
    frequent = [pair for pair in pairs() if sum(pair) * smaller >= LEAST_EXPECTED]
    pool = (total_left - sum(a for a, _ in frequent), total_right - sum(b for _, b in frequent))
    if sum(pool) * smaller >= LEAST_EXPECTED:
        return _chi_square([*frequent, pool])
    rest = (total_left - pool[0], total_right - pool[1])
    if not sum(pool) or not sum(rest):
        return _chi_square(frequent)
    return min(1.0, 2 * min(_chi_square(frequent), _fisher(pool, rest)))


def _chi_square(table: Sequence[Pair]) -> float:
    if len(table) < 2:
        return 1.0
    from scipy.stats import chi2_contingency

    return float(chi2_contingency(list(zip(*table, strict=True)), correction=False).pvalue)


def _fisher(pool: Pair, rest: Pair) -> float:
    import numpy as np
    from scipy.stats import fisher_exact

    if sum(pool) + sum(rest) > _LARGEST_EXACT:
        return _chi_square([pool, rest])
    return float(fisher_exact(np.array([pool, rest])).pvalue)


@frozen
class Goodness:
    """Chi-square of the residuals over their standard errors, and how likely so much is."""

    chi_square: float
    degrees: int
    p_value: float

    @property
    def mismatch(self) -> str:
        """That the points do not follow the curve, with the figures; empty where they do."""
        if self.p_value >= UNLIKELY:
            return ""
        return (
            f"the points do not follow the fitted curve (chi-square {self.chi_square:.3g} for "
            f"{self.degrees} degrees of freedom, p = {self.p_value:.1g})"
        )

    @property
    def doubt(self) -> str:
        """What a reader of errors must know that were not widened; empty where all is well."""
        return self.mismatch and f"{self.mismatch}: its errors are too small"


def goodness(residuals: Sequence[float], errors: Sequence[float], parameters: int) -> Goodness:
    """Of a weighted least squares fit; p is 1 where there are no points to spare."""
    from scipy.stats import chi2

    total = sum((residual / e) ** 2 for residual, e in zip(residuals, errors, strict=True))
    degrees = len(residuals) - parameters
    return Goodness(total, degrees, float(chi2.sf(total, degrees)) if degrees > 0 else 1.0)
