"""A machine's map colored by error: readout and gates of qubits, CZ of couplings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.plots.chip import couplings, positions
from iqm_spec.plots.heat import cell_color, is_dark
from iqm_spec.plots.sheet import Label, Place, Sheet
from iqm_spec.plots.style import INK, LINE, PAPER, SOFT, TINY, shortened, styled
from iqm_spec.targets import Architecture, Locus

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPACING, _RADIUS, _MARGIN = 64.0, 20.0, 34.0
_MOST_WIDE = 900.0
_LINE_WIDTH = 7.0
_HEAD, _FOOT = 26.0, 64.0
_BAR_WIDTH, _BAR_HEIGHT, _STEPS = 150.0, 10.0, 30


@frozen
class ComponentErrors:
    """Errors of a component, each 1 less an average fidelity; None where there is no figure."""

    readout: float | None
    prx: float | None


@styled()
def calibration_map(
    machine: Architecture,
    components: Mapping[str, ComponentErrors],
    pairs: Mapping[Locus, float | None],
    title: str,
) -> Figure:
    """Qubits colored by readout error, couplings by the error of their CZ; legends below.

    What has no figure is drawn in outline. Resonators are squares.
    """
    names, edges = machine.components, couplings(machine)
    places = dict(zip(names, positions(names, tuple(edges)), strict=True))
    xs, ys = [x for x, _ in places.values()], [y for _, y in places.values()]
    scale = min(_SPACING, (_MOST_WIDE - 2 * _MARGIN) / max(max(xs) - min(xs), 1e-9))
    radius = min(_RADIUS, 0.34 * scale)
    width = max(2 * _MARGIN + (max(xs) - min(xs)) * scale, 2 * (_BAR_WIDTH + 2 * _MARGIN))
    height = _HEAD + 2 * _MARGIN + (max(ys) - min(ys)) * scale + _FOOT
    left = (width - (max(xs) - min(xs)) * scale) / 2

    def at(name: str) -> Place:
        x, y = places[name]
        return left + (x - min(xs)) * scale, _HEAD + _MARGIN + (y - min(ys)) * scale

    sheet = Sheet(width, height)
    sheet.texts([Label((_MARGIN / 2, 17), shortened(title, int(width / 6.2)))], color=INK)
    both_ways = dict(pairs) | {pair[::-1]: error for pair, error in pairs.items()}
    of_edges = {edge: both_ways.get(edge) for edge in edges}
    edge_span = _span(list(of_edges.values()))
    for edge, error in of_edges.items():
        line = [[at(edge[0]), at(edge[1])]]
        if error is None:
            sheet.lines(line, LINE, width=2, dashes=(4, 3))
        else:
            sheet.lines(line, cell_color(error, edge_span), width=_LINE_WIDTH)
    readout = {name: components[name].readout for name in machine.qubits if name in components}
    span = _span(list(readout.values()))
    labels = []
    for name in names:
        x, y = at(name)
        short = shortened(name.removeprefix("QB") if radius < 15 else name, 5)
        if name in machine.resonators:
            box = (x - radius, y - radius, 2 * radius, 2 * radius)
            sheet.boxes([box], [name], fill=PAPER, stroke=SOFT, width=1.5, radius=4)
            labels.append((Label((x, y + 3.5), short, "center"), INK))
            continue
        error = readout.get(name)
        fill = PAPER if error is None else cell_color(error, span)
        tip = f"{name}: {_described(components.get(name))}"
        sheet.dots([(x, y)], radius, [tip], fill=fill, stroke=SOFT, width=1)
        ink = PAPER if error is not None and is_dark(fill) else INK
        labels.append((Label((x, y + 3.5), short, "center"), ink))
    for ink in (INK, PAPER):
        sheet.texts([label for label, color in labels if color == ink], size=TINY, color=ink)
    bottom = height - _FOOT + 16
    _legend(sheet, (_MARGIN, bottom), "readout error", span)
    _legend(sheet, (width / 2 + _MARGIN / 2, bottom), "CZ error", edge_span)
    return sheet.figure


def _span(values: list[float | None]) -> tuple[float, float]:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else (0.0, 0.0)


def _described(errors: ComponentErrors | None) -> str:
    if errors is None:
        return "no figures"
    named = (("readout error", errors.readout), ("prx error", errors.prx))
    return ", ".join(f"{name} {value:.3g}" for name, value in named if value is not None)


def _legend(sheet: Sheet, place: Place, title: str, span: tuple[float, float]) -> None:
    """A bar of colors from the lowest to the highest error."""
    x, y = place
    sheet.texts([Label((x, y), title)], size=TINY)
    if span[1] <= 0:
        sheet.texts([Label((x, y + 20), "no figures")], size=TINY)
        return
    step = _BAR_WIDTH / _STEPS
    for i in range(_STEPS):
        value = span[0] + (span[1] - span[0]) * (i + 0.5) / _STEPS
        box = (x + i * step, y + 6, step + 0.5, _BAR_HEIGHT)
        sheet.boxes([box], fill=cell_color(value, span))
    low, high = f"{span[0]:.2g}", f"{span[1]:.2g}"
    ends = [Label((x, y + 29), low), Label((x + _BAR_WIDTH, y + 29), high, "right")]
    sheet.texts(ends, size=TINY)
