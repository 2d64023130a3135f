"""Mirror circuits: the polarization of their outcomes, and its decay with depth.

T. Proctor et al., "Measuring the capabilities of quantum computers", Nature Physics 18, 75 (2022),
and "Scalable randomized benchmarking of quantum computers using mirror circuits", Phys. Rev. Lett.
129, 150502 (2022): S = 4^n / (4^n - 1) sum_k (-1/2)^k h_k - 1 / (4^n - 1), where h_k is the share
of outcomes at Hamming distance k from the target. S is 1 without errors and 0 for random bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

from attrs import frozen

from iqm_spec.analysis.groups import (
    Group,
    Options,
    bounded_merit,
    fit_details,
    group_result,
    group_rows,
    ideal_of,
    mixed_widths,
    number_at,
    qubits_of,
    row_per_circuit,
    rows_of_circuits,
)
from iqm_spec.analysis.merit import Analysed, Curve
from iqm_spec.analysis.readout_mitigation import Readout
from iqm_spec.json_types import Json
from iqm_spec.plan.label import count
from iqm_spec.stages.rows import Row
from iqm_spec.statistics.intervals import Mean
from iqm_spec.statistics.significance import Goodness, goodness

NAME = "mirror_polarization"

_CERTAIN = 0.99
"""Ideal probability above which an outcome is the target."""

_CURVE_POINTS = 61
"""Points of the grid that a fit is drawn on."""


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


def polarization(counts: Mapping[str, int], target: str) -> Mean:
    """S of one circuit's counts, with the standard error that its shots leave."""
    shots = sum(counts.values())
    target = target.replace(" ", "")
    scale = 4.0 ** len(target)
    mean = square = 0.0
    for bits, hits in counts.items():
        distance = sum(a != b for a, b in zip(bits.replace(" ", ""), target, strict=True))
        value = (-0.5) ** distance
        mean += hits * value / shots
        square += hits * value * value / shots
    least = 2.25 / shots  # variance of one shot in all at distance one, which differs by 3/2
    spread = sqrt(max(square - mean * mean, least) / shots)
    factor = scale / (scale - 1)
    return Mean(factor * mean - 1 / (scale - 1), factor * spread)


def mean_of(circuits: Sequence[Mean]) -> Mean:
    """The mean over random circuits; its error is what they scatter by, or the shots' if larger."""
    number = len(circuits)
    mean = sum(circuit.value for circuit in circuits) / number
    shots = sqrt(sum(circuit.error**2 for circuit in circuits)) / number
    if number < 2:
        return Mean(mean, shots)
    scatter = sum((circuit.value - mean) ** 2 for circuit in circuits) / (number - 1)
    return Mean(mean, max(shots, sqrt(scatter / number)))


def fit_decay(qubits: int, depths: Sequence[float], means: Sequence[Mean]) -> Decay:
    """Weighted least squares of A p^d; ValueError for fewer than two depths."""
    import numpy as np
    from scipy.optimize import curve_fit

    if (different := len(set(depths))) < 2:
        known = count(different, "depth")
        raise ValueError(f"the polarization is known at {known}, and two are needed")

    def model(d: Any, amplitude: float, p: float) -> Any:
        return amplitude * np.power(p, d)

    values = np.array([mean.value for mean in means])
    first, last = min(depths), max(depths)
    ratio = max(means[list(depths).index(last)].value, 1e-6) / max(
        means[list(depths).index(first)].value, 1e-6
    )
    start = (1.0, min(1.0, max(1e-3, ratio ** (1 / (last - first)))))
    solution, covariance = curve_fit(
        model,
        np.array(depths, dtype=float),
        values,
        p0=start,
        sigma=np.array([mean.error for mean in means]),
        absolute_sigma=True,
        bounds=([0.0, 0.0], [2.0, 1.0]),
    )
    amplitude, p = (float(x) for x in solution)
    errors = np.sqrt(np.diag(covariance))
    share = (4.0**qubits - 1) / 4.0**qubits
    residuals = [mean.value - amplitude * p**d for d, mean in zip(depths, means, strict=True)]
    return Decay(
        amplitude=amplitude,
        amplitude_error=float(errors[0]),
        p=p,
        p_error=float(errors[1]),
        error_rate=share * (1 - p),
        error_rate_error=share * float(errors[1]),
        goodness=goodness(residuals, [mean.error for mean in means], 2),
    )


def least_polarization(qubits: int) -> float:
    """The lowest that a circuit can have: every shot at distance one."""
    return -(4.0**qubits / 2 + 1) / (4.0**qubits - 1)


def mirror_polarization(
    rows: Iterable[Row], options: Options, readout: Readout
) -> Iterator[Analysed]:
    """Per width: the decay over the depths, and the mean polarization at each."""
    axis, over = options["against"], options["over"]
    for group in group_rows(rows_of_circuits(rows, options["circuits"]), axis, *over):
        yield _result(group, axis, tuple(over))


def _result(group: Group, axis: str, over: tuple[str, ...]) -> Analysed:
    if mixed := mixed_widths(group):
        return group_result(NAME, group, [], axis, *over, notes=[mixed])
    means: dict[float, Mean] = {}
    notes = []
    by_depth: dict[float, list[Row]] = {}
    for row in group:
        if (number := number_at(row, axis)) is not None:
            by_depth.setdefault(number, []).append(row)
    if left_out := len(group) - sum(map(len, by_depth.values())):
        notes.append(f"{count(left_out, 'point')} left out: `{axis}` is no number there")
    circuits = 0
    for depth, rows in sorted(by_depth.items()):
        at_depth = row_per_circuit(rows)
        circuits += len(at_depth)
        known = [(row, target) for row in at_depth if (target := _target(row)) is not None]
        if len(known) < len(at_depth):
            notes.append(
                f"{len(at_depth) - len(known)} of {len(at_depth)} circuits at {axis} {depth:g} "
                "have no single ideal outcome that is known"
            )
        if known:
            means[depth] = mean_of([polarization(row.counts, target) for row, target in known])
    qubits = qubits_of(group[0])
    details: dict[str, Json] = {"qubits": qubits, "circuits": circuits}
    depths = list(means)
    try:
        decay = fit_decay(qubits, depths, list(means.values()))
    except (ValueError, RuntimeError) as error:
        least = least_polarization(qubits)
        merits = [
            bounded_merit("polarization", mean.value, mean.error, least, 1.0)
            for mean in list(means.values())[:1]
        ]
        return group_result(
            NAME, group, merits, axis, *over, notes=[*notes, str(error)], details=details
        )
    merits = [
        bounded_merit("error_per_layer", decay.error_rate, decay.error_rate_error, 0.0, 1.0),
        bounded_merit("amplitude", decay.amplitude, decay.amplitude_error, 0.0, 2.0),
    ]
    first, last = min(depths), max(depths)
    grid = tuple(first + (last - first) * k / (_CURVE_POINTS - 1) for k in range(_CURVE_POINTS))
    curve = Curve(
        axis=axis,
        x=tuple(depths),
        y=tuple(mean.value for mean in means.values()),
        errors=tuple(mean.error for mean in means.values()),
        fit_x=grid,
        fit_y=tuple(decay.amplitude * decay.p**depth for depth in grid),
    )
    notes += [decay.goodness.doubt] if decay.goodness.doubt else []
    details |= {"p": decay.p, **fit_details(decay.goodness)}
    return group_result(NAME, group, merits, axis, *over, curve=curve, notes=notes, details=details)


def _target(row: Row) -> str | None:
    """The one outcome of a perfect device."""
    ideal = ideal_of(row)
    best = max(ideal, key=lambda bits: ideal[bits], default=None)
    return best if best is not None and ideal[best] > _CERTAIN else None
