"""Tables for people: a run's results, and a plan before it runs. Fit from 60 columns up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.plan.label import count, label, short

if TYPE_CHECKING:
    from rich.table import Table

    from iqm_spec.plan.plan import PlannedPoint
    from iqm_spec.run.rows import Row

MOST_ROWS = 40
"""Rows shown on a terminal; the rest is counted, and `export` has them all."""


WIDE = 90
"""Columns from which on a table shows what a narrow one leaves to `export`."""

_GAP = 2
_LEAST_OUTCOMES = 8
"""Columns below which the most frequent outcomes are left out."""


@frozen
class _Layout:
    """How points are named in a table: axes in columns of their own, or all in the first."""

    axes: tuple[str, ...]
    left: int
    """Columns that the naming leaves to the rest of the table."""
    first: int | None = None
    """Columns of the circuit's name where that has to be cut."""


def results_table(rows: Sequence[Row], width: int) -> Table:
    """One line per point: shots, most frequent outcomes, fidelity with its statistical error."""
    points = [row.point for row in rows[:MOST_ROWS]]
    wide = width >= WIDE
    fixed = ["shots", "0.000±0.000", *(["perfect"] if wide else [])]
    layout = _layout(points, width, fixed)
    room = layout.left - _GAP
    outcomes = 3 if wide else 2
    table = _point_table(layout)
    table.add_column("shots", justify="right", no_wrap=True, min_width=5)
    if room >= _LEAST_OUTCOMES:
        title = "top outcomes" if room >= 12 else "top"
        table.add_column(title, no_wrap=True, overflow="ellipsis", max_width=room)
    table.add_column("fidelity", justify="right", no_wrap=True, min_width=11)
    if wide:
        table.add_column("perfect", justify="right", no_wrap=True)
    for row in rows[:MOST_ROWS]:
        cells = [
            *point_cells(row.point, layout.axes),
            str(row.record["shots_returned"]) if row.record else "-",
        ]
        if room >= _LEAST_OUTCOMES:
            cells.append(top_outcomes(row.counts, outcomes, room))
        cells.append(with_error(row.comparison, "hellinger_fidelity", "hellinger_fidelity_error"))
        if wide:
            cells.append(with_error(row.comparison, "perfect_hellinger_fidelity"))
        table.add_row(*cells)
    return table


def plan_table(points: Sequence[PlannedPoint], width: int) -> Table:
    """One line per point: target, qubits, depth, gates, shots."""
    shown = points[:MOST_ROWS]
    numbers = ("qubits", "depth", "2q", "1q", "shots")
    names = numbers if width < WIDE else ("target", *numbers)
    layout = _layout(shown, width, names)
    table = _point_table(layout)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    for point in shown:
        gates: Mapping[str, Any] = point.summary["gates"]  # type: ignore[assignment]
        cells = {
            "target": point.target,
            "qubits": str(point.summary["qubits"]),
            "depth": str(point.summary["depth"]),
            "2q": str(gates.get("cz", 0) + gates.get("move", 0)),
            "1q": str(gates.get("r", 0)),
            "shots": str(point.shots),
        }
        table.add_row(*point_cells(point, layout.axes), *(cells[name] for name in names))
    return table


def _layout(points: Sequence[PlannedPoint], width: int, fixed: Sequence[str]) -> _Layout:
    """Axes get columns where they fit beside what is fixed; else they stand with the circuit."""
    axes = tuple(dict.fromkeys(name for point in points for name, _ in point.values))
    taken = sum(len(name) + _GAP for name in fixed)
    columns = _widths([point_cells(point, axes) for point in points], ("circuit", *axes))
    if columns + taken <= width:
        return _Layout(axes, width - taken - columns - _GAP)
    whole = _widths([point_cells(point, ()) for point in points], ("circuit",))
    columns = min(width - taken, whole)
    return _Layout((), width - taken - columns - _GAP, first=columns - _GAP)


def _widths(rows: Sequence[Sequence[str]], header: Sequence[str]) -> int:
    """Columns that a table of these cells takes, gaps included."""
    return sum(max(map(len, column)) + _GAP for column in zip(header, *rows, strict=True))


def _point_table(layout: _Layout) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    table.add_column("circuit", no_wrap=True, overflow="ellipsis", max_width=layout.first)
    for axis in layout.axes:
        table.add_column(axis, justify="right", no_wrap=True)
    return table


def point_cells(point: PlannedPoint, axes: Sequence[str]) -> list[str]:
    """The first cells of a point's row: the circuit, with what has no column, then the axes."""
    values = dict(point.values)
    rest = tuple(item for item in point.values if item[0] not in axes)
    cells = [short(values[axis]) if axis in values else "" for axis in axes]
    return [label(point.name, rest, point.repeat), *cells]


def more(total: int) -> str | None:
    """What to say of the rows that a table leaves out."""
    return f"... and {total - MOST_ROWS:,} more points" if total > MOST_ROWS else None


def top_outcomes(counts: Mapping[str, int], most: int, room: int = 1000) -> str:
    """The most frequent bitstrings with their share, at most `most` and as many as fit."""
    total = sum(counts.values())
    if not total:
        return "-"
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    told = [f"{_clip(bits)} {100 * n / total:.0f}%" for bits, n in ranked]
    while len(told) > 1 and len("  ".join(told)) > room:
        told.pop()
    return "  ".join(told)


def with_error(comparison: Mapping[str, Any] | None, name: str, error: str = "") -> str:
    """`0.912±0.009`, or a dash where the value is not known."""
    if comparison is None or comparison.get(name) is None:
        return "-"
    value = f"{comparison[name]:.3f}"
    return f"{value}±{comparison[error]:.3f}" if error else value


def _clip(bits: str) -> str:
    bits = bits.replace(" ", "|")  # between registers; a space would read as the next column
    return bits if len(bits) <= 16 else f"{bits[:7]}..{bits[-7:]}"


def totals(points: Iterable[PlannedPoint]) -> str:
    """`5 points, 5 circuits, 5,000 shots` of a plan."""
    listed = list(points)
    circuits = len({point.circuit for point in listed})
    shots = sum(point.shots for point in listed)
    told = f"{count(len(listed), 'point')}, {count(circuits, 'circuit')}"
    return f"{told}, {shots:,} shots"
