"""Are two sets of counts from one distribution? A chi-square test, corrected for many points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

LEAST_EXPECTED = 5
"""Outcomes expected less often than this are pooled: the usual condition of the chi-square test."""


@frozen
class Homogeneity:
    """Distance between two relative frequencies and the p-value of the chi-square test."""

    total_variation_distance: float
    p_value: float


def compare_counts(left: Mapping[str, int], right: Mapping[str, int]) -> Homogeneity:
    """How far apart two counts are, and how likely so far apart by chance; 1.0 where untestable."""
    total_left, total_right = sum(left.values()), sum(right.values())
    if not total_left or not total_right:
        return Homogeneity(0.0, 1.0)
    outcomes = sorted({*left, *right})
    pairs = [(left.get(bits, 0), right.get(bits, 0)) for bits in outcomes]
    distance = sum(abs(a / total_left - b / total_right) for a, b in pairs) / 2
    return Homogeneity(distance, _p_value(_pooled(pairs, total_left, total_right)))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number by Holm's step-down method, in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected = [1.0] * len(p_values)
    worst = 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = worst
    return corrected


def _pooled(
    pairs: Sequence[tuple[int, int]], total_left: int, total_right: int
) -> list[tuple[int, int]]:
    smaller = min(total_left, total_right) / (total_left + total_right)
    kept = [pair for pair in pairs if sum(pair) * smaller >= LEAST_EXPECTED]
    rare = [pair for pair in pairs if sum(pair) * smaller < LEAST_EXPECTED]
    pool = (sum(a for a, _ in rare), sum(b for _, b in rare))
    if sum(pool) * smaller >= LEAST_EXPECTED or not kept:
        return [*kept, pool] if sum(pool) else kept
    if sum(pool):
        # too few to stand alone: added to the least frequent outcome that can
        least = min(range(len(kept)), key=lambda i: sum(kept[i]))
        kept[least] = (kept[least][0] + pool[0], kept[least][1] + pool[1])
    return kept


def _p_value(table: Sequence[tuple[int, int]]) -> float:
    if len(table) < 2:
        return 1.0
    from scipy.stats import chi2_contingency

    columns = list(zip(*table, strict=True))
    return float(chi2_contingency(columns, correction=False).pvalue)
