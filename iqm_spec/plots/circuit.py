"""Circuits drawn on wires, compact: what is on the left happens first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import accumulate, islice
from math import isfinite, pi
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.plots.sheet import Box, Label, Place, Sheet
from iqm_spec.plots.style import (
    INK,
    LINE,
    PAPER,
    SOFT,
    TINY,
    WASH,
    series_color,
    shortened,
    styled,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from qiskit import QuantumCircuit

MOST_COLUMNS = 60
MOST_LINES = 3
MOST_WIRES = 24
MOST_GATES = 20_000
"""Instructions that are looked at to find columns."""

_ROW, _BOX, _NARROWEST = 34.0, 26.0, 26.0
_LONGEST_NAME = 11
_LINE_WIDTH = 1160.0

_BASE = {"cx": "x", "cy": "y", "cz": "z", "ch": "h", "ccx": "x", "ccz": "z", "mcx": "x"}


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

    @property
    def width(self) -> float:
        """How wide it is drawn, px."""
        if self.kind == "barrier":
            return 8.0
        if self.kind == "measure":
            return 28.0
        if self.kind in ("dots", "swap") or (self.name == "x" and self.controls):
            return 16.0
        name, detail = (shortened(text, _LONGEST_NAME) for text in (self.name, self.detail))
        return max(_NARROWEST, text_width(name) + 8, text_width(detail, TINY) + 8)


@frozen
class Wires:
    """Wires by name with the gates on them, in order. `more` gates were not looked at."""

    names: tuple[str, ...]
    gates: tuple[Gate, ...] = field(repr=False)
    more: int = 0


def native_wires(circuit: NativeCircuit) -> Wires:
    """A native circuit: `r` with its angles, perhaps on a bit, `cz`, `move`, measurements."""
    gates = tuple(_native_gate(op) for op in circuit.ops[:MOST_GATES])
    return Wires(circuit.components, gates, max(0, len(circuit.ops) - MOST_GATES))


def _native_gate(op: Op) -> Gate:
    if op.name == "cz":
        return Gate("cz", op.qubits, kind="dots")
    if op.name == "barrier":
        return Gate("barrier", op.qubits, kind="barrier")
    if op.name == "measure":
        return Gate("measure", op.qubits, kind="measure", bits=op.clbits)
    if op.name == "cc_r":
        return Gate(f"r if b{op.clbits[0]}", op.qubits, detail=angles_text(op.params))
    if op.name == "delay":
        duration = f"{op.params[0] * 1e9:.3g} ns" if op.params else ""
        return Gate("delay", op.qubits, detail=duration)
    return Gate(op.name, op.qubits, detail=angles_text(op.params))


def qiskit_wires(circuit: QuantumCircuit) -> Wires:
    """A circuit as its author means it; what is not a common gate is a box with its name."""
    wires = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    bits = {bit: i for i, bit in enumerate(circuit.clbits)}
    gates = tuple(_qiskit_gate(item, wires, bits) for item in islice(circuit.data, MOST_GATES))
    names = tuple(f"q{i}" for i in range(circuit.num_qubits))
    return Wires(names, gates, max(0, len(circuit.data) - MOST_GATES))


def _qiskit_gate(item: Any, wires: dict[Any, int], bits: dict[Any, int]) -> Gate:
    operation = item.operation
    own = tuple(wires[qubit] for qubit in item.qubits)
    name = str(operation.name)
    if name == "barrier":
        return Gate(name, own, kind="barrier")
    if name == "measure":
        return Gate(name, own, kind="measure", bits=tuple(bits[bit] for bit in item.clbits))
    if name in ("cz", "ccz"):
        return Gate(name, own, kind="dots")
    if name == "swap":
        return Gate(name, own, kind="swap")
    detail = angles_text([p for p in getattr(operation, "params", ()) if _is_number(p)])
    controls = int(getattr(operation, "num_ctrl_qubits", 0) or 0)
    if controls and getattr(operation, "ctrl_state", None) == 2**controls - 1:
        base = _BASE.get(name) or str(getattr(operation.base_gate, "name", name))
        return Gate(base, own[controls:], own[:controls], detail=detail)
    return Gate(name, own, detail=detail)


def _is_number(parameter: Any) -> bool:
    try:
        return isfinite(float(parameter))
    except (TypeError, ValueError):
        return False


def angles_text(params: Sequence[Any]) -> str:
    """Angles in few characters, fractions of π where they are such."""
    return ", ".join(_angle_text(float(angle)) for angle in params)


def _angle_text(angle: float) -> str:
    part = Fraction(angle / pi).limit_denominator(16)
    if part == 0 and abs(angle) < 1e-9:
        return "0"
    if part == 0 or abs(float(part) * pi - angle) > 1e-7:
        return f"{angle:.2f}"
    sign = "-" if part < 0 else ""
    factor = "" if abs(part.numerator) == 1 else str(abs(part.numerator))
    divisor = "" if part.denominator == 1 else f"/{part.denominator}"
    return f"{sign}{factor}π{divisor}"


@styled()
def circuit_drawing(circuit: Wires) -> Figure:
    """The first columns of a circuit, in lines like text; below them what is left out."""
    names = circuit.names[:MOST_WIRES]
    placed, columns = _columns(circuit.gates, len(names))
    shown = [(gate, column) for gate, column in placed if column < MOST_COLUMNS]
    widths = [20.0] * min(columns, MOST_COLUMNS)
    for gate, column in shown:
        widths[column] = max(widths[column], gate.width + 8)
    left = 16 + max((text_width(shortened(name, 12)) for name in names), default=20.0)
    lines = list(_lines(widths, _LINE_WIDTH - left))[:MOST_LINES]
    line_height = 14 + _ROW * len(names)
    right = max((left + sum(widths[first:last]) + 8 for first, last in lines), default=left + 20)
    height = line_height * max(1, len(lines))
    left_out = []
    if more_columns := columns - (lines[-1][1] if lines else 0):
        left_out.append(f"{'at least ' if circuit.more else ''}{more_columns:,} more columns")
    if len(circuit.names) > len(names):
        left_out.append(f"{len(circuit.names) - len(names):,} more wires")
    rest = f"… {' and '.join(left_out)}" if left_out else ""
    sheet = Sheet(max(right, left + 20, 16 + text_width(rest)), height + (20 if rest else 0))
    gates = _Gates()
    wires, labels = [], []
    for number, (first, last) in enumerate(lines or [(0, 0)]):
        top = number * line_height
        starts = list(accumulate(widths[first:last], initial=left))
        for i, name in enumerate(names):
            y = top + _wire_y(i)
            wires.append([(left - 4, y), (starts[-1] + 8, y)])
            labels.append(Label((left - 9, y + 4), shortened(name, 12), "right"))
        for gate, column in shown:
            if first <= column < last:
                middle = starts[column - first] + widths[column] / 2
                gates.add(gate, middle, top)
    sheet.lines(wires, LINE)
    sheet.texts(labels, mono=True)
    gates.draw(sheet)
    if rest:
        sheet.texts([Label((6, height + 12), rest)], color=SOFT)
    return sheet.figure


def _lines(widths: Sequence[float], room: float) -> Iterator[tuple[int, int]]:
    """First and last (not included) column of each line."""
    first, used = 0, 0.0
    for column, width in enumerate(widths):
        if used + width > room and column > first:
            yield first, column
            first, used = column, 0.0
        used += width
    if first < len(widths):
        yield first, len(widths)


def _columns(gates: Iterable[Gate], wires: int) -> tuple[list[tuple[Gate, int]], int]:
    """Each gate as far left as what stands before it on its wires lets it; number of columns."""
    free = [0] * wires
    placed = []
    for gate in gates:
        own = [wire for wire in gate.wires if wire < wires]
        if not own:
            continue
        span = range(min(own), max(own) + 1) if gate.kind != "measure" else own
        column = max(free[wire] for wire in span)
        for wire in span:
            free[wire] = column + 1
        placed.append((gate, column))
    return placed, max(free, default=0)


def _wire_y(wire: int) -> float:
    return 7 + _ROW * (wire + 0.5)


class _Gates:
    """Parts of gates by their style, so that a circuit of any size takes few artists."""

    def __init__(self) -> None:
        self.barriers: list[list[Place]] = []
        self.links: list[list[Place]] = []
        self.dots: list[Place] = []
        self.targets: list[Place] = []
        self.pluses: list[list[Place]] = []
        self.boxes: dict[str, list[tuple[Box, str]]] = {PAPER: [], WASH: []}
        self.arcs: list[Place] = []
        self.texts: list[Label] = []

    def add(self, gate: Gate, x: float, top: float) -> None:
        """A gate with its middle at x on a line of wires that begins at `top`."""
        known = [wire for wire in gate.wires if wire < MOST_WIRES]
        ys = {wire: top + _wire_y(wire) for wire in known}
        first, last = ys[min(known)], ys[max(known)]
        if gate.kind == "barrier":
            self.barriers.append([(x, first - _ROW / 2 + 3), (x, last + _ROW / 2 - 3)])
            return
        if last > first:
            self.links.append([(x, first), (x, last)])
        if gate.kind == "dots":
            self.dots += [(x, y) for y in ys.values()]
            return
        if gate.kind == "swap":
            for y in ys.values():
                self.links.append([(x - 5, y - 5), (x + 5, y + 5)])
                self.links.append([(x + 5, y - 5), (x - 5, y + 5)])
            return
        self.dots += [(x, ys[wire]) for wire in gate.controls if wire in ys]
        targets = [wire for wire in gate.targets if wire in ys]
        if gate.name == "x" and gate.controls:
            for wire in targets:
                self.targets.append((x, ys[wire]))
                self.pluses.append([(x - 8, ys[wire]), (x + 8, ys[wire])])
                self.pluses.append([(x, ys[wire] - 8), (x, ys[wire] + 8)])
        elif targets and max(targets) - min(targets) + 1 > len(targets):
            for wire in targets:  # one box would cover another gate's wire
                self._box(gate, x, ys[wire], ys[wire])
        elif targets:
            self._box(gate, x, ys[min(targets)], ys[max(targets)])

    def _box(self, gate: Gate, x: float, first: float, last: float) -> None:
        box = (x - gate.width / 2, first - _BOX / 2, gate.width, last - first + _BOX)
        tip = f"{gate.name} {gate.detail}".strip() + (
            f" to bit {gate.bits[0]}" if gate.bits else ""
        )
        self.boxes[WASH if len(gate.targets) > 1 else PAPER].append((box, tip))
        middle = (first + last) / 2
        if gate.kind == "measure":
            self.arcs.append((x, middle))
            return
        lines = [text for text in (gate.name, gate.detail) if text]
        heights = (middle - 1, middle + 10) if len(lines) > 1 else (middle + 4,)
        self.texts += [
            Label((x, y), shortened(text, _LONGEST_NAME), "center")
            for y, text in zip(heights, lines, strict=False)
        ]

    def draw(self, sheet: Sheet) -> None:
        """All parts, boxes above the links that they end."""
        blue = series_color(0)
        sheet.lines(self.barriers, SOFT, dashes=(3, 3))
        sheet.lines(self.links, INK, width=1.4)
        sheet.dots(self.dots, 4, fill=INK)
        sheet.dots(self.targets, 8, fill=PAPER, stroke=blue, width=1.2)
        sheet.lines(self.pluses, INK, width=1.4)
        for fill, boxes in self.boxes.items():
            tips = [tip for _, tip in boxes]
            own = [box for box, _ in boxes]
            sheet.boxes(own, tips, fill=fill, stroke=blue, width=1.2, radius=3)
        sheet.lines([[(x, y + 5), (x + 5, y - 4)] for x, y in self.arcs], INK, width=1.4)
        sheet.arcs([(x, y + 5) for x, y in self.arcs], 7, INK, width=1.4)
        sheet.texts(self.texts, size=TINY)
