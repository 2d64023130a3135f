"""Facts to Markdown by a template, and Markdown to one HTML page that needs nothing else."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import asdict

from iqm_spec.cost.ranges import amount, range_text, span

if TYPE_CHECKING:
    from iqm_spec.allocation.papers import RequestFacts, UsageFacts

_TEMPLATES = Path(__file__).parent / "templates"

_SPECIAL = re.compile(
    r"""[\\`*\[\]<|~$]              # code, emphasis, links, tags, cells, GitHub's formulas
    | (?<![^\W_])_ | _(?![^\W_])    # no emphasis begins or ends inside a word
    | &(?=\#?\w+;) | !$             # entities; an image, where a link follows the text
    | (?:^|(?<=\s))\#               # headings, at their end too
    | ^> | ^[-+](?=\s|$) | ^[-=](?=[-=]*$) | ^-(?=[-\s]*$)
    """,
    re.VERBOSE,
)
"""Signs that mean something in Markdown where they stand."""

_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def to_markdown(template: str, facts: RequestFacts | UsageFacts) -> str:
    """The paper as GitHub-flavored Markdown; texts of a spec are escaped.

    `template` is `request` or `usage`.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown has characters of its own: see `text`
    )
    environment.filters |= {
        "text": text,
        "blank": blank,
        "amount": amount,
        "range": range_text,
        "span": lambda ends: span(*ends),
    }
    rendered = environment.get_template(f"{template}.md.j2").render(asdict(facts, recurse=False))
    return re.sub(r"\n{3,}", "\n\n", rendered).strip() + "\n"


def to_html(markdown: str, title: str) -> str:
    """One page, readable in light and dark and on paper; no script, nothing from elsewhere."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    page = (_TEMPLATES / "page.html").read_text(encoding="utf-8")
    return page.replace("{{title}}", html.escape(title)).replace("{{body}}", body)


def text(value: object) -> str:
    """A text on one line of Markdown that renders as it is.

    Only signs that need it are escaped: people read the source too.
    """
    line = " ".join(str(value).split())
    return _NUMBERED.sub(r"\1\\\2", _SPECIAL.sub(r"\\\g<0>", line))


def blank(what: str) -> str:
    """A place that a person has to fill in."""
    return f"***[to be filled in: {what}]***"
