"""Where OpenQASM 3 text stops making sense, and what is most likely missing before."""

from __future__ import annotations

from iqm_spec.circuits.qasm.problem import QasmProblem
from iqm_spec.circuits.qasm.tokens import Lines, Token, tokenize

_CLOSES = {"(": ")", "[": "]", "{": "}"}


def unexpected(text: str, line: int, column: int, found: str) -> QasmProblem:
    """The mistake that a parser noticed at `found`, which is empty at the end of the file."""
    lines = Lines(text)
    before = [token for token in tokenize(text) if token.text.strip()]
    if found:
        before = [token for token in before if lines.place(token.start) < (line, column)]
    opened = _opened(before)
    inside = next((token for token in reversed(opened) if token.text in "(["), None)
    if inside is not None:
        return _never_closed(lines, inside)
    last = before[-1] if before else None
    if last is not None and last.text not in (";", "{", "}"):
        place = lines.place(last.start)
        if not found or place[0] < line:
            message = f"a `;` is missing after `{last.text[:40]}`"
            return QasmProblem(place[0], place[1] + len(last.text), "S402", message)
    if not found and opened:
        return _never_closed(lines, opened[-1])
    told = f"unexpected `{found[:40]}`" if found else "unexpected end of the file"
    return QasmProblem(line, column, "S402", told, "is a `;` or a bracket missing before it?")


def _opened(tokens: list[Token]) -> list[Token]:
    """Brackets that are open after `tokens`."""
    opened: list[Token] = []
    for token in tokens:
        if token.kind != "symbol":
            continue
        if token.text in _CLOSES:
            opened.append(token)
        elif opened and token.text == _CLOSES[opened[-1].text]:
            opened.pop()
    return opened


def _never_closed(lines: Lines, token: Token) -> QasmProblem:
    message = f"this `{token.text}` is never closed"
    hint = f"add the `{_CLOSES[token.text]}`"
    return QasmProblem(*lines.place(token.start), "S402", message, hint)
