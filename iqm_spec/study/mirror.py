"""Polarization of mirror circuits: circuit by circuit averaged, and its decay with depth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iqm_spec.analysis.expectation import Expectation
from iqm_spec.analysis.merit import Analysed, Curve
from iqm_spec.analysis.mirror import (
    Decay,
    fit_decay,
    least_polarization,
    mean_of,
    polarization,
)
from iqm_spec.plan.label import count
from iqm_spec.stages.rows import Row
from iqm_spec.study.groups import (
    Group,
    Options,
    apart,
    follows,
    found,
    merit,
    mixed_widths,
    number_at,
    pooled,
    qubits_of,
    rows_of_circuits,
)
from iqm_spec.study.readout import Readout

NAME = "mirror_polarization"
_CERTAIN = 0.99
_DRAWN = 61


def mirror_polarization(
    rows: Iterable[Row], options: Options, readout: Readout
) -> Iterator[Analysed]:
    """Per width: the decay over the depths, and the mean polarization at each."""
    axis, over = options["against"], options["over"]
    for group in apart(rows_of_circuits(rows, options["circuits"]), axis, *over):
        yield _decay(group, axis, tuple(over))


def _decay(group: Group, axis: str, over: tuple[str, ...]) -> Analysed:
    if mixed := mixed_widths(group):
        return found(NAME, group, [], axis, *over, notes=[mixed])
    means: dict[float, Expectation] = {}
    notes = []
    by_depth = _by_depth(group, axis)
    if left := len(group) - sum(map(len, by_depth.values())):
        notes.append(f"{count(left, 'point')} left out: `{axis}` is no number there")
    circuits = 0
    for depth, several in sorted(by_depth.items()):
        some = pooled(several)
        circuits += len(some)
        known = [(row, target) for row in some if (target := _target(row)) is not None]
        if len(known) < len(some):
            notes.append(
                f"{len(some) - len(known)} of {len(some)} circuits at {axis} {depth:g} have no "
                "single ideal outcome that is known"
            )
        if known:
            means[depth] = mean_of([polarization(row.counts, target) for row, target in known])
    details = {"qubits": qubits_of(group[0]), "circuits": circuits}
    depths = list(means)
    try:
        decay = fit_decay(details["qubits"], depths, list(means.values()))
    except (ValueError, RuntimeError) as error:
        least = least_polarization(details["qubits"])
        merits = [merit("polarization", one.value, one.error, least, 1.0) for one in means.values()]
        merits = merits[:1]
        return found(NAME, group, merits, axis, *over, notes=[*notes, str(error)], details=details)
    merits = [
        merit("error_per_layer", decay.error_rate, decay.error_rate_error, 0.0, 1.0),
        merit("amplitude", decay.amplitude, decay.amplitude_error, 0.0, 2.0),
    ]
    curve = Curve(
        axis=axis,
        x=tuple(depths),
        y=tuple(one.value for one in means.values()),
        errors=tuple(one.error for one in means.values()),
        **_drawn(decay, depths),
    )
    notes += [decay.goodness.doubt] if decay.goodness.doubt else []
    told = {**details, "p": decay.p, **follows(decay.goodness)}
    return found(NAME, group, merits, axis, *over, curve=curve, notes=notes, details=told)


def _by_depth(group: Group, axis: str) -> dict[float, list[Row]]:
    depths: dict[float, list[Row]] = {}
    for row in group:
        if (depth := number_at(row, axis)) is not None:
            depths.setdefault(depth, []).append(row)
    return depths


def _target(row: Row) -> str | None:
    """The one outcome of a perfect device."""
    ideal = row.ideal or {}
    best = max(ideal, key=lambda bits: ideal[bits], default=None)
    return best if best is not None and ideal[best] > _CERTAIN else None


def _drawn(decay: Decay, depths: list[float]) -> dict[str, tuple[float, ...]]:
    first, last = min(depths), max(depths)
    grid = tuple(first + (last - first) * k / (_DRAWN - 1) for k in range(_DRAWN))
    return {"fit_x": grid, "fit_y": tuple(decay.amplitude * decay.p**d for d in grid)}
