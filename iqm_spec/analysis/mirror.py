"""Mirror circuits: the polarization of their outcomes, and its decay with depth.

T. Proctor et al., "Measuring the capabilities of quantum computers", Nature Physics 18, 75 (2022),
and "Scalable randomized benchmarking of quantum computers using mirror circuits", Phys. Rev. Lett.
129, 150502 (2022): S = 4^n / (4^n - 1) sum_k (-1/2)^k h_k - 1 / (4^n - 1), where h_k is the share
of outcomes at Hamming distance k from the target. S is 1 without errors and 0 for random bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from attrs import frozen

from iqm_spec.analysis.expectation import Expectation
from iqm_spec.analysis.goodness import Goodness, goodness


@frozen
class Decay:
    """The fit S(d) = A p^d, with standard errors; `error_rate` is (4^n - 1) / 4^n (1 - p)."""

    amplitude: float
    amplitude_error: float
    p: float
    p_error: float
    error_rate: float
    error_rate_error: float
    goodness: Goodness


def polarization(counts: Mapping[str, int], target: str) -> Expectation:
    """S of one circuit's counts, with the standard error that its shots leave."""
    shots = sum(counts.values())
    wanted = target.replace(" ", "")
    scale = 4.0 ** len(wanted)
    mean = square = 0.0
    for bits, count in counts.items():
        apart = sum(a != b for a, b in zip(bits.replace(" ", ""), wanted, strict=True))
        value = (-0.5) ** apart
        mean += count * value / shots
        square += count * value * value / shots
    least = 2.25 / shots  # variance of one shot in all at distance one, which differs by 3/2
    spread = sqrt(max(square - mean * mean, least) / shots)
    factor = scale / (scale - 1)
    return Expectation(factor * mean - 1 / (scale - 1), factor * spread)


def mean_of(several: Sequence[Expectation]) -> Expectation:
    """The mean over random circuits; its error is what they scatter by, or the shots' if larger."""
    count = len(several)
    mean = sum(one.value for one in several) / count
    shots = sqrt(sum(one.error**2 for one in several)) / count
    if count < 2:
        return Expectation(mean, shots)
    scatter = sum((one.value - mean) ** 2 for one in several) / (count - 1)
    return Expectation(mean, max(shots, sqrt(scatter / count)))


def fit_decay(qubits: int, depths: Sequence[float], means: Sequence[Expectation]) -> Decay:
    """Weighted least squares of A p^d; ValueError for fewer than two depths."""
    import numpy as np
    from scipy.optimize import curve_fit

    if (known := len(set(depths))) < 2:
        told = f"{known} depth{'s' * (known != 1)}"
        raise ValueError(f"the polarization is known at {told}, and two are needed")

    def model(d: Any, amplitude: float, p: float) -> Any:
        return amplitude * np.power(p, d)

    values = np.array([one.value for one in means])
    first, last = min(depths), max(depths)
    ratio = max(means[list(depths).index(last)].value, 1e-6) / max(
        means[list(depths).index(first)].value, 1e-6
    )
    start = (1.0, min(1.0, max(1e-3, ratio ** (1 / (last - first)))))
    found, covariance = curve_fit(
        model,
        np.array(depths, dtype=float),
        values,
        p0=start,
        sigma=np.array([one.error for one in means]),
        absolute_sigma=True,
        bounds=([0.0, 0.0], [2.0, 1.0]),
    )
    amplitude, p = (float(x) for x in found)
    errors = np.sqrt(np.diag(covariance))
    share = (4.0**qubits - 1) / 4.0**qubits
    residuals = [one.value - amplitude * p**d for d, one in zip(depths, means, strict=True)]
    return Decay(
        amplitude=amplitude,
        amplitude_error=float(errors[0]),
        p=p,
        p_error=float(errors[1]),
        error_rate=share * (1 - p),
        error_rate_error=share * float(errors[1]),
        goodness=goodness(residuals, [one.error for one in means], 2),
    )


def least_polarization(qubits: int) -> float:
    """The lowest that a circuit can have: every shot at distance one."""
    return -(4.0**qubits / 2 + 1) / (4.0**qubits - 1)
