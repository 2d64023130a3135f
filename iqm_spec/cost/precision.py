"""The statistical error at a number of shots, and the shots that an error needs."""

from __future__ import annotations

import math

from iqm_spec.errors import UsageError

QUANTITIES = {"probability": 0.5, "expectation": 1.0}
"""Largest standard deviation of one shot: of an outcome's probability, of a Pauli expectation."""


MOST_SHOTS = 100_000_000
"""The most shots of a point in a spec."""


def standard_error(shots: int, quantity: str = "probability") -> float:
    """Standard error (one standard deviation) at so many shots, in the worst case.

    An outcome of probability p has sqrt(p (1 - p) / shots), at most 0.5 / sqrt(shots); the
    expectation value of a Pauli string, between -1 and 1, at most 1 / sqrt(shots).
    """
    return QUANTITIES[quantity] / math.sqrt(shots)


def shots_for(error: float, quantity: str = "probability") -> int:
    """Shots whose standard error is at most `error` in the worst case."""
    if not (math.isfinite(error) and 0 < error <= 1):
        raise UsageError(
            f"an error of {error:g} is not possible", hint="give an error between 0 and 1"
        )
    needed = (QUANTITIES[quantity] / error) ** 2 if error > 1e-9 else math.inf
    if needed > MOST_SHOTS:
        raise UsageError(
            f"an error of {error:g} takes more than {MOST_SHOTS:,} shots",
            hint="a spec allows no more for a point; `repeat` measures one several times",
        )
    return max(1, math.ceil(needed * (1 - 1e-12)))
