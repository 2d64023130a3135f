"""A value over two axes as a map of colors, with the numbers in it where they fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from iqm_spec.plots.style import (
    PAPER,
    TINY,
    add_axes,
    add_tips,
    new_figure,
    shortened,
    styled,
    text_width,
    tick_label,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SIDE = 60
"""Values of an axis that are drawn; more of them are thinned evenly."""

_WIDTH, _HEIGHT = 400.0, 300.0
_RIGHT, _TOP = 14.0, 34.0
_MOST_TIPS = 900
_SLANT = 38.0


@styled()
def heat_map(
    x_names: Sequence[str],
    y_names: Sequence[str],
    cells: Mapping[tuple[int, int], float],
    titles: tuple[str, str, str],
    span: tuple[float, float],
) -> Figure:
    """Cells by (column, row), row 0 at the bottom; `titles` are of x, y and the value."""
    from matplotlib.collections import PolyCollection

    left = 30 + max((min(text_width(shortened(name, 12)), 80) for name in y_names), default=10)
    cell_width = (_WIDTH - _RIGHT - left) / max(1, len(x_names))
    cell_height = min(max(_HEIGHT / max(1, len(y_names)), 4.0), 34.0)
    bottom = _TOP + cell_height * len(y_names)
    longest = max((text_width(shortened(name, 12)) for name in x_names), default=0)
    slanting = longest > max(cell_width, 40)
    height = bottom + (60 if slanting else 26) + 14
    figure = new_figure(_WIDTH, height)
    width = _WIDTH - _RIGHT - left
    axes = add_axes(figure, left, _TOP, width, bottom - _TOP)
    axes.set_xlim(0, max(1, len(x_names)))
    axes.set_ylim(0, max(1, len(y_names)))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)

    places = sorted(cells)
    corners = [[(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)] for x, y in places]
    colors = [cell_color(cells[place], span) for place in places]
    drawn = PolyCollection(corners, facecolors=colors, edgecolors=PAPER, linewidths=0.5)
    axes.add_collection(drawn, autolim=False)
    if len(places) <= _MOST_TIPS:
        tips = [
            f"{titles[0]} {x_names[x]}, {titles[1]} {y_names[y]}: {cells[x, y]:.4g}"
            for x, y in places
        ]
        add_tips(drawn, tips)
    if cell_width >= 28 and cell_height >= 15:
        digits = 3 if span[1] - span[0] < 0.15 else 2
        for (x, y), color in zip(places, colors, strict=True):
            number = _short_number(cells[x, y], digits)
            ink = PAPER if is_dark(color) else "#000000"
            axes.text(x + 0.5, y + 0.5, number, color=ink, fontsize=TINY, ha="center", va="center")

    every = max(1, -(-int(14 if slanting else min(longest + 8, 120)) // max(1, int(cell_width))))
    columns = range(0, len(x_names), every)
    turned: dict[str, Any] = {"rotation": _SLANT, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(
        [column + 0.5 for column in columns],
        [shortened(x_names[column], 12) for column in columns],
        **(turned if slanting else {}),
    )
    rows = range(0, len(y_names), max(1, -(-13 // max(1, int(cell_height)))))
    axes.set_yticks([row + 0.5 for row in rows], [shortened(y_names[row], 12) for row in rows])
    middle = 1 - (_TOP + bottom) / 2 / height
    figure.text((left + width / 2) / _WIDTH, 5 / height, shortened(titles[0], 60), ha="center")
    figure.text(
        11 / _WIDTH, middle, shortened(titles[1], 40), ha="center",
        rotation=90, rotation_mode="anchor",
    )  # fmt: skip
    _color_scale(figure, height, span, titles[2])
    return figure


def _color_scale(figure: Figure, height: float, span: tuple[float, float], title: str) -> None:
    """The value's name, and which color is how much of it."""
    from matplotlib.collections import PolyCollection

    steps, width = 24, 110.0
    right = _WIDTH - _RIGHT - text_width(tick_label(span[1])) - 6
    axes = add_axes(figure, right - width, 6, width, 11)
    axes.set_axis_off()
    axes.set_xlim(0, steps)
    axes.set_ylim(0, 1)
    corners = [[(i, 0), (i + 1, 0), (i + 1, 1), (i, 1)] for i in range(steps)]
    values = [span[0] + (span[1] - span[0]) * i / (steps - 1) for i in range(steps)]
    colors = [cell_color(value, span) for value in values]
    axes.add_collection(
        PolyCollection(corners, facecolors=colors, edgecolors=colors, linewidths=0.5), autolim=False
    )
    y = 1 - 16 / height
    figure.text(6 / _WIDTH, y, shortened(title, 26))
    figure.text((right - width - 5) / _WIDTH, y, tick_label(span[0]), ha="right")
    figure.text((right + 5) / _WIDTH, y, tick_label(span[1]))


def cell_color(value: float, span: tuple[float, float]) -> str:
    """The color of a value in a range, as `#rrggbb`."""
    part = 0.5 if span[1] <= span[0] else (value - span[0]) / (span[1] - span[0])
    return _cividis()[round(255 * min(1.0, max(0.0, part)))]


@cache
def _cividis() -> tuple[str, ...]:
    """matplotlib's cividis: even steps of lightness, also for readers who are color-blind."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return tuple(to_hex(color) for color in colormaps["cividis"](range(256)))


def is_dark(color: str) -> bool:
    """Whether text on a color `#rrggbb` must be light."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 125


def _short_number(value: float, digits: int) -> str:
    if abs(value) >= 100:
        return f"{value:.3g}"
    number = f"{value:.{digits}f}"
    return number.replace("0.", ".", 1) if number.startswith("0.") else number
