"""Distances of each point's counts to its ideal distribution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import sqrt
from statistics import stdev

from iqm_spec.analysis.groups import (
    Options,
    bounded_merit,
    group_result,
    ideal_of,
    rows_of_circuits,
)
from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.analysis.readout_mitigation import Mitigated, Readout, nearest_probabilities
from iqm_spec.canonical import digest
from iqm_spec.stages.rows import Row
from iqm_spec.statistics.intervals import distance_intervals

NAME = "distances"
MOST_RESAMPLED = 2000
"""Rows whose intervals are bootstrapped; of more the standard error speaks."""

_SHOTS_EACH = 20
"""Shots for each likely outcome from which on sampling does not make most of a distance."""
_TOO_FEW = (
    f"fewer than {_SHOTS_EACH} shots for each likely outcome: the distance is in part that of "
    "sampling, and its interval leaves the truth out too often"
)

_FIDELITY, _DISTANCE = "hellinger_fidelity", "total_variation_distance"


def distances(rows: Iterable[Row], options: Options, readout: Readout) -> Iterator[Analysed]:
    """Hellinger fidelity and total variation distance of every row that has them.

    Mitigated ones are those of the probabilities nearest to the quasi-probabilities.
    """
    chosen = rows_of_circuits(rows, options.get("circuits"))
    resample = len(chosen) <= MOST_RESAMPLED
    for row in chosen:
        if row.comparison is not None:
            merits = _bootstrapped(row) if resample else _normal(row)
            mitigated = readout.mitigated(row)
            if isinstance(mitigated, Mitigated):
                merits += _mitigated(row, mitigated)
            notes = [mitigated] if isinstance(mitigated, str) else []
            if sum(1 for hits in row.counts.values() if hits) == 1:
                merits = [Merit(merit.name, merit.value) for merit in merits]
                notes.append("all shots agree: how far they would scatter is not known")
            # sampling alone makes most of the distance, and resampling does not correct it
            ideal = ideal_of(row)
            likely = sum(1 for p in ideal.values() if p > 1 / (10 * len(ideal)))
            if _SHOTS_EACH * likely > sum(row.counts.values()):
                notes.append(_TOO_FEW)
            yield group_result(NAME, [row], merits, notes=notes)
        elif row.why_no_comparison:
            yield group_result(NAME, [row], [], notes=[row.why_no_comparison])


def _bootstrapped(row: Row) -> list[Merit]:
    assert row.comparison is not None  # noqa: S101 - checked by the caller
    intervals = distance_intervals(row.counts, ideal_of(row), _seed(row))
    merits = []
    for name, (low, high) in zip((_FIDELITY, _DISTANCE), intervals, strict=True):
        value = getattr(row.comparison, name)  # stored to twelve decimals, which the ends are not
        error = getattr(row.comparison, f"{name}_error")
        merits.append(Merit(name, value, error, min(low, value), max(high, value)))
    return merits


def _mitigated(row: Row, counts: Mitigated) -> list[Merit]:
    ideal = ideal_of(row)
    values = _distances(nearest_probabilities(counts.quasi()), ideal)
    resamples = [_distances(sample, ideal) for sample in counts.resampled(_seed(row))]
    return [
        bounded_merit(
            f"{name}_mitigated", value, stdev(sample[place] for sample in resamples), 0.0, 1.0
        )
        for place, (name, value) in enumerate(zip((_FIDELITY, _DISTANCE), values, strict=True))
    ]


def _distances(
    probabilities: Mapping[str, float], ideal: Mapping[str, float]
) -> tuple[float, float]:
    """Hellinger fidelity and total variation distance of probabilities to the ideal ones."""
    pairs = [(p, ideal.get(bits, 0.0)) for bits, p in probabilities.items()]
    ideal_of_missing = max(0.0, 1.0 - sum(q for _, q in pairs))
    root = min(1.0, sum(sqrt(max(0.0, p * q)) for p, q in pairs))
    return root**2, (sum(abs(p - q) for p, q in pairs) + ideal_of_missing) / 2


def _seed(row: Row) -> int:
    return int(digest({"bootstrap": row.key, "records": sorted(row.sources)})[:15], 16)


def _normal(row: Row) -> list[Merit]:
    assert row.comparison is not None  # noqa: S101 - checked by the caller
    return [
        bounded_merit(
            name, getattr(row.comparison, name), getattr(row.comparison, f"{name}_error"), 0.0, 1.0
        )
        for name in (_FIDELITY, _DISTANCE)
    ]
