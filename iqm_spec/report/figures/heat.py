"""A figure over two axes as a map of colours, with the numbers in it where they fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iqm_spec.report.figures import svg
from iqm_spec.report.figures.scale import figure
from iqm_spec.report.figures.svg import Picture, cut, num, wide

WIDTH = 400.0
_PLOT = 300.0
MOST_SIDE = 60
"""Values of an axis that are drawn; more of them are thinned evenly."""
_MOST_TIPS = 900

# cividis: even steps of lightness, the same for readers who are colour-blind
_COLORS = (
    (0, 34, 78),
    (53, 69, 108),
    (102, 105, 112),
    (148, 142, 119),
    (200, 184, 102),
    (254, 232, 56),
)


def heat(
    x_names: Sequence[str],
    y_names: Sequence[str],
    cells: Mapping[tuple[int, int], float],
    titles: tuple[str, str, str],
    label: str,
    span: tuple[float, float],
) -> Picture:
    """Cells by (column, row), row 0 at the bottom; `titles` are of x, y and the figure."""
    left = 30 + max((min(wide(cut(name, 12), 11), 80) for name in y_names), default=10)
    wide_ = (WIDTH - 14 - left) / max(1, len(x_names))
    tall = min(max(_PLOT / max(1, len(y_names)), 4.0), 34.0)
    top, bottom = 34.0, 34.0 + tall * len(y_names)
    parts = [_scale(span, titles[2])]
    numbers = wide_ >= 28 and tall >= 15
    digits = 3 if span[1] - span[0] < 0.15 else 2
    tips = len(cells) <= _MOST_TIPS
    for (column, row), value in sorted(cells.items()):
        x, y = left + column * wide_, bottom - (row + 1) * tall
        color = color_of(value, span)
        tip = f"{titles[0]} {x_names[column]}, {titles[1]} {y_names[row]}: {value:.4g}"
        more = f' fill="{color}"'
        parts.append(svg.rect(x, y, wide_ - 0.5, tall - 0.5, "cell", tip if tips else "", more))
        if numbers:
            ink = "#ffffff" if _dark(color) else "#000000"
            where = f'x="{num(x + wide_ / 2)}" y="{num(y + tall / 2 + 3.5)}"'
            told = svg.words(_short(value, digits))
            parts.append(f'<text class="xs mid" {where}><tspan fill="{ink}">{told}</tspan></text>')
    parts += _names(x_names, y_names, (left, bottom, wide_, tall))
    deep = 26 if max(map(len, x_names), default=0) * 6.6 <= max(wide_, 40) else 60
    height = bottom + deep + 14
    parts.append(svg.text((left + WIDTH - 14) / 2, height - 5, cut(titles[0], 60), "s", "middle"))
    middle = (top + bottom) / 2
    parts.append(svg.text(11, middle, cut(titles[1], 40), "s", "middle", turn=-90))
    return Picture(WIDTH, height, "".join(parts), label)


def color_of(value: float, span: tuple[float, float]) -> str:
    """The colour of a value in a range, as `#rrggbb`."""
    part = 0.5 if span[1] <= span[0] else (value - span[0]) / (span[1] - span[0])
    place = min(1.0, max(0.0, part)) * (len(_COLORS) - 1)
    low = min(int(place), len(_COLORS) - 2)
    mix = place - low
    pairs = zip(_COLORS[low], _COLORS[low + 1], strict=True)
    return "#" + "".join(f"{round(a + (b - a) * mix):02x}" for a, b in pairs)


def _dark(color: str) -> bool:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 125


def _short(value: float, digits: int) -> str:
    if abs(value) >= 100:
        return f"{value:.3g}"
    told = f"{value:.{digits}f}"
    return told.replace("0.", ".", 1) if told.startswith("0.") else told


def _scale(span: tuple[float, float], title: str) -> str:
    """The figure's name, and which colour is how much of it."""
    steps, wide_ = 24, 110.0
    right = WIDTH - 14 - wide(figure(span[1]), 11) - 6
    left = right - wide_
    parts = [svg.text(6, 16, cut(title, 26), "s")]
    for i in range(steps):
        value = span[0] + (span[1] - span[0]) * i / (steps - 1)
        more = f' fill="{color_of(value, span)}"'
        x, step = left + i * wide_ / steps, wide_ / steps + 0.5
        parts.append(svg.rect(x, 6, step, 11, "cell", "", more))
    parts.append(svg.text(left - 5, 16, figure(span[0]), "s", "end"))
    parts.append(svg.text(right + 5, 16, figure(span[1]), "s"))
    return "".join(parts)


def _names(
    x_names: Sequence[str], y_names: Sequence[str], at: tuple[float, float, float, float]
) -> list[str]:
    left, bottom, wide_, tall = at
    longest = max(map(len, x_names), default=0) * 6.6
    slanting = longest > max(wide_, 40)
    every = max(1, -(-int(14 if slanting else min(longest + 8, 120)) // max(1, int(wide_))))
    parts = []
    for i, name in enumerate(x_names):
        if i % every == 0:
            x = left + (i + 0.5) * wide_
            turn, anchor = (-38.0, "end") if slanting else (0.0, "middle")
            parts.append(svg.text(x, bottom + 15, cut(name, 12), "s", anchor, turn))
    step = max(1, -(-13 // max(1, int(tall))))
    for i, name in enumerate(y_names):
        if i % step == 0:
            y = bottom - (i + 0.5) * tall + 4
            parts.append(svg.text(left - 5, y, cut(name, 12), "s", "end"))
    return parts
