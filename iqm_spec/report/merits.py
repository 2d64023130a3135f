"""Figures of merit: against the axes, as maps, and with what was fitted to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from statistics import median
from typing import Any

from attrs import evolve, frozen

from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.plan.label import count
from iqm_spec.plots.heat import MOST_SIDE, heat_map
from iqm_spec.plots.series import Mark, Series, XAxis, intervals_word, series_plot, y_range
from iqm_spec.report.axes import CIRCUIT, MOST_SERIES, Axis, Dot, axes_of, place_of, split
from iqm_spec.report.document import (
    Block,
    CaptionedPicture,
    Column,
    Fold,
    Pictures,
    Section,
    Table,
    Text,
)
from iqm_spec.report.names import (
    axis_label,
    clean,
    left_out,
    merit_title,
    stage_name,
    thinned,
    value,
    with_error,
)
from iqm_spec.report.subject import Subject
from iqm_spec.stages.rows import Row
from iqm_spec.store.structure import to_json

_MOST_ROWS = 200
MOST_FIGURES = 24
"""Charts that are seen at once; the others are folded."""

_FIRST = 6
_PREFIX = "perfect_"

MOST_AXES, MOST_MERITS, MOST_MARKS = 4, 6, 600
USUAL = "distances"
"""The analysis of which figures need no further name."""

IDEAL = "ideal"

Perfect = Mapping[str, Mapping[str, float]]

_LEAST_CELLS = 9
_SAME = 0.01
_MOST_DUST, _MOST_DUSTY = 400, 12

_DRAWN = {
    "coherence": "probability of 1",
    "ghz_fidelity": "parity",
    "mirror_polarization": "polarization",
}
"""What stands upwards in the curves of an analysis, where that is not its own name."""

_APART = {"coherence"}
"""Analyses whose circuits are experiments of different kinds: a chart holds curves of one."""


def merits(subject: Subject) -> Section:
    """Charts of every analysis, then the table of figures over several points."""
    noisy = subject.simulates_noise
    blocks: list[Block] = []
    fitted = list(curves(subject.analysed, noisy))
    shown = topics(subject.analysed, _perfect(subject.rows))
    figures: dict[str, CaptionedPicture] = {}
    for figure in (*fitted, *(figure for topic in shown for figure in charts(topic, noisy))):
        figures.setdefault(figure.name, figure)
    drawn = list(figures.values())[:MOST_FIGURES]
    if drawn:
        blocks.append(Pictures(tuple(drawn[:_FIRST])))
    if len(drawn) > _FIRST:
        rest = tuple(drawn[_FIRST:])
        blocks.append(Fold(count(len(rest), "more chart"), (Pictures(rest),)))
    table = _table(subject.analysed, noisy)
    if table.rows:
        blocks.append(table)
    if subject.not_analysed:
        blocks.append(Text(f"Not all was analysed: {clean(subject.not_analysed)}.", "warning"))
    notes = Counter(
        f"{clean(group.analysis.replace('_', ' '), 60)}: {clean(note)}"
        for group in subject.analysed
        for note in group.notes
    )
    for note, times in list(notes.items())[:12]:
        blocks.append(Text(f"{note} ({times} times)" if times > 1 else note, "note"))
    if not blocks:
        reasons = [row.why_no_comparison for row in subject.rows if row.derived]
        why = next((f": {clean(reason)}" for reason in reasons if reason), "")
        blocks.append(Text(f"There are no figures of merit for this run{why}."))
    return Section("merits", "Figures of merit", tuple(blocks))


def _perfect(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """What a perfect device would show at these shots, by figure and point."""
    perfect: dict[str, dict[str, float]] = {}
    for row in rows:
        for name, level in to_json(row.comparison).items() if row.comparison else ():
            if name.startswith(_PREFIX) and isinstance(level, int | float):
                perfect.setdefault(name.removeprefix(_PREFIX), {})[row.point.id] = float(level)
    return perfect


def _table(analysed: Sequence[Analysed], noisy: bool) -> Table:
    """What stands for several points, or was fitted; single points are in the table of outcomes."""
    several = [group for group in analysed if len(group.points) != 1 or group.curve is not None]
    rows = []
    for group in several:
        for merit in group.merits:
            interval = ""
            if merit.low is not None and merit.high is not None:
                interval = f"{merit.low:.4g} to {merit.high:.4g}"
            rows.append(
                (
                    clean(group.analysis.replace("_", " "), 60),
                    clean(group.circuit, 60),
                    axis_label(group.values),
                    stage_name(group.stage, group.emulated, noisy),
                    f"{len(group.points):,}",
                    merit_title(merit.name),
                    with_error(merit.value, merit.error),
                    interval,
                )
            )
    columns = (
        *(Column(title) for title in ("analysis", "circuit", "axes", "stage")),
        Column("points", number=True),
        Column("figure"),
        *(Column(title, number=True) for title in ("value", "95 % interval")),
    )
    shown = tuple(rows[:_MOST_ROWS])
    rest = left_out(len(rows) - len(shown), "row", "analyze")
    return Table("Figures over several points", columns, shown, rest, long=True)


@frozen
class Topic:
    """One figure of one analysis at all points. `stages` are (stage, emulated) in order.

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
        title = merit_title(self.merit)
        same = self.analysis in (self.merit, USUAL)
        return title if same else f"{title} ({clean(self.analysis.replace('_', ' '), 40)})"


def topics(analysed: Sequence[Analysed], perfect: Perfect | None = None) -> list[Topic]:
    """What can be drawn, analysis by analysis, distances last.

    `perfect` is what a perfect device would show, by figure and point.
    """
    groups: dict[str, list[Analysed]] = {}
    for group in analysed:
        groups.setdefault(group.analysis, []).append(group)
    drawable: list[Topic] = []
    for analysis, own in sorted(groups.items(), key=lambda item: item[0] == USUAL):
        drawable += _of_analysis(analysis, own, perfect or {})
    return drawable


def _of_analysis(analysis: str, groups: Sequence[Analysed], perfect: Perfect) -> Iterator[Topic]:
    places = [place_of(group) for group in groups]
    axes = tuple(axes_of(places))
    stages = tuple(dict.fromkeys((group.stage, group.emulated) for group in groups))
    dots: dict[str, list[Dot]] = {}
    for place, group in zip(places, groups, strict=True):
        point = group.points[0] if group.points else ""
        for merit in group.merits:
            if isfinite(merit.value):
                dot = Dot(place, group.stage, group.emulated, merit, point)
                dots.setdefault(merit.name, []).append(dot)
    # `energy_ideal` and `energy_mitigated` are drawn beside `energy`
    companions = {f"{name}{suffix}" for name in dots for suffix in ("_ideal", "_mitigated")}
    own = [name for name in dots if name not in companions]
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


def charts(topic: Topic, noisy: bool) -> Iterator[CaptionedPicture]:
    """Maps over two axes first, then a chart for each axis."""
    yield from _maps(topic, noisy)
    for axis in topic.axes[:MOST_AXES]:
        if len({dot.place.get(axis.name) for dot in topic.dots}) > 1:
            yield from _against(topic, axis, noisy)


def _against(topic: Topic, x: Axis, noisy: bool) -> Iterator[CaptionedPicture]:
    """The figure against one axis: a panel for all stages, or one for each."""
    others = [axis for axis in topic.axes if axis.name != x.name]
    by = split(topic.dots, x, others)
    rest = [axis.name for axis in others if by is None or axis.name != by.name]
    panels = [topic.stages] if by is None else [(stage,) for stage in topic.stages]
    drawn = [_series(topic, x, by, stages, noisy) for stages in panels]
    if line := _reference(topic.called, topic.dots, topic, x, 6):
        drawn = [[*series, line] for series in drawn]
    elif by is not None:
        # a line of what should be for each measured line, in its color
        levels = [[d for d in topic.dots if d.place.get(by.name) == level] for level in by.values]
        lines = [_reference("", dots, topic, x, color) for color, dots in enumerate(levels)]
        drawn = [[*series, *(line for line in lines if line)] for series in drawn]
    span = y_range([own for series in drawn for own in series])
    axis = XAxis(x.title, values=x.values) if x.numeric else XAxis(x.title, x.names)
    for stages, series in zip(panels, drawn, strict=True):
        stages_text = " and ".join(stage_name(*stage, noisy) for stage in stages)
        caption = f"{topic.title} against {x.title}; {stages_text}."
        bars = intervals_word(series) if x.numeric else "Bars"
        if any(own.medians for own in series):
            over = f"over {', '.join(rest)}" if rest else "of the repeats"
            dust = ", small dots the single points" if any(own.dust for own in series) else ""
            caption += f" Marks are medians, {bars.lower()} the range {over}{dust}."
        else:
            caption += f" {bars} are 95 % intervals."
        if by is None and topic.mitigated:
            caption += " Mitigated: readout errors are taken out."
        if any(own.bare and not own.name for own in series):
            caption += f" Dashed lines: {topic.called}."
        caption = clean(caption)
        name = f"{topic.analysis}-{topic.merit}-{x.name}-{'-'.join(s for s, _ in stages)}"
        chart = series_plot(series, axis, merit_title(topic.merit), span)
        yield CaptionedPicture.of(name, chart, caption)


def _reference(name: str, dots: Sequence[Dot], topic: Topic, x: Axis, color: int) -> Series | None:
    """The line of what should be, where that is the same whatever the other axes are."""
    at: dict[Any, list[float]] = {}
    for dot in dots:
        if dot.point in topic.reference:
            at.setdefault(dot.place.get(x.name), []).append(topic.reference[dot.point])
    values = [level for level in x.values if level in at]
    places = {dot.place.get(x.name) for dot in dots}
    if len(values) < max(2, len(places)) or any(max(v) - min(v) > _SAME for v in at.values()):
        return None
    shown = [values[i] for i in thinned(len(values), MOST_MARKS)]
    marks = tuple(Mark(x.place(level), median(at[level])) for level in shown)
    return Series(name, marks, color, style="dash", bare=True)


def _series(
    topic: Topic, x: Axis, by: Axis | None, stages: Sequence[tuple[str, bool]], noisy: bool
) -> list[Series]:
    lines = []
    for color, stage in enumerate(stages):
        own = _of_stage(topic, stage)
        if by is None:
            name = stage_name(*stage, noisy)
            lines.append(_marked_series(name, own, x, color))
            better = [d for d in topic.mitigated if (d.stage, d.emulated) == stage]
            if better:
                lines.append(_marked_series(f"{name}, mitigated", better, x, color + len(stages)))
            continue
        for i, level in enumerate(by.values):
            dots = [dot for dot in own if dot.place.get(by.name) == level]
            if dots:
                name = value(level) if by.name == CIRCUIT else f"{by.name} = {value(level)}"
                lines.append(_marked_series(name, dots, x, i))
    return lines


def _marked_series(name: str, dots: Sequence[Dot], x: Axis, number: int) -> Series:
    """Marks of one name: single figures with their intervals, or medians of several."""
    at: dict[Any, list[Dot]] = {}
    for dot in dots:
        at.setdefault(dot.place.get(x.name), []).append(dot)
    marks, dust = [], []
    values = [level for level in x.values if level in at and level is not None]
    for level in [values[i] for i in thinned(len(values), MOST_MARKS)]:
        place, group = x.place(level), at[level]
        if len(group) == 1:
            merit = group[0].merit
            tip = f"{x.name} {value(level)}: {merit.value:.4g}"
            marks.append(Mark(place, merit.value, merit.low, merit.high, clean(f"{name}, {tip}")))
            continue
        levels = sorted(dot.merit.value for dot in group)
        tip = f"{x.name} {value(level)}: {median(levels):.4g}, median of {len(levels)}"
        marks.append(Mark(place, median(levels), levels[0], levels[-1], clean(f"{name}, {tip}")))
        if len(values) <= _MOST_DUSTY:
            dust += [(place, levels[i]) for i in thinned(len(levels), 40)]
    shown = tuple(dust[i] for i in thinned(len(dust), _MOST_DUST))
    several = any(len(group) > 1 for group in at.values())
    return Series(clean(name, 60), tuple(marks), number, number, shown, medians=several)


def _maps(topic: Topic, noisy: bool) -> Iterator[CaptionedPicture]:
    """The two axes with most values as a map, medians over the others."""
    wide = [axis for axis in topic.axes if len(axis.values) >= 3]
    pairs = [(a, b) for i, a in enumerate(wide) for b in wide[i + 1 :]]
    pairs = [(a, b) for a, b in pairs if len(a.values) * len(b.values) >= _LEAST_CELLS]
    if not pairs:
        return
    first, second = max(pairs, key=lambda pair: len(pair[0].values) * len(pair[1].values))
    x, y = _thin(first), _thin(second)
    shown = [
        (stage_name(*first, noisy), first[0], _of_stage(topic, first)) for first in topic.stages
    ]
    if topic.called == IDEAL and topic.reference:
        known = [dot for dot in topic.dots if dot.point in topic.reference]
        ideal = [evolve(d, merit=Merit(d.merit.name, topic.reference[d.point])) for d in known]
        shown.insert(0, (IDEAL, IDEAL, ideal))
    cells = [_cells(dots, x, y) for _, _, dots in shown]
    every = [v for levels in cells for v in levels.values()]
    span = (min(every), max(every)) if every else (0.0, 1.0)
    rest = [axis.name for axis in topic.axes if axis.name not in (x.name, y.name)]
    for (title, stage, _), levels in zip(shown, cells, strict=True):
        if 2 * len(levels) < len(x.values) * len(y.values):
            continue  # axes that go along a line are no map
        caption = f"{topic.title} over {x.title} and {y.title}; {title}."
        if rest:
            caption += f" Medians over {', '.join(rest)}."
        caption = clean(caption)
        titles = (clean(x.title, 60), clean(y.title, 60), merit_title(topic.merit))
        chart = heat_map(x.names, y.names, levels, titles, span)
        yield CaptionedPicture.of(f"{topic.analysis}-{topic.merit}-map-{stage}", chart, caption)


def _thin(axis: Axis) -> Axis:
    return evolve(axis, values=tuple(axis.values[i] for i in thinned(len(axis.values), MOST_SIDE)))


def _of_stage(topic: Topic, stage: tuple[str, bool]) -> list[Dot]:
    return [dot for dot in topic.dots if (dot.stage, dot.emulated) == stage]


def _cells(dots: Sequence[Dot], x: Axis, y: Axis) -> dict[tuple[int, int], float]:
    columns = {level: i for i, level in enumerate(x.values)}
    rows = {level: i for i, level in enumerate(y.values)}
    levels: dict[tuple[int, int], list[float]] = {}
    for dot in dots:
        place = dot.place.get(x.name), dot.place.get(y.name)
        if place[0] in columns and place[1] in rows:
            levels.setdefault((columns[place[0]], rows[place[1]]), []).append(dot.merit.value)
    return {cell: median(group) for cell, group in levels.items()}


def merits_by_point(analysed: Sequence[Analysed]) -> Mapping[tuple[str, str], Mapping[str, Merit]]:
    """Figures of single points, by stage and point id."""
    by_point: dict[tuple[str, str], dict[str, Merit]] = {}
    for group in analysed:
        if len(group.points) == 1 and group.curve is None:
            own = by_point.setdefault((group.stage, group.points[0]), {})
            own.update({merit.name: merit for merit in group.merits})
    return by_point


def curves(analysed: Sequence[Analysed], noisy: bool) -> Iterator[CaptionedPicture]:
    """Fitted curves: those of one analysis, axis and stage together, so many to a chart."""
    groups: dict[tuple[str, str, str, bool, str], list[Analysed]] = {}
    for group in analysed:
        if group.curve is not None:
            apart = group.circuit if group.analysis in _APART else ""
            key = (group.analysis, group.curve.axis, group.stage, group.emulated, apart)
            groups.setdefault(key, []).append(group)
    for (analysis, axis, stage, emulated, circuit), groups_of_chart in groups.items():
        for start in range(0, min(len(groups_of_chart), 4 * MOST_SERIES), MOST_SERIES):
            part = groups_of_chart[start : start + MOST_SERIES]
            title = stage_name(stage, emulated, noisy)
            several = len(groups_of_chart) > MOST_SERIES
            number = f", part {start // MOST_SERIES + 1}" if several else ""
            drawn = merit_title(_DRAWN.get(analysis, analysis))
            of_circuit = f", {circuit}" if circuit else ""
            caption = clean(f"{drawn} against {axis}{of_circuit}{number}; {title}.")
            if any(group.curve and group.curve.errors for group in part):
                caption += " Bars are standard errors."
            if any(group.curve and group.curve.fit_y for group in part):
                caption += " Lines are fits."
            series = [_curve(group, i, _curve_name(group, part)) for i, group in enumerate(part)]
            chart = series_plot(series, XAxis(clean(axis, 60)), drawn)
            of_chart = "-".join(part for part in (analysis, circuit, "curve", axis, stage) if part)
            name = f"{of_chart}-{start // MOST_SERIES + 1}"
            yield CaptionedPicture.of(name, chart, caption)


def _curve_name(curve: Analysed, others: Sequence[Analysed]) -> str:
    """A curve's name: its circuit, and the axes on which its neighbors differ from it."""
    differ = {
        name: level
        for name, level in curve.values.items()
        if any(neighbor.values.get(name) != level for neighbor in others)
    }
    differences = ", ".join(f"{name} = {value(level)}" for name, level in differ.items())
    circuits = {neighbor.circuit for neighbor in others}
    if len(circuits) > 1 or not differences:
        return clean(f"{curve.circuit} {differences}".strip(), 60)
    return clean(differences, 60)


def _curve(group: Analysed, number: int, name: str) -> Series:
    curve = group.curve
    assert curve is not None  # noqa: S101 - chosen for it
    errors = curve.errors or (None,) * len(curve.x)
    marks = [
        Mark(x, y, None if e is None else y - e, None if e is None else y + e, f"{x:g}: {y:.4g}")
        for x, y, e in zip(curve.x, curve.y, errors, strict=True)
        if isfinite(x) and isfinite(y)
    ]
    shown = tuple(marks[i] for i in thinned(len(marks), MOST_MARKS))
    pairs = zip(curve.fit_x, curve.fit_y, strict=True)
    fit = tuple((x, y) for x, y in pairs if isfinite(x) and isfinite(y))
    fit = tuple(fit[i] for i in thinned(len(fit), 300))
    return Series(name, shown, number, number, fit=fit, style="" if fit else "guide")
