"""Texts in Markdown: whatever they say, they are shown as they are and mark nothing up."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from iqm_spec.allocation.rendering import text

SIGNS = "\\`*_{}[]<>#|~!&$()-+=.:;\"'/1a é\u00a0é"
PIECES = ("&lt;", "](x)", "[a]: b", "![", "**", "<b>", "1. ", "- ", "a_b_c", "http", "---", "</b>")
texts = st.lists(st.sampled_from([*SIGNS, *PIECES]), max_size=12).map("".join) | st.text()
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

PLACES = (
    ("# {}\n", "heading_open"),
    ("{}\n", "paragraph_open"),
    ("> {}\n", "paragraph_open"),
    ("so: {}, *and* {}!\n", "paragraph_open"),
    ("| a | b |\n|---|---|\n| {} | c |\n", "td_open"),
)


def shown(markdown: str) -> list[tuple[str, str]]:
    """Blocks and marks with the texts in them; escapes and entities are resolved."""
    found = []
    for token in MARKDOWN.parse(markdown):
        found.append((token.type, ""))
        for child in token.children or ():
            content = child.content if child.type != "softbreak" else "\n"
            if child.type in ("text", "text_special") and found[-1][0] == "text":
                content = found.pop()[1] + content
            found.append((child.type.replace("text_special", "text"), content))
    return found


@pytest.mark.parametrize("place", [place for place, _ in PLACES])
@given(told=texts)
@example(told="1. <script>alert(1)</script> **a** `b` ``` | [c](http://d.example) ![e](f) ~~g~~")
@example(told="123456789) a")
@example(told="12.")
@example(told="&amp; &#38; a&b & !")
@example(told="snake_case _emphasis_ __strong__ a__b _")
@example(told="ends # with ##")
@example(told="\\*a\\*")
@example(told="===")
@example(told="-- -")
@example(told="+")
def test_a_text_is_itself_wherever_it_stands(place: str, told: str) -> None:
    told = "".join(sign for sign in told if sign.isprintable())
    line = " ".join(told.split())
    if not line:
        return
    plain = shown(place.replace("{}", "PLAIN"))
    expected = [(kind, content.replace("PLAIN", line)) for kind, content in plain]
    assert shown(place.replace("{}", text(told))) == expected


@pytest.mark.parametrize(
    ("told", "source"),
    [
        ("circuits.my_circuit.shots=100, aer.noise=ideal", None),
        ("Q&A: {a: 1} > 0.5 -0.5 (#3)", None),
        ("qiskit-aer 0.17.2, python 3.11.7", None),
        ("GHZ <b>*states*</b>", "GHZ \\<b>\\*states\\*\\</b>"),
        ("a | b", "a \\| b"),
    ],
)
def test_only_what_needs_it_is_escaped(told: str, source: str | None) -> None:
    assert text(told) == (source or told)
