"""Relaxation and coherence times of single qubits: T1, T2* of Ramsey fringes, T2 of echoes.

Each qubit of a circuit is an experiment of its own: its bit's probability of 1 against the delay,
whatever the other bits are. Contrast and offset of the curves are free, so that errors of
preparation and readout that do not change with the delay bend no decay time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import sqrt

from attrs import define, field, frozen

from iqm_spec.analysis.groups import (
    Group,
    Options,
    fit_details,
    group_result,
    group_rows,
    measured_components,
    number_at,
    rows_of_circuits,
)
from iqm_spec.analysis.merit import QUBIT, Analysed, Curve, Merit
from iqm_spec.engine.saved import SavedRun
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.label import count
from iqm_spec.stages.rows import Row
from iqm_spec.statistics.decay import Decay, NoDecay, fit_decay, fit_fringes
from iqm_spec.statistics.intervals import interval
from iqm_spec.store import Store

NAME = "coherence"

_US, _KHZ = 1e6, 1e-3

_CURVE_POINTS = 241
"""Points of the grid that a fit is drawn on."""


@frozen
class Experiment:
    """A kind of experiment: its option, the name of its decay time, and where its decay ends.

    `ends_at` is the probability of 1 after endless time, of a perfect readout.
    """

    option: str
    time: str
    ends_at: float
    fringes: bool = False


EXPERIMENTS = (
    Experiment("t1", "t1", 0.0),
    Experiment("ramsey", "t2_star", 0.5, fringes=True),
    Experiment("echo", "t2", 0.5),
)


@define
class _Series:
    """One qubit's counts: delays in seconds, and at each how often it was 1, and shots."""

    delays: list[float] = field(factory=list)
    ones: list[int] = field(factory=list)
    shots: list[int] = field(factory=list)


def coherence(
    store: Store, saved: SavedRun, rows: Iterable[Row], options: Options
) -> Iterator[Analysed]:
    """One result per stage, circuit and physical qubit."""
    axis = options["delay"]
    counted = list(rows)
    for experiment in EXPERIMENTS:
        chosen = rows_of_circuits(counted, options[experiment.option])
        circuits = circuits_of(store, saved.plan, [row.point for row in chosen])
        for group in group_rows(chosen, axis):
            with_delay = [row for row in group if number_at(row, axis) is not None]
            if len(with_delay) < len(group):
                left_out = count(len(group) - len(with_delay), "point")
                note = f"{left_out} of {group[0].point.name} left out: `{axis}` is no number there"
                yield group_result(NAME, group, [], axis, notes=[note])
            for qubit, series in _series_of(with_delay, axis, circuits).items():
                yield _result(with_delay, axis, experiment, qubit, series)


def _series_of(rows: Group, axis: str, circuits: Mapping[str, NativeCircuit]) -> dict[str, _Series]:
    """The counts of every physical qubit that is measured, in the order of its bits."""
    series: dict[str, _Series] = {}
    for row in rows:
        delay = number_at(row, axis)
        assert delay is not None  # noqa: S101 - chosen by the caller
        components = measured_components(circuits[row.point.circuit_key])
        shots = sum(row.counts.values())
        ones = [0] * len(components)
        for bits, hits in row.counts.items():
            for place, bit in enumerate(bits.replace(" ", "")):
                ones[place] += hits if bit == "1" else 0
        for component, hits in reversed(list(zip(components, ones, strict=True))):
            if component:
                own = series.setdefault(component, _Series())
                own.delays.append(delay)
                own.ones.append(hits)
                own.shots.append(shots)
    return series


def _result(
    rows: Group, axis: str, experiment: Experiment, qubit: str, series: _Series
) -> Analysed:
    if experiment.fringes:
        fit = fit_fringes(series.delays, series.ones, series.shots)
    else:
        fit = fit_decay(series.delays, series.ones, series.shots, experiment.ends_at)
    details: dict[str, Json] = {QUBIT: qubit, "experiment": experiment.option}
    merits, notes = [], []
    if isinstance(fit, Decay):
        merits = _merits(experiment, fit)
        notes = [fit.goodness.mismatch] if fit.widened > 1 else []
        notes = [f"{note}: errors are {fit.widened:.2g} times as wide" for note in notes]
        details |= {
            "amplitude": fit.amplitude.value,
            "amplitude_error": fit.amplitude.error,
            "offset": fit.offset.value,
            "offset_error": fit.offset.error,
            "phase": fit.phase,
            "errors_widened": fit.widened,
            **fit_details(fit.goodness),
        }
    else:
        notes = [fit.reason]
        for side, bound in (("at_least", fit.at_least), ("at_most", fit.at_most)):
            if bound is not None:
                merits.append(Merit(f"{experiment.time}_{side}_us", bound * _US))
    return group_result(
        NAME,
        rows,
        merits,
        axis,
        more={QUBIT: qubit},
        curve=_curve(axis, series, fit),
        notes=[f"{experiment.option} of {qubit}: {note}" for note in notes],
        details=details,
    )


def _merits(experiment: Experiment, fit: Decay) -> list[Merit]:
    time = fit.time
    scaled = (_US * number for number in (time.value, time.error, time.low, time.high))
    merits = [Merit(f"{experiment.time}_us", *scaled)]
    if fit.frequency is not None:
        value, error = fit.frequency.value * _KHZ, fit.frequency.error * _KHZ
        low, high = interval(value, error)
        merits.append(Merit("frequency_khz", value, error, max(0.0, low), high))
    return merits


def _curve(axis: str, series: _Series, fit: Decay | NoDecay) -> Curve:
    order = sorted(range(len(series.delays)), key=series.delays.__getitem__)
    first, last = series.delays[order[0]], series.delays[order[-1]]
    grid = (first + (last - first) * k / (_CURVE_POINTS - 1) for k in range(_CURVE_POINTS))
    fit_x = tuple(grid) if isinstance(fit, Decay) else ()
    shares = [(series.ones[k] + 0.5) / (series.shots[k] + 1) for k in order]
    return Curve(
        axis=axis,
        x=tuple(series.delays[k] for k in order),
        y=tuple(series.ones[k] / series.shots[k] for k in order),
        errors=tuple(
            sqrt(p * (1 - p) / series.shots[k]) for p, k in zip(shares, order, strict=True)
        ),
        fit_x=fit_x,
        fit_y=tuple(fit.at(t) for t in fit_x) if isinstance(fit, Decay) else (),
    )
