"""Fidelity of GHZ states from populations and the oscillation of the parity.

T. Monz et al., "14-qubit entanglement: creation and coherence", Phys. Rev. Lett. 106, 130506
(2011). With all qubits turned by R(pi/2, phi) before they are measured, the parity of a GHZ state
of n qubits oscillates as C cos(n phi + phi0), where C is twice the modulus of the coherence between
all zeros and all ones. Its fidelity to the closest GHZ state of any phase is F = (P + C) / 2, with
P the population of all zeros and all ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import cos, hypot, inf, pi, sin, sqrt

from attrs import frozen

from iqm_spec.analysis.groups import (
    Group,
    Options,
    added_counts,
    added_rows,
    bounded_merit,
    calibration_of,
    fit_details,
    group_result,
    group_rows,
    number_at,
    qubits_of,
    rows_of_circuits,
)
from iqm_spec.analysis.merit import Analysed, Curve
from iqm_spec.analysis.readout_mitigation import Mitigated, Readout
from iqm_spec.stages.rows import Row
from iqm_spec.statistics.intervals import Mean
from iqm_spec.statistics.significance import Goodness, goodness

NAME = "ghz_fidelity"

_CURVE_POINTS = 121
"""Points of the grid that a fit is drawn on."""

_UNCERTAIN = 3.0
"""Standard errors within which a figure may be anything."""

_BEYOND = "mitigated figures are of quasi-probabilities, which may lead beyond 1"


@frozen
class Oscillation:
    """The amplitude C of a parity's oscillation with its error, its phase and its offset."""

    amplitude: float
    error: float
    phase: float
    offset: float
    goodness: Goodness


def populations(counts: Mapping[str, int]) -> Mean:
    """The share of shots that gave all zeros or all ones, with its standard error."""
    shots = sum(counts.values())
    hits = round(sum(n * all_alike(bits) for bits, n in counts.items()))
    return Mean(hits / shots, _binomial_error(hits, shots))


def parity(counts: Mapping[str, int]) -> Mean:
    """Even minus odd numbers of ones, as a share of the shots."""
    shots = sum(counts.values())
    even = sum(n for bits, n in counts.items() if sign(bits) > 0)
    return Mean(2 * even / shots - 1, 2 * _binomial_error(even, shots))


def fit_oscillation(qubits: int, phases: Sequence[float], parities: Sequence[Mean]) -> Oscillation:
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
    weights = np.array([1 / mean.error for mean in parities])
    columns = [[cos(qubits * phi), sin(qubits * phi), 1.0] for phi in phases]
    design = np.array(columns) * weights[:, None]
    target = np.array([mean.value for mean in parities]) * weights
    covariance = np.linalg.inv(design.T @ design)
    a, b, c = (float(x) for x in covariance @ (design.T @ target))
    amplitude = hypot(a, b)
    slope = np.array([a, b, 0.0]) / amplitude if amplitude else np.array([1.0, 0.0, 0.0])
    error = sqrt(float(slope @ covariance @ slope))
    fitted = [a * cos(qubits * phi) + b * sin(qubits * phi) + c for phi in phases]
    residuals = [mean.value - y for mean, y in zip(parities, fitted, strict=True)]
    fit = goodness(residuals, [mean.error for mean in parities], 3)
    return Oscillation(amplitude, error, float(np.arctan2(-b, a)), c, fit)


def fidelity(population: Mean, oscillation: Oscillation) -> Mean:
    """(P + C) / 2 with its standard error."""
    value = (population.value + oscillation.amplitude) / 2
    return Mean(value, hypot(population.error, oscillation.error) / 2)


def all_alike(bits: str) -> float:
    """1 for all zeros or all ones, else 0."""
    return float(len(set(bits.replace(" ", ""))) == 1)


def sign(bits: str) -> float:
    """1 for an even number of ones, -1 for an odd one."""
    return -1.0 if bits.count("1") % 2 else 1.0


def _binomial_error(hits: int, shots: int) -> float:
    """Standard error of a share, half a shot added to either side: never zero."""
    share = (hits + 0.5) / (shots + 1)
    return sqrt(share * (1 - share) / shots)


def ghz_fidelity(rows: Iterable[Row], options: Options, readout: Readout) -> Iterator[Analysed]:
    """One result per stage and size (all axes but the phase and those of one circuit only)."""
    all_rows = list(rows)
    phase = options["phase"]
    straight = {
        _key(group[0]): group
        for group in group_rows(rows_of_circuits(all_rows, [options["populations"]]))
    }
    for turned in group_rows(rows_of_circuits(all_rows, [options["parity"]]), phase):
        plain = straight.get(_key(turned[0], phase))
        if plain is None:
            note = f"no point of {options['populations']} has the same values"
            yield group_result(NAME, turned, [], phase, notes=[note])
        else:
            yield _result(plain, turned, phase, readout)


def _key(row: Row, *without: str) -> object:
    """What the points of populations and of parities must have in common to belong together."""
    values = tuple(sorted(item for item in row.point.values if item[0] not in without))
    return row.stage, row.emulated, row.point.target, calibration_of(row), values


def _result(plain: Group, turned: Group, phase: str, readout: Readout) -> Analysed:
    qubits = qubits_of(turned[0])
    numbers = [number_at(row, phase) for row in turned]
    phases = [number for number in numbers if number is not None]
    if len(phases) < len(numbers):
        return group_result(
            NAME, turned, [], phase, notes=[f"`{phase}` is no number at every point"]
        )
    parities = [parity(row.counts) for row in turned]
    population = populations(added_counts(plain))
    rows = [*plain, *turned]
    population_merit = bounded_merit("population", population.value, population.error, 0.0, 1.0)
    try:
        wave = fit_oscillation(qubits, phases, parities)
    except ValueError as error:
        return group_result(NAME, rows, [population_merit], phase, notes=[str(error)])
    total = fidelity(population, wave)
    merits = [
        bounded_merit(NAME, total.value, total.error, -inf, inf),
        population_merit,
        bounded_merit("coherence", wave.amplitude, wave.error, -inf, inf),
    ]
    mitigated = _mitigated(plain, turned, phases, readout)
    merits += [
        bounded_merit(f"{name}_mitigated", mean.value, mean.error, -inf, inf)
        for name, mean in mitigated.items()
    ]
    notes = [_BEYOND] if any(mean.value > 1 for mean in mitigated.values()) else []
    notes += [wave.goodness.doubt] if wave.goodness.doubt else []
    if wave.amplitude > 1 + _UNCERTAIN * wave.error:
        notes.append("the coherence is above 1 by more than three errors: no state has so much")
    if wave.amplitude < _UNCERTAIN * wave.error:
        notes.append("the coherence is within three errors of 0: an amplitude is never below it")
    order = sorted(range(len(phases)), key=phases.__getitem__)
    first = min(phases)
    last = max(*phases, first + 2 * pi / qubits)
    grid = tuple(first + (last - first) * k / (_CURVE_POINTS - 1) for k in range(_CURVE_POINTS))
    values = (wave.amplitude * cos(qubits * phi + wave.phase) + wave.offset for phi in grid)
    curve = Curve(
        axis=phase,
        x=tuple(phases[i] for i in order),
        y=tuple(parities[i].value for i in order),
        errors=tuple(parities[i].error for i in order),
        fit_x=grid,
        fit_y=tuple(values),
    )
    details = {"phase": wave.phase, "offset": wave.offset, "qubits": qubits}
    details |= fit_details(wave.goodness)  # type: ignore[arg-type]
    return group_result(NAME, rows, merits, phase, curve=curve, notes=notes, details=details)


def _mitigated(
    plain: Group, turned: Group, phases: Sequence[float], readout: Readout
) -> dict[str, Mean]:
    """The figures with the readout's errors taken off, where all points are calibrated."""
    plain_counts = readout.mitigated(added_rows(plain))
    turned_counts = [
        counts for row in turned if isinstance(counts := readout.mitigated(row), Mitigated)
    ]
    if not isinstance(plain_counts, Mitigated) or len(turned_counts) < len(turned):
        return {}
    parities = [
        _no_surer(counts.mean(sign), parity(row.counts))
        for counts, row in zip(turned_counts, turned, strict=True)
    ]
    wave = fit_oscillation(qubits_of(turned[0]), phases, parities)
    population = _no_surer(plain_counts.mean(all_alike), populations(added_counts(plain)))
    return {
        NAME: fidelity(population, wave),
        "population": population,
        "coherence": Mean(wave.amplitude, wave.error),
    }


def _no_surer(mitigated: Mean, raw: Mean) -> Mean:
    """Mitigation makes nothing surer: where all shots agree its own error would be too small."""
    return Mean(mitigated.value, max(mitigated.error, raw.error))
