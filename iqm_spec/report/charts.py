"""Figures of merit as charts: against each axis, over two axes, with the curves fitted to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from statistics import median
from typing import Any

from attrs import evolve, frozen

from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.plots.heat import MOST_SIDE, heat_map
from iqm_spec.plots.series import Mark, Series, XAxis, intervals_word, series_plot, y_range
from iqm_spec.plots.svg import picture_of
from iqm_spec.report.axes import CIRCUIT, Axis, Dot, axes_of, place_of, split
from iqm_spec.report.document import Figure
from iqm_spec.report.words import clean, merit_title, stage_name, thinned, value

MOST_AXES, MOST_MERITS, MOST_MARKS = 4, 6, 600
USUAL = "distances"
"""The analysis of which figures need no further name."""

IDEAL = "ideal"

Perfect = Mapping[str, Mapping[str, float]]

_LEAST_CELLS = 9
_SAME = 0.01
_MOST_DUST, _MOST_DUSTY = 400, 12


@frozen
class Topic:
    """All that one analysis found of one figure. `stages` are (stage, emulated) in order.

    `reference` is what the figure would be at a point, by the point's id, under the name `called`:
    its ideal value, or what a perfect device would show. `mitigated` are the same points with
    their readout errors mitigated.
    """

    analysis: str
    merit: str
    dots: tuple[Dot, ...]
    axes: tuple[Axis, ...]
    stages: tuple[tuple[str, bool], ...]
    reference: Mapping[str, float]
    called: str
    mitigated: tuple[Dot, ...] = ()

    @property
    def title(self) -> str:
        """The figure's name, with its analysis where that says more."""
        told = merit_title(self.merit)
        same = self.analysis in (self.merit, USUAL)
        return told if same else f"{told} ({clean(self.analysis.replace('_', ' '), 40)})"


def topics(analysed: Sequence[Analysed], perfect: Perfect | None = None) -> list[Topic]:
    """What can be drawn, analysis by analysis, distances last.

    `perfect` is what a perfect device would show, by figure and point.
    """
    groups: dict[str, list[Analysed]] = {}
    for one in analysed:
        groups.setdefault(one.analysis, []).append(one)
    found: list[Topic] = []
    for analysis, some in sorted(groups.items(), key=lambda item: item[0] == USUAL):
        found += _of_analysis(analysis, some, perfect or {})
    return found


def _of_analysis(analysis: str, some: Sequence[Analysed], perfect: Perfect) -> Iterator[Topic]:
    places = [place_of(one) for one in some]
    axes = tuple(axes_of(places))
    stages = tuple(dict.fromkeys((one.stage, one.emulated) for one in some))
    dots: dict[str, list[Dot]] = {}
    for place, one in zip(places, some, strict=True):
        point = one.points[0] if one.points else ""
        for merit in one.merits:
            if isfinite(merit.value):
                dot = Dot(place, one.stage, one.emulated, merit, point)
                dots.setdefault(merit.name, []).append(dot)
    own = [name for name in dots if not any(_companion(name, other) for other in dots)]
    for name in own[:MOST_MERITS]:
        ideal = {dot.point: dot.merit.value for dot in dots.get(f"{name}_ideal", ())}
        yield Topic(
            analysis=analysis,
            merit=name,
            dots=tuple(dots[name]),
            axes=axes,
            stages=stages,
            reference=ideal or perfect.get(name, {}),
            called=IDEAL if ideal else "perfect device",
            mitigated=tuple(dots.get(f"{name}_mitigated", ())),
        )


def _companion(name: str, other: str) -> bool:
    """Whether a figure is drawn beside another: `energy_ideal` beside `energy`."""
    return name in (f"{other}_ideal", f"{other}_mitigated")


def charts(topic: Topic, noisy: bool) -> Iterator[Figure]:
    """Maps over two axes first, then a chart for each axis."""
    yield from _maps(topic, noisy)
    for axis in topic.axes[:MOST_AXES]:
        yield from _against(topic, axis, noisy)


def _against(topic: Topic, x: Axis, noisy: bool) -> Iterator[Figure]:
    """The figure against one axis: a panel for all stages, or one for each."""
    others = [axis for axis in topic.axes if axis.name != x.name]
    by = split(topic.dots, x, others)
    rest = [axis.name for axis in others if by is None or axis.name != by.name]
    panels = [topic.stages] if by is None else [(stage,) for stage in topic.stages]
    drawn = [_series(topic, x, by, stages, noisy) for stages in panels]
    if line := _reference(topic.called, topic.dots, topic, x, 6):
        drawn = [[*series, line] for series in drawn]
    elif by is not None:
        lines = _references(topic, x, by)
        drawn = [[*series, *lines] for series in drawn]
    span = y_range([one for series in drawn for one in series])
    axis = XAxis(x.title, values=x.values) if x.numeric else XAxis(x.title, x.names)
    for stages, series in zip(panels, drawn, strict=True):
        told = " and ".join(stage_name(*stage, noisy) for stage in stages)
        bars = intervals_word(series) if x.numeric else "Bars"
        caption = f"{topic.title} against {x.title}; {told}.{_bars(series, rest, bars)}"
        if by is None and topic.mitigated:
            caption += " Mitigated: readout errors are taken out."
        if any(one.bare and not one.name for one in series):
            caption += f" Dashed lines: {topic.called}."
        caption = clean(caption)
        name = f"{topic.analysis}-{topic.merit}-{x.name}-{'-'.join(s for s, _ in stages)}"
        chart = series_plot(series, axis, merit_title(topic.merit), span)
        yield Figure(name, caption, picture_of(chart, caption))


def _bars(series: Sequence[Series], rest: Sequence[str], bars: str) -> str:
    """What marks and bars stand for."""
    if not any(one.medians for one in series):
        return f" {bars} are 95 % intervals."
    over = f" over {', '.join(rest)}" if rest else " of the repeats"
    dusty = any(one.dust for one in series)
    more = ", small dots the single points." if dusty else "."
    return f" Marks are medians, {bars.lower()} the range{over}{more}"


def _reference(name: str, dots: Sequence[Dot], topic: Topic, x: Axis, color: int) -> Series | None:
    """The line of what should be, where that is the same whatever the other axes are."""
    at: dict[Any, list[float]] = {}
    for dot in dots:
        if dot.point in topic.reference:
            at.setdefault(dot.place.get(x.name), []).append(topic.reference[dot.point])
    values = [of for of in x.values if of in at]
    wanted = {dot.place.get(x.name) for dot in dots}
    if len(values) < max(2, len(wanted)) or any(max(v) - min(v) > _SAME for v in at.values()):
        return None
    kept = [values[i] for i in thinned(len(values), MOST_MARKS)]
    marks = tuple(Mark(x.place(of), median(at[of])) for of in kept)
    return Series(name, marks, color, style="dash", bare=True)


def _references(topic: Topic, x: Axis, by: Axis) -> list[Series]:
    """A line of what should be for each line of what was found, in its colour."""
    found = []
    for i, of in enumerate(by.values):
        some = [dot for dot in topic.dots if dot.place.get(by.name) == of]
        if line := _reference("", some, topic, x, i):
            found.append(line)
    return found


def _series(
    topic: Topic,
    x: Axis,
    by: Axis | None,
    stages: Sequence[tuple[str, bool]],
    noisy: bool,
) -> list[Series]:
    found = []
    for color, stage in enumerate(stages):
        own = _of_stage(topic, stage)
        if by is None:
            name = stage_name(*stage, noisy)
            found.append(_one(name, own, x, color))
            better = [d for d in topic.mitigated if (d.stage, d.emulated) == stage]
            if better:
                found.append(_one(f"{name}, mitigated", better, x, color + len(stages)))
            continue
        for i, of in enumerate(by.values):
            some = [dot for dot in own if dot.place.get(by.name) == of]
            if some:
                name = value(of) if by.name == CIRCUIT else f"{by.name} = {value(of)}"
                found.append(_one(name, some, x, i))
    return found


def _one(name: str, dots: Sequence[Dot], x: Axis, number: int) -> Series:
    """Marks of one name: single figures with their intervals, or medians of several."""
    at: dict[Any, list[Dot]] = {}
    for dot in dots:
        at.setdefault(dot.place.get(x.name), []).append(dot)
    marks, dust = [], []
    values = [of for of in x.values if of in at and of is not None]
    for of in [values[i] for i in thinned(len(values), MOST_MARKS)]:
        place, here = x.place(of), at[of]
        if len(here) == 1:
            merit = here[0].merit
            tip = f"{x.name} {value(of)}: {merit.value:.4g}"
            marks.append(Mark(place, merit.value, merit.low, merit.high, clean(f"{name}, {tip}")))
            continue
        found = sorted(dot.merit.value for dot in here)
        tip = f"{x.name} {value(of)}: {median(found):.4g}, median of {len(found)}"
        marks.append(Mark(place, median(found), found[0], found[-1], clean(f"{name}, {tip}")))
        if len(values) <= _MOST_DUSTY:
            dust += [(place, found[i]) for i in thinned(len(found), 40)]
    kept = tuple(dust[i] for i in thinned(len(dust), _MOST_DUST))
    several = any(len(here) > 1 for here in at.values())
    return Series(clean(name, 60), tuple(marks), number, number, kept, medians=several)


def _maps(topic: Topic, noisy: bool) -> Iterator[Figure]:
    """The two axes with most values as a map, medians over the others."""
    wide = [axis for axis in topic.axes if len(axis.values) >= 3]
    pairs = [(a, b) for i, a in enumerate(wide) for b in wide[i + 1 :]]
    pairs = [(a, b) for a, b in pairs if len(a.values) * len(b.values) >= _LEAST_CELLS]
    if not pairs:
        return
    one, other = max(pairs, key=lambda pair: len(pair[0].values) * len(pair[1].values))
    x, y = _thin(one), _thin(other)
    shown = [(stage_name(*one, noisy), one[0], _of_stage(topic, one)) for one in topic.stages]
    if topic.called == IDEAL and topic.reference:
        shown.insert(0, (IDEAL, IDEAL, _ideal(topic)))
    cells = [_cells(dots, x, y) for _, _, dots in shown]
    every = [v for found in cells for v in found.values()]
    span = (min(every), max(every)) if every else (0.0, 1.0)
    rest = [axis.name for axis in topic.axes if axis.name not in (x.name, y.name)]
    for (told, stage, _), found in zip(shown, cells, strict=True):
        if 2 * len(found) < len(x.values) * len(y.values):
            continue  # axes that go along a line are no map
        caption = f"{topic.title} over {x.title} and {y.title}; {told}."
        if rest:
            caption += f" Medians over {', '.join(rest)}."
        caption = clean(caption)
        titles = (clean(x.title, 60), clean(y.title, 60), merit_title(topic.merit))
        picture = picture_of(heat_map(x.names, y.names, found, titles, span), caption)
        yield Figure(f"{topic.analysis}-{topic.merit}-map-{stage}", caption, picture)


def _thin(axis: Axis) -> Axis:
    return evolve(axis, values=tuple(axis.values[i] for i in thinned(len(axis.values), MOST_SIDE)))


def _of_stage(topic: Topic, stage: tuple[str, bool]) -> list[Dot]:
    return [dot for dot in topic.dots if (dot.stage, dot.emulated) == stage]


def _ideal(topic: Topic) -> list[Dot]:
    """The points as they should be."""
    known = [dot for dot in topic.dots if dot.point in topic.reference]
    return [evolve(d, merit=Merit(d.merit.name, topic.reference[d.point])) for d in known]


def _cells(dots: Sequence[Dot], x: Axis, y: Axis) -> dict[tuple[int, int], float]:
    columns = {of: i for i, of in enumerate(x.values)}
    rows = {of: i for i, of in enumerate(y.values)}
    found: dict[tuple[int, int], list[float]] = {}
    for dot in dots:
        place = dot.place.get(x.name), dot.place.get(y.name)
        if place[0] in columns and place[1] in rows:
            found.setdefault((columns[place[0]], rows[place[1]]), []).append(dot.merit.value)
    return {cell: median(some) for cell, some in found.items()}


def merits_by_point(analysed: Sequence[Analysed]) -> Mapping[tuple[str, str], Mapping[str, Merit]]:
    """Figures of single points, by stage and point id."""
    found: dict[tuple[str, str], dict[str, Merit]] = {}
    for one in analysed:
        if len(one.points) == 1 and one.curve is None:
            own = found.setdefault((one.stage, one.points[0]), {})
            own.update({merit.name: merit for merit in one.merits})
    return found
