"""Two runs beside each other: how their plans differ, and how their results differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from iqm_spec.analysis.merit import Merit
from iqm_spec.engine.event_lines import stage_label
from iqm_spec.plan.differences import explain, in_words
from iqm_spec.plan.label import count
from iqm_spec.plots.bars import Outcomes, outcome_bars
from iqm_spec.plots.series import Mark, Series, XAxis, intervals_word, series_plot
from iqm_spec.report.axes import CIRCUIT, axes_of
from iqm_spec.report.document import (
    Block,
    CaptionedPicture,
    Column,
    Document,
    Facts,
    Pictures,
    Section,
    Table,
    Text,
)
from iqm_spec.report.merits import merits_by_point
from iqm_spec.report.names import (
    clean,
    left_out,
    merit_title,
    point_name,
    stage_name,
    thinned,
    with_error,
)
from iqm_spec.report.outcomes import MOST_SHOWN, outcome_sets
from iqm_spec.report.run_report import MADE_BY, banners
from iqm_spec.report.subject import Subject
from iqm_spec.results.compare import Pair, in_short, paired
from iqm_spec.stages.rows import Row

_MOST_ROWS, _MOST_MERITS, _MOST_PLACES, _MOST_LISTED = 1000, 4, 400, 24

Merits = Mapping[tuple[str, str], Mapping[str, Merit]]


@frozen
class _Side:
    """One of the two runs under its letter."""

    name: str
    subject: Subject
    merits: Merits

    def row(self, pair: Pair) -> Row:
        """This run's row of a pair."""
        return pair.left if self.name == "A" else pair.right

    def merits_of(self, row: Row) -> Mapping[str, Merit]:
        """The figures of merit of a row of this run."""
        return self.merits.get((row.stage, row.point.id), {})

    def stage(self, row: Row) -> str:
        """How the stage of a row of this run is called."""
        return stage_name(row.stage, row.emulated, self.subject.noisy(row.point.target))


def comparison_of(left: Subject, right: Subject) -> Document:
    """The report of two runs, called A and B."""
    pairs = paired(left.rows, right.rows)
    sections = (_plans(left, right), _merits(left, right, pairs), _outcomes(left, right, pairs))
    names = dict.fromkeys(clean(subject.saved.plan.name, 64) for subject in (left, right))
    title = f"{' and '.join(names)}: two runs compared"
    warnings = tuple(
        f"{name}: {warning}"
        for name, subject in (("A", left), ("B", right))
        for warning in banners(subject)
    )
    lead = f"A is {left.id}, B is {right.id}."
    return Document(title, lead, warnings, sections, MADE_BY)


def _plans(left: Subject, right: Subject) -> Section:
    facts: list[tuple[str, str]] = []
    for name, subject in (("A", left), ("B", right)):
        noisy = subject.simulates_noise
        stages = ", ".join(
            f"{stage_name(s.stage, s.emulated, noisy)}: {clean(s.status, 20)}"
            for s in subject.saved.stages
        )
        facts += [
            (f"Run {name}", subject.id),
            (f"{name} begun", subject.saved.state.started.strftime("%Y-%m-%d %H:%M UTC")),
            (f"{name} stages", stages or "no verdict"),
        ]
    blocks: list[Block] = [Facts(tuple(facts))]
    explanation = explain(left.saved.plan, right.saved.plan)
    if explanation.same:
        blocks.append(Text("Both runs have the same plan."))
    if differences := in_words(explanation):
        rows = tuple(tuple(clean(cell, 160) for cell in row) for row in differences[:200])
        rest = left_out(len(differences) - len(rows), "difference", "explain")
        columns = (Column("what"), Column("A"), Column("B"))
        blocks.append(Table("Fields that differ", columns, rows, rest))
    for name, points in (("A", explanation.only_left), ("B", explanation.only_right)):
        if points:
            names = "; ".join(point_name(point) for point in points[:5])
            more = f" and {len(points) - 5:,} more" if len(points) > 5 else ""
            blocks.append(Text(f"{count(len(points), 'point')} in {name} alone: {names}{more}."))
    return Section("plans", "Plans", tuple(blocks))


def _merits(left: Subject, right: Subject, pairs: Sequence[Pair]) -> Section:
    """Each figure of merit of A and B, point by point."""
    sides = [
        _Side(name, subject, merits_by_point(subject.analysed))
        for name, subject in (("A", left), ("B", right))
    ]
    stages: dict[tuple[str, bool], list[Pair]] = {}
    for pair in pairs:
        stages.setdefault((pair.left.stage, pair.left.emulated), []).append(pair)
    figures = [figure for group in stages.values() for figure in _charts(sides, group)]
    blocks: list[Block] = [Pictures(tuple(figures))] if figures else []
    rows = []
    for pair in pairs if len(pairs) <= _MOST_LISTED else ():
        left_merits, right_merits = (side.merits_of(side.row(pair)) for side in sides)
        for name, merit in left_merits.items():
            if (other := right_merits.get(name)) is not None:
                values = (with_error(m.value, m.error) for m in (merit, other))
                rows.append((point_name(pair.left.point), _stage(pair), merit_title(name), *values))
    if rows:
        columns = (
            *(Column(title) for title in ("point", "stage", "figure")),
            *(Column(side.name, number=True) for side in sides),
        )
        blocks.append(Table("Figures of both runs", columns, tuple(rows)))
    if not blocks:
        blocks.append(Text("No point has figures of merit in both runs."))
    return Section("merits", "Figures of merit", tuple(blocks))


def _charts(sides: Sequence[_Side], pairs: Sequence[Pair]) -> Iterator[CaptionedPicture]:
    stage = pairs[0].left.stage
    shown = [pairs[i] for i in thinned(len(pairs), _MOST_PLACES)]
    names = dict.fromkeys(name for pair in shown for name in sides[0].merits_of(pair.left))
    x, places = _across(shown)
    for name in list(names)[:_MOST_MERITS] if len(shown) > 1 else ():
        series = [_series(side, shown, name, number, places) for number, side in enumerate(sides)]
        stages = " and ".join(own.name for own in series)
        bars = "Bars" if x.names else intervals_word(series)
        caption = (
            f"{merit_title(name)} of the points of both runs; {stages}. {bars} are 95 % intervals."
        )
        chart = series_plot(series, x, merit_title(name))
        yield CaptionedPicture.of(f"both-{name}-{stage}", chart, caption)


def _across(shown: Sequence[Pair]) -> tuple[XAxis, list[float]]:
    """The axis that tells the points apart, where one of numbers does; else their names."""
    points = [pair.left.point for pair in shown]
    every = [{CIRCUIT: point.name, **dict(point.values)} for point in points]
    axes = axes_of(every)
    if len(axes) == 1 and axes[0].numeric and len(axes[0].values) == len(points):
        (axis,) = axes
        places = [axis.place(values[axis.name]) for values in every]
        return XAxis(clean(axis.title, 60), values=tuple(map(float, axis.values))), places
    one_circuit = len({point.name for point in points}) == 1
    names = [point_name(point) for point in points]
    if one_circuit:
        names = [name.removeprefix(f"{points[0].name} ") for name in names]
    return XAxis("point", tuple(names)), [float(i) for i in range(len(points))]


def _series(
    side: _Side, shown: Sequence[Pair], name: str, number: int, places: Sequence[float]
) -> Series:
    marks = []
    rows = [side.row(pair) for pair in shown]
    for place, row in zip(places, rows, strict=True):
        merit = side.merits_of(row).get(name)
        if merit is not None:
            tip = f"{side.name}, {point_name(row.point)}: {merit.value:.4g}"
            marks.append(Mark(place, merit.value, merit.low, merit.high, tip))
    title = f"{side.name}, {side.stage(rows[0])}"
    return Series(title, tuple(marks), number, number, style="")


def _outcomes(left: Subject, right: Subject, pairs: Sequence[Pair]) -> Section:
    if not pairs:
        message = "The runs have no points with counts in common: circuits, axes or values differ."
        return Section("outcomes", "Outcomes", (Text(message, "warning"),))
    first = sorted(
        pairs, key=lambda pair: (pair.p_value, -pair.comparison.total_variation_distance)
    )
    shown = tuple(_figure(left, right, pair) for pair in first[:MOST_SHOWN])
    blocks: list[Block] = [Text(f"{in_short(pairs)}.")]
    if len(pairs) > len(shown):
        blocks.append(Text("Drawn are the points that differ most."))
    blocks += [Pictures(shown), _table(pairs)]
    return Section("outcomes", "Outcomes", tuple(blocks))


def _figure(left: Subject, right: Subject, pair: Pair) -> CaptionedPicture:
    a, b = outcome_sets(left, [pair.left]), outcome_sets(right, [pair.right])
    ideal = [outcomes for outcomes in (*a, *b) if outcomes.shots is None][:1]
    chart = outcome_bars([*ideal, _called("A", a, 0), _called("B", b, 1)])
    name, distance = point_name(pair.left.point), pair.comparison.total_variation_distance
    p = f"p = {pair.p_value:.2g}, {_verdict(pair)}"
    caption = f"{name}, {_stage(pair)}: distance {distance:.3f}, {p}."
    file = f"both-{pair.left.stage}-{pair.left.point.id}"
    return CaptionedPicture.of(file, chart, caption, f"Outcomes of {caption}")


def _verdict(pair: Pair) -> str:
    if pair.same:
        return "same record"
    return "significant" if pair.significant else "not significant"


def _stage(pair: Pair) -> str:
    """The stage that both share; the noise of a simulation need not be the same."""
    return stage_label(pair.left.stage, pair.left.emulated or pair.right.emulated)


def _called(name: str, sets: Sequence[Outcomes], color: int) -> Outcomes:
    own = next(item for item in sets if item.shots is not None)
    return Outcomes(f"{name}, {own.name}", own.probabilities, color, own.shots, own.complete)


def _table(pairs: Sequence[Pair]) -> Table:
    shown = [pairs[i] for i in thinned(len(pairs), _MOST_ROWS)]
    rows = tuple(
        (
            point_name(pair.left.point),
            _stage(pair),
            f"{pair.comparison.total_variation_distance:.4f}",
            f"{pair.p_value:.2g}",
            _verdict(pair),
        )
        for pair in shown
    )
    columns = (
        Column("point"),
        Column("stage"),
        Column("total variation distance", number=True),
        Column("p corrected", number=True),
        Column("difference"),
    )
    rest = left_out(len(pairs) - len(shown), "row", "diff --json")
    return Table("Points of both runs", columns, rows, rest, long=True)
