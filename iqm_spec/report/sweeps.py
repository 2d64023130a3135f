"""Probabilities of outcomes along one axis: what a scan of an angle or a time shows first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from iqm_spec.analysis.intervals import wilson
from iqm_spec.plots.bars import Outcomes
from iqm_spec.plots.series import Mark, Series, XAxis, intervals_word, series_plot
from iqm_spec.plots.svg import picture_of
from iqm_spec.report.axes import Axis, axes_of
from iqm_spec.report.document import Figure
from iqm_spec.report.pick import Measured
from iqm_spec.report.words import clean, thinned

MOST_OUTCOMES = 4
_LEAST_VALUES, _MOST_BITS, _MOST_MARKS = 5, 12, 400

Known = tuple[Measured, Sequence[Outcomes]]


def sweeps(known: Sequence[Known]) -> Iterator[Figure]:
    """A chart for each circuit that is swept over one axis of numbers, as it is measured there."""
    circuits: dict[str, list[Known]] = {}
    for one in known:
        if one[0].point.repeat == 0:
            circuits.setdefault(one[0].point.name, []).append(one)
    for name, some in circuits.items():
        axes = axes_of([dict(one.point.values) for one, _ in some])
        if len(axes) == 1 and axes[0].numeric and len(axes[0].values) >= _LEAST_VALUES:
            yield from _charts(name, some, axes[0])


def _charts(name: str, some: Sequence[Known], x: Axis) -> Iterator[Figure]:
    kept = [some[i] for i in thinned(len(some), _MOST_MARKS)]
    bits = {len(outcome) for _, sets in kept for one in sets for outcome in one.probabilities}
    if len(bits) != 1 or max(bits) > _MOST_BITS:
        return
    shown = _moving(kept)
    if not shown:
        return
    titles = dict.fromkeys(one.name for _, sets in kept for one in sets if one.shots)
    for number, title in enumerate(titles):
        series = [one for i, bits in enumerate(shown) for one in _series(bits, i, kept, x, title)]
        caption = clean(
            f"Outcomes of {name} against {x.title}; {title}. {intervals_word(series)} are 95 % "
            "intervals, dashed lines the ideal probabilities."
        )
        axis = XAxis(clean(x.title, 60), values=tuple(map(float, x.values)))
        yield Figure(
            f"sweep-{name}-{x.name}-{number}",
            caption,
            picture_of(series_plot(series, axis, "probability"), caption),
        )


def _moving(kept: Sequence[Known]) -> list[str]:
    """The outcomes that change most along the axis."""
    spread: dict[str, tuple[float, float]] = {}
    seen: dict[str, int] = {}
    sets_in_all = 0
    for _, sets in kept:
        for one in sets:
            sets_in_all += 1
            for bits, value in one.probabilities.items():
                low, high = spread.get(bits, (value, value))
                spread[bits] = (min(low, value), max(high, value))
                seen[bits] = seen.get(bits, 0) + 1
    apart = {
        bits: high - (0.0 if seen[bits] < sets_in_all else low)
        for bits, (low, high) in spread.items()
    }
    order = sorted(apart, key=lambda bits: (-apart[bits], bits))
    return sorted(bits for bits in order[:MOST_OUTCOMES] if apart[bits] > 0.02)


def _series(bits: str, number: int, kept: Sequence[Known], x: Axis, title: str) -> Iterator[Series]:
    marks, ideal = [], []
    for measured, sets in kept:
        place: Any = dict(measured.point.values)[x.name]
        for one in sets:
            value = one.probabilities.get(bits, 0.0)
            if one.shots is None and (one.complete or bits in one.probabilities):
                ideal.append(Mark(x.place(place), value))
            elif one.shots and one.name == title:
                low, high = wilson(value * one.shots, one.shots)
                marks.append(Mark(x.place(place), value, low, high, f"{bits}: {value:.4f}"))
    if marks:
        yield Series(bits, tuple(marks), number, number, style="")
    if ideal:
        yield Series("", tuple(ideal), number, number, style="dash", bare=True)
