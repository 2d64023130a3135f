"""Counts against the ideal distribution: two distances, their errors, and a perfect device's."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from attrs import asdict, frozen

from iqm_spec.analysis.distances import error_of_square, sampled_distances
from iqm_spec.analysis.perfect import Perfect, perfect_device
from iqm_spec.json_types import Json


@frozen
class Comparison:
    """Distances of counts to the ideal distribution. All are between 0 and 1.

    `hellinger_fidelity` is (sum sqrt(p q))^2 over relative frequencies q and ideal probabilities p,
    as `qiskit.quantum_info.hellinger_fidelity`; `total_variation_distance` is sum |p - q| / 2.
    Each `_error` is the standard deviation expected if the experiment were repeated. `perfect_` is
    what a perfect device shows on average with as many shots, `_spread` its standard deviation;
    None where not all ideal probabilities were at hand.
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

    `ideal_probabilities` must hold what was seen (a missing outcome has probability 0), and with
    `complete` every possible outcome, from which a perfect device's figures are computed unless
    they are given as `perfect`. ValueError for counts without shots, or ideal probabilities that
    cannot be right.

    The errors take the relative frequencies seen for the true probabilities. Where these are close
    to ideal, that makes the fidelity's error up to about twice as wide as the scatter really is.
    """
    import numpy as np

    shots = sum(counts.values())
    if shots <= 0 or min(counts.values()) < 0:
        raise ValueError("counts must not be negative, and there must be at least one shot")
    seen = [bits for bits, count in counts.items() if count]
    drawn = np.fromiter((counts[bits] / shots for bits in seen), float, len(seen))
    ideal = np.fromiter((ideal_probabilities.get(bits, 0.0) for bits in seen), float, len(seen))
    del seen
    unseen = 1.0 - float(ideal.sum())
    if unseen < -1e-6 or ideal.min() < 0:
        raise ValueError("the ideal probabilities are negative or add up to more than 1")
    if perfect is None and complete:
        perfect = perfect_device(np.array(list(ideal_probabilities.values())), shots)
    root, apart = sampled_distances(ideal, drawn, shots)
    fidelity_root = min(1.0, float(np.sqrt(ideal * drawn).sum()))
    return Comparison(
        hellinger_fidelity=fidelity_root**2,
        hellinger_fidelity_error=error_of_square(fidelity_root, root.variance),
        total_variation_distance=(float(np.abs(ideal - drawn).sum()) + max(0.0, unseen)) / 2,
        total_variation_distance_error=sqrt(apart.variance),
        **_prefixed(perfect),
    )


def _prefixed(perfect: Perfect | None) -> dict[str, float]:
    if perfect is None:
        return {}
    return {f"perfect_{name}": value for name, value in asdict(perfect).items()}
