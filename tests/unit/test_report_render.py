"""Both forms of a report: every block is shown, and no text in it becomes markup."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

from iqm_spec.plots.svg import Picture
from iqm_spec.report.document import (
    CaptionedPicture,
    Chooser,
    Code,
    Column,
    Document,
    Facts,
    Fold,
    Pictures,
    Section,
    Table,
    Text,
)
from iqm_spec.report.html import to_html
from iqm_spec.report.markdown import MOST_ROWS, to_markdown

HOSTILE = (
    "1. <script>alert(1)</script> </pre> **a** `b` ``` | [c](http://d.example) ![e](f) {{ g }}"
)


def document(told: str) -> Document:
    picture = Picture(100, 50, "<path/>", told)
    figure = CaptionedPicture("name", told, picture)
    blocks = (
        Text(told),
        Text(told, "warning"),
        Text(told, "note"),
        Facts(((told, told),)),
        Facts(((told, told),), mono=True),
        Table(told, (Column(told), Column(told, mono=True)), ((told, told),), told),
        Table(told, (Column(told, number=True),), tuple((str(i),) for i in range(100)), long=True),
        Pictures((figure, CaptionedPicture("name", told, picture))),
        Code(told, f"{told}\n```\n{told}"),
        Chooser(told, (figure,)),
        Fold(told, (Text(told), Pictures((figure,)))),
    )
    return Document(told, told, (told, told), (Section("one", told, blocks),), told)


def test_no_text_becomes_markup_in_a_page() -> None:
    page = to_html(document(HOSTILE))
    assert len(re.findall("<script", page)) == 1
    assert "alert(1)</script>" not in page
    assert "{{ g }}" in page
    plain = to_html(document("plain"))
    tags = re.findall(r"<(/?[a-z0-9]+)", page)
    assert tags == re.findall(r"<(/?[a-z0-9]+)", plain)


def test_no_text_becomes_markup_in_markdown() -> None:
    def shape(told: str) -> list[str]:
        text, _ = to_markdown(document(told), "figures")
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
        found = [token.type for token in tokens]
        return found + [
            child.type
            for token in tokens
            for child in token.children or ()
            if child.type not in ("text", "text_special", "code_inline")
        ]

    assert shape(HOSTILE) == shape("plain")


def test_pages_show_every_block() -> None:
    page = to_html(document("plain"))
    for part in ("<details>", "<select", "<pre", "<caption>", '<th scope="col" class="n">'):
        assert part in page
    assert page.count("<tr>") == 2 + 101
    assert page.count("<svg") == 4


def test_markdown_thins_long_tables_and_names_each_drawing_once() -> None:
    text, files = to_markdown(document("plain"), "a b-figures")
    assert f"{MOST_ROWS} of 100 rows, evenly chosen." in text
    assert sorted(files) == ["name-2.svg", "name-3.svg", "name.svg"]
    assert "(a%20b-figures/name.svg)" in text
    assert all(drawn.startswith("<svg xmlns=") for drawn in files.values())
