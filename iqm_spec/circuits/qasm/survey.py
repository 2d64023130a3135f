"""What can be told of OpenQASM text before anything parses it: version, inputs, features, size.

The parsers trust their input: a register of 10^9 qubits, gates that expand exponentially or an
expression that is nested too deep takes the memory or the process away. So all of it is bounded
here, by a scan that takes time and memory in proportion to the text.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from attrs import frozen

from iqm_spec.circuits.angles import LARGEST_ANGLE
from iqm_spec.circuits.qasm.problem import QasmInvalid, QasmProblem
from iqm_spec.circuits.qasm.sizes import Sizes
from iqm_spec.circuits.qasm.tokens import Lines, Statement, Token, statements, tokenize
from iqm_spec.model import DELAY_IN_SAMPLES, Feature

MOST_OPERATORS = 200
"""Operators of one expression; the parsers recurse over them."""

MOST_NESTED = 64
"""Depth of brackets and blocks."""

MOST_TOKENS_OF_3 = 250_000
"""Tokens of an OpenQASM 3 file: its parser reads about 15,000 in a second."""

_INCLUDES = {2: "qelib1.inc", 3: "stdgates.inc"}
_FEATURES = {"if": "if_else", "reset": "reset", "delay": "delay"}
"""Words of OpenQASM 2 and the features that they are."""

_LONGEST_DELAY = 64  # tokens of the expression in brackets

_OPERATORS = frozenset("+-*/^!~%&|<>@") | {
    "**",
    "++",
    "&&",
    "||",
    "<<",
    ">>",
    "==",
    "!=",
    "<=",
    ">=",
}


@frozen
class Survey:
    """`version` is 2 or 3; `calls` tells where each gate is first applied, by its name.

    `defined` are the gates that the file defines, `includes` where its `include` statements begin
    and end. `features` are those of OpenQASM 2: in 3 they depend on what is known before it runs.
    """

    version: int
    inputs: tuple[str, ...]
    features: tuple[Feature, ...]
    calls: dict[str, tuple[int, int]]
    defined: frozenset[str]
    includes: tuple[tuple[int, int], ...]


def survey(text: str) -> Survey:
    """What the text declares; raises `QasmInvalid` where it is too large or reads other files."""
    tokens = tokenize(text)
    lines = Lines(text)
    version = _version(tokens, lines)
    _bound_numbers(tokens, lines)
    _bound_nesting(tokens, lines)
    if version == 3 and len(tokens) > MOST_TOKENS_OF_3:
        message = f"the file has {len(tokens):,} words and signs, more than {MOST_TOKENS_OF_3:,}"
        hint = "OpenQASM 2 and QPY are read a hundred times faster"
        raise QasmInvalid([QasmProblem(1, 1, "S402", message, hint)])
    sizes = Sizes(version, lines)
    defined: set[str] = set()
    includes = []
    for statement in statements(tokens):
        head = statement.tokens[:2]
        if len(head) == 2 and head[0].text == "include":
            _check_include(statement.tokens, version, lines)
            last = statement.tokens[-1]
            includes.append((head[0].start, last.start + len(last.text) + 1))
        elif len(head) == 2 and head[0].text == "gate":
            defined.add(head[1].text)
        sizes.read(statement)
    features = _features(tokens, defined, lines) if version == 2 else ()
    return Survey(
        version, inputs_of(tokens), features, sizes.calls, frozenset(defined), tuple(includes)
    )


def inputs_of(tokens: Sequence[Token]) -> tuple[str, ...]:
    """Names of the `input` declarations, in order, once each."""
    names = dict.fromkeys(
        statement.tokens[-1].text for statement in statements(tokens) if _declares_input(statement)
    )
    return tuple(names)


def header(tokens: Sequence[Token]) -> int | None:
    """2 or 3 by the line `OPENQASM version;`, else None."""
    if len(tokens) < 3 or tokens[0].text != "OPENQASM" or tokens[2].text != ";":
        return None
    major = tokens[1].text.partition(".")[0]
    return int(major) if major in ("2", "3") else None


def _declares_input(statement: Statement) -> bool:
    tokens = statement.tokens
    return len(tokens) > 2 and tokens[0].text == "input" and tokens[-1].kind == "name"


def _version(tokens: Sequence[Token], lines: Lines) -> int:
    version = header(tokens)
    if version is not None:
        return version
    message = "the file does not begin with `OPENQASM 2.0;` or `OPENQASM 3.0;`"
    line, column = lines.place(tokens[0].start) if tokens else (1, 1)
    raise QasmInvalid([QasmProblem(line, column, "S402", message, "write its version first")])


def _bound_nesting(tokens: Sequence[Token], lines: Lines) -> None:
    """No expression or block is deeper than a parser's stack."""
    depth = operators = 0
    for token in tokens:
        if token.kind != "symbol":
            continue
        if token.text in "([{":
            depth += 1
        elif token.text in ")]}":
            depth -= 1
        elif token.text in _OPERATORS:
            operators += 1
        if token.text in ",;{}":
            operators = 0
        if depth > MOST_NESTED or operators > MOST_OPERATORS:
            what = "brackets are nested" if depth > MOST_NESTED else "the expression is"
            hint = "write it in several statements"
            problem = QasmProblem(*lines.place(token.start), "S402", f"{what} too deep", hint)
            raise QasmInvalid([problem])


def _bound_numbers(tokens: Sequence[Token], lines: Lines) -> None:
    """No literal is larger than an angle can be: what the parsers make of it has no place."""
    for token in tokens:
        if token.kind == "number" and len(token.text) > 4 and _too_large(token.text):
            shown = token.text if len(token.text) <= 24 else f"{token.text[:21]}..."
            message = f"the number `{shown}` is too large"
            hint = "no angle, size or index is as large"
            raise QasmInvalid([QasmProblem(*lines.place(token.start), "S402", message, hint)])


def _too_large(literal: str) -> bool:
    try:
        return float(literal.replace("_", "")) > LARGEST_ANGLE
    except ValueError:  # 0xFF; those that are too long overflow where they are used
        return len(literal) > 200


def _check_include(tokens: Sequence[Token], version: int, lines: Lines) -> None:
    """Only the library that qiskit brings is included: no other file is ever read."""
    wanted = _INCLUDES[version]
    name = tokens[1].text.strip("\"'")
    if name != wanted:
        message = f'`include "{name[:100]}"` is not read: only "{wanted}" is'
        hint = "copy the gates that are needed into this file"
        raise QasmInvalid([QasmProblem(*lines.place(tokens[1].start), "S402", message, hint)])


def _features(tokens: Sequence[Token], defined: Set[str], lines: Lines) -> tuple[Feature, ...]:
    """Every place of a condition, reset or delay in OpenQASM 2."""
    found = []
    before = ""
    for i, token in enumerate(tokens):
        named = token.kind == "name" and token.text in _FEATURES and token.text not in defined
        if named and before != "opaque":
            kind = _FEATURES[token.text]
            if kind == "delay" and _in_samples(tokens[i + 1 : i + _LONGEST_DELAY]):
                kind = DELAY_IN_SAMPLES
            found.append(Feature(kind, lines.place(token.start)[0]))
        before = token.text
    return tuple(found)


def _in_samples(tokens: Sequence[Token]) -> bool:
    """True where the brackets of a delay hold a length in `dt`."""
    for token in tokens:
        if token.text.endswith("dt"):
            return True
        if token.text == "]":
            return False
    return False
