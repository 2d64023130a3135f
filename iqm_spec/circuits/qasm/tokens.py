"""OpenQASM text as tokens and statements, with their places.

The tokenizer omits what the parsers omit and nothing else, or text could hide from the survey:
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


class QasmToken(NamedTuple):
    """One token; `start` counts characters of the text."""

    kind: str
    text: str
    start: int


class Statement(NamedTuple):
    """Tokens up to `;`, `{`, `}` or the end of the text, and which of these ended it."""

    tokens: Sequence[QasmToken]
    end: str


def tokenize(text: str) -> list[QasmToken]:
    """Tokens of `text`; never raises."""
    tokens = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "string"
        if kind != "skip":
            tokens.append(QasmToken(kind, match[kind], match.start(kind)))
    return tokens


def statements(tokens: Sequence[QasmToken]) -> Iterator[Statement]:
    """`tokens` cut into statements; the statements of a block follow its head."""
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
