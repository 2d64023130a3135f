"""OpenQASM text as tokens and statements, with their places.

Left out is what the parsers leave out, and nothing else, or something could hide from the survey:
comments, and in OpenQASM 3 pragmas and annotations, which run to the end of their line.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<skip>//[^\r\n]*|/\*.*?\*/|(?:\#?pragma\b|@(?=[^\W\d]))[^\r\n]*)
    | (?P<name>[^\W\d]\w*|\$[0-9]+)
    | (?P<number>0[xX][0-9a-fA-F_]+|0[bB][01_]+|0o[0-7_]+
        |(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<symbol>->|\+\+|\*\*|==|!=|<=|>=|&&|\|\||<<|>>|[^\s"'])
    | (?P<string>"[^"\n]*"|'[^'\n]*'|.)
    )""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One token; `start` counts characters of the text."""

    kind: str
    text: str
    start: int


class Statement(NamedTuple):
    """Tokens up to `;`, `{`, `}` or the end of the text, and which of these ended it."""

    tokens: Sequence[Token]
    end: str


def tokenize(text: str) -> list[Token]:
    """Tokens of `text`; any text has them."""
    found = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "string"
        if kind != "skip":
            found.append(Token(kind, match[kind], match.start(kind)))
    return found


def statements(tokens: Sequence[Token]) -> Iterator[Statement]:
    """The tokens cut into statements; a block's own statements follow its head."""
    start = 0
    for place, token in enumerate(tokens):
        if token.kind == "symbol" and token.text in ";{}":
            yield Statement(tokens[start:place], token.text)
            start = place + 1
    if start < len(tokens):
        yield Statement(tokens[start:], "")


class Lines:
    """Lines and columns of a text's characters."""

    def __init__(self, text: str) -> None:
        lengths = (len(line) for line in text.split("\n"))
        self._starts = [0, *accumulate(length + 1 for length in lengths)]

    def place(self, start: int) -> tuple[int, int]:
        """Line and column, from 1, of the character at `start`."""
        line = bisect_right(self._starts, start)
        return line, start - self._starts[line - 1] + 1
