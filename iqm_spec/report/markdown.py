"""A report as Markdown that GitHub shows, its drawings as SVG files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from urllib.parse import quote

from attrs import define, field

from iqm_spec.allocation.rendering import text
from iqm_spec.report.document import (
    Block,
    CaptionedPicture,
    Chooser,
    Code,
    Document,
    Facts,
    Fold,
    Pictures,
    Table,
    Text,
)
from iqm_spec.report.names import thinned

MOST_ROWS = 60
"""Rows of a table; a page has more."""


@define
class _Files:
    """Drawings by file name, each name given once."""

    folder: str
    drawings: dict[str, str] = field(factory=dict)

    def add(self, figure: CaptionedPicture) -> str:
        stem = re.sub(r"[^a-z0-9.-]+", "-", figure.name.lower()).strip("-.")[:80] or "figure"
        name, number = stem, 1
        while f"{name}.svg" in self.drawings:
            number += 1
            name = f"{stem}-{number}"
        self.drawings[f"{name}.svg"] = figure.picture.standalone()
        return f"{quote(self.folder)}/{name}.svg"


def to_markdown(document: Document, folder: str) -> tuple[str, dict[str, str]]:
    """The text, and the SVG files by their names in `folder`, which lies beside it."""
    files = _Files(folder)
    parts = [f"# {text(document.title)}"]
    parts += [_paragraph(document.lead)] if document.lead else []
    parts += [f"> **{_paragraph(banner)}**" for banner in document.banners]
    for section in document.sections:
        parts.append(f"## {text(section.title)}")
        parts += [part for block in section.blocks for part in _block(block, files)]
    parts.append(_paragraph(document.foot))
    return "\n\n".join(part for part in parts if part) + "\n", files.drawings


def _block(block: Block, files: _Files) -> Iterator[str]:
    if isinstance(block, Text):
        content = _paragraph(block.text)
        if block.tone == "title":
            content = f"### {text(block.text)}"
        yield f"> {content}" if block.tone == "warning" else content
    elif isinstance(block, Facts):
        rows = [f"| {text(name)} | {_value(value, block.mono)} |" for name, value in block.rows]
        yield "\n".join(("| | |", "|---|---|", *rows))
    elif isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, Pictures):
        for figure in block.figures:
            path = files.add(figure)
            yield f"![{text(figure.picture.label)}]({path})"
            yield f"*{_paragraph(figure.caption)}*"
    elif isinstance(block, Code):
        yield f"{_paragraph(block.caption)}:"
        # the fence is longer than any in the text
        longest = max((len(run) for run in re.findall(r"`+", block.text)), default=0)
        fence = "`" * max(3, longest + 1)
        yield f"{fence}\n{block.text.rstrip()}\n{fence}"
    elif isinstance(block, Fold):
        yield f"<details><summary>{escape(' '.join(block.summary.split()))}</summary>"
        for inner in block.blocks:
            yield from _block(inner, files)
        yield "</details>"
    elif isinstance(block, Chooser):
        yield "`iqm-spec report` as HTML draws any point."


def _table(block: Table) -> Iterator[str]:
    yield f"**{text(block.caption)}**"
    head = " | ".join(text(column.title) for column in block.columns)
    rule = "|".join("---:" if column.number else "---" for column in block.columns)
    shown = thinned(len(block.rows), MOST_ROWS)
    rows = []
    for i in shown:
        cells = zip(block.rows[i], block.columns, strict=True)
        rows.append(f"| {' | '.join(_value(cell, column.mono) for cell, column in cells)} |")
    yield "\n".join((f"| {head} |", f"|{rule}|", *rows))
    if len(shown) < len(block.rows):
        yield f"{len(shown)} of {len(block.rows):,} rows, evenly chosen."
    if block.left_out:
        yield _paragraph(block.left_out)


def _value(cell: str, mono: bool) -> str:
    """A cell; what is plain enough stands as code."""
    if mono and cell and not set(cell) & set("`|\\<>\n"):
        return f"`{cell}`"
    return text(cell)


def _paragraph(content: str) -> str:
    """A text that begins no list and no heading."""
    return re.sub(r"^(\d+)([.)])|^([-+=])", r"\1\\\2\3", text(content))
