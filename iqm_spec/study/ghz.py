"""GHZ fidelity from a circuit's populations and another's parity at several phases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import cos, inf, pi

from iqm_spec.analysis.expectation import Expectation
from iqm_spec.analysis.ghz import (
    Oscillation,
    all_alike,
    fidelity,
    fit_oscillation,
    parity,
    populations,
    sign,
)
from iqm_spec.analysis.merit import Analysed, Curve
from iqm_spec.analysis.readout import Mitigated
from iqm_spec.stages.rows import Row
from iqm_spec.study.groups import (
    Group,
    Options,
    added,
    apart,
    follows,
    found,
    merit,
    number_at,
    qubits_of,
    rows_of_circuits,
    together,
)
from iqm_spec.study.readout import Readout

NAME = "ghz_fidelity"
_DRAWN = 121
_UNCERTAIN = 3.0
_BEYOND = "mitigated figures are of quasi-probabilities, which may lead beyond 1"


def ghz_fidelity(rows: Iterable[Row], options: Options, readout: Readout) -> Iterator[Analysed]:
    """One result per stage and size (all axes but the phase and those of one circuit only)."""
    everything = list(rows)
    phase = options["phase"]
    straight = {
        _key(group[0]): group
        for group in apart(rows_of_circuits(everything, [options["populations"]]))
    }
    for turned in apart(rows_of_circuits(everything, [options["parity"]]), phase):
        plain = straight.get(_key(turned[0], phase))
        if plain is None:
            told = f"no point of {options['populations']} has the same values"
            yield found(NAME, turned, [], phase, notes=[told])
        else:
            yield _fidelity(plain, turned, phase, readout)


def _key(row: Row, *without: str) -> object:
    values = tuple(sorted(item for item in row.point.values if item[0] not in without))
    calibration = row.calibration_set_id
    return row.stage, row.emulated, row.point.target, calibration, values


def _fidelity(plain: Group, turned: Group, phase: str, readout: Readout) -> Analysed:
    qubits = qubits_of(turned[0])
    numbers = [number_at(row, phase) for row in turned]
    if any(one is None for one in numbers):
        return found(NAME, turned, [], phase, notes=[f"`{phase}` is no number at every point"])
    phases = [one for one in numbers if one is not None]
    parities = [parity(row.counts) for row in turned]
    population = populations(together(plain))
    both = [*plain, *turned]
    found_population = merit("population", population.value, population.error, 0.0, 1.0)
    try:
        wave = fit_oscillation(qubits, phases, parities)
    except ValueError as error:
        return found(NAME, both, [found_population], phase, notes=[str(error)])
    total = fidelity(population, wave)
    merits = [
        merit(NAME, total.value, total.error, -inf, inf),
        found_population,
        merit("coherence", wave.amplitude, wave.error, -inf, inf),
    ]
    better = _mitigated(plain, turned, phases, readout)
    merits += [
        merit(f"{name}_mitigated", one.value, one.error, -inf, inf) for name, one in better.items()
    ]
    notes = [_BEYOND] if any(one.value > 1 for one in better.values()) else []
    notes += [wave.goodness.doubt] if wave.goodness.doubt else []
    if wave.amplitude > 1 + _UNCERTAIN * wave.error:
        notes.append("the coherence is above 1 by more than three errors: no state has so much")
    if wave.amplitude < _UNCERTAIN * wave.error:
        notes.append("the coherence is within three errors of 0: an amplitude is never below it")
    errors = tuple(one.error for one in parities)
    order = sorted(range(len(phases)), key=phases.__getitem__)
    curve = Curve(
        axis=phase,
        x=tuple(phases[i] for i in order),
        y=tuple(parities[i].value for i in order),
        errors=tuple(errors[i] for i in order),
        **_drawn(qubits, wave, min(phases), max(phases)),
    )
    details = {"phase": wave.phase, "offset": wave.offset, "qubits": qubits}
    details |= follows(wave.goodness)  # type: ignore[arg-type]
    return found(NAME, both, merits, phase, curve=curve, notes=notes, details=details)


def _mitigated(
    plain: Group, turned: Group, phases: Sequence[float], readout: Readout
) -> dict[str, Expectation]:
    """The figures with the readout's errors taken off, where all points are calibrated."""
    straight = readout.mitigated(added(plain))
    others = [readout.mitigated(row) for row in turned]
    waves = [one for one in others if isinstance(one, Mitigated)]
    if not isinstance(straight, Mitigated) or len(waves) < len(others):
        return {}
    parities = [
        _no_surer(one.mean(sign), parity(row.counts))
        for one, row in zip(waves, turned, strict=True)
    ]
    wave = fit_oscillation(qubits_of(turned[0]), phases, parities)
    population = _no_surer(straight.mean(all_alike), populations(together(plain)))
    return {
        NAME: fidelity(population, wave),
        "population": population,
        "coherence": Expectation(wave.amplitude, wave.error),
    }


def _no_surer(mitigated: Expectation, raw: Expectation) -> Expectation:
    """Mitigation makes nothing surer: where all shots agree its own error would be too small."""
    return Expectation(mitigated.value, max(mitigated.error, raw.error))


def _drawn(
    qubits: int, wave: Oscillation, first: float, last: float
) -> dict[str, tuple[float, ...]]:
    last = max(last, first + 2 * pi / qubits)
    grid = tuple(first + (last - first) * k / (_DRAWN - 1) for k in range(_DRAWN))
    values = (wave.amplitude * cos(qubits * phi + wave.phase) + wave.offset for phi in grid)
    return {"fit_x": grid, "fit_y": tuple(values)}
