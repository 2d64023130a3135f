"""Tables for people: a run's results, and a plan before it runs. Fit from 60 columns up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from iqm_spec.cli import output
from iqm_spec.cost.precision import standard_error
from iqm_spec.diagnostics import printable
from iqm_spec.plan.label import count, label, short
from iqm_spec.store.records import StoredComparison

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.table import Table

    from iqm_spec.analysis.merit import Analysed
    from iqm_spec.plan.plan import PlannedPoint
    from iqm_spec.stages.rows import Row

MOST_ROWS = 40
"""Rows shown on a terminal; the rest is counted, and `export` has them all."""


WIDE = 90
"""Columns from which on a table shows what a narrow one leaves to `export`."""

_NARROW = 70
"""Columns below which predicted success takes the place of gates on one qubit."""

_WITH_PLACES, _MOST_PLACES = 105, 6
"""Columns from which on a plan shows its qubits, and how many of them."""

_WIDE_FIGURES = 80
"""Columns of a terminal that is wide enough for the intervals of figures."""

_GAP = 2
_LEAST_OUTCOMES = 8
"""Columns below which the most frequent outcomes are left out."""

_LEAST_CELL = 7
"""Columns that the name of a circuit or a value keeps however narrow the table."""

Columns = dict[str, list[str]]
"""Title to the cells below it."""


@frozen
class _Layout:
    """How points are named in a table: axes in columns of their own, or all in the first."""

    axes: tuple[str, ...]
    widths: tuple[int, ...]
    """Columns of the circuit's name and of each axis; longer cells are cut."""
    left: int
    """Columns that the naming leaves to the rest of the table."""


def results_table(rows: Sequence[Row], width: int) -> Group:
    """One line per point: shots, most frequent outcomes, fidelity with its statistical error.

    Below it stands, once each, why a fidelity is not known.
    """
    from rich.console import Group
    from rich.text import Text

    shown = rows[:MOST_ROWS]
    wide = width >= WIDE
    numbers = _numbers(shown, wide=wide)
    points = [row.point for row in shown]
    layout = _layout(points, width, numbers)
    room = layout.left - _GAP
    columns: Columns = {"stage": numbers.pop("stage")} if "stage" in numbers else {}
    columns["shots"] = numbers.pop("shots")
    if room >= _LEAST_OUTCOMES:
        title = "top outcomes" if room >= 12 else "top"
        columns[title] = [top_outcomes(row.counts, 3 if wide else 2, room) for row in shown]
    reasons = dict.fromkeys(row.why_no_comparison for row in shown if row.record)
    notes = [Text(f"fidelity -: {reason}") for reason in reasons if reason]
    return Group(_table(points, layout, columns | numbers), *notes)


def _numbers(rows: Sequence[Row], *, wide: bool) -> Columns:
    """The columns that are as wide as their numbers, with dashes where counts are missing."""
    comparisons = [row.comparison if row.record else None for row in rows]
    fidelity = [
        with_error(comparison, "hellinger_fidelity", "hellinger_fidelity_error")
        for comparison in comparisons
    ]
    returned = [str(row.record.shots_returned) if row.record else "-" for row in rows]
    columns = {"shots": returned, "fidelity": fidelity}
    if len({row.stage for row in rows}) > 1:
        columns["stage"] = ["emulated" if row.emulated else row.stage for row in rows]
    hardware = [row for row in rows if row.stage == "hardware"]
    if len({row.point.index for row in hardware}) < len(hardware):
        # a point was measured under several calibration sets
        columns["set"] = [str(row.calibration_set_id or "-")[:8] for row in rows]
    if wide:
        columns["perfect"] = [with_error(c, "perfect_hellinger_fidelity") for c in comparisons]
    return columns


def plan_table(
    points: Sequence[PlannedPoint],
    width: int,
    successes: Mapping[str, float] | None = None,
    places: Mapping[str, Sequence[str]] | None = None,
) -> Table:
    """One line per point: target, qubits, depth, gates, predicted success, shots and their error.

    `successes` are predicted, `places` the physical qubits, by circuit key; the latter are shown
    where there is room.
    """
    shown = points[:MOST_ROWS]
    columns: Columns = {"target": [point.target for point in shown]} if width >= WIDE else {}
    columns |= {
        name: [str(getattr(point.summary, name)) for point in shown] for name in ("qubits", "depth")
    }
    gates = [point.summary.gates for point in shown]
    columns["2q"] = [str(counts.get("cz", 0) + counts.get("move", 0)) for counts in gates]
    columns["1q"] = [str(counts.get("r", 0)) for counts in gates]
    if successes:
        predicted = [successes.get(point.circuit_key) for point in shown]
        columns["success"] = ["-" if value is None else _success(value) for value in predicted]
        if width < _NARROW:
            del columns["1q"]
    columns["shots"] = [str(point.shots) for point in shown]
    columns["±"] = [f"{standard_error(point.shots):.2g}" for point in shown]
    if places and width >= _WITH_PLACES:
        columns["on"] = [_short_places(places.get(point.circuit_key, ())) for point in shown]
    return _table(shown, _layout(shown, width, columns), columns)


def _short_places(names: Sequence[str]) -> str:
    """`QB1 QB4 QB5`, or the first of many."""
    shown = " ".join(names[:_MOST_PLACES])
    return f"{shown} ..." if len(names) > _MOST_PLACES else shown


def _success(value: float) -> str:
    """`0.943`, `2.1e-05`."""
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


def _layout(points: Sequence[PlannedPoint], width: int, fixed: Columns) -> _Layout:
    """Axes get columns where they fit beside what is fixed; else they stand with the circuit."""
    from rich.cells import cell_len

    axes = tuple(dict.fromkeys(name for point in points for name, _ in point.values))
    room = width - sum(_width(*item) + _GAP for item in fixed.items())
    for named in (axes, ()):
        rows = [("circuit", *named), *(point_cells(point, named) for point in points)]
        widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
        # the widest columns are cut until all fit
        while sum(widths) + _GAP * len(widths) > room and max(widths) > _LEAST_CELL:
            widths[widths.index(max(widths))] -= 1
        left = room - sum(widths) - _GAP * len(widths)
        if left >= 0:
            break
    return _Layout(named, tuple(widths), left)


def _width(title: str, cells: Iterable[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, (title, *cells)))


def _table(points: Sequence[PlannedPoint], layout: _Layout, columns: Columns) -> Table:
    """The points' names beside the columns; all but outcomes are numbers, and never cut."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    first, *rest = layout.widths
    table.add_column("circuit", no_wrap=True, width=first)
    for axis, width in zip(layout.axes, rest, strict=True):
        table.add_column(axis, justify="right", no_wrap=True, width=width)
    for title, cells in columns.items():
        side: Any = "left" if title.startswith(("top", "stage")) else "right"
        table.add_column(title, justify=side, no_wrap=True, width=_width(title, cells))
    for point, *cells in zip(points, *columns.values(), strict=True):
        table.add_row(*point_cells(point, layout.axes), *cells)
    return table


def point_cells(point: PlannedPoint, axes: Sequence[str]) -> list[str]:
    """The first cells of a point's row: the circuit, with what has no column, then the axes."""
    values = dict(point.values)
    rest = tuple(item for item in point.values if item[0] not in axes)
    cells = [short(values[axis]) if axis in values else "" for axis in axes]
    return [label(point.name, rest, point.repeat), *cells]


def print_more(total: int, console: Console) -> None:
    """Print how many of `total` points a table leaves out, if it does."""
    if total > MOST_ROWS:
        console.print(f"... and {total - MOST_ROWS:,} more points")


def top_outcomes(counts: Mapping[str, int], most: int, room: int) -> str:
    """The most frequent bitstrings with their share, at most `most` and as many as fit."""
    total = sum(counts.values())
    if not total:
        return "-"
    ranked = nsmallest(most, counts.items(), key=lambda item: (-item[1], item[0]))
    shares = [(bits, f" {100 * n / total:.0f}%") for bits, n in ranked]
    cells = [_clip(bits, min(16, room - len(share))) + share for bits, share in shares]
    while len(cells) > 1 and len("  ".join(cells)) > room:
        cells.pop()
    return "  ".join(cells)


def with_error(comparison: StoredComparison | None, name: str, error: str = "") -> str:
    """`0.912±0.009`, or a dash where the value is not known."""
    if comparison is None:
        return "-"
    value = f"{getattr(comparison, name):.3f}"
    return f"{value}±{getattr(comparison, error):.3f}" if error else value


def _clip(bits: str, room: int) -> str:
    """The first and the last bits of a long string: `1010101…0101010`."""
    bits = bits.replace(" ", "|")  # between registers; a space would read as the next column
    if len(bits) <= room:
        return bits
    last = (room - 1) // 2
    return f"{bits[: room - 1 - last]}…{bits[len(bits) - last :]}"


def totals(points: Iterable[PlannedPoint]) -> str:
    """`5 points, 5 circuits, 5,000 shots` of a plan."""
    listed = list(points)
    circuits = len({point.circuit for point in listed})
    shots = sum(point.shots for point in listed)
    return f"{count(len(listed), 'point')}, {count(circuits, 'circuit')}, {shots:,} shots"


def show_figures(outcomes: Sequence[Analysed], most: int = MOST_ROWS) -> None:
    """Print figures of merit, a line each, with their errors; `most` of them."""
    from rich.table import Table

    console = output.console()
    wide = console.width >= _WIDE_FIGURES
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("circuit", "at", "stage", "figure"):
        table.add_column(column)
    for column in ("value", "95 % interval")[: 1 + wide]:
        table.add_column(column, justify="right", no_wrap=True)
    rows = [(outcome, merit) for outcome in outcomes for merit in outcome.merits]
    for outcome, merit in rows[:most]:
        # `n=3 angle=0.5 #2`: the values of the axes and the number of the repeat
        parts = [f"{axis}={short(value)}" for axis, value in outcome.values.items()]
        parts += [f"#{outcome.details['repeat']}"] if "repeat" in outcome.details else []
        stage = "emulated" if outcome.emulated else outcome.stage
        name = printable(merit.name).replace("_", " ")
        value, interval = f"{merit.value:.4g}", ""
        if merit.error is not None:
            value = f"{merit.value:.4f}±{merit.error:.4f}"
            if merit.low is not None and merit.high is not None:
                interval = f"{merit.low:.4f} to {merit.high:.4f}"
        cells = [printable(outcome.circuit), printable(" ".join(parts)), stage, name, value]
        table.add_row(*cells, *([interval] if wide else []))
    if rows:
        console.print(table)
    if len(rows) > most:
        click.echo(f"... and {len(rows) - most:,} more; --json lists all")
