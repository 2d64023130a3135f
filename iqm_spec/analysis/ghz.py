"""Fidelity of GHZ states from populations and the oscillation of the parity.

T. Monz et al., "14-qubit entanglement: creation and coherence", Phys. Rev. Lett. 106, 130506
(2011). With all qubits turned by R(pi/2, phi) before they are measured, the parity of a GHZ state
of n qubits oscillates as C cos(n phi + phi0), where C is twice the modulus of the coherence between
all zeros and all ones. Its fidelity to the closest GHZ state of any phase is F = (P + C) / 2, with
P the population of all zeros and all ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, hypot, pi, sin, sqrt

from attrs import frozen

from iqm_spec.analysis.expectation import Expectation
from iqm_spec.analysis.goodness import Goodness, goodness


@frozen
class Oscillation:
    """The amplitude C of a parity's oscillation with its error, its phase and its offset."""

    amplitude: float
    error: float
    phase: float
    offset: float
    goodness: Goodness


def populations(counts: Mapping[str, int]) -> Expectation:
    """The share of shots that gave all zeros or all ones, with its standard error."""
    shots = sum(counts.values())
    hits = round(sum(n * all_alike(bits) for bits, n in counts.items()))
    return Expectation(hits / shots, _binomial_error(hits, shots))


def parity(counts: Mapping[str, int]) -> Expectation:
    """Even minus odd numbers of ones, as a share of the shots."""
    shots = sum(counts.values())
    even = sum(n for bits, n in counts.items() if sign(bits) > 0)
    return Expectation(2 * even / shots - 1, 2 * _binomial_error(even, shots))


def all_alike(bits: str) -> float:
    """1 for all zeros or all ones, else 0."""
    return float(len(set(bits.replace(" ", ""))) == 1)


def sign(bits: str) -> float:
    """1 for an even number of ones, -1 for an odd one."""
    return -1.0 if bits.count("1") % 2 else 1.0


def fit_oscillation(
    qubits: int, phases: Sequence[float], parities: Sequence[Expectation]
) -> Oscillation:
    """Weighted least squares of a cos(n phi) + b sin(n phi) + c; C is the modulus of (a, b).

    ValueError for less than three phases that differ modulo 2 pi / n.
    """
    import numpy as np

    different = {round((qubits * phi) % (2 * pi), 9) % round(2 * pi, 9) for phi in phases}
    if len(different) < 3:
        raise ValueError(
            f"the parity is known at {len(different)} of the phases that differ modulo 2 pi / "
            f"{qubits}, and three are needed"
        )
    weights = np.array([1 / one.error for one in parities])
    columns = [[cos(qubits * phi), sin(qubits * phi), 1.0] for phi in phases]
    design = np.array(columns) * weights[:, None]
    target = np.array([one.value for one in parities]) * weights
    covariance = np.linalg.inv(design.T @ design)
    a, b, c = (float(x) for x in covariance @ (design.T @ target))
    amplitude = hypot(a, b)
    slope = np.array([a, b, 0.0]) / amplitude if amplitude else np.array([1.0, 0.0, 0.0])
    error = sqrt(float(slope @ covariance @ slope))
    fitted = [a * cos(qubits * phi) + b * sin(qubits * phi) + c for phi in phases]
    residuals = [one.value - y for one, y in zip(parities, fitted, strict=True)]
    follows = goodness(residuals, [one.error for one in parities], 3)
    return Oscillation(amplitude, error, float(np.arctan2(-b, a)), c, follows)


def fidelity(population: Expectation, oscillation: Oscillation) -> Expectation:
    """(P + C) / 2 with its standard error."""
    value = (population.value + oscillation.amplitude) / 2
    return Expectation(value, hypot(population.error, oscillation.error) / 2)


def _binomial_error(hits: int, shots: int) -> float:
    """Standard error of a share, half a shot added to either side: never zero."""
    share = (hits + 0.5) / (shots + 1)
    return sqrt(share * (1 - share) / shots)
