"""Tables for people: a run's results, and a plan before it runs. Fit from 60 columns up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from iqm_spec.model import Values

if TYPE_CHECKING:
    from rich.table import Table

    from iqm_spec.plan.plan import PlannedPoint
    from iqm_spec.run.rows import Row

MOST_ROWS = 40
"""Rows shown on a terminal; the rest is counted, and `export` has them all."""


def results_table(rows: Sequence[Row], width: int) -> Table:
    """One line per point: shots, most frequent outcomes, fidelity with its statistical error."""
    table = _table()
    table.add_column("circuit", no_wrap=True, overflow="ellipsis", max_width=max(14, width // 3))
    table.add_column("shots", justify="right", no_wrap=True)
    table.add_column("top outcomes", overflow="ellipsis", no_wrap=True, ratio=1)
    table.add_column("fidelity", justify="right", no_wrap=True)
    if width >= 90:
        table.add_column("perfect", justify="right", no_wrap=True)
    for row in rows[:MOST_ROWS]:
        point = row.point
        cells = [
            label(point.name, point.values, point.repeat),
            str(row.record["shots_returned"]) if row.record else "-",
            top_outcomes(row.counts, 3 if width >= 90 else 2),
            with_error(row.comparison, "hellinger_fidelity", "hellinger_fidelity_error"),
        ]
        if width >= 90:
            cells.append(with_error(row.comparison, "perfect_hellinger_fidelity"))
        table.add_row(*cells)
    return table


def plan_table(points: Sequence[PlannedPoint], width: int) -> Table:
    """One line per point: qubits, depth, gates, shots."""
    table = _table()
    table.add_column("circuit", no_wrap=True, overflow="ellipsis", ratio=1)
    if width >= 80:
        table.add_column("target", no_wrap=True)
    for name in ("qubits", "depth", "2q gates", "1q gates", "shots"):
        table.add_column(name, justify="right", no_wrap=True)
    for point in points[:MOST_ROWS]:
        gates: Mapping[str, Any] = point.summary["gates"]  # type: ignore[assignment]
        cells = [label(point.name, point.values, point.repeat)]
        if width >= 80:
            cells.append(point.target)
        cells += [
            str(point.summary["qubits"]),
            str(point.summary["depth"]),
            str(gates.get("cz", 0) + gates.get("move", 0)),
            str(gates.get("r", 0)),
            str(point.shots),
        ]
        table.add_row(*cells)
    return table


def more(total: int) -> str | None:
    """What to say of the rows that a table leaves out."""
    return f"... and {total - MOST_ROWS:,} more points" if total > MOST_ROWS else None


def label(name: str, values: Values, repeat: int = 0) -> str:
    """`ghz n=3 #2`: a circuit at a point, with the number of its repeat from the second on."""
    told = [name, *(f"{axis}={short(value)}" for axis, value in values)]
    return " ".join(told if repeat == 0 else [*told, f"#{repeat + 1}"])


def short(value: object) -> str:
    """A value in few characters: four digits of a float, items of a list."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple | list):
        return ",".join(short(item) for item in value)
    return str(value)


def top_outcomes(counts: Mapping[str, int], most: int) -> str:
    """The most frequent bitstrings with their share, most frequent first."""
    total = sum(counts.values())
    if not total:
        return "-"
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    return "  ".join(f"{_clip(bits)} {100 * n / total:.0f}%" for bits, n in ranked)


def with_error(comparison: Mapping[str, Any] | None, name: str, error: str = "") -> str:
    """`0.912±0.009`, or a dash where the value is not known."""
    if comparison is None or comparison.get(name) is None:
        return "-"
    value = f"{comparison[name]:.3f}"
    return f"{value}±{comparison[error]:.3f}" if error else value


def _clip(bits: str) -> str:
    return bits if len(bits) <= 16 else f"{bits[:7]}..{bits[-7:]}"


def _table() -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=False)


def totals(points: Iterable[PlannedPoint]) -> str:
    """`5 points, 5 circuits, 5,000 shots` of a plan."""
    listed = list(points)
    circuits = len({point.circuit for point in listed})
    shots = sum(point.shots for point in listed)
    return (
        f"{len(listed):,} point{_s(listed)}, {circuits:,} circuit{'s' if circuits != 1 else ''},"
        f" {shots:,} shots"
    )


def _s(items: Sequence[object]) -> str:
    return "" if len(items) == 1 else "s"
