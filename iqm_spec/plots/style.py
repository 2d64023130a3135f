"""One style for every figure: colors, sizes, ticks, and the tips of marks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from attrs import frozen

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALL, TINY = 11.0, 10.0
"""Heights of text, px."""

REFERENCE = 6
"""Number of the color of what every series is compared with."""


@frozen
class Color:
    """A color as `#rrggbb`: in figures and on light pages, on dark pages, and in print."""

    light: str
    dark: str
    printed: str


PALETTE: Mapping[str, Color] = {
    "ink": Color("#1c1e21", "#e6e7ea", "#000000"),
    "soft": Color("#565b63", "#a9aeb7", "#333333"),
    "line": Color("#c9ced6", "#4a5059", "#aaaaaa"),
    "faint": Color("#eceef1", "#262a2f", "#eeeeee"),
    "paper": Color("#ffffff", "#16181b", "#ffffff"),
    "wash": Color("#dbe9f8", "#1d3550", "#dbe9f8"),
    "c0": Color("#0b5cad", "#6cb2f5", "#0b5cad"),
    "c1": Color("#b5400a", "#ff9f68", "#b5400a"),
    "c2": Color("#00745a", "#4fcfa6", "#00745a"),
    "c3": Color("#8f3f86", "#e59ad6", "#8f3f86"),
    "c4": Color("#7d5b00", "#e2bd4a", "#7d5b00"),
    "c5": Color("#4b50c4", "#a6b1ff", "#4b50c4"),
    "c6": Color("#6b7078", "#a2a8b1", "#6b7078"),
}
"""Colors by what they are for: text, axes, grids, grounds, and series by their number."""

INK, SOFT, LINE, FAINT, PAPER, WASH = (
    PALETTE[name].light for name in ("ink", "soft", "line", "faint", "paper", "wash")
)

MARKERS = ("o", "s", "^", "D", "x", "+")

_STYLE: dict[Any, Any] = {
    "figure.dpi": 72,  # a point is a pixel
    "figure.facecolor": PAPER,
    "font.family": ["sans-serif"],
    "font.size": SMALL,
    "text.color": SOFT,
    "text.parse_math": False,  # names of strangers may hold dollar signs
    "axes.facecolor": "none",
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": INK,
    "axes.labelsize": SMALL,
    "axes.linewidth": 1,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "grid.color": FAINT,
    "grid.linewidth": 1,
    "lines.dashed_pattern": (5, 4),
    "lines.scale_dashes": False,
    "xtick.color": SOFT,
    "xtick.labelsize": SMALL,
    "xtick.minor.visible": False,
    "ytick.color": SOFT,
    "ytick.labelsize": SMALL,
    "ytick.major.size": 0,
    "ytick.minor.visible": False,
    "legend.frameon": False,
    "legend.fontsize": SMALL,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "iqm-spec",  # the same figure gives the same bytes
    "path.simplify": False,
}


@contextmanager
def styled() -> Iterator[None]:
    """Sets matplotlib's parameters for the figures of this package; restores them afterwards.

    A `matplotlibrc` of the user or of the current folder has no effect within.
    """
    from matplotlib import rcParams

    # the methods of `dict` itself: those of `rcParams` check each value, and load a backend
    before: dict[Any, Any] = dict(dict.items(rcParams))
    dict.update(rcParams, _parameters())
    try:
        yield
    finally:
        dict.update(rcParams, before)


@cache
def _parameters() -> dict[Any, Any]:
    """Every parameter of matplotlib, checked: its defaults, and what is set here."""
    from matplotlib import RcParams, rcParamsDefault

    checked = RcParams()
    dict.update(checked, rcParamsDefault)
    checked.update(_STYLE)
    return {name: value for name, value in dict.items(checked) if name != "backend"}


def series_color(number: int) -> str:
    """The color of a series by its number."""
    return PALETTE[f"c{number % 7}"].light


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in pixels."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 72, height / 72), dpi=72)


def add_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a place in pixels from the upper left."""
    across, up = (72 * inches for inches in figure.get_size_inches())
    return figure.add_axes(
        (left / across, 1 - (top + height) / up, width / across, height / up), autoscale_on=False
    )


_TIPS: WeakKeyDictionary[Figure, dict[str, Sequence[str]]] = WeakKeyDictionary()


def add_tips(artist: Artist, tips: Sequence[str]) -> None:
    """Texts that a page shows when the pointer rests on the marks of an artist, one for each."""
    figure = artist.get_figure(root=True)
    assert figure is not None  # noqa: S101 - the artist is in one
    own = _TIPS.setdefault(figure, {})
    artist.set_gid(f"tips-{len(own)}")
    own[f"tips-{len(own)}"] = tips


def tips_of(figure: Figure) -> Mapping[str, Sequence[str]]:
    """The tips of a figure's artists, by the artist's gid."""
    return _TIPS.get(figure, {})


def text_width(content: str, size: float = SMALL) -> float:
    """About how wide a text is, px; readers' fonts differ."""
    return 0.6 * size * len(content)


def shortened(content: str, most: int) -> str:
    """A text of at most so many characters."""
    return content if len(content) <= most else f"{content[: most - 1]}…"


def tick_label(value: float) -> str:
    """A tick's text: no more digits than it needs."""
    label = f"{value:.4g}"
    return "0" if label in ("-0", "0") else label.replace("e+0", "e").replace("e-0", "e-")


def round_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values within [low, high]."""
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(about + 1, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    margin = 1e-9 * (high - low)
    return [round(float(tick), 12) for tick in ticks if low - margin <= tick <= high + margin]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten within [low, high], and 2 and 5 times them where these are few."""
    from matplotlib.ticker import LogLocator

    for factors in ((1.0,), (1.0, 2.0, 5.0)):
        ticks = LogLocator(subs=factors, numticks=50).tick_values(low, high)
        inside = [float(tick) for tick in ticks if low <= tick <= high * 1.0000001]
        if len(inside) >= 3:
            break
    return inside


def is_log(values: Sequence[float]) -> bool:
    """Whether values are spread over powers of ten, as `logspace` and `geomspace` make them."""
    distinct = sorted(set(values))
    if len(distinct) < 3 or distinct[0] <= 0 or distinct[-1] / distinct[0] < 50:
        return False
    middle = distinct[len(distinct) // 2]
    return middle < distinct[0] + 0.25 * (distinct[-1] - distinct[0])


def range_around(
    values: Sequence[float], within: tuple[float, float] | None = None
) -> tuple[float, float]:
    """A range that holds all values with a margin, and stays `within` where they do."""
    known = [value for value in values if isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    margin = 0.06 * (high - low) or max(abs(high) * 0.05, 0.05)
    bottom, top = low - margin, high + margin
    if within is not None and within[0] <= low and high <= within[1]:
        bottom, top = max(bottom, within[0]), min(top, within[1])
    return bottom, top
