"""Predicted against measured in a terminal: a plot with logarithmic axes, in characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import frozen


@frozen
class Pens:
    """What a plot is drawn with; `marks` are for one job in a cell, for a few and for many."""

    marks: tuple[str, str, str]
    wild: str
    equal: str
    upright: str
    flat: str
    corner: str
    tick: str


UNICODE = Pens(("·", "○", "●"), "\u00d7", "\u2571", "│", "─", "└", "┤")
"""With a multiplication sign and a box drawing's diagonal."""

ASCII = Pens((".", "o", "@"), "x", "/", "|", "-", "+", "+")

LEAST_COLUMNS, MOST_COLUMNS = 40, 96

_MARGIN = 8
"""Columns for the figures of the upright axis."""

_FEW = 3
_STEPS = (1.0, 2.0, 5.0)


@frozen
class _Axis:
    """A logarithmic axis that both directions share, in log10 of seconds."""

    low: float
    high: float

    def cell(self, seconds: float, cells: int) -> int:
        at = (math.log10(seconds) - self.low) / (self.high - self.low)
        return min(max(round(at * (cells - 1)), 0), cells - 1)

    def ticks(self) -> list[float]:
        """1, 2 and 5 times powers of ten in the axis; powers of ten where those are many."""
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        found = [step * 10.0**power for power in powers for step in _STEPS]
        found = [one for one in found if self.low <= math.log10(one) <= self.high]
        tens = [one for one in found if math.isclose(math.log10(one) % 1, 0, abs_tol=1e-9)]
        return tens if len(found) > 9 and len(tens) > 1 else found


def scatter(
    points: Sequence[tuple[float, float, bool]], width: int, *, plain: bool = False
) -> list[str]:
    """Lines of a plot of (measured, predicted, wild) in seconds, at most `width` columns wide.

    The diagonal is where predicted equals measured; `plain` keeps to ASCII.
    """
    pens = ASCII if plain else UNICODE
    columns = min(max(width, LEAST_COLUMNS), MOST_COLUMNS) - _MARGIN
    rows = max(10, round(columns / 3.2))
    axis = _axis([max(one, 1e-9) for x, y, _ in points for one in (x, y)])
    grid = _diagonal(columns, rows, pens)
    counts: dict[tuple[int, int], int] = {}
    for measured, predicted, wild in points:
        place = axis.cell(max(predicted, 1e-9), rows), axis.cell(max(measured, 1e-9), columns)
        counts[place] = counts.get(place, 0) + (10**9 if wild else 1)
    for (row, column), number in counts.items():
        grid[row][column] = _mark(number, pens)
    return ["predicted (s)", *_framed(grid, axis, pens), *_below(axis, columns, pens), _key(pens)]


def _axis(values: Sequence[float]) -> _Axis:
    """From a little below the smallest to a little above the largest."""
    low, high = math.log10(min(values)), math.log10(max(values))
    room = max(0.04 * (high - low), 0.05)
    return _Axis(low - room, high + room)


def _diagonal(columns: int, rows: int, pens: Pens) -> list[list[str]]:
    """An empty grid, rows from below, with the line of equal times."""
    grid = [[" "] * columns for _ in range(rows)]
    for row in range(rows):
        grid[row][round(row * (columns - 1) / (rows - 1))] = pens.equal
    return grid


def _mark(number: int, pens: Pens) -> str:
    if number >= 10**9:
        return pens.wild
    return pens.marks[0 if number == 1 else 1 if number <= _FEW else 2]


def _framed(grid: Sequence[Sequence[str]], axis: _Axis, pens: Pens) -> list[str]:
    """The grid with its upright axis, highest row first."""
    labels = {axis.cell(tick, len(grid)): tick for tick in axis.ticks()}
    lines = []
    for row in range(len(grid) - 1, -1, -1):
        label = f"{labels[row]:g}" if row in labels else ""
        side = pens.tick if row in labels else pens.upright
        lines.append(f"{label:>{_MARGIN - 2}} {side}{''.join(grid[row])}".rstrip())
    return lines


def _below(axis: _Axis, columns: int, pens: Pens) -> list[str]:
    """The flat axis, its figures where they do not touch, and its name."""
    figures = [" "] * (columns + _MARGIN)
    last = -1
    for tick in axis.ticks():
        text = f"{tick:g}"
        start = _MARGIN + axis.cell(tick, columns) - len(text) // 2
        if start > last and start + len(text) <= len(figures):
            figures[start : start + len(text)] = text
            last = start + len(text)
    name = "measured (s)"
    return [
        " " * (_MARGIN - 1) + pens.corner + pens.flat * columns,
        "".join(figures).rstrip(),
        " " * max(_MARGIN + columns - len(name), 0) + name,
    ]


def _key(pens: Pens) -> str:
    one, few, many = pens.marks
    return f"{one} 1 job  {few} 2-{_FEW}  {many} more  {pens.wild} wild  {pens.equal} equal"
