"""Arithmetic of OpenQASM 2 as functions of a gate's parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from iqm_spec.circuits.qasm.tokens import QasmToken
from iqm_spec.crosscheck.program import NotReadable

Values = Mapping[str, float]
Expression = Callable[[Values], float]

_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "exp": math.exp,
    "ln": math.log,
    "sqrt": math.sqrt,
}


class Cursor:
    """A place among tokens."""

    def __init__(self, tokens: list[QasmToken]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def text(self) -> str:
        """The next token's text; empty at the end."""
        return self._tokens[self._place].text if self._place < len(self._tokens) else ""

    @property
    def kind(self) -> str:
        """The next token's kind."""
        return self._tokens[self._place].kind if self._place < len(self._tokens) else ""

    def next(self) -> QasmToken:
        """The next token, which is then behind."""
        if self._place >= len(self._tokens):
            raise NotReadable("the text ends early")
        self._place += 1
        return self._tokens[self._place - 1]

    def accept(self, text: str) -> bool:
        """Whether the next token is `text`, which is then behind."""
        found = self.text == text
        self._place += found
        return found

    def expect(self, text: str) -> None:
        """The next token is `text`."""
        if not self.accept(text):
            raise NotReadable(f"`{self.text[:20]}` where `{text}` was expected")

    def name(self) -> str:
        """The next token, a name."""
        if self.kind != "name":
            raise NotReadable(f"`{self.text[:20]}` where a name was expected")
        return self.next().text


def whole_number(cursor: Cursor) -> int:
    """A number without point or exponent."""
    text = cursor.next().text
    if not text.isdecimal() or len(text) > 18:
        raise NotReadable(f"`{text[:20]}` where a whole number was expected")
    return int(text)


def expression(cursor: Cursor) -> Expression:
    """A sum of products; `-a^b` is `-(a^b)` and `a^b^c` is `a^(b^c)`."""
    left = _term(cursor)
    while cursor.text in ("+", "-"):
        left = _combined(cursor.next().text, left, _term(cursor))
    return left


def _term(cursor: Cursor) -> Expression:
    left = _signed(cursor)
    while cursor.text in ("*", "/"):
        left = _combined(cursor.next().text, left, _signed(cursor))
    return left


def _signed(cursor: Cursor) -> Expression:
    if cursor.accept("-"):
        inner = _signed(cursor)
        return lambda values: -inner(values)
    if cursor.accept("+"):
        return _signed(cursor)
    base = _atom(cursor)
    if cursor.accept("^"):
        return _combined("^", base, _signed(cursor))
    return base


def _atom(cursor: Cursor) -> Expression:
    if cursor.accept("("):
        inner = expression(cursor)
        cursor.expect(")")
        return inner
    token = cursor.next()
    if token.kind == "number":
        try:
            number = float(token.text)
        except ValueError:
            raise NotReadable(f"the number `{token.text[:20]}`") from None
        return lambda values: number
    if token.kind != "name":
        raise NotReadable(f"`{token.text[:20]}` in an expression")
    if token.text in _FUNCTIONS and cursor.accept("("):
        function, argument = _FUNCTIONS[token.text], expression(cursor)
        cursor.expect(")")
        return lambda values: function(argument(values))
    name = token.text
    return lambda values: values[name] if name in values or name != "pi" else math.pi


def _combined(sign: str, left: Expression, right: Expression) -> Expression:
    match sign:
        case "+":
            return lambda values: left(values) + right(values)
        case "-":
            return lambda values: left(values) - right(values)
        case "*":
            return lambda values: left(values) * right(values)
        case "/":
            return lambda values: left(values) / right(values)
        case _:
            return lambda values: _power(left(values), right(values))


def _power(base: float, exponent: float) -> float:
    return float(math.pow(base, exponent))
