"""Circuits drawn on wires, compact: what is on the left happens first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import field, frozen

from iqm_spec.report.figures import svg
from iqm_spec.report.figures.svg import Picture, cut, num, wide

MOST_COLUMNS = 60
MOST_LINES = 3
MOST_WIRES = 24
MOST_GATES = 20_000
"""Instructions that are looked at to find columns."""

_ROW, _BOX, _LEAST = 34.0, 26.0, 26.0
_LONGEST = 11
_WIDEST = 1160.0


@frozen
class Gate:
    """One instruction to draw.

    `controls` and `targets` are wires; `kind` is `box`, `dots` (all alike: cz), `swap`, `measure`
    or `barrier`. `bits` are the classical bits of a measurement.
    """

    name: str
    targets: tuple[int, ...]
    controls: tuple[int, ...] = ()
    kind: str = "box"
    detail: str = ""
    bits: tuple[int, ...] = ()

    @property
    def wires(self) -> tuple[int, ...]:
        """All wires that it acts on."""
        return (*self.controls, *self.targets)


@frozen
class Wired:
    """Wires by name with the gates on them, in order. `more` gates were not looked at."""

    names: tuple[str, ...]
    gates: tuple[Gate, ...] = field(repr=False)
    more: int = 0


@frozen
class _Placed:
    gate: Gate
    column: int


def draw(circuit: Wired, label: str) -> Picture:
    """The first columns of a circuit, in lines like text; what is left out is told below."""
    names = circuit.names[:MOST_WIRES]
    placed, columns = _columns(circuit.gates, len(names))
    shown = [one for one in placed if one.column < MOST_COLUMNS]
    widths = _widths(shown, min(columns, MOST_COLUMNS))
    left = 16 + max((wide(cut(name, 12), 11) for name in names), default=20.0)
    lines = list(_lines(widths, _WIDEST - left))[:MOST_LINES]
    tall = 14 + _ROW * len(names)
    parts, right = [], left + 20
    for number, (first, last) in enumerate(lines):
        starts = [left]
        for width in widths[first:last]:
            starts.append(starts[-1] + width)
        own = [one for one in shown if first <= one.column < last]
        drawn = [_wires(names, left, starts[-1] + 8)]
        for one in own:
            middle = (starts[one.column - first] + starts[one.column - first + 1]) / 2
            drawn.append(_gate(one.gate, middle))
        right = max(right, starts[-1] + 8)
        move = f' transform="translate(0 {num(number * tall)})"' if number else ""
        parts.append(f"<g{move}>{''.join(drawn)}</g>")
    height = tall * max(1, len(lines))
    rest = _rest(circuit, columns - (lines[-1][1] if lines else 0), len(names))
    if rest:
        parts.append(svg.text(6, height + 12, rest, "s"))
        height += 20
    return Picture(max(right, 16 + wide(rest, 11)), height, "".join(parts), label)


def _lines(widths: Sequence[float], room: float) -> Iterator[tuple[int, int]]:
    """First and last (not included) column of each line."""
    first, used = 0, 0.0
    for column, width in enumerate(widths):
        if used + width > room and column > first:
            yield first, column
            first, used = column, 0.0
        used += width
    if first < len(widths) or not widths:
        yield first, len(widths)


def _rest(circuit: Wired, columns: int, wires: int) -> str:
    told = []
    if columns > 0:
        least = "at least " if circuit.more else ""
        told.append(f"{least}{columns:,} more columns")
    if len(circuit.names) > wires:
        told.append(f"{len(circuit.names) - wires:,} more wires")
    return f"… {' and '.join(told)}" if told else ""


def _columns(gates: Iterable[Gate], wires: int) -> tuple[list[_Placed], int]:
    """Each gate as far left as what stands before it on its wires lets it."""
    free = [0] * wires
    placed: list[_Placed] = []
    for gate in gates:
        own = [wire for wire in gate.wires if wire < wires]
        if not own:
            continue
        span = range(min(own), max(own) + 1) if gate.kind != "measure" else own
        column = max(free[wire] for wire in span)
        for wire in span:
            free[wire] = column + 1
        placed.append(_Placed(gate, column))
    return placed, max(free, default=0)


def _widths(placed: Sequence[_Placed], columns: int) -> list[float]:
    widths = [0.0] * columns
    for one in placed:
        widths[one.column] = max(widths[one.column], _width(one.gate))
    return [max(width, 12.0) + 8 for width in widths]


def _width(gate: Gate) -> float:
    if gate.kind == "barrier":
        return 8.0
    if gate.kind == "measure":
        return 28.0
    if gate.kind in ("dots", "swap") or (gate.name == "x" and gate.controls):
        return 16.0
    longest = max(wide(cut(gate.name, _LONGEST), 11), wide(cut(gate.detail, _LONGEST), 10))
    return max(_LEAST, longest + 8)


def _wires(names: Sequence[str], left: float, right: float) -> str:
    parts = []
    for i, name in enumerate(names):
        y = _y(i)
        parts.append(svg.line(left - 4, y, right, y, "wire"))
        parts.append(svg.text(left - 9, y + 4, cut(name, 12), "m", "end"))
    return "".join(parts)


def _y(wire: int) -> float:
    return 7 + _ROW * (wire + 0.5)


def _gate(gate: Gate, x: float) -> str:
    known = [wire for wire in gate.wires if wire < MOST_WIRES]
    top, bottom = _y(min(known)), _y(max(known))
    if gate.kind == "barrier":
        return svg.line(x, top - _ROW / 2 + 3, x, bottom + _ROW / 2 - 3, "barrier")
    link = svg.line(x, top, x, bottom, "link") if bottom > top else ""
    if gate.kind == "dots":
        return link + "".join(_dot(x, _y(wire)) for wire in known)
    if gate.kind == "swap":
        return link + "".join(_cross(x, _y(wire)) for wire in known)
    dots = "".join(_dot(x, _y(wire)) for wire in gate.controls if wire < MOST_WIRES)
    targets = [wire for wire in gate.targets if wire < MOST_WIRES]
    if gate.name == "x" and gate.controls:
        return link + dots + "".join(_plus(x, _y(wire)) for wire in targets)
    return link + dots + _box(gate, targets, x)


def _box(gate: Gate, targets: Sequence[int], x: float) -> str:
    """One box over neighbouring wires, else one for each: none covers another gate's wire."""
    if not targets:
        return ""
    if max(targets) - min(targets) + 1 > len(targets):
        return "".join(_one_box(gate, (wire,), x) for wire in targets)
    return _one_box(gate, targets, x)


def _one_box(gate: Gate, wires: Sequence[int], x: float) -> str:
    width = _width(gate)
    top, bottom = _y(min(wires)) - _BOX / 2, _y(max(wires)) + _BOX / 2
    css = "box2" if len(gate.targets) > 1 else "box"
    tip = f"{gate.name} {gate.detail}".strip() + (f" to bit {gate.bits[0]}" if gate.bits else "")
    parts = [svg.rect(x - width / 2, top, width, bottom - top, css, tip, ' rx="3"')]
    middle = (top + bottom) / 2
    if gate.kind == "measure":
        arc = f"M{num(x - 7)} {num(middle + 5)}a7 7 0 0 1 14 0M{num(x)} {num(middle + 5)}l5 -9"
        return "".join(parts) + svg.path(arc, "link")
    name = cut(gate.name, _LONGEST)
    if gate.detail:
        parts.append(svg.text(x, middle - 1, name, "xs", "middle"))
        parts.append(svg.text(x, middle + 10, cut(gate.detail, _LONGEST), "xs", "middle"))
    else:
        parts.append(svg.text(x, middle + 4, name, "xs", "middle"))
    return "".join(parts)


def _dot(x: float, y: float) -> str:
    return f'<circle class="dot" cx="{num(x)}" cy="{num(y)}" r="4"/>'


def _cross(x: float, y: float) -> str:
    return svg.path(f"M{num(x - 5)} {num(y - 5)}l10 10m0-10l-10 10", "link")


def _plus(x: float, y: float) -> str:
    circle = f'<circle class="box" cx="{num(x)}" cy="{num(y)}" r="8"/>'
    return circle + svg.path(f"M{num(x - 8)} {num(y)}h16M{num(x)} {num(y - 8)}v16", "link")
