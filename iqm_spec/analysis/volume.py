"""Quantum volume: how often heavy outputs come, and whether that is often enough.

A. Cross et al., "Validating quantum computers using randomized model circuits", Phys. Rev. A 100,
032328 (2019): an outcome is heavy where its ideal probability is above the median of all 2^n. The
volume 2^n is reached where, over at least 100 random circuits, the share of heavy outputs is above
2/3 by two standard deviations sqrt(h (1 - h) / circuits), which bounds what circuits scatter by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

from attrs import frozen

THRESHOLD = 2 / 3
LEAST_CIRCUITS = 100
DEVIATIONS = 2.0


@frozen
class HeavyOutput:
    """Mean share of heavy outputs over `circuits`, its bound on the error, and the verdict."""

    probability: float
    error: float
    circuits: int

    @property
    def above(self) -> bool:
        """Whether the mean is above 2/3 by two standard deviations."""
        return self.probability - DEVIATIONS * self.error > THRESHOLD

    @property
    def reached(self) -> bool:
        """Whether the volume counts as reached: above, with circuits enough."""
        return self.above and self.circuits >= LEAST_CIRCUITS


def heavy_outputs(probabilities: Mapping[str, float], qubits: int) -> frozenset[str]:
    """Outcomes whose probability is above the median of all 2^n; those not named have 0."""
    named = sorted(probabilities.values())
    zeros = 2**qubits - len(named)
    halves = [place - zeros for place in ((2**qubits - 1) // 2, 2**qubits // 2)]
    middle = sum(named[place] if place >= 0 else 0.0 for place in halves) / 2
    return frozenset(bits for bits, p in probabilities.items() if p > middle)


def heavy_share(counts: Mapping[str, int], heavy: frozenset[str]) -> float:
    """The share of shots that gave a heavy output."""
    return sum(n for bits, n in counts.items() if bits in heavy) / sum(counts.values())


def heavy_output(shares: Sequence[float]) -> HeavyOutput:
    """The mean over circuits; ValueError for none."""
    if not shares:
        raise ValueError("there are no circuits")
    mean = sum(shares) / len(shares)
    return HeavyOutput(mean, sqrt(mean * (1 - mean) / len(shares)), len(shares))
