"""Figures with error bars against an axis of numbers or of names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import cos, radians, sin

from attrs import frozen

from iqm_spec.report.figures import svg
from iqm_spec.report.figures.scale import Scale, around, figure, is_log, log_ticks, ticks
from iqm_spec.report.figures.series import Ground, Place, Series, draw
from iqm_spec.report.figures.svg import Picture, cut, wide

WIDTH, _PLOT_HEIGHT = 400.0, 210.0
_ROW_HEIGHT, _ROW_GAP = 84.0, 10.0
_RIGHT, _TOP = 14.0, 8.0
_MOST_NAMES = 24
_LONGEST_NAME = 24
_SLANT = 38.0

REFERENCE = 6
"""Colour of what every series is compared with."""


@frozen
class XAxis:
    """What stands below: numbers, or the `names` of places from 0 on."""

    title: str
    names: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    """Numbers that have ticks of their own, where there is room."""


@frozen
class _Frame:
    """One drawing area of a chart; dense series have one each, below each other."""

    x: Scale
    y: Scale
    left: float
    top: float
    bottom: float


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
    rows = _rows(series)
    frames = _frames(series, len(rows), x, span or y_range(series), top)
    parts = [legend]
    for row, frame in zip(rows, frames, strict=True):
        ground = Ground(frame.x, frame.y, _slot(x, frame.x) if x.names else 0.0)
        marked = [one for one in row if not one.bare]
        parts.append(_y_axis(frame, few=len(rows) > 1))
        for one in row:
            place = (marked.index(one), len(marked)) if not one.bare else (0, 1)
            parts.append(draw(one, place, ground))
    middle = (frames[0].top + frames[-1].bottom) / 2
    parts.append(svg.text(11, middle, cut(y_title, 34), "s", "middle", turn=-90))
    height = frames[-1].bottom + 38 + (_depth(x, frames[0].x) if x.names else 0)
    parts.append(_x_axis(frames[-1], x, height))
    return Picture(WIDTH, height, "".join(parts), label)


def _rows(series: Sequence[Series]) -> list[list[Series]]:
    """Series that are drawn over each other; dense ones apart, each with what it belongs to."""
    marked = [one for one in series if not one.bare]
    if len(marked) < 2 or not any(one.dense for one in marked):
        return [list(series)]
    lines = [one for one in series if one.bare]
    return [
        [one, *(line for line in lines if line.color in (one.color, REFERENCE))] for one in marked
    ]


def _frames(series: Sequence[Series], rows: int, x: XAxis, span: Place, top: float) -> list[_Frame]:
    labels = [figure(tick) for tick in ticks(*span)]
    left = 24 + max((wide(one, 11) for one in labels), default=20)
    places = [m.x for one in series for m in one.marks] + [p[0] for s in series for p in s.fit]
    if x.names:
        left = max(left, _overhang(x, left))
        across = Scale(-0.5, len(x.names) - 0.5, left, WIDTH - _RIGHT)
    elif is_log(places):
        low, high = min(places), max(places)
        edge = (high / low) ** 0.04
        across = Scale(low / edge, high * edge, left, WIDTH - _RIGHT, log=True)
    else:
        across = Scale(*around(places), left, WIDTH - _RIGHT)
    tall = _PLOT_HEIGHT if rows == 1 else _ROW_HEIGHT
    tops = [top + i * (tall + _ROW_GAP) for i in range(rows)]
    return [
        _Frame(across, Scale(span[0], span[1], start + tall, start), left, start, start + tall)
        for start in tops
    ]


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
        key = svg.marker(x + 6, y - 4, 0 if one.dense else one.shape) if not one.bare else ""
        if one.bare or one.fit:
            css = "fit" if one.fit and not one.bare else one.style
            key += svg.line(x - 2, y - 4, x + 14, y - 4, css)
        parts.append(svg.group(f"c{one.color % 7}", key) + svg.text(x + 18, y, name, "s"))
        x += width
    return "".join(parts), (y + 12 if parts else _TOP)


def _y_axis(frame: _Frame, *, few: bool) -> str:
    parts = []
    for tick in ticks(frame.y.low, frame.y.high, 3 if few else 5):
        y = frame.y(tick)
        parts.append(svg.line(frame.left, y, WIDTH - _RIGHT, y, "grid"))
        parts.append(svg.text(frame.left - 5, y + 4, figure(tick), "s", "end"))
    parts.append(svg.line(frame.left, frame.top, frame.left, frame.bottom, "axis"))
    return "".join(parts)


def _x_axis(frame: _Frame, x: XAxis, height: float) -> str:
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
    parts.append(svg.text(middle, height - 6, cut(x.title, 60), "s", "middle"))
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
    return 0.0 if longest <= _slot(x, across) - 4 else longest * sin(radians(_SLANT))


def _told(x: XAxis) -> Iterator[tuple[int, str]]:
    """The names that are written, with their places."""
    every = -(-len(x.names) // _MOST_NAMES)
    for i in range(0, len(x.names), every):
        yield i, cut(x.names[i], _LONGEST_NAME)


def _overhang(x: XAxis, left: float) -> float:
    """How far right the axis must begin for no slanting name to leave the picture."""
    across = Scale(-0.5, len(x.names) - 0.5, left, WIDTH - _RIGHT)
    if not _depth(x, across):
        return left
    slot = _slot(x, across)
    ends = (wide(name, 11) * cos(radians(_SLANT)) - (i + 0.5) * slot for i, name in _told(x))
    return min(max(*ends, left), WIDTH / 2)


def _names(frame: _Frame, x: XAxis) -> list[str]:
    slanting = _depth(x, frame.x) > 0
    parts = []
    for i, told in _told(x):
        place = frame.x(i)
        if slanting:
            parts.append(svg.text(place + 3, frame.bottom + 13, told, "s", "end", turn=-_SLANT))
        else:
            parts.append(svg.text(place, frame.bottom + 16, told, "s", "middle"))
    return parts
