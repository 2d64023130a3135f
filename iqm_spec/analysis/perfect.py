"""What a perfect device would show: sampling alone lowers fidelity and makes a distance."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.analysis.distances import error_of_square, sampled_distances

if TYPE_CHECKING:
    from iqm_spec.analysis.moments import Floats

_MOST_TERMS = 512
"""Distinct probabilities evaluated one by one; more of them are put into bins."""
_BINS = 400


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
    root, apart = sampled_distances(terms, terms, shots, number)
    return Perfect(
        hellinger_fidelity=min(1.0, root.mean**2 + root.variance),
        hellinger_fidelity_spread=error_of_square(root.mean, root.variance),
        total_variation_distance=apart.mean,
        total_variation_distance_spread=sqrt(apart.variance),
    )


def _alike(probabilities: Floats, many: Floats | None) -> tuple[Floats, Floats]:
    """Distinct probabilities, or their bins' means, with how many outcomes have them."""
    import numpy as np

    number = np.ones_like(probabilities) if many is None else many
    kept = probabilities > 0
    probabilities, number = probabilities[kept], number[kept]
    logs = np.round(np.log(probabilities), 10)
    distinct, place = np.unique(logs, return_inverse=True)
    if distinct.size > _MOST_TERMS:
        edges = np.linspace(distinct[0], distinct[-1], _BINS + 1)
        place = np.clip(np.searchsorted(edges, logs, side="right") - 1, 0, _BINS - 1)
    total: Floats = np.bincount(place, weights=number).astype(float)
    mass = np.bincount(place, weights=number * probabilities)
    return mass[total > 0] / total[total > 0], total[total > 0]
