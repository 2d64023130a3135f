"""Figures of merit as charts: against each axis, over two axes, with the curves fitted to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from statistics import median
from typing import Any

from attrs import evolve, frozen

from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.report.axes import CIRCUIT, MOST_SERIES, Axis, Dot, axes_of, place_of, split
from iqm_spec.report.document import Figure
from iqm_spec.report.figures.heat import MOST_SIDE, heat
from iqm_spec.report.figures.plot import Mark, Series, XAxis, plot, y_range
from iqm_spec.report.words import clean, merit_title, stage_name, thinned, value

MOST_AXES, MOST_MERITS, MOST_MARKS = 4, 6, 600
_LEAST_CELLS = 9
_SAME = 0.01
_MOST_DUST, _MOST_DUSTY = 400, 12


@frozen
class Topic:
    """All that one analysis found of one figure. `stages` are (stage, emulated) in order."""

    analysis: str
    merit: str
    dots: tuple[Dot, ...]
    axes: tuple[Axis, ...]
    stages: tuple[tuple[str, bool], ...]

    @property
    def title(self) -> str:
        """The figure's name, with its analysis where that says more."""
        told = merit_title(self.merit)
        same = self.analysis in (self.merit, "distances")
        return told if same else f"{told} ({clean(self.analysis, 40)})"


def topics(analysed: Sequence[Analysed]) -> list[Topic]:
    """What can be drawn, analysis by analysis; points that were fitted together are elsewhere."""
    groups: dict[str, list[Analysed]] = {}
    for one in analysed:
        if one.curve is None:
            groups.setdefault(one.analysis, []).append(one)
    found = []
    for analysis, some in groups.items():
        places = [place_of(one) for one in some]
        axes = tuple(axes_of(places))
        stages = tuple(dict.fromkeys((one.stage, one.emulated) for one in some))
        names = list(dict.fromkeys(merit.name for one in some for merit in one.merits))
        for name in names[:MOST_MERITS]:
            dots = tuple(
                Dot(place, one.stage, one.emulated, merit, one.points[0] if one.points else "")
                for place, one in zip(places, some, strict=True)
                for merit in one.merits
                if merit.name == name and isfinite(merit.value)
            )
            found.append(Topic(analysis, name, dots, axes, stages))
    return found


def charts(
    topic: Topic, noisy: bool, perfect: Mapping[str, float] | None = None
) -> Iterator[Figure]:
    """Maps over two axes first, then a chart for each axis.

    `perfect` is what a perfect device would show at a point, by the point's id.
    """
    yield from _maps(topic, noisy)
    for axis in topic.axes[:MOST_AXES]:
        yield from _against(topic, axis, noisy, perfect or {})


def _against(topic: Topic, x: Axis, noisy: bool, perfect: Mapping[str, float]) -> Iterator[Figure]:
    """The figure against one axis: a panel for all stages, or one for each."""
    others = [axis for axis in topic.axes if axis.name != x.name]
    by = split(topic.dots, x, others)
    rest = [axis.name for axis in others if by is None or axis.name != by.name]
    panels = [topic.stages] if by is None else [(stage,) for stage in topic.stages]
    drawn = [_series(topic, x, by, stages, noisy) for stages in panels]
    if line := _perfect(topic, x, perfect):
        drawn = [[*series, line] for series in drawn]
    span = y_range([one for series in drawn for one in series])
    axis = XAxis(x.title, values=x.values) if x.numeric else XAxis(x.title, x.names)
    for stages, series in zip(panels, drawn, strict=True):
        told = " and ".join(stage_name(*stage, noisy) for stage in stages)
        caption = f"{topic.title} against {x.title}; {told}."
        if any(one.medians for one in series):
            over = f" over {', '.join(rest)}" if rest else " of the repeats"
            caption += f" Marks are medians, bars the range{over}"
            dusty = any(one.dust for one in series)
            caption += ", small dots the single points." if dusty else "."
        else:
            caption += " Bars are 95 % intervals."
        caption = clean(caption)
        name = f"{topic.analysis}-{topic.merit}-{x.name}-{'-'.join(s for s, _ in stages)}"
        yield Figure(name, caption, plot(series, axis, merit_title(topic.merit), caption, span))


def _perfect(topic: Topic, x: Axis, perfect: Mapping[str, float]) -> Series | None:
    """The line of a perfect device, where it is the same whatever the other axes are."""
    at: dict[Any, list[float]] = {}
    for dot in topic.dots:
        if dot.point in perfect:
            at.setdefault(dot.place.get(x.name), []).append(perfect[dot.point])
    if len(at) < len(x.values) or any(max(v) - min(v) > _SAME for v in at.values()):
        return None
    values = [x.values[i] for i in thinned(len(x.values), MOST_MARKS)]
    marks = tuple(Mark(x.place(of), median(at[of])) for of in values)
    return Series("perfect device", marks, 6, style="dash", bare=True)


def _series(
    topic: Topic,
    x: Axis,
    by: Axis | None,
    stages: Sequence[tuple[str, bool]],
    noisy: bool,
) -> list[Series]:
    found = []
    for color, stage in enumerate(stages):
        own = [dot for dot in topic.dots if (dot.stage, dot.emulated) == stage]
        if by is None:
            found.append(_one(stage_name(*stage, noisy), own, x, color))
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
    cells = [_cells(topic, stage, x, y) for stage in topic.stages]
    every = [v for found in cells for v in found.values()]
    span = (min(every), max(every)) if every else (0.0, 1.0)
    rest = [axis.name for axis in topic.axes if axis.name not in (x.name, y.name)]
    for stage, found in zip(topic.stages, cells, strict=True):
        if 2 * len(found) < len(x.values) * len(y.values):
            continue  # axes that go along a line are no map
        caption = f"{topic.title} over {x.title} and {y.title}; {stage_name(*stage, noisy)}."
        if rest:
            caption += f" Medians over {', '.join(rest)}."
        caption = clean(caption)
        titles = (clean(x.title, 60), clean(y.title, 60), merit_title(topic.merit))
        picture = heat(x.names, y.names, found, titles, caption, span)
        yield Figure(f"{topic.analysis}-{topic.merit}-map-{stage[0]}", caption, picture)


def _thin(axis: Axis) -> Axis:
    return evolve(axis, values=tuple(axis.values[i] for i in thinned(len(axis.values), MOST_SIDE)))


def _cells(topic: Topic, stage: tuple[str, bool], x: Axis, y: Axis) -> dict[tuple[int, int], float]:
    columns = {of: i for i, of in enumerate(x.values)}
    rows = {of: i for i, of in enumerate(y.values)}
    found: dict[tuple[int, int], list[float]] = {}
    for dot in topic.dots:
        place = dot.place.get(x.name), dot.place.get(y.name)
        if (dot.stage, dot.emulated) == stage and place[0] in columns and place[1] in rows:
            found.setdefault((columns[place[0]], rows[place[1]]), []).append(dot.merit.value)
    return {cell: median(some) for cell, some in found.items()}


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
            caption = clean(f"{analysis.replace('_', ' ')} against {axis}{number}; {told}.")
            caption = caption[:1].upper() + caption[1:]
            if any(one.curve and one.curve.fit_y for one in part):
                caption += " Lines are fits."
            series = [_curve(one, i, _named(one, part)) for i, one in enumerate(part)]
            title = merit_title(part[0].merits[0].name) if part[0].merits else analysis
            title = str(part[0].details.get("y_title", analysis.replace("_", " "))) or title
            picture = plot(series, XAxis(clean(axis, 60)), clean(title, 40), caption)
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


def merits_by_point(analysed: Sequence[Analysed]) -> Mapping[tuple[str, str], Mapping[str, Merit]]:
    """Figures of single points, by stage and point id."""
    found: dict[tuple[str, str], dict[str, Merit]] = {}
    for one in analysed:
        if len(one.points) == 1 and one.curve is None:
            own = found.setdefault((one.stage, one.points[0]), {})
            own.update({merit.name: merit for merit in one.merits})
    return found
