"""Figures of merit: against the axes, as maps, and with what was fitted to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iqm_spec.analysis.merit import Analysed
from iqm_spec.plan.label import count
from iqm_spec.report.charts import charts, topics
from iqm_spec.report.curves import curves
from iqm_spec.report.document import Block, Column, Figure, Figures, Fold, Section, Table, Text
from iqm_spec.report.subject import Subject
from iqm_spec.report.words import axis_label, clean, merit_title, stage_name, with_error
from iqm_spec.stages.rows import Row
from iqm_spec.store.structure import to_json

_MOST_ROWS = 200
MOST_FIGURES = 24
"""Charts that are seen at once; the others are folded."""

_FIRST = 6
_PREFIX = "perfect_"


def merits(subject: Subject) -> Section:
    """Charts of every analysis, then the table of what was found over several points."""
    noisy = any(subject.noisy(point.target) for point in subject.saved.plan.points)
    blocks: list[Block] = []
    fitted = list(curves(subject.analysed, noisy))
    found = topics(subject.analysed, _perfect(subject.rows))
    drawn = [*fitted, *(figure for topic in found for figure in charts(topic, noisy))]
    drawn = list(_distinct(drawn))[:MOST_FIGURES]
    if drawn:
        blocks.append(Figures(tuple(drawn[:_FIRST])))
    if len(drawn) > _FIRST:
        rest = tuple(drawn[_FIRST:])
        blocks.append(Fold(count(len(rest), "more chart"), (Figures(rest),)))
    table = _table(subject.analysed, noisy)
    if table.rows:
        blocks.append(table)
    if subject.not_analysed:
        blocks.append(Text(f"Not all was analysed: {clean(subject.not_analysed)}.", "warning"))
    blocks += [Text(note, "note") for note in _notes(subject.analysed)]
    if not blocks:
        blocks.append(Text(_none(subject)))
    return Section("merits", "Figures of merit", tuple(blocks))


def _perfect(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """What a perfect device would show at these shots, by figure and point."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        for name, told in to_json(row.comparison).items() if row.comparison else ():
            if name.startswith(_PREFIX) and isinstance(told, int | float):
                found.setdefault(name.removeprefix(_PREFIX), {})[row.point.id] = float(told)
    return found


def _distinct(figures: Sequence[Figure]) -> Iterator[Figure]:
    seen: set[str] = set()
    for figure in figures:
        if figure.name not in seen:
            seen.add(figure.name)
            yield figure


def _table(analysed: Sequence[Analysed], noisy: bool) -> Table:
    """What stands for several points, or was fitted; single points are in the table of outcomes."""
    several = [one for one in analysed if len(one.points) != 1 or one.curve is not None]
    rows = []
    for one in several:
        for merit in one.merits:
            interval = ""
            if merit.low is not None and merit.high is not None:
                interval = f"{merit.low:.4g} to {merit.high:.4g}"
            rows.append(
                (
                    clean(one.analysis.replace("_", " "), 60),
                    clean(one.circuit, 60),
                    axis_label(one.values),
                    stage_name(one.stage, one.emulated, noisy),
                    f"{len(one.points):,}",
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
    rest = len(rows) - _MOST_ROWS
    left_out = (
        f"{count(rest, 'more row')} not shown; the command iqm-spec analyze has all."
        if rest > 0
        else ""
    )
    return Table(
        "Figures over several points", columns, tuple(rows[:_MOST_ROWS]), left_out, long=True
    )


def _notes(analysed: Sequence[Analysed]) -> list[str]:
    """What a reader must know, once each."""
    counted: dict[str, int] = {}
    for one in analysed:
        for note in one.notes:
            told = f"{clean(one.analysis.replace('_', ' '), 60)}: {clean(note)}"
            counted[told] = counted.get(told, 0) + 1
    listed = [f"{note} ({n} times)" if n > 1 else note for note, n in counted.items()]
    return listed[:12]


def _none(subject: Subject) -> str:
    reasons = [row.why_no_comparison for row in subject.rows if row.derived]
    known = list(dict.fromkeys(clean(one) for one in reasons if one))
    why = f": {known[0]}" if known else ""
    return f"There are no figures of merit for this run{why}."
