"""A figure that is drawn in pixels, with few artists: hundreds of them take a second.

matplotlib's axes take 10 ms each and a text 0.5 ms. What has no axes of numbers, or stands in a
page by the hundred, is drawn here instead: bars, circuits, maps of machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from iqm_spec.plots.style import INK, SMALL, add_tips, new_figure

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.path import Path
    from matplotlib.transforms import Transform

Place = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, width and height in px."""


@frozen
class Label:
    """A line of text with its baseline at `place`; `align` is `left`, `center` or `right`."""

    place: Place
    content: str
    align: str = "left"


@define
class Sheet:
    """A figure of a size in px, with places from its upper left; later artists lie above."""

    width: float
    height: float
    figure: Figure = field(init=False)
    _transform: Transform = field(init=False)
    _order: Iterable[int] = field(init=False, factory=lambda: count(1))

    def __attrs_post_init__(self) -> None:
        from matplotlib.transforms import Affine2D

        self.figure = new_figure(self.width, self.height)
        inches = Affine2D().scale(1 / 72, -1 / 72).translate(0, self.height / 72)
        self._transform = inches + self.figure.dpi_scale_trans

    def boxes(
        self,
        boxes: Sequence[Box],
        tips: Sequence[str] = (),
        *,
        fill: str | None = None,
        stroke: str | None = None,
        width: float = 1,
        radius: float = 0,
    ) -> None:
        """Rectangles of one style, with rounded corners where `radius` is above 0."""
        style = {
            "facecolor": fill or "none",
            "edgecolor": stroke or "none",
            "linewidth": width if stroke else 0,
        }
        self._paths([_outline(box, radius) for box in boxes], tips, style)

    def lines(
        self,
        lines: Sequence[Sequence[Place]],
        stroke: str,
        *,
        width: float = 1,
        dashes: tuple[float, float] | None = None,
    ) -> None:
        """Lines through places, of one style."""
        style = {
            "facecolor": "none",
            "edgecolor": stroke,
            "linewidth": width,
            "linestyle": "-" if dashes is None else (0, dashes),
        }
        self._paths([(line, [1] + [2] * (len(line) - 1)) for line in lines], (), style)

    def dots(
        self,
        places: Sequence[Place],
        radius: float,
        tips: Sequence[str] = (),
        *,
        fill: str,
        stroke: str | None = None,
        width: float = 1,
    ) -> None:
        """Circles of one style."""
        from matplotlib.lines import Line2D

        if not places:
            return
        xs, ys = zip(*places, strict=True)
        self._add(
            Line2D(
                xs,
                ys,
                linestyle="",
                marker="o",
                markersize=2 * radius,
                markerfacecolor=fill,
                markeredgecolor=stroke or "none",
                markeredgewidth=width if stroke else 0,
            ),
            tips,
        )

    def arcs(
        self, centers: Sequence[Place], radius: float, stroke: str, *, width: float = 1
    ) -> None:
        """The upper halves of circles."""
        side = 0.5523 * radius  # of two Bezier curves that stay within 0.03 % of the circle
        outlines = [
            (
                [
                    *((x - radius, y), (x - radius, y - side), (x - side, y - radius)),
                    *((x, y - radius), (x + side, y - radius), (x + radius, y - side)),
                    (x + radius, y),
                ],
                [1, 4, 4, 4, 4, 4, 4],
            )
            for x, y in centers
        ]
        style = {"facecolor": "none", "edgecolor": stroke, "linewidth": width}
        self._paths(outlines, (), style)

    def texts(
        self, labels: Sequence[Label], *, color: str = INK, size: float = SMALL, mono: bool = False
    ) -> None:
        """Lines of text of one style."""
        if labels:
            self._add(_labels_class()(labels, color, size, "monospace" if mono else "sans-serif"))

    def _paths(
        self,
        outlines: Sequence[tuple[Sequence[Place], Sequence[int]]],
        tips: Sequence[str],
        style: dict[str, Any],
    ) -> None:
        """One artist: a path of all outlines, or a collection where each has a tip."""
        from matplotlib.collections import PathCollection
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        if not outlines:
            return
        if tips:
            paths: list[Path] = [Path(places, codes) for places, codes in outlines]
            self._add(PathCollection(paths, **style), tips)
            return
        places = [place for outline, _ in outlines for place in outline]
        codes = [code for _, own in outlines for code in own]
        self._add(PathPatch(Path(places, codes), **style))

    def _add(self, artist: Artist, tips: Sequence[str] = ()) -> None:
        artist.set_transform(self._transform)
        artist.set_zorder(next(iter(self._order)))
        self.figure.add_artist(artist)
        if tips:
            add_tips(artist, tips)


def _outline(box: Box, radius: float) -> tuple[list[Place], list[int]]:
    left, top, width, height = box
    right, bottom = left + width, top + height
    if not radius:
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        return corners, [1, 2, 2, 2, 79]
    r = min(radius, width / 2, height / 2)
    places = [
        *((left + r, top), (right - r, top), (right, top), (right, top + r)),
        *((right, bottom - r), (right, bottom), (right - r, bottom)),
        *((left + r, bottom), (left, bottom), (left, bottom - r)),
        *((left, top + r), (left, top), (left + r, top), (left + r, top)),
    ]
    return places, [1, 2, 3, 3, 2, 3, 3, 2, 3, 3, 2, 3, 3, 79]


@cache
def _labels_class() -> type[Any]:
    """An artist of many texts. A class made late: matplotlib is heavy."""
    from matplotlib.artist import Artist
    from matplotlib.backend_bases import RendererBase
    from matplotlib.font_manager import FontProperties

    class Labels(Artist):
        """Lines of text of one style, placed without the layout that costs most of a `Text`."""

        def __init__(self, labels: Sequence[Label], color: str, size: float, family: str) -> None:
            super().__init__()
            self._labels = labels
            self._color = color
            self._properties = FontProperties(family=[family], size=size)

        def draw(self, renderer: RendererBase) -> None:
            context = renderer.new_gc()
            context.set_foreground(self._color)
            add_text = getattr(renderer, "add_anchored", None)
            places = self.get_transform().transform([label.place for label in self._labels])
            height = renderer.get_canvas_width_height()[1]
            for label, (x, y) in zip(self._labels, places.tolist(), strict=True):
                below = height - y if renderer.flipy() else y
                if add_text is not None:
                    add_text(context, x, below, label.content, self._properties, label.align)
                    continue
                width, _, _ = renderer.get_text_width_height_descent(
                    label.content, self._properties, False
                )
                left = x - width * {"left": 0, "center": 0.5, "right": 1}[label.align]
                renderer.draw_text(context, left, below, label.content, self._properties, 0)
            context.restore()

    return Labels
