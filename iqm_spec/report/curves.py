"""Curves that an analysis fitted, with the points that they were fitted to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from iqm_spec.analysis.merit import Analysed
from iqm_spec.plots.series import Mark, Series, XAxis, series_plot
from iqm_spec.plots.svg import picture_of
from iqm_spec.report.axes import MOST_SERIES
from iqm_spec.report.document import Figure
from iqm_spec.report.words import clean, merit_title, stage_name, thinned, value

MOST_MARKS = 600

_DRAWN = {"ghz_fidelity": "parity", "mirror_polarization": "polarization"}
"""What stands upwards in the curves of an analysis, where that is not its own name."""


def curves(analysed: Sequence[Analysed], noisy: bool) -> Iterator[Figure]:
    """Fitted curves: those of one analysis, axis and stage together, so many to a chart."""
    groups: dict[tuple[str, str, str, bool], list[Analysed]] = {}
    for one in analysed:
        if one.curve is not None:
            key = (one.analysis, one.curve.axis, one.stage, one.emulated)
            groups.setdefault(key, []).append(one)
    for (analysis, axis, stage, emulated), some in groups.items():
        for start in range(0, min(len(some), 4 * MOST_SERIES), MOST_SERIES):
            part = some[start : start + MOST_SERIES]
            told = stage_name(stage, emulated, noisy)
            number = f", part {start // MOST_SERIES + 1}" if len(some) > MOST_SERIES else ""
            drawn = merit_title(_DRAWN.get(analysis, analysis))
            caption = clean(f"{drawn} against {axis}{number}; {told}.")
            if any(one.curve and one.curve.errors for one in part):
                caption += " Bars are standard errors."
            if any(one.curve and one.curve.fit_y for one in part):
                caption += " Lines are fits."
            series = [_curve(one, i, _named(one, part)) for i, one in enumerate(part)]
            picture = picture_of(series_plot(series, XAxis(clean(axis, 60)), drawn), caption)
            name = f"{analysis}-curve-{axis}-{stage}-{start // MOST_SERIES + 1}"
            yield Figure(name, caption, picture)


def _named(one: Analysed, others: Sequence[Analysed]) -> str:
    """A curve's name: its circuit, and the axes on which its neighbours differ from it."""
    differ = {
        name: of
        for name, of in one.values.items()
        if any(other.values.get(name) != of for other in others)
    }
    told = ", ".join(f"{name} = {value(of)}" for name, of in differ.items())
    circuits = {other.circuit for other in others}
    return clean(f"{one.circuit} {told}".strip() if len(circuits) > 1 or not told else told, 60)


def _curve(one: Analysed, number: int, name: str) -> Series:
    curve = one.curve
    assert curve is not None  # noqa: S101 - chosen for it
    errors = curve.errors or (None,) * len(curve.x)
    marks = [
        Mark(x, y, None if e is None else y - e, None if e is None else y + e, f"{x:g}: {y:.4g}")
        for x, y, e in zip(curve.x, curve.y, errors, strict=True)
        if isfinite(x) and isfinite(y)
    ]
    kept = tuple(marks[i] for i in thinned(len(marks), MOST_MARKS))
    pairs = zip(curve.fit_x, curve.fit_y, strict=True)
    fit = tuple((x, y) for x, y in pairs if isfinite(x) and isfinite(y))
    fit = tuple(fit[i] for i in thinned(len(fit), 300))
    return Series(name, kept, number, number, fit=fit, style="" if fit else "guide")
