"""SVG elements as text, and a finished picture: inline in a page, or a file of its own."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path

from attrs import frozen

from iqm_spec.diagnostics import printable

_STYLES = Path(__file__).parent.parent / "templates"

FONT = 12.0
"""Height of ordinary text, px; a character is about 0.6 of it wide."""


@frozen
class Picture:
    """A drawing of `width` by `height` px. `label` says what is to be seen, in a sentence or two.

    `body` is markup in which every text from outside is escaped.
    """

    width: float
    height: float
    body: str
    label: str

    def inline(self) -> str:
        """The `svg` element for a page that has the styles of `styles()`."""
        return (
            f'<svg viewBox="0 0 {num(self.width)} {num(self.height)}" width="{num(self.width)}" '
            f'height="{num(self.height)}" role="img" aria-label="{attribute(self.label)}">'
            f"{self.body}</svg>"
        )

    def standalone(self) -> str:
        """A file: with its own styles and ground, readable in light and dark."""
        label = words(self.label)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {num(self.width)} '
            f'{num(self.height)}" width="{num(self.width)}" height="{num(self.height)}" role="img">'
            f"<title>{label}</title><style>{styles()}</style>"
            f'<rect class="paper" width="100%" height="100%"/>{self.body}</svg>\n'
        )


@cache
def styles() -> str:
    """Colours and text styles that all pictures share."""
    return (_STYLES / "figures.css").read_text(encoding="utf-8").strip()


def words(text: object) -> str:
    """A text as content of an element: nothing in it is markup or a control character."""
    return escape(printable(str(text)), quote=False)


def attribute(text: object) -> str:
    """A text as value of an attribute."""
    return escape(printable(str(text)), quote=True)


def num(value: float) -> str:
    """A coordinate: a tenth of a pixel is enough."""
    told = f"{value:.1f}"
    return told[:-2] if told.endswith(".0") else told


def text(
    x: float, y: float, content: object, css: str = "t", anchor: str = "", turn: float = 0
) -> str:
    """A line of text; `turn` in degrees about its own place."""
    more = f' text-anchor="{anchor}"' if anchor else ""
    more += f' transform="rotate({num(turn)} {num(x)} {num(y)})"' if turn else ""
    return f'<text class="{css}" x="{num(x)}" y="{num(y)}"{more}>{words(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return f'<path class="{css}" d="M{num(x1)} {num(y1)}L{num(x2)} {num(y2)}"/>'


def rect(x: float, y: float, w: float, h: float, css: str, tip: str = "", more: str = "") -> str:
    """A rectangle; `tip` shows when the pointer rests on it."""
    attrs = f'class="{css}" x="{num(x)}" y="{num(y)}" width="{num(w)}" height="{num(h)}"{more}'
    return f"<rect {attrs}/>" if not tip else f"<rect {attrs}><title>{words(tip)}</title></rect>"


def path(d: str, css: str, tip: str = "") -> str:
    """A path; `tip` shows when the pointer rests on it."""
    if tip:
        return f'<path class="{css}" d="{d}"><title>{words(tip)}</title></path>'
    return f'<path class="{css}" d="{d}"/>'


def polyline(points: list[tuple[float, float]], css: str) -> str:
    """A line through points; nothing where there are fewer than two."""
    if len(points) < 2:
        return ""
    return path("M" + "L".join(f"{num(x)} {num(y)}" for x, y in points), css)


def group(css: str, *parts: str) -> str:
    """Parts with a class of their own."""
    return f'<g class="{css}">{"".join(parts)}</g>'


def wide(content: str, size: float = FONT) -> float:
    """About how wide a text is, px."""
    return 0.6 * size * len(content)


def cut(content: str, most: int) -> str:
    """A text of at most so many characters."""
    return content if len(content) <= most else f"{content[: most - 1]}…"


MARKERS = 6

_SHAPES = (
    "M{l} {y}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",  # circle
    "M{l} {t}h7v7h-7z",  # square
    "M{x} {t}l4 7h-8z",  # triangle
    "M{x} {u}l4.4 4.4l-4.4 4.4l-4.4-4.4z",  # diamond
    "M{l} {t}l7 7m0-7l-7 7",  # cross
    "M{x} {t}v7m-3.5-3.5h7",  # plus
)


def speck(x: float, y: float, tip: str = "") -> str:
    """A small dot, for one of many marks."""
    return path(f"M{num(x - 1.7)} {num(y)}a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0-3.4 0z", "dot-c", tip)


def marker(x: float, y: float, shape: int, tip: str = "") -> str:
    """A point's mark about (x, y), by its number told apart without colour."""
    kind = shape % MARKERS
    places = {"x": x, "y": y, "l": x - 3.5, "t": y - 3.5, "u": y - 4.4}
    d = _SHAPES[kind].format(**{name: num(value) for name, value in places.items()})
    return path(d, "open" if kind >= 4 else "mark", tip)
