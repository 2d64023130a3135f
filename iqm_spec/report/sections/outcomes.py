"""Counts: histograms of some points side by side, any other by choice, and a table of all."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from heapq import nsmallest

from iqm_spec.analysis.merit import Merit
from iqm_spec.report.charts import merits_by_point
from iqm_spec.report.document import (
    Block,
    Chooser,
    Column,
    Figure,
    Figures,
    Section,
    Table,
    Text,
)
from iqm_spec.report.figures.bars import Outcomes, bars
from iqm_spec.report.pick import Measured, pick
from iqm_spec.report.subject import Subject
from iqm_spec.report.sweeps import sweeps
from iqm_spec.report.words import (
    clean,
    merit_title,
    point_name,
    stage_name,
    thinned,
    value,
    with_error,
)
from iqm_spec.stages.rows import Row

MOST_ROWS = 1000
"""Rows of the table of points."""

MOST_CHOICES = 500
MOST_SCANS = 6
CHOICE_BYTES = 1_600_000
"""Of histograms that wait behind the chooser."""

_MOST_AXES, _MOST_MERITS = 6, 5


def outcomes(subject: Subject, measured: Sequence[Measured]) -> Section:
    """Histograms and the table of points."""
    counted = [one for one in measured if one.known]
    if not counted:
        return Section("outcomes", "Outcomes", (Text("The run has no counts.", "warning"),))
    picked = pick(measured)
    shown = [_figure(subject, one.measured, one.why, tips=True) for one in picked]
    scans = tuple(sweeps([(one, outcome_sets(subject, one.known)) for one in counted]))
    blocks: list[Block] = [Text(_intro(subject, len(picked), len(counted)))]
    blocks += [Figures(scans[:MOST_SCANS])] if scans else []
    blocks.append(Figures(tuple(shown)))
    if len(counted) > len(picked):
        blocks.append(Chooser("Outcomes of any point", tuple(_choices(subject, counted))))
    blocks.append(_table(subject, measured))
    return Section("outcomes", "Outcomes", tuple(blocks))


def _intro(subject: Subject, shown: int, counted: int) -> str:
    told = "Relative frequencies of the outcomes beside their ideal probabilities, bitstrings as "
    told += "Qiskit prints them; thin lines are one standard error of the counting."
    if shown < counted:
        told += f" {shown} of {counted:,} points are drawn here."
    if "mock" in subject.saved.plan.header.stages:
        told += " Counts of a mock are random bits by design and are not shown."
    return told


def _figure(subject: Subject, one: Measured, why: str, *, tips: bool) -> Figure:
    sets = outcome_sets(subject, one.known)
    name = point_name(one.point)
    fidelity = one.fidelity()
    told = f"{name}{f' ({why})' if why else ''}."
    label = f"Outcomes of {name}: {', '.join(item.name for item in sets)}."
    if fidelity is not None:
        label += f" Hellinger fidelity {fidelity:.3f}."
    return Figure(f"outcomes-{one.point.id}", told, bars(sets, label, tips=tips))


def outcome_sets(subject: Subject, rows: Sequence[Row]) -> list[Outcomes]:
    """Ideal, simulated and measured outcomes of one point, in this order."""
    sets = _ideal(rows)
    sets_seen = {row.calibration_set_id for row in rows if row.record}
    for row in rows:
        total = sum(row.counts.values())
        if not total:
            continue
        name = stage_name(row.stage, row.emulated, subject.noisy(row.point.target))
        if row.stage == "hardware" and len(sets_seen - {None}) > 1 and row.record:
            name += f", set {clean(row.calibration_set_id, 8)}"
        shares = {bits: number / total for bits, number in row.counts.items()}
        color = 0 if row.stage == "aer" else 1 + sum(one.color in (1, 2, 3) for one in sets)
        sets.append(Outcomes(clean(name, 60), shares, color, total))
    return sets


def _ideal(rows: Sequence[Row]) -> list[Outcomes]:
    for row in rows:
        if row.derived is not None and row.ideal:
            whole = bool(row.derived.complete)
            name = "ideal" if whole else "ideal, of outcomes seen"
            return [Outcomes(name, {b: float(p) for b, p in row.ideal.items()}, 6, None, whole)]
    return []


def _choices(subject: Subject, counted: Sequence[Measured]) -> Iterator[Figure]:
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


def _table(subject: Subject, measured: Sequence[Measured]) -> Table:
    kept = thinned(len(measured), max(1, MOST_ROWS // max(1, _rows_each(measured))))
    axes = list(dict.fromkeys(name for one in measured for name, _ in one.point.values))[
        :_MOST_AXES
    ]
    figures = merits_by_point(subject.analysed)
    names = list(dict.fromkeys(name for own in figures.values() for name in own))[:_MOST_MERITS]
    repeats = any(one.point.repeat for one in measured)
    columns = (
        Column("circuit"),
        *(Column(clean(axis, 40), number=_numeric(measured, axis)) for axis in axes),
        *([Column("repeat", number=True)] if repeats else []),
        Column("stage"),
        Column("shots", number=True),
        Column("most frequent outcomes", mono=True),
        *(Column(merit_title(name), number=True) for name in names),
    )
    given_up = {point.id for point in subject.gaps.given_up}
    rows = []
    for i in kept:
        one = measured[i]
        values = dict(one.point.values)
        head = [clean(one.point.name, 60), *(value(values.get(axis, "")) for axis in axes)]
        head += [str(one.point.repeat + 1)] if repeats else []
        for row in one.rows:
            own = figures.get((row.stage, one.point.id), {})
            cells = _cells(subject, row, _absent(row, given_up))
            rows.append((*head, *cells, *(_merit(own.get(name)) for name in names)))
    left_out = ""
    if len(kept) < len(measured):
        left_out = (
            f"{len(kept):,} of {len(measured):,} points, evenly chosen; the command iqm-spec "
            "export has all."
        )
    caption = "Every point" if not left_out else "Points"
    caption += ", with figures of merit" if names else ""
    return Table(caption, columns, tuple(rows), left_out, long=True)


def _rows_each(measured: Sequence[Measured]) -> int:
    return max((len(one.rows) for one in measured), default=1)


def _cells(subject: Subject, row: Row, absent: str) -> list[str]:
    name = stage_name(row.stage, row.emulated, subject.noisy(row.point.target))
    if row.record is None:
        return [name, "", absent]
    total = sum(row.counts.values())
    best = nsmallest(3, row.counts.items(), key=lambda item: (-item[1], item[0]))
    told = "  ".join(f"{clean(bits, 40)} {100 * number / total:.0f}%" for bits, number in best)
    return [name, f"{total:,}", told]


def _absent(row: Row, given_up: Collection[str]) -> str:
    """Why there are no counts."""
    if row.point.id in given_up and row.stage != "aer":
        return "no counts: its job brought none"
    return "waiting for its job" if row.waiting else "no counts"


def _merit(of: Merit | None) -> str:
    return "" if of is None else with_error(of.value, of.error)


def _numeric(measured: Sequence[Measured], axis: str) -> bool:
    values = [dict(one.point.values).get(axis) for one in measured]
    return all(isinstance(v, int | float) for v in values if v is not None)
