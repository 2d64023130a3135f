"""Marks with error bars, curves and bands of one name, drawn within a chart."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from attrs import frozen

from iqm_spec.report.figures import svg
from iqm_spec.report.figures.scale import Scale
from iqm_spec.report.figures.svg import num

MOST_BARS = 25
"""Marks of a series that have bars of their own; more of them have a band."""

_MOST_TIPS = 150
"""Marks with a tip each; beyond, a series is told by its shape."""

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

    @property
    def dense(self) -> bool:
        """Whether its marks are too many to have bars."""
        return not self.bare and not self.fit and len(self.marks) > MOST_BARS


def intervals(series: Sequence[Series]) -> str:
    """What shows the intervals of series against numbers."""
    return "Bands" if any(one.dense for one in series) else "Bars"


@frozen
class Ground:
    """Where series are drawn; `slot` is the room of a name in px, 0 on an axis of numbers."""

    x: Scale
    y: Scale
    slot: float = 0.0


def draw(one: Series, among: tuple[int, int], ground: Ground) -> str:
    """A series; `among` is its number, and of how many that stand beside each other."""
    # marks stand where their curve is: beside it they would tell of another phase
    shift = 0.0 if one.bare or one.fit or one.dense else _shift(*among, ground)
    places = [(ground.x(m.x) + shift, ground.y(m.value)) for m in one.marks]
    parts = []
    if one.dust:
        parts.append(_dust(one.dust, shift, ground))
    if one.fit:
        parts.append(svg.polyline([(ground.x(a), ground.y(b)) for a, b in one.fit], "fit"))
    elif ground.slot and one.bare:
        half = 0.42 * ground.slot
        parts += [svg.line(px - half, py, px + half, py, one.style) for px, py in places]
    elif not ground.slot:
        parts.append(svg.polyline(sorted(places), one.style) if one.style else "")
    if not one.bare:
        parts += _marks(one, places, ground)
    return svg.group(f"c{one.color % 7}", *parts)


def _marks(one: Series, places: Sequence[Place], ground: Ground) -> list[str]:
    told = len(one.marks) <= _MOST_TIPS
    tips = [mark.tip if told else "" for mark in one.marks]
    if one.dense:
        drawn = [svg.speck(*place, tip) for place, tip in zip(places, tips, strict=True)]
    else:
        drawn = [svg.marker(*at, one.shape, tip) for at, tip in zip(places, tips, strict=True)]
    if one.dense and not ground.slot:
        return [_band(one.marks, ground), *drawn]
    return [_bars(one.marks, places, ground, cap=0 if one.dense else 3), *drawn]


def _shift(index: int, many: int, ground: Ground) -> float:
    """Series stand a little beside each other where their error bars would cover each other."""
    if many < 2:
        return 0.0
    room = ground.slot * 0.6 / many if ground.slot else 2.0
    return (index - (many - 1) / 2) * min(room, 14.0)


def _dust(dust: Sequence[Place], shift: float, ground: Ground) -> str:
    dot = "a2 2 0 1 0 4 0a2 2 0 1 0-4 0"
    # beside the bars, on three tracks so that few cover each other
    aside = [shift + 5 + 3.5 * (i % 3) for i in range(len(dust))]
    places = [(ground.x(a) + aside[i], ground.y(b)) for i, (a, b) in enumerate(dust)]
    d = "".join(f"M{num(x)} {num(y)}{dot}" for x, y in places)
    return svg.path(d, "dust")


def _known(mark: Mark) -> tuple[float, float] | None:
    """A mark's interval, where it has one that can be drawn."""
    if mark.low is None or mark.high is None or not isfinite(mark.high - mark.low):
        return None
    return mark.low, mark.high


def _bars(marks: Sequence[Mark], places: Sequence[Place], ground: Ground, cap: float) -> str:
    d = ""
    for mark, (x, _) in zip(marks, places, strict=True):
        if (ends := _known(mark)) is None:
            continue
        low, high = ground.y(ends[0]), ground.y(ends[1])
        d += f"M{num(x)} {num(low)}V{num(high)}"
        if cap:
            d += "".join(f"M{num(x - cap)} {num(end)}h{num(2 * cap)}" for end in (low, high))
    return svg.path(d, "err") if d else ""


def _band(marks: Sequence[Mark], ground: Ground) -> str:
    """The intervals of neighbouring marks as one area."""
    ends = sorted((mark.x, *known) for mark in marks if (known := _known(mark)) is not None)
    if len(ends) < 2:
        return ""
    there = [f"{num(ground.x(x))} {num(ground.y(high))}" for x, _, high in ends]
    back = [f"{num(ground.x(x))} {num(ground.y(low))}" for x, low, _ in reversed(ends)]
    return svg.path(f"M{'L'.join((*there, *back))}z", "band")
