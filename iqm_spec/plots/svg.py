"""Figures as SVG for pages: real text, no ids, colors that follow light, dark and print.

matplotlib's own SVG has fixed colors, ids, and five times the bytes: a page with hundreds of
figures needs less. Each artist's style becomes classes and attributes of a group, which the
sheet of `styles` resolves; a page may therefore forbid every style but its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from html import escape
from itertools import groupby
from math import cos, isfinite, radians, sin
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.diagnostics import printable
from iqm_spec.plots.style import PALETTE, SMALL, styled, text_width, tips_of

if TYPE_CHECKING:
    from matplotlib.backend_bases import GraphicsContextBase
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path
    from matplotlib.text import Text
    from matplotlib.transforms import Transform

_SANS = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif'
_MONO = 'ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, monospace'

_CLASSES = {color.light: name for name, color in PALETTE.items()}

Rgba = tuple[float, float, float, float]


@frozen
class Picture:
    """SVG of `width` by `height` px. `label` says what is to be seen, in a sentence or two.

    `body` is markup in which every text is escaped.
    """

    width: float
    height: float
    body: str
    label: str

    def inline(self) -> str:
        """The `svg` element for a page that has the style sheet `styles()`."""
        return (
            f'<svg viewBox="0 0 {_number(self.width)} {_number(self.height)}" '
            f'width="{_number(self.width)}" height="{_number(self.height)}" role="img" '
            f'aria-label="{escape(printable(self.label), quote=True)}">{self.body}</svg>'
        )

    def standalone(self) -> str:
        """A file: with its own styles and ground, readable in light and dark."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_number(self.width)} '
            f'{_number(self.height)}" width="{_number(self.width)}" '
            f'height="{_number(self.height)}" role="img"><title>{_escaped(self.label)}</title>'
            f'<style>{styles()}</style><rect class="f-paper" width="100%" height="100%"/>'
            f"{self.body}</svg>\n"
        )


def picture_of(figure: Figure, label: str) -> Picture:
    """A figure as SVG; `label` is its alternative text."""
    width, height = (72 * inches for inches in figure.get_size_inches())
    with styled():
        renderer = _renderer_class()(figure, width, height)
        figure.patch.set_visible(False)  # the page is its ground
        figure.draw(renderer)
        figure.patch.set_visible(True)
    return Picture(width, height, renderer.markup(), label)


def page_of(figure: Figure, title: str) -> str:
    """A page with a figure alone, which needs no network."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{_escaped(title)}</title><style>{styles()}\n"
        "body { background: var(--paper); } svg { max-width: 100%; height: auto; }</style></head>"
        f"<body><main>{picture_of(figure, title).inline()}</main></body></html>\n"
    )


@cache
def styles() -> str:
    """The style sheet that all pictures of a page share."""
    dark, printed = (f"{{ :root {{ {_variables(kind)} }} }}" for kind in ("dark", "printed"))
    names = "\n".join(
        f"svg .f-{name} {{ fill: var(--{name}); }} svg .s-{name} {{ stroke: var(--{name}); }}"
        for name in PALETTE
    )
    return (
        f":root {{ {_variables('light')} }}\n"
        f"@media (prefers-color-scheme: dark) {dark}\n@media print {printed}\n"
        f"svg {{ font: {SMALL:g}px {_SANS}; fill: none; }}\nsvg .mono {{ font-family: {_MONO}; }}\n"
        f"{names}"
    )


def _variables(kind: str) -> str:
    return " ".join(f"--{name}: {getattr(color, kind)};" for name, color in PALETTE.items())


def _escaped(content: str) -> str:
    """A text as content of an element: nothing in it is markup or a control character."""
    return escape(printable(content), quote=False)


def _number(value: float) -> str:
    """A coordinate: a tenth of a pixel is enough."""
    number = f"{value:.1f}"
    return number[:-2] if number.endswith(".0") else number


def _color(kind: str, rgba: Rgba) -> tuple[str, str]:
    """The class, and the attributes, that give an element its `fill` or `stroke`."""
    code = "#" + "".join(f"{round(255 * part):02x}" for part in rgba[:3])
    name = _CLASSES.get(code)
    more = f' {kind}-opacity="{rgba[3]:.3g}"' if rgba[3] < 1 else ""
    return (f"{kind[0]}-{name}", more) if name else ("", f' {kind}="{code}"{more}')


@cache
def _renderer_class() -> type[Any]:
    """matplotlib's interface for backends, on SVG. A class made late: matplotlib is heavy."""
    from matplotlib.backend_bases import RendererBase

    class PageRenderer(RendererBase):
        """Collects elements with their style; neighbors of one style become a group."""

        def __init__(self, figure: Figure, width: float, height: float) -> None:
            super().__init__()
            self._size = width, height
            self._elements: list[tuple[str, str]] = []
            self._tips = tips_of(figure)
            self._next: Iterator[str] = iter(())

        def markup(self) -> str:
            """All elements in the order of drawing."""
            groups = groupby(self._elements, key=itemgetter(0))
            return "".join(
                f"<g{style}>{''.join(map(itemgetter(1), group))}</g>" for style, group in groups
            )

        def open_group(self, s: str, gid: str | None = None) -> None:
            self._next = iter(self._tips.get(gid or "", ()))

        def close_group(self, s: str) -> None:
            self._next = iter(())

        def draw_path(
            self,
            gc: GraphicsContextBase,
            path: Path,
            transform: Transform,
            rgbFace: Any = None,  # noqa: N803 - matplotlib's name
        ) -> None:
            self._add(_path_data(path, transform, self._size[1]), _style(gc, rgbFace))

        def draw_markers(
            self,
            gc: GraphicsContextBase,
            marker_path: Path,
            marker_trans: Transform,
            path: Path,
            trans: Transform,
            rgbFace: Any = None,  # noqa: N803 - matplotlib's name
        ) -> None:
            shape, style = _shape(marker_path, marker_trans), _style(gc, rgbFace)
            places = [
                (x, self._size[1] - y)
                for x, y in _points(trans, path)
                if isfinite(x) and isfinite(y)
            ]
            drawn = [shape(x, y) for x, y in places]
            tips = list(self._next)
            if tips:
                self._elements += [
                    (style, _path_element(d, tip)) for d, tip in zip(drawn, tips, strict=False)
                ]
            else:
                self._add("".join(drawn), style)

        def draw_text(
            self,
            gc: GraphicsContextBase,
            x: float,
            y: float,
            s: str,
            prop: FontProperties,
            angle: float,
            ismath: Any = False,
            mtext: Text | None = None,
        ) -> None:
            align = "left"
            if mtext is not None and (not angle or mtext.get_rotation_mode() == "anchor"):
                # the reader's font is not that of the layout: the text stands at the point of the
                # baseline that its alignment means, and (x, y) is its left end
                left, bottom = mtext.get_transform().transform(mtext.get_unitless_position())
                top = self._size[1] - bottom
                across, up = sin(radians(angle)), cos(radians(angle))
                offset = across * (x - left) + up * (y - top)
                x, y = left + offset * across, top + offset * up
                align = str(mtext.get_horizontalalignment())
            self.add_anchored(gc, x, y, s, prop, align, angle)

        def add_anchored(
            self,
            gc: GraphicsContextBase,
            x: float,
            y: float,
            content: str,
            prop: FontProperties,
            align: str,
            angle: float = 0,
        ) -> None:
            """A line of text whose left end, center or right end is at a place."""
            across, down = _number(x), _number(y)
            turn = f' transform="rotate({_number(-angle)} {across} {down})"' if angle else ""
            element = f'<text x="{across}" y="{down}"{turn}>{_escaped(content)}</text>'
            name, style = _color("fill", gc.get_rgb())
            mono = "mono" if "monospace" in prop.get_family() else ""
            size, anchor = float(prop.get_size_in_points()), _ANCHORS[align]
            style += f' font-size="{size:.3g}"' if size != SMALL else ""
            style += f' text-anchor="{anchor}"' if anchor != "start" else ""
            if classes := f"{name} {mono}".strip():
                style = f' class="{classes}"{style}'
            self._elements.append((style, element))

        def draw_image(self, *args: Any, **kwargs: Any) -> None:
            raise NotImplementedError("figures have no images: cells are paths")

        def get_text_width_height_descent(
            self, s: str, prop: FontProperties, ismath: Any
        ) -> tuple[float, float, float]:
            size = float(prop.get_size_in_points())
            return text_width(s, size), 0.95 * size, 0.22 * size

        def get_canvas_width_height(self) -> tuple[float, float]:
            return self._size

        def points_to_pixels(self, points: Any) -> Any:
            return points

        def flipy(self) -> bool:
            return True

        def _add(self, data: str, style: str) -> None:
            if data:
                self._elements.append((style, _path_element(data, next(self._next, ""))))

    return PageRenderer


_ANCHORS = {"left": "start", "center": "middle", "right": "end"}


def _path_element(data: str, tip: str) -> str:
    title = f"><title>{_escaped(tip)}</title></path>" if tip else "/>"
    return f'<path d="{data}"{title}'


def _style(gc: GraphicsContextBase, face: Sequence[float] | None) -> str:
    """The classes and attributes of paths that are drawn in a graphics context."""
    classes, attributes = [], ""
    if face is not None and (len(face) < 4 or face[3] > 0):
        alpha = gc.get_alpha() if gc.get_forced_alpha() else (face[3] if len(face) > 3 else 1.0)
        name, more = _color("fill", (face[0], face[1], face[2], alpha))
        classes.append(name)
        attributes += more
    width = gc.get_linewidth()
    if width > 0 and gc.get_rgb()[3] > 0:
        name, more = _color("stroke", gc.get_rgb())
        classes.append(name)
        attributes += more + (f' stroke-width="{width:.3g}"' if width != 1 else "")
        dashes: Any = gc.get_dashes()[1]
        if dashes is not None:
            lengths = " ".join(f"{length:.3g}" for length in dashes)
            attributes += f' stroke-dasharray="{lengths}"'
    named = " ".join(filter(None, classes))
    return (f' class="{named}"' if named else "") + attributes


def _path_data(path: Path, transform: Transform, height: float) -> str:
    """The `d` of a path, in px from the upper left."""
    from matplotlib.path import Path as Paths

    if path.vertices is Paths.unit_circle().vertices:
        matrix: Any = transform.get_matrix()
        return _circle(matrix[0, 2], height - matrix[1, 2], abs(matrix[0, 0]))
    points = [(x, height - y) for x, y in _points(transform, path)]
    return _data(points, _codes(path))


def _points(transform: Transform, path: Path) -> list[tuple[float, float]]:
    points: Any = transform.transform(path.vertices)
    return [(x, y) for x, y in points.tolist()]


def _codes(path: Path) -> list[int] | None:
    codes: Any = path.codes
    return None if codes is None else [*codes.tolist()]


def _shape(marker: Path, transform: Transform) -> Callable[[float, float], str]:
    """The `d` of a marker as a function of its place."""
    from matplotlib.path import Path as Paths

    if marker.vertices is Paths.unit_circle().vertices:
        matrix: Any = transform.get_matrix()
        radius = abs(float(matrix[0, 0]))
        return lambda x, y: _circle(x, y, radius)
    points = _points(transform, marker)
    codes = _codes(marker)
    return lambda x, y: _data([(x + across, y - up) for across, up in points], codes)


def _circle(x: float, y: float, radius: float) -> str:
    r, across = _number(radius), _number(2 * radius)
    return f"M{_number(x - radius)} {_number(y)}a{r} {r} 0 1 0 {across} 0a{r} {r} 0 1 0-{across} 0z"


_MOVE, _LINE, _CLOSE = 1, 2, 79
_CURVES = {3: ("Q", 2), 4: ("C", 3)}
"""matplotlib's codes of curves, with SVG's letters and the points that each takes."""


def _data(points: Sequence[tuple[float, float]], codes: Sequence[int] | None) -> str:
    """The `d` through points; where one is not finite the line breaks off."""
    parts: list[str] = []
    last = ("", "")
    i = 0
    while i < len(points):
        code = _LINE if codes is None else codes[i]
        if code == _CLOSE:
            parts.append("z")
            i += 1
            continue
        letter, count = _CURVES.get(code, ("L", 1))
        group = points[i : i + count]
        i += count
        if not all(isfinite(x) and isfinite(y) for x, y in group):
            last = ("", "")
            continue
        numbers = [(_number(x), _number(y)) for x, y in group]
        x, y = numbers[-1]
        if code == _MOVE or not last[0]:
            parts.append(f"M{x} {y}")
        elif code == _LINE and y == last[1]:
            parts.append(f"H{x}")
        elif code == _LINE and x == last[0]:
            parts.append(f"V{y}")
        else:
            parts.append(letter + " ".join(f"{across} {up}" for across, up in numbers))
        last = numbers[-1]
    return "".join(parts)
