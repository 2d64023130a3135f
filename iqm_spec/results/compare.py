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

    `p_value` is corrected for the number of pairs by Holm's method, that of `found` is not.
    """

    left: Row
    right: Row
    found: Homogeneity
    p_value: float

    @property
    def same(self) -> bool:
        """Whether both are one record; a machine's are told apart by the jobs they came of."""
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
    found = [compare_counts(a.counts, b.counts) for a, b in both]
    corrected = holm([one.p_value for one in found])
    return [Pair(a, b, h, p) for (a, b), h, p in zip(both, found, corrected, strict=True)]


def in_short(pairs: Sequence[Pair]) -> str:
    """How many there are, are the same, and differ, in words."""
    points = len({point_name(pair.left.point) for pair in pairs})
    told = count(points, "point")
    if len(pairs) > points:
        told = f"{len(pairs):,} results of {told}"
    same = sum(1 for pair in pairs if pair.same)
    differ = sum(1 for pair in pairs if pair.significant)
    return (
        f"{told} in both: {same:,} with the same record, {differ:,} with a significant difference "
        f"(p < {SIGNIFICANT}, chi-square test of homogeneity, corrected for their number)"
    )


def _named(rows: Sequence[Row]) -> Iterator[tuple[tuple[str, PointName, int], Row]]:
    """Rows with counts; circuits that calibrate the readout are of what each run measured."""
    seen: Counter[tuple[str, PointName]] = Counter()
    for row in rows:
        if row.record and not is_calibration(row.point):
            name = row.stage, point_name(row.point)
            yield (*name, seen[name]), row
            seen[name] += 1
