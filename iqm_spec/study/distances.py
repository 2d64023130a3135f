"""Distances of each point's counts to its ideal distribution, as stored with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import NormalDist

from iqm_spec.analysis.merit import CONFIDENCE, Analysed, Merit
from iqm_spec.runs.rows import Row

NAME = "distances"
_FIGURES = ("hellinger_fidelity", "total_variation_distance")
_QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def distances(rows: Iterable[Row]) -> Iterator[Analysed]:
    """Hellinger fidelity and total variation distance of every row that has them."""
    for row in rows:
        if row.record is not None and row.comparison is not None:
            yield Analysed(
                analysis=NAME,
                stage=row.stage,
                emulated=row.emulated,
                circuit=row.point.name,
                values={
                    name: list(value) if isinstance(value, tuple) else value
                    for name, value in row.point.values
                },
                points=(row.point.id,),
                merits=tuple(_merit(name, row.comparison) for name in _FIGURES),
            )


def _merit(name: str, comparison: object) -> Merit:
    assert isinstance(comparison, dict)  # noqa: S101 - a record read from the folder
    value, error = float(comparison[name]), float(comparison[f"{name}_error"])
    low, high = value - _QUANTILE * error, value + _QUANTILE * error
    return Merit(name, value, error, max(0.0, low), min(1.0, high))
