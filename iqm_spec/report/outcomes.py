"""Counts: histograms of some points side by side, any other by choice, and a table of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import nsmallest
from typing import Any

from attrs import frozen

from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.plan.readout import is_calibration
from iqm_spec.plots.bars import Outcomes, outcome_bars
from iqm_spec.plots.series import Mark, Series, XAxis, intervals_word, series_plot
from iqm_spec.report.axes import Axis, axes_of
from iqm_spec.report.document import (
    Block,
    CaptionedPicture,
    Chooser,
    Column,
    Pictures,
    Section,
    Table,
    Text,
)
from iqm_spec.report.merits import merits_by_point
from iqm_spec.report.names import (
    clean,
    merit_title,
    point_name,
    stage_name,
    thinned,
    value,
    with_error,
)
from iqm_spec.report.subject import Subject
from iqm_spec.stages.rows import Row
from iqm_spec.statistics.intervals import wilson

MOST_ROWS = 1000
"""Rows of the table of points."""

MOST_CHOICES = 500
MOST_SCANS = 6
CHOICE_BYTES = 1_600_000
"""Of histograms that wait behind the chooser."""

_MOST_AXES, _MOST_MERITS = 6, 5

MOST_SHOWN = 6
"""Points that are drawn at once."""

_MOST_CURVES = 4
_LEAST_VALUES, _MOST_BITS, _MOST_MARKS = 5, 12, 400


@frozen
class PointRows:
    """A planned point with its rows: simulated, measured, one for each calibration set."""

    point: PlannedPoint
    rows: tuple[Row, ...]

    @property
    def known(self) -> tuple[Row, ...]:
        """The rows that have counts."""
        return tuple(row for row in self.rows if row.record is not None)

    def fidelity(self, stage: str = "") -> float | None:
        """Its Hellinger fidelity on a stage; of any, the machine's before the simulation's."""
        for row in reversed(self.known):
            if row.comparison is not None and stage in ("", row.stage):
                return float(row.comparison.hellinger_fidelity)
        return None


@frozen
class Picked:
    """A point that is drawn, and why this one."""

    measured: PointRows
    why: str = ""


Known = tuple[PointRows, Sequence[Outcomes]]
"""A point with its ideal, simulated and measured outcomes."""


def outcomes(subject: Subject, measured: Sequence[PointRows]) -> Section:
    """Histograms and the table of points."""
    counted = [point_rows for point_rows in measured if point_rows.known]
    if not counted:
        return Section("outcomes", "Outcomes", (Text("The run has no counts.", "warning"),))
    picked = pick(measured)
    shown = [
        _figure(subject, point_rows.measured, point_rows.why, tips=True) for point_rows in picked
    ]
    scans = tuple(
        sweeps([(point_rows, outcome_sets(subject, point_rows.known)) for point_rows in counted])
    )
    text = "Relative frequencies of the outcomes beside their ideal probabilities, bitstrings as "
    text += "Qiskit prints them; thin lines are one standard error of the counting."
    if len(picked) < len(counted):
        text += f" {len(picked)} of {len(counted):,} points are drawn here."
    if "mock" in subject.saved.plan.header.stages:
        text += " Counts of a mock are random bits by design and are not shown."
    blocks: list[Block] = [Text(text)]
    blocks += [Pictures(scans[:MOST_SCANS])] if scans else []
    blocks.append(Pictures(tuple(shown)))
    if len(counted) > len(picked):
        blocks.append(Chooser("Outcomes of any point", tuple(_choices(subject, counted))))
    blocks.append(_table(subject, measured))
    return Section("outcomes", "Outcomes", tuple(blocks))


def _figure(subject: Subject, point_rows: PointRows, why: str, *, tips: bool) -> CaptionedPicture:
    sets = outcome_sets(subject, point_rows.known)
    name = point_name(point_rows.point)
    fidelity = point_rows.fidelity()
    caption = f"{name}{f' ({why})' if why else ''}."
    label = f"Outcomes of {name}: {', '.join(item.name for item in sets)}."
    if fidelity is not None:
        label += f" Hellinger fidelity {fidelity:.3f}."
    chart = outcome_bars(sets, tips=tips)
    return CaptionedPicture.of(f"outcomes-{point_rows.point.id}", chart, caption, label)


def outcome_sets(subject: Subject, rows: Sequence[Row]) -> list[Outcomes]:
    """Ideal, simulated and measured outcomes of one point, in this order."""
    sets: list[Outcomes] = []
    for row in rows:
        if row.derived is not None and row.ideal and not sets:
            complete = bool(row.derived.complete)
            name = "ideal" if complete else "ideal, of outcomes seen"
            ideal = {bits: float(probability) for bits, probability in row.ideal.items()}
            sets.append(Outcomes(name, ideal, 6, None, complete))
    measured_sets = {row.calibration_set_id for row in rows if row.record}
    for row in rows:
        total = sum(row.counts.values())
        if not total:
            continue
        name = stage_name(row.stage, row.emulated, subject.noisy(row.point.target))
        if row.stage == "hardware" and len(measured_sets - {None}) > 1 and row.record:
            name += f", set {clean(row.calibration_set_id, 8)}"
        shares = {bits: number / total for bits, number in row.counts.items()}
        color = 0 if row.stage == "aer" else 1 + sum(own.color in (1, 2, 3) for own in sets)
        sets.append(Outcomes(clean(name, 60), shares, color, total))
    return sets


def _choices(subject: Subject, counted: Sequence[PointRows]) -> Iterator[CaptionedPicture]:
    """As many points as there is room for, evenly chosen."""
    sample = _figure(subject, counted[len(counted) // 2], "", tips=False)
    fits = max(12, CHOICE_BYTES // max(1, len(sample.picture.body) + 600))
    left = CHOICE_BYTES
    for i in thinned(len(counted), min(MOST_CHOICES, fits)):
        figure = _figure(subject, counted[i], "", tips=False)
        left -= len(figure.picture.body)
        if left < 0:
            return
        yield figure


def _table(subject: Subject, measured: Sequence[PointRows]) -> Table:
    rows_each = max((len(point_rows.rows) for point_rows in measured), default=1)
    shown = thinned(len(measured), max(1, MOST_ROWS // max(1, rows_each)))
    levels: dict[str, list[Any]] = {}
    for point_rows in measured:
        for axis, level in point_rows.point.values:
            levels.setdefault(axis, []).append(level)
    axes = list(levels)[:_MOST_AXES]
    numeric = {
        axis: all(isinstance(v, int | float) for v in levels[axis] if v is not None)
        for axis in axes
    }
    figures = merits_by_point(subject.analysed)
    names = list(dict.fromkeys(name for own in figures.values() for name in own))[:_MOST_MERITS]
    repeats = any(point_rows.point.repeat for point_rows in measured)
    columns = (
        Column("circuit"),
        *(Column(clean(axis, 40), number=numeric[axis]) for axis in axes),
        *([Column("repeat", number=True)] if repeats else []),
        Column("stage"),
        Column("shots", number=True),
        Column("most frequent outcomes", mono=True),
        *(Column(merit_title(name), number=True) for name in names),
    )
    given_up = {point.id for point in subject.gaps.given_up}
    rows = []
    for i in shown:
        point_rows = measured[i]
        values = dict(point_rows.point.values)
        head = [clean(point_rows.point.name, 60), *(value(values.get(axis, "")) for axis in axes)]
        head += [str(point_rows.point.repeat + 1)] if repeats else []
        for row in point_rows.rows:
            own = figures.get((row.stage, point_rows.point.id), {})
            if row.point.id in given_up and row.stage != "aer":
                absent = "no counts: its job brought none"
            else:
                absent = "waiting for its job" if row.waiting else "no counts"
            merits = (own.get(name) for name in names)
            rows.append(
                (
                    *head,
                    *_cells(subject, row, absent),
                    *("" if m is None else with_error(m.value, m.error) for m in merits),
                )
            )
    left_out = ""
    if len(shown) < len(measured):
        left_out = (
            f"{len(shown):,} of {len(measured):,} points, evenly chosen; the command iqm-spec "
            "export has all."
        )
    caption = "Every point" if not left_out else "Points"
    caption += ", with figures of merit" if names else ""
    return Table(caption, columns, tuple(rows), left_out, long=True)


def _cells(subject: Subject, row: Row, absent: str) -> list[str]:
    name = stage_name(row.stage, row.emulated, subject.noisy(row.point.target))
    if row.record is None:
        return [name, "", absent]
    total = sum(row.counts.values())
    best = nsmallest(3, row.counts.items(), key=lambda item: (-item[1], item[0]))
    outcomes_text = "  ".join(
        f"{clean(bits, 40)} {100 * number / total:.0f}%" for bits, number in best
    )
    return [name, f"{total:,}", outcomes_text]


def by_point(points: Sequence[PlannedPoint], rows: Sequence[Row]) -> list[PointRows]:
    """Rows by their points, in the order of the plan."""
    rows_of: dict[int, list[Row]] = {}
    for row in rows:
        rows_of.setdefault(row.point.index, []).append(row)
    return [PointRows(point, tuple(rows_of.get(point.index, ()))) for point in points]


def pick(measured: Sequence[PointRows], most: int = MOST_SHOWN) -> list[Picked]:
    """All of a few points; of many some evenly, the best and the worst among them."""
    every = [point_rows for point_rows in measured if point_rows.known]
    counted = [point_rows for point_rows in every if not is_calibration(point_rows.point)] or every
    first = [point_rows for point_rows in counted if point_rows.point.repeat == 0] or counted
    if len(first) <= most:
        return [Picked(point_rows) for point_rows in first]
    measured_there = any(point_rows.fidelity("hardware") is not None for point_rows in first)
    stage = "hardware" if measured_there else "aer"
    judged = [
        (f, i)
        for i, point_rows in enumerate(first)
        if (f := point_rows.fidelity(stage)) is not None
    ]
    why: dict[int, str] = dict.fromkeys(thinned(len(first), most - 2 if judged else most), "")
    if judged:
        why[min(judged)[1]] = f"lowest Hellinger fidelity on {stage}"
        why[max(judged)[1]] = f"highest Hellinger fidelity on {stage}"
    return [Picked(first[i], why[i]) for i in sorted(why)]


def sweeps(known: Sequence[Known]) -> Iterator[CaptionedPicture]:
    """A chart for each circuit that is swept over one axis of numbers, as it is measured there."""
    circuits: dict[str, list[Known]] = {}
    for known_point in known:
        if known_point[0].point.repeat == 0:
            circuits.setdefault(known_point[0].point.name, []).append(known_point)
    for name, points in circuits.items():
        axes = axes_of([dict(known_point.point.values) for known_point, _ in points])
        if len(axes) == 1 and axes[0].numeric and len(axes[0].values) >= _LEAST_VALUES:
            yield from _charts(name, points, axes[0])


def _charts(name: str, points: Sequence[Known], x: Axis) -> Iterator[CaptionedPicture]:
    shown = [points[i] for i in thinned(len(points), _MOST_MARKS)]
    bits = {len(outcome) for _, sets in shown for own in sets for outcome in own.probabilities}
    if len(bits) != 1 or max(bits) > _MOST_BITS:
        return
    outcomes_shown = _moving(shown)
    if not outcomes_shown:
        return
    titles = dict.fromkeys(own.name for _, sets in shown for own in sets if own.shots)
    for number, title in enumerate(titles):
        series = [
            own
            for i, bits in enumerate(outcomes_shown)
            for own in _series(bits, i, shown, x, title)
        ]
        caption = clean(
            f"Outcomes of {name} against {x.title}; {title}. {intervals_word(series)} are 95 % "
            "intervals, dashed lines the ideal probabilities."
        )
        axis = XAxis(clean(x.title, 60), values=tuple(map(float, x.values)))
        chart = series_plot(series, axis, "probability")
        yield CaptionedPicture.of(f"sweep-{name}-{x.name}-{number}", chart, caption)


def _moving(shown: Sequence[Known]) -> list[str]:
    """The outcomes that change most along the axis."""
    spread: dict[str, tuple[float, float]] = {}
    times_seen: dict[str, int] = {}
    sets_in_all = 0
    for _, sets in shown:
        for own in sets:
            sets_in_all += 1
            for bits, share in own.probabilities.items():
                low, high = spread.get(bits, (share, share))
                spread[bits] = (min(low, share), max(high, share))
                times_seen[bits] = times_seen.get(bits, 0) + 1
    spreads = {
        bits: high - (0.0 if times_seen[bits] < sets_in_all else low)
        for bits, (low, high) in spread.items()
    }
    order = sorted(spreads, key=lambda bits: (-spreads[bits], bits))
    return sorted(bits for bits in order[:_MOST_CURVES] if spreads[bits] > 0.02)


def _series(
    bits: str, number: int, shown: Sequence[Known], x: Axis, title: str
) -> Iterator[Series]:
    marks, ideal = [], []
    for measured, sets in shown:
        place: Any = dict(measured.point.values)[x.name]
        for own in sets:
            share = own.probabilities.get(bits, 0.0)
            if own.shots is None and (own.complete or bits in own.probabilities):
                ideal.append(Mark(x.place(place), share))
            elif own.shots and own.name == title:
                low, high = wilson(share * own.shots, own.shots)
                marks.append(Mark(x.place(place), share, low, high, f"{bits}: {share:.4f}"))
    if marks:
        yield Series(bits, tuple(marks), number, number, style="")
    if ideal:
        yield Series("", tuple(ideal), number, number, style="dash", bare=True)
