"""Values with error bars, curves and bands against an axis of numbers or of names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import cos, isfinite, log10, radians, sin
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.plots.style import (
    MARKERS,
    PAPER,
    REFERENCE,
    add_axes,
    add_tips,
    is_log,
    log_ticks,
    new_figure,
    range_around,
    round_ticks,
    series_color,
    shortened,
    styled,
    text_width,
    tick_label,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

MOST_BARS = 25
"""Marks of a series that have bars of their own; more of them have a band."""

_MOST_TIPS = 150
"""Marks with a tip each; beyond, a series is described by its shape."""

_WIDTH, _HEIGHT = 400.0, 210.0
_ROW_HEIGHT, _ROW_GAP = 84.0, 10.0
_RIGHT, _TOP, _BELOW = 14.0, 8.0, 38.0
_MOST_NAMES, _LONGEST_NAME, _SLANT = 24, 24, 38.0

Place = tuple[float, float]


@frozen
class Mark:
    """A value at `x` with its interval. `x` counts names from 0 on an axis of names."""

    x: float
    value: float
    low: float | None = None
    high: float | None = None
    tip: str = ""

    @property
    def interval(self) -> Place | None:
        """Its interval, where it has one that can be drawn."""
        if self.low is None or self.high is None or not isfinite(self.high - self.low):
            return None
        return self.low, self.high


@frozen
class Series:
    """Marks of one name. `dust` are single points behind them, `fit` is a curve through them."""

    name: str
    marks: tuple[Mark, ...]
    color: int = 0
    shape: int = 0
    dust: tuple[Place, ...] = ()
    fit: tuple[Place, ...] = ()
    style: str = "guide"
    """Of the line that joins the marks: `guide`, `dash`, or none."""
    bare: bool = False
    """A line without marks."""
    medians: bool = False
    """Marks stand for several values each, and their intervals are ranges."""

    @property
    def dense(self) -> bool:
        """Whether its marks are too many to have bars."""
        return not self.bare and not self.fit and len(self.marks) > MOST_BARS


@frozen
class XAxis:
    """What stands below: numbers, or the `names` of places from 0 on."""

    title: str
    names: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    """Numbers that have ticks of their own, where there is room."""


def intervals_word(series: Sequence[Series]) -> str:
    """What shows the intervals of series against numbers."""
    return "Bands" if any(own.dense for own in series) else "Bars"


def y_range(series: Sequence[Series]) -> Place:
    """The range of everything that is drawn; values between 0 and 1 stay there."""
    values = [v for own in series for m in own.marks for v in (m.value, m.low, m.high)]
    known = [value for value in values if value is not None]
    known += [y for own in series for _, y in (*own.dust, *own.fit)]
    return range_around(known, (0.0, 1.0))


@styled()
def series_plot(
    series: Sequence[Series], x: XAxis, y_title: str, span: Place | None = None
) -> Figure:
    """One chart, all of its series named above it; `span` is its range upwards.

    Dense series have axes of their own below each other.
    """
    low, high = span or y_range(series)
    rows = _rows(series)
    legend = [own for own in series if own.name]
    columns, legend_rows = _legend_shape(legend)
    top = 9 + 17.0 * legend_rows if legend else _TOP
    left = 24 + max((text_width(tick_label(tick)) for tick in round_ticks(low, high)), default=20.0)
    if x.names:
        left = max(left, _overhang(x, left))
    width = _WIDTH - _RIGHT - left
    height = _HEIGHT if len(rows) == 1 else _ROW_HEIGHT
    bottom = top + len(rows) * (height + _ROW_GAP) - _ROW_GAP
    below = _BELOW + (_slant_depth(x, width) if x.names else 0)
    figure = new_figure(_WIDTH, bottom + below)
    for i, row in enumerate(rows):
        axes = add_axes(figure, left, top + i * (height + _ROW_GAP), width, height)
        _set_x(axes, x, series, width, labels=i == len(rows) - 1)
        axes.set_ylim(low, high)
        ticks = round_ticks(low, high, 3 if len(rows) > 1 else 5)
        axes.set_yticks(ticks, [tick_label(tick) for tick in ticks])
        axes.grid(axis="y")
        marked = [own for own in row if not own.bare]
        for own in row:
            beside = (marked.index(own), len(marked)) if not own.bare else (0, 1)
            _draw(axes, own, beside, _slot(x, width), width)
    figure.text(
        (left + width / 2) / _WIDTH, 6 / (bottom + below), shortened(x.title, 60), ha="center"
    )
    figure.text(
        11 / _WIDTH,
        1 - (top + bottom) / 2 / (bottom + below),
        shortened(y_title, 34),
        ha="center",
        rotation=90,
        rotation_mode="anchor",
    )
    if legend:
        # matplotlib fills column by column, a reader reads row by row
        by_rows = [own for column in range(columns) for own in legend[column::columns]]
        figure.legend(
            [_legend_key(own) for own in by_rows],
            [shortened(own.name, 58) for own in by_rows],
            loc="upper left", bbox_to_anchor=(0, 1), ncols=columns,
            handlelength=1.3, handletextpad=0.4, columnspacing=0.8, labelspacing=0.4,
            borderaxespad=0.2, borderpad=0.2,
        )  # fmt: skip
    return figure


def _rows(series: Sequence[Series]) -> list[list[Series]]:
    """Series that are drawn over each other; dense ones apart, each with what it belongs to."""
    marked = [own for own in series if not own.bare]
    if len(marked) < 2 or not any(own.dense for own in marked):
        return [list(series)]
    lines = [own for own in series if own.bare]
    return [
        [own, *(line for line in lines if line.color in (own.color, REFERENCE))] for own in marked
    ]


_KEY_WIDTH = 28.0
"""Of the mark and the spaces beside a name, px."""


def _legend_shape(legend: Sequence[Series]) -> tuple[int, int]:
    """Columns and rows of the names above a plot."""
    widths = [text_width(shortened(own.name, 58)) + _KEY_WIDTH for own in legend]
    if not widths:
        return 1, 0
    columns = len(legend) if sum(widths) < _WIDTH else max(1, int(_WIDTH / max(widths)))
    return columns, -(-len(legend) // columns)


def _legend_key(own: Series) -> Line2D:
    from matplotlib.lines import Line2D

    color, marker = series_color(own.color), MARKERS[own.shape % len(MARKERS)]
    line: dict[str, Any] = {"linestyle": ""}
    if own.bare or own.fit:
        dashed = own.bare and own.style == "dash"
        line = {"linestyle": "--" if dashed else "-", "linewidth": 1.4 if dashed else 1.8}
    if own.bare:
        return Line2D([], [], color=color, **line)
    stroke = 1.8 if marker in "x+" else 0
    return Line2D(
        [], [], color=color, marker="o" if own.dense else marker, markersize=7,
        markeredgewidth=stroke, **line,
    )  # fmt: skip


def _set_x(axes: Axes, x: XAxis, series: Sequence[Series], width: float, *, labels: bool) -> None:
    """Range, ticks and names of the axis across; `labels` False leaves only the range."""
    axes.tick_params(axis="x", length=4 if labels and not x.names else 0)
    if x.names:
        axes.set_xlim(-0.5, len(x.names) - 0.5)
        every = -(-len(x.names) // _MOST_NAMES)
        places = range(0, len(x.names), every)
        names = [shortened(x.names[i], _LONGEST_NAME) for i in places]
        slanting = _slant_depth(x, width) > 0
        turned: dict[str, Any] = {"rotation": _SLANT, "ha": "right", "rotation_mode": "anchor"}
        if labels:
            axes.set_xticks(places, names, **(turned if slanting else {}))
    else:
        xs = [m.x for own in series for m in own.marks] + [p[0] for s in series for p in s.fit]
        if is_log(xs):
            edge = (max(xs) / min(xs)) ** 0.04
            axes.set_xscale("log")
            axes.minorticks_off()
            axes.set_xlim(min(xs) / edge, max(xs) * edge)
        else:
            axes.set_xlim(range_around(xs))
        if labels:
            ticks = _x_ticks(axes, x.values, width)
            axes.set_xticks(ticks, [tick_label(tick) for tick in ticks])
    if not labels:
        axes.set_xticks([])
        axes.spines.bottom.set_visible(False)


def _x_ticks(axes: Axes, values: Sequence[float], width: float) -> list[float]:
    """The values themselves, where their numbers do not run into each other."""
    log = axes.get_xscale() == "log"
    low, high = axes.get_xlim()

    def pixel(value: float) -> float:
        if log:
            return width * (log10(value) - log10(low)) / (log10(high) - log10(low))
        return width * (value - low) / (high - low)

    ordered = sorted(values)
    if ordered and all(
        pixel(b) - pixel(a) > (text_width(tick_label(a)) + text_width(tick_label(b))) / 2 + 6
        for a, b in pairwise(ordered)
    ):
        return ordered
    return log_ticks(low, high) if log else round_ticks(low, high)


def _slot(x: XAxis, width: float) -> float:
    """Pixels of a name, 0 on an axis of numbers."""
    return width / len(x.names) if x.names else 0.0


def _slant_depth(x: XAxis, width: float) -> float:
    """Pixels that slanting names take below the axis; 0 where they need not slant."""
    longest = max((text_width(shortened(name, _LONGEST_NAME)) for name in x.names), default=0.0)
    return 0.0 if longest <= _slot(x, width) - 4 else longest * sin(radians(_SLANT))


def _overhang(x: XAxis, left: float) -> float:
    """How far right the axis must begin for no slanting name to leave the picture."""
    width = _WIDTH - _RIGHT - left
    if not _slant_depth(x, width):
        return left
    every = -(-len(x.names) // _MOST_NAMES)
    ends = [
        text_width(shortened(x.names[i], _LONGEST_NAME)) * cos(radians(_SLANT))
        - (i + 0.5) * _slot(x, width)
        for i in range(0, len(x.names), every)
    ]
    return min(max(*ends, left, 0.0), _WIDTH / 2)


def _draw(axes: Axes, own: Series, beside: tuple[int, int], slot: float, width: float) -> None:
    """A series; `beside` is its number among the series beside each other, and their number."""
    color = series_color(own.color)
    # marks stand where their curve is: beside it they would show another phase
    pixels = 0.0
    if not (own.bare or own.fit or own.dense):
        # a little beside each other, where error bars would cover each other
        index, number = beside
        room = slot * 0.6 / number if slot else 2.0
        pixels = (index - (number - 1) / 2) * min(room, 14.0)
    xs = [_moved(axes, mark.x, pixels, width) for mark in own.marks]
    ys = [mark.value for mark in own.marks]
    if own.dust:
        # beside the bars, on three tracks so that few cover each other
        aside = [pixels + 5 + 3.5 * (i % 3) for i in range(len(own.dust))]
        places = [_moved(axes, x, aside[i], width) for i, (x, _) in enumerate(own.dust)]
        heights = [y for _, y in own.dust]
        axes.plot(places, heights, "o", color=color, alpha=0.45, markersize=4, markeredgewidth=0)
    if own.fit:
        axes.plot(*zip(*own.fit, strict=True), color=color, linewidth=1.8)
    elif slot and own.bare:
        starts, ends = [x - 0.42 for x in xs], [x + 0.42 for x in xs]
        axes.hlines(ys, starts, ends, colors=color, linewidth=1.4, linestyles=(0, (5, 4)))
    elif not slot and own.style and len(xs) > 1:
        pairs = sorted(zip(xs, ys, strict=True))
        if own.style == "dash":
            axes.plot(*zip(*pairs, strict=True), "--", color=color, linewidth=1.4)
        else:
            axes.plot(*zip(*pairs, strict=True), color=color, linewidth=1, alpha=0.55)
    if not own.bare:
        _intervals(axes, own, xs, slot)
        _marks(axes, own, xs, ys)


def _moved(axes: Axes, x: float, pixels: float, width: float) -> float:
    """The place so many pixels right of x."""
    low, high = axes.get_xlim()
    if axes.get_xscale() == "log":
        return float(x * (high / low) ** (pixels / width))
    return x + (high - low) * pixels / width


def _intervals(axes: Axes, own: Series, xs: Sequence[float], slot: float) -> None:
    """Bars with caps; the intervals of neighboring marks as one area where they are many."""
    color = series_color(own.color)
    known = [(x, *ends) for x, mark in zip(xs, own.marks, strict=True) if (ends := mark.interval)]
    if not known:
        return
    if own.dense and not slot:
        if len(known) > 1:
            places, lows, highs = zip(*sorted(known), strict=True)
            axes.fill_between(places, lows, highs, color=color, alpha=0.22, linewidth=0)
        return
    places, lows, highs = zip(*known, strict=True)
    axes.vlines(places, lows, highs, colors=color, linewidth=1.2)
    if not own.dense:
        caps = [*places, *places], [*lows, *highs]
        axes.plot(*caps, "_", color=color, markersize=6, markeredgewidth=1.2)


def _marks(axes: Axes, own: Series, xs: Sequence[float], ys: Sequence[float]) -> None:
    color, marker = series_color(own.color), MARKERS[own.shape % len(MARKERS)]
    if own.dense:
        (line,) = axes.plot(xs, ys, "o", color=color, markersize=3.4, markeredgewidth=0)
    elif marker in "x+":
        (line,) = axes.plot(xs, ys, marker, color=color, markersize=7, markeredgewidth=1.8)
    else:
        (line,) = axes.plot(
            xs, ys, marker, color=color, markersize=7, markeredgecolor=PAPER, markeredgewidth=0.6
        )
    if len(own.marks) <= _MOST_TIPS and any(mark.tip for mark in own.marks):
        add_tips(line, [mark.tip for mark in own.marks])
