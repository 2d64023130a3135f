"""Average gate fidelity and the error channel of a gate, each from the other.

The channel is that of an `ErrorProfile`: thermal relaxation of each component for the gate's
duration, then depolarizing, rho -> (1 - p) rho + p I / d. Process fidelities of independent
channels multiply, and depolarizing takes F to (1 - p) F + p / d^2 (M. Nielsen, Phys. Lett. A 303,
249, 2002, for the average fidelity (d F + 1) / (d + 1)).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, prod

Times = tuple[float, float]
"""T1 and T2 of one component, in the unit of the duration."""


def average_fidelity(depolarizing: float, times: Sequence[Times], duration: float) -> float:
    """Average gate fidelity of a gate on the components whose `times` are given."""
    d = 2.0 ** len(times)
    process = (1 - depolarizing) * _relaxed(times, duration) + depolarizing / d**2
    return (d * process + 1) / (d + 1)


def depolarizing_of(fidelity: float, times: Sequence[Times], duration: float) -> float:
    """The depolarizing parameter that is left of an average gate fidelity, between 0 and 1.

    0 where relaxation alone makes the gate worse than the fidelity says.
    """
    d = 2.0 ** len(times)
    process = ((d + 1) * fidelity - 1) / d
    relaxed = _relaxed(times, duration)
    if relaxed <= 1 / d**2:
        return 0.0
    return min(1.0, max(0.0, (relaxed - process) / (relaxed - 1 / d**2)))


def _relaxed(times: Sequence[Times], duration: float) -> float:
    """Process fidelity of thermal relaxation at zero temperature."""
    return prod((1 + exp(-duration / t1) + 2 * exp(-duration / t2)) / 4 for t1, t2 in times)
