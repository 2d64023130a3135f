"""Distances of each point's counts to its ideal distribution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iqm_spec.analysis.intervals import distance_intervals
from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.canonical import digest
from iqm_spec.runs.rows import Row
from iqm_spec.study.groups import Options, found, merit, rows_of_circuits

NAME = "distances"
MOST_RESAMPLED = 2000
"""Rows whose intervals are bootstrapped; of more the standard error speaks."""

_FIDELITY, _DISTANCE = "hellinger_fidelity", "total_variation_distance"


def distances(rows: Iterable[Row], options: Options) -> Iterator[Analysed]:
    """Hellinger fidelity and total variation distance of every row that has them."""
    chosen = rows_of_circuits(rows, options.get("circuits"))
    resample = len(chosen) <= MOST_RESAMPLED
    for row in chosen:
        if row.comparison is not None:
            yield found(NAME, [row], _resampled(row) if resample else _normal(row))


def _resampled(row: Row) -> list[Merit]:
    assert row.comparison is not None  # noqa: S101 - asked by the caller
    assert row.derived is not None  # noqa: S101
    seed = int(digest({"bootstrap": row.key, "records": sorted(row.sources)})[:15], 16)
    intervals = distance_intervals(row.counts, row.derived["ideal"], seed)
    merits = []
    for name, (low, high) in zip((_FIDELITY, _DISTANCE), intervals, strict=True):
        value = row.comparison[name]  # stored to twelve decimals, which the ends are not
        error = row.comparison[f"{name}_error"]
        merits.append(Merit(name, value, error, min(low, value), max(high, value)))
    return merits


def _normal(row: Row) -> list[Merit]:
    assert row.comparison is not None  # noqa: S101 - asked by the caller
    return [
        merit(name, row.comparison[name], row.comparison[f"{name}_error"], 0.0, 1.0)
        for name in (_FIDELITY, _DISTANCE)
    ]
