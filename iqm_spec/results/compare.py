"""Points that two runs have counts of, and whether these are of one distribution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from attrs import frozen

from iqm_spec.plan.differences import PointName, point_name
from iqm_spec.plan.label import count
from iqm_spec.plan.readout import is_calibration
from iqm_spec.stages.rows import Row
from iqm_spec.statistics.significance import Homogeneity, compare_counts, holm

SIGNIFICANT = 0.01
"""Corrected p-values below this are called a difference."""


@frozen
class Pair:
    """A point of both runs on one stage, and how its counts compare.

    `p_value` is corrected for the number of pairs by Holm's method, that of `comparison` is not.
    """

    left: Row
    right: Row
    comparison: Homogeneity
    p_value: float

    @property
    def same(self) -> bool:
        """Whether both are the same record; measured ones are the same where their jobs are."""
        return self.left.key == self.right.key and self.left.sources == self.right.sources

    @property
    def significant(self) -> bool:
        """Whether chance does not explain the difference."""
        return self.p_value < SIGNIFICANT


def paired(left: Sequence[Row], right: Sequence[Row]) -> list[Pair]:
    """The pairs in the order of `left`; a stage is compared with the same one only.

    Where a point was measured under several calibration sets, the first goes with the first.
    """
    theirs = dict(_named(right))
    both = [(row, theirs[name]) for name, row in _named(left) if name in theirs]
    comparisons = [compare_counts(a.counts, b.counts) for a, b in both]
    corrected = holm([comparison.p_value for comparison in comparisons])
    return [Pair(a, b, h, p) for (a, b), h, p in zip(both, comparisons, corrected, strict=True)]


def in_short(pairs: Sequence[Pair]) -> str:
    """A summary: how many pairs there are, are the same, and differ."""
    points = len({point_name(pair.left.point) for pair in pairs})
    text = count(points, "point")
    if len(pairs) > points:
        text = f"{len(pairs):,} results of {text}"
    same = sum(1 for pair in pairs if pair.same)
    differ = sum(1 for pair in pairs if pair.significant)
    return (
        f"{text} in both: {same:,} with the same record, {differ:,} with a significant difference "
        f"(p < {SIGNIFICANT}, chi-square test of homogeneity, corrected for their number)"
    )


def _named(rows: Sequence[Row]) -> Iterator[tuple[tuple[str, PointName, int], Row]]:
    """Rows with counts by stage, point and number; without circuits that calibrate the readout."""
    numbers: Counter[tuple[str, PointName]] = Counter()
    for row in rows:
        if row.record and not is_calibration(row.point):
            name = row.stage, point_name(row.point)
            yield (*name, numbers[name]), row
            numbers[name] += 1
