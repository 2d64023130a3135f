"""The content of a report: sections of blocks that HTML and Markdown both show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from iqm_spec.plots.svg import Picture, picture_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@frozen
class Text:
    """A paragraph. `tone`: `plain`, `note`, `warning` for what must not be missed, `title`."""

    text: str
    tone: str = "plain"


@frozen
class Facts:
    """Names with what they are. Values in `mono` are digests, ids and commands."""

    rows: tuple[tuple[str, str], ...]
    mono: bool = False


@frozen
class Column:
    """A column's title; numbers stand to the right, `mono` for bitstrings and digests."""

    title: str
    number: bool = False
    mono: bool = False


@frozen
class Table:
    """Rows below columns. `left_out` rows are not in it; `long` ones can be sorted and searched."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)
    left_out: str = ""
    long: bool = False


@frozen
class CaptionedPicture:
    """A picture with its caption, under the name of its file."""

    name: str
    caption: str
    picture: Picture = field(repr=False)

    @classmethod
    def of(cls, name: str, figure: Figure, caption: str, label: str = "") -> CaptionedPicture:
        """A matplotlib figure as a picture; its alternative text is `label`, else the caption."""
        return cls(name, caption, picture_of(figure, label or caption))

    @property
    def broad(self) -> bool:
        """Whether it takes the full width of the page."""
        return self.picture.width > 420


@frozen
class Pictures:
    """Pictures that stand together."""

    figures: tuple[CaptionedPicture, ...]


@frozen
class Code:
    """Text as it was written."""

    caption: str
    text: str = field(repr=False)


@frozen
class Chooser:
    """One of many figures at a time, by name; only a page can do that."""

    title: str
    figures: tuple[CaptionedPicture, ...] = field(repr=False)


@frozen
class Fold:
    """Blocks that open on demand."""

    summary: str
    blocks: tuple[Block, ...]


Block = Text | Facts | Table | Pictures | Code | Chooser | Fold


@frozen
class Section:
    """A titled part. `id` is its anchor."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@frozen
class Document:
    """A report. `banners` are the warnings above all."""

    title: str
    lead: str
    banners: tuple[str, ...]
    sections: tuple[Section, ...]
    foot: str = ""
