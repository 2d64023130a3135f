"""Counts against the ideal distribution: two distances, their errors, and a perfect device's.

Sampling alone lowers a perfect device's fidelity and makes a distance.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING

from attrs import asdict, frozen

from iqm_spec.json_types import Json
from iqm_spec.statistics.sampling import error_of_square, sampled_distances

if TYPE_CHECKING:
    from iqm_spec.statistics.sampling import Floats

_MOST_TERMS = 512
"""Distinct probabilities evaluated one by one; more of them are put into bins."""

_BINS = 400


@frozen
class Comparison:
    """Distances of counts to the ideal distribution. All are between 0 and 1.

    `hellinger_fidelity` is (sum sqrt(p q))^2 over relative frequencies q and ideal probabilities p,
    as `qiskit.quantum_info.hellinger_fidelity`; `total_variation_distance` is sum |p - q| / 2.
    Each `_error` is the standard deviation expected if the experiment were repeated. `perfect_` is
    what a perfect device shows on average with as many shots, `_spread` its standard deviation;
    None where not all ideal probabilities are known.
    """

    hellinger_fidelity: float
    hellinger_fidelity_error: float
    total_variation_distance: float
    total_variation_distance_error: float
    perfect_hellinger_fidelity: float | None = None
    perfect_hellinger_fidelity_spread: float | None = None
    perfect_total_variation_distance: float | None = None
    perfect_total_variation_distance_spread: float | None = None

    def to_json(self) -> dict[str, Json]:
        """The fields by name."""
        return asdict(self)


def compare(
    counts: Mapping[str, int],
    ideal_probabilities: Mapping[str, float],
    complete: bool,
    perfect: Perfect | None = None,
) -> Comparison:
    """Distances of `counts` to the ideal distribution, with errors.

    `ideal_probabilities` must hold the outcomes counted (a missing one has probability 0), and with
    `complete` every possible outcome, from which a perfect device's figures are computed unless
    they are given as `perfect`. ValueError for counts without shots, or ideal probabilities that
    cannot be right.

    The errors take the relative frequencies for the true probabilities. Where these are close
    to ideal, that makes the fidelity's error up to about twice as wide as the scatter really is.
    """
    import numpy as np

    shots = sum(counts.values())
    if shots <= 0 or min(counts.values()) < 0:
        raise ValueError("counts must not be negative, and there must be at least one shot")
    outcomes = [bits for bits, count in counts.items() if count]
    drawn = np.fromiter((counts[bits] / shots for bits in outcomes), float, len(outcomes))
    ideal = np.fromiter(
        (ideal_probabilities.get(bits, 0.0) for bits in outcomes), float, len(outcomes)
    )
    del outcomes  # many bitstrings: free their list before more arrays are made
    ideal_of_missing = 1.0 - float(ideal.sum())
    if ideal_of_missing < -1e-6 or ideal.min() < 0:
        raise ValueError("the ideal probabilities are negative or add up to more than 1")
    if perfect is None and complete:
        perfect = perfect_device(np.array(list(ideal_probabilities.values())), shots)
    root, distance = sampled_distances(ideal, drawn, shots)
    figures = {} if perfect is None else asdict(perfect)
    perfect_figures = {f"perfect_{name}": value for name, value in figures.items()}
    fidelity_root = min(1.0, float(np.sqrt(ideal * drawn).sum()))
    return Comparison(
        hellinger_fidelity=fidelity_root**2,
        hellinger_fidelity_error=error_of_square(fidelity_root, root.variance),
        total_variation_distance=(float(np.abs(ideal - drawn).sum()) + max(0.0, ideal_of_missing))
        / 2,
        total_variation_distance_error=sqrt(distance.variance),
        **perfect_figures,
    )


@frozen
class Perfect:
    """Mean and standard deviation of both distances over repetitions of a perfect experiment."""

    hellinger_fidelity: float
    hellinger_fidelity_spread: float
    total_variation_distance: float
    total_variation_distance_spread: float


def perfect_device(probabilities: Floats, shots: int, many: Floats | None = None) -> Perfect:
    """What `shots` draws from exactly `probabilities` (all of them, any order) show on average.

    `probabilities[i]` may stand for `many[i]` outcomes. Means are exact for up to 512 distinct
    probabilities; beyond, equal steps of their logarithm are taken together (to about 1e-4).
    ValueError where they do not add up to one.
    """
    terms, number = _alike(probabilities, many)
    if abs(float(terms @ number) - 1) > 1e-6:
        raise ValueError(f"the probabilities add up to {float(terms @ number):.9g}, not to 1")
    root, distance = sampled_distances(terms, terms, shots, number)
    return Perfect(
        hellinger_fidelity=min(1.0, root.mean**2 + root.variance),
        hellinger_fidelity_spread=error_of_square(root.mean, root.variance),
        total_variation_distance=distance.mean,
        total_variation_distance_spread=sqrt(distance.variance),
    )


def _alike(probabilities: Floats, many: Floats | None) -> tuple[Floats, Floats]:
    """Distinct probabilities, or their bins' means, with how many outcomes have them."""
    import numpy as np

    number = np.ones_like(probabilities) if many is None else many
    positive = probabilities > 0
    probabilities, number = probabilities[positive], number[positive]
    logs = np.round(np.log(probabilities), 10)
    distinct, place = np.unique(logs, return_inverse=True)
    if distinct.size > _MOST_TERMS:
        edges = np.linspace(distinct[0], distinct[-1], _BINS + 1)
        place = np.clip(np.searchsorted(edges, logs, side="right") - 1, 0, _BINS - 1)
    total: Floats = np.bincount(place, weights=number).astype(float)
    mass = np.bincount(place, weights=number * probabilities)
    return mass[total > 0] / total[total > 0], total[total > 0]
