"""Figures with error bars against an axis of numbers or of names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

from attrs import frozen

from iqm_spec.report.figures import svg
from iqm_spec.report.figures.scale import Scale, around, figure, is_log, log_ticks, ticks
from iqm_spec.report.figures.svg import Picture, cut, num, wide

WIDTH, _PLOT_HEIGHT = 400.0, 210.0
_RIGHT, _TOP = 14.0, 8.0
_MOST_TIPS = 150
"""Marks with a tip each; beyond, a series is told by its shape."""
_MOST_NAMES = 24
_LONGEST_NAME = 24

Place = tuple[float, float]


@frozen
class Mark:
    """A value at `x` with its interval. `x` counts names from 0 on an axis of names."""

    x: float
    value: float
    low: float | None = None
    high: float | None = None
    tip: str = ""


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
    """Marks stand for several figures each, and their intervals are ranges."""


@frozen
class XAxis:
    """What stands below: numbers, or the `names` of places from 0 on."""

    title: str
    names: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    """Numbers that have ticks of their own, where there is room."""


@frozen
class _Frame:
    x: Scale
    y: Scale
    left: float
    top: float
    bottom: float
    height: float


def y_range(series: Sequence[Series]) -> Place:
    """The range of everything that is drawn; figures between 0 and 1 stay there."""
    values = [v for one in series for m in one.marks for v in (m.value, m.low, m.high)]
    known = [v for v in values if v is not None]
    known += [y for one in series for _, y in (*one.dust, *one.fit)]
    return around(known, (0.0, 1.0))


def plot(
    series: Sequence[Series], x: XAxis, y_title: str, label: str, span: Place | None = None
) -> Picture:
    """One chart, all of its series named above it; `span` is its range upwards."""
    legend, top = _legend(series)
    frame = _frame(series, x, span or y_range(series), top)
    parts = [legend, _y_axis(frame, y_title), _x_axis(frame, x)]
    marked = [one for one in series if not one.bare]
    for one in series:
        place = (marked.index(one), len(marked)) if not one.bare else (0, 1)
        parts.append(_drawn(one, place, frame, x))
    return Picture(WIDTH, frame.height, "".join(parts), label)


def _frame(series: Sequence[Series], x: XAxis, span: Place, top: float) -> _Frame:
    labels = [figure(tick) for tick in ticks(*span)]
    left = 24 + max((wide(one, 11) for one in labels), default=20)
    bottom = top + _PLOT_HEIGHT
    places = [m.x for one in series for m in one.marks] + [p[0] for s in series for p in s.fit]
    if x.names:
        across = Scale(-0.5, len(x.names) - 0.5, left, WIDTH - _RIGHT)
    elif is_log(places):
        low, high = min(places), max(places)
        edge = (high / low) ** 0.04
        across = Scale(low / edge, high * edge, left, WIDTH - _RIGHT, log=True)
    else:
        across = Scale(*around(places), left, WIDTH - _RIGHT)
    up = Scale(span[0], span[1], bottom, top)
    height = bottom + 38 + (_depth(x, across) if x.names else 0)
    return _Frame(across, up, left, top, bottom, height)


def _legend(series: Sequence[Series]) -> tuple[str, float]:
    """Names above the plot, in rows; nothing for a single one without a name."""
    parts, x, y = [], 6.0, 14.0
    for one in series:
        if not one.name:
            continue
        name = cut(one.name, 58)
        width = 24 + wide(name, 11)
        if x > 6 and x + width > WIDTH:
            x, y = 6.0, y + 17
        key = svg.marker(x + 6, y - 4, one.shape) if not one.bare else ""
        if one.bare or one.fit:
            css = "fit" if one.fit and not one.bare else one.style
            key += svg.line(x - 2, y - 4, x + 14, y - 4, css)
        parts.append(svg.group(f"c{one.color % 7}", key) + svg.text(x + 18, y, name, "s"))
        x += width
    return "".join(parts), (y + 12 if parts else _TOP)


def _y_axis(frame: _Frame, title: str) -> str:
    parts = []
    for tick in ticks(frame.y.low, frame.y.high):
        y = frame.y(tick)
        parts.append(svg.line(frame.left, y, WIDTH - _RIGHT, y, "grid"))
        parts.append(svg.text(frame.left - 5, y + 4, figure(tick), "s", "end"))
    parts.append(svg.line(frame.left, frame.top, frame.left, frame.bottom, "axis"))
    middle = (frame.top + frame.bottom) / 2
    parts.append(svg.text(11, middle, cut(title, 34), "s", "middle", turn=-90))
    return "".join(parts)


def _x_axis(frame: _Frame, x: XAxis) -> str:
    parts = [svg.line(frame.left, frame.bottom, WIDTH - _RIGHT, frame.bottom, "axis")]
    if x.names:
        parts += _names(frame, x)
    else:
        across = frame.x
        found = _x_ticks(across, x.values)
        for tick in found:
            place = across(tick)
            parts.append(svg.line(place, frame.bottom, place, frame.bottom + 4, "axis"))
            parts.append(svg.text(place, frame.bottom + 16, figure(tick), "s", "middle"))
    middle = (frame.left + WIDTH - _RIGHT) / 2
    parts.append(svg.text(middle, frame.height - 6, cut(x.title, 60), "s", "middle"))
    return "".join(parts)


def _x_ticks(across: Scale, values: Sequence[float]) -> list[float]:
    """A few values themselves, so far as their numbers do not run into each other."""
    found = sorted(values)
    pairs = pairwise(found)
    if found and all(
        across(b) - across(a) > (wide(figure(a), 11) + wide(figure(b), 11)) / 2 + 6
        for a, b in pairs
    ):
        return found
    if across.log:
        return log_ticks(across.low, across.high)
    return ticks(across.low, across.high)


def _slot(x: XAxis, across: Scale) -> float:
    return (across.end - across.start) / max(1, len(x.names))


def _depth(x: XAxis, across: Scale) -> float:
    """Pixels that slanting names take below the axis."""
    longest = max((wide(cut(name, _LONGEST_NAME), 11) for name in x.names), default=0.0)
    return 0.0 if longest <= _slot(x, across) - 4 else longest * 0.62


def _names(frame: _Frame, x: XAxis) -> list[str]:
    every = -(-len(x.names) // _MOST_NAMES)
    slanting = _depth(x, frame.x) > 0
    parts = []
    for i, name in enumerate(x.names):
        if i % every:
            continue
        place, told = frame.x(i), cut(name, _LONGEST_NAME)
        if slanting:
            parts.append(svg.text(place + 3, frame.bottom + 13, told, "s", "end", turn=-38))
        else:
            parts.append(svg.text(place, frame.bottom + 16, told, "s", "middle"))
    return parts


def _drawn(one: Series, among: tuple[int, int], frame: _Frame, x: XAxis) -> str:
    """A series; `among` is its number, and of how many that stand beside each other."""
    # marks stand where their curve is: beside it they would tell of another phase
    shift = 0.0 if one.bare or one.fit else _shift(*among, len(one.marks), frame, x)
    places = [(frame.x(m.x) + shift, frame.y(m.value)) for m in one.marks]
    parts = []
    if one.dust:
        parts.append(_dust(one.dust, shift, frame))
    if one.fit:
        parts.append(svg.polyline([(frame.x(a), frame.y(b)) for a, b in one.fit], "fit"))
    elif x.names and one.bare:
        half = 0.42 * _slot(x, frame.x)
        parts += [svg.line(px - half, py, px + half, py, one.style) for px, py in places]
    elif not x.names:
        joined = sorted(places)
        parts.append(svg.polyline(joined, one.style) if one.style else "")
    if not one.bare:
        parts.append(_bars(one.marks, places, frame))
        told = len(one.marks) <= _MOST_TIPS
        parts += [
            svg.marker(px, py, one.shape, mark.tip if told else "")
            for (px, py), mark in zip(places, one.marks, strict=True)
        ]
    return svg.group(f"c{one.color % 7}", *parts)


def _shift(index: int, many: int, marks: int, frame: _Frame, x: XAxis) -> float:
    """Series stand a little beside each other where their error bars would cover each other."""
    if many < 2 or (not x.names and marks > 25):
        return 0.0
    room = _slot(x, frame.x) * 0.6 / many if x.names else 2.0
    return (index - (many - 1) / 2) * min(room, 14.0)


def _dust(dust: Sequence[Place], shift: float, frame: _Frame) -> str:
    dot = "a2 2 0 1 0 4 0a2 2 0 1 0-4 0"
    # beside the bars, on three tracks so that few cover each other
    aside = [shift + 5 + 3.5 * (i % 3) for i in range(len(dust))]
    places = [(frame.x(a) + aside[i], frame.y(b)) for i, (a, b) in enumerate(dust)]
    d = "".join(f"M{num(x)} {num(y)}{dot}" for x, y in places)
    return svg.path(d, "dust")


def _bars(marks: Sequence[Mark], places: Sequence[Place], frame: _Frame) -> str:
    d = ""
    for mark, (x, _) in zip(marks, places, strict=True):
        if mark.low is None or mark.high is None or not isfinite(mark.high - mark.low):
            continue
        low, high = frame.y(mark.low), frame.y(mark.high)
        cap = f"M{num(x - 3)} {{0}}h6"
        d += f"M{num(x)} {num(low)}V{num(high)}" + cap.format(num(low)) + cap.format(num(high))
    return svg.path(d, "err") if d else ""
