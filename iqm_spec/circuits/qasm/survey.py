"""Surveys OpenQASM text before a parser reads it: version, inputs, features, size.

The parsers trust their input: a register of 10^9 qubits, gates that expand exponentially or a
deeply nested expression exhaust the memory or the stack. So all of it is bounded here, by a scan
whose time and memory are proportional to the text.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from attrs import define, field, frozen

from iqm_spec.circuits.angles import LARGEST_ANGLE
from iqm_spec.circuits.circuit_files import MOST_BITS, MOST_OPERATIONS
from iqm_spec.circuits.problems import InvalidCircuitFile
from iqm_spec.circuits.qasm.tokens import Lines, QasmToken, Statement, statements, tokenize
from iqm_spec.model import DELAY_IN_SAMPLES, Feature

MOST_OPERATORS = 200
"""Operators of one expression; the parsers recurse over them."""

MOST_NESTED = 64
"""Depth of brackets and blocks."""

MOST_TOKENS_OF_3 = 250_000
"""Tokens of an OpenQASM 3 file: its parser reads about 15,000 in a second."""

CONTROLLED = 20
"""Factor of a gate's size per control."""

_DEEPEST = 100

_WIDEST_POWER = 8

_LONGEST_DELAY = 64  # tokens of the expression in brackets

_INCLUDES = {2: "qelib1.inc", 3: "stdgates.inc"}

_FEATURES = {"if": "if_else", "reset": "reset", "delay": "delay"}
"""Keywords of OpenQASM 2 and their kinds of features."""

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

_REGISTERS = {2: ("qreg", "creg"), 3: ("qubit", "bit", "qreg", "creg")}

_HEADS = ("if", "while", "else")


@frozen
class Survey:
    """What the text declares.

    Attributes:
        version: 2 or 3.
        inputs: Names of the `input` declarations.
        features: Those of OpenQASM 2; in 3 they depend on what is known before the circuit runs.
        calls: (line, column) of the first call of each gate, by name.
        defined: Names of the gates that the file defines.
        includes: Where the `include` statements begin and end, in characters.
    """

    version: int
    inputs: tuple[str, ...]
    features: tuple[Feature, ...]
    calls: dict[str, tuple[int, int]]
    defined: frozenset[str]
    includes: tuple[tuple[int, int], ...]


def survey(text: str) -> Survey:
    """Survey `text`; raises `InvalidCircuitFile` where it is too large or includes other files."""
    tokens = tokenize(text)
    lines = Lines(text)
    version = language_version(tokens)
    if version is None:
        message = "the file does not begin with `OPENQASM 2.0;` or `OPENQASM 3.0;`"
        place = lines.place(tokens[0].start) if tokens else (1, 1)
        raise InvalidCircuitFile.at(place, message, "write its version first")
    _bound_numbers(tokens, lines)
    _bound_nesting(tokens, lines)
    if version == 3 and len(tokens) > MOST_TOKENS_OF_3:
        message = f"the file has {len(tokens):,} words and signs, more than {MOST_TOKENS_OF_3:,}"
        hint = "OpenQASM 2 and QPY are read a hundred times faster"
        raise InvalidCircuitFile.at((1, 1), message, hint)
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


def inputs_of(tokens: Sequence[QasmToken]) -> tuple[str, ...]:
    """Names of the `input` declarations, in order, each once."""
    names: dict[str, None] = {}
    for statement, _ in statements(tokens):
        if len(statement) > 2 and statement[0].text == "input" and statement[-1].kind == "name":
            names[statement[-1].text] = None
    return tuple(names)


def language_version(tokens: Sequence[QasmToken]) -> int | None:
    """2 or 3 by the statement `OPENQASM version;`, None without it."""
    if len(tokens) < 3 or tokens[0].text != "OPENQASM" or tokens[2].text != ";":
        return None
    major = tokens[1].text.partition(".")[0]
    return int(major) if major in ("2", "3") else None


def _bound_nesting(tokens: Sequence[QasmToken], lines: Lines) -> None:
    """Raises `InvalidCircuitFile` where an expression or block is too deep for a parser's stack."""
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
            raise InvalidCircuitFile.at(lines.place(token.start), f"{what} too deep", hint)


def _bound_numbers(tokens: Sequence[QasmToken], lines: Lines) -> None:
    """Raises `InvalidCircuitFile` for a number beyond any angle: parsers fail without a place."""
    for token in tokens:
        if token.kind == "number" and len(token.text) > 4 and _too_large(token.text):
            shown = token.text if len(token.text) <= 24 else f"{token.text[:21]}..."
            message = f"the number `{shown}` is too large"
            hint = "no angle, size or index is as large"
            raise InvalidCircuitFile.at(lines.place(token.start), message, hint)


def _too_large(literal: str) -> bool:
    try:
        return float(literal.replace("_", "")) > LARGEST_ANGLE
    except ValueError:  # such as 0xFF; too long ones overflow where they are used
        return len(literal) > 200


def _check_include(tokens: Sequence[QasmToken], version: int, lines: Lines) -> None:
    """Raises `InvalidCircuitFile` for any file but the library, which Qiskit brings."""
    library = _INCLUDES[version]
    name = tokens[1].text.strip("\"'")
    if name != library:
        message = f'`include "{name[:100]}"` is not read: only "{library}" is'
        hint = "copy the gates that are needed into this file"
        raise InvalidCircuitFile.at(lines.place(tokens[1].start), message, hint)


def _features(tokens: Sequence[QasmToken], defined: Set[str], lines: Lines) -> tuple[Feature, ...]:
    """Every condition, reset and delay of OpenQASM 2 with its line."""
    features = []
    previous = ""
    for i, token in enumerate(tokens):
        is_feature = token.kind == "name" and token.text in _FEATURES and token.text not in defined
        if is_feature and previous != "opaque":
            kind = _FEATURES[token.text]
            if kind == "delay" and _in_samples(tokens[i + 1 : i + _LONGEST_DELAY]):
                kind = DELAY_IN_SAMPLES
            features.append(Feature(kind, lines.place(token.start)[0]))
        previous = token.text
    return tuple(features)


def _in_samples(tokens: Sequence[QasmToken]) -> bool:
    """Whether the brackets of a delay hold a length in `dt`."""
    for token in tokens:
        if token.text.endswith("dt"):
            return True
        if token.text == "]":
            return False
    return False


@frozen
class _Gate:
    size: int
    depth: int
    qubits: int
    opaque: bool = False


_LIBRARY = _Gate(size=1, depth=0, qubits=3)


@define
class Sizes:
    """Counts registers, gates and operations, statement by statement.

    `read` raises `InvalidCircuitFile` at the first statement with which the circuit is too large.
    """

    version: int
    lines: Lines
    calls: dict[str, tuple[int, int]] = field(factory=dict)
    _registers: dict[str, int] = field(factory=dict)
    _bits: int = 0
    _gates: dict[str, _Gate] = field(factory=dict)
    _operations: int = 0
    _defining: str = ""
    _blocks: int = 0

    def read(self, statement: Statement) -> None:
        """Count one statement."""
        tokens = statement.tokens
        first = tokens[0].text if tokens else ""
        if first in ("gate", "opaque"):
            self._define(tokens, statement.end)
        elif self._defining:
            self._add_to_gate(tokens)
        elif first in _REGISTERS[self.version]:
            self._declare(tokens)
        elif first == "let" and len(tokens) > 1:
            self._registers[tokens[1].text] = self._bits
        elif first not in ("", "OPENQASM", "include", "input"):
            self._operate(_without_head(tokens))
        self._blocks += {"{": 1, "}": -1}.get(statement.end, 0) if self._defining else 0
        if self._blocks <= 0:
            self._defining, self._blocks = "", 0

    def _invalid(self, token: QasmToken, message: str, hint: str) -> InvalidCircuitFile:
        return InvalidCircuitFile.at(self.lines.place(token.start), message, hint)

    # --- gates ------------------------------------------------------------------------------------

    def _define(self, tokens: Sequence[QasmToken], end: str) -> None:
        if len(tokens) < 2:
            return
        name = tokens[1].text
        opaque = tokens[0].text == "opaque"
        arguments = _after_group(tokens, 2)
        qubits = sum(token.kind == "name" for token in tokens[arguments:])
        # Qiskit knows delays, though the language does not
        self._gates[name] = _Gate(0, 1, qubits, opaque and name != "delay")
        self._defining = name if end == "{" else ""

    def _add_to_gate(self, tokens: Sequence[QasmToken]) -> None:
        if not tokens:
            return
        called, factor = self._called(_without_head(tokens))
        own = self._gates[self._defining]
        size, depth = own.size + called.size * factor, max(own.depth, called.depth + 1)
        if size > MOST_OPERATIONS or depth > _DEEPEST:
            what = f"expands to more than {MOST_OPERATIONS:,} operations"
            if depth > _DEEPEST:
                what = f"is nested more than {_DEEPEST} deep"
            message = f"the gate `{self._defining[:60]}` {what}"
            raise self._invalid(tokens[0], message, "define it by fewer gates")
        self._gates[self._defining] = _Gate(size, depth, own.qubits)

    def _called(self, tokens: Sequence[QasmToken]) -> tuple[_Gate, int]:
        """The gate that a statement applies, and the factor of its size."""
        start = next((n + 1 for n in reversed(range(len(tokens))) if tokens[n].text == "@"), 0)
        if start >= len(tokens):
            return _LIBRARY, 1
        name = tokens[start]
        gate = self._gates.get(name.text, _LIBRARY)
        if name.kind == "name":
            self.calls.setdefault(name.text, self.lines.place(name.start))
        if gate.opaque:
            message = f"the gate `{name.text[:60]}` is opaque: nothing says what it does"
            raise self._invalid(name, message, "define it by `gate`")
        if name.text == "u0" and self.version == 2 and "u0" not in self._gates:
            # `u0(n)` stands for n identities
            argument = tokens[start + 2 : start + 4]
            small = len(argument) < 2 or (
                argument[1].text == ")" and _number(argument[0].text) < 1000
            )
            if not small:
                raise self._invalid(name, "`u0` takes a number below 1000", "use `barrier`")
        factor, qubits = 1, gate.qubits
        for place, token in reversed(list(enumerate(tokens[:start]))):
            if token.text in ("ctrl", "negctrl"):
                controls = 1
                if tokens[place + 1].text == "(":
                    controls = _number(tokens[place + 2].text) if place + 3 < start else 99
                qubits += controls
                factor *= CONTROLLED ** min(controls, 8)
                if controls > 8:
                    raise self._invalid(token, "more than 8 controls", "define the gate by others")
            elif token.text == "pow" and qubits > _WIDEST_POWER:
                message = f"`pow` of a gate on more than {_WIDEST_POWER} qubits"
                raise self._invalid(token, message, "repeat the gate instead")
        return gate, (factor if gate is not _LIBRARY else 1)

    # --- registers and operations -----------------------------------------------------------------

    def _declare(self, tokens: Sequence[QasmToken]) -> None:
        size, name = 1, tokens[-1].text
        bracket = next((place for place, token in enumerate(tokens) if token.text == "["), None)
        if bracket is not None:
            inside = tokens[bracket + 1 : bracket + 3]
            is_literal = len(inside) == 2 and inside[0].kind == "number" and inside[1].text == "]"
            if not is_literal and self.version == 3:
                return  # the values of constants are known when the program is lowered
            if not is_literal:
                message = "the size of a register must be a number"
                raise self._invalid(tokens[bracket], message, "write it in digits")
            size = _number(inside[0].text)
            if bracket == 2 and tokens[1].kind == "name":
                name = tokens[1].text
            else:
                name = tokens[bracket + 3].text if bracket + 3 < len(tokens) else ""
        self._bits += size
        if self._bits > 2 * MOST_BITS:
            message = f"the registers hold more than {2 * MOST_BITS:,} bits and qubits"
            raise self._invalid(tokens[0], message, "declare the qubits in use only")
        self._registers[name] = size
        if any(token.text == "measure" for token in tokens):
            self._operate(tokens)

    def _operate(self, tokens: Sequence[QasmToken]) -> None:
        called, factor = self._called(tokens)
        # how often a statement is repeated over the bits of registers
        width = 1
        for place, token in enumerate(tokens):
            if token.text.startswith("$") and _number(token.text[1:]) >= MOST_BITS:
                message = f"there is no qubit `{token.text[:20]}`"
                raise self._invalid(token, message, "name qubits of the machine")
            if token.text in self._registers and not _is_single_bit(tokens[place + 1 : place + 4]):
                width = max(width, self._registers[token.text])
        self._operations += max(called.size, 1) * factor * width
        if self._operations > MOST_OPERATIONS:
            message = f"the circuit has more than {MOST_OPERATIONS:,} operations from here on"
            raise self._invalid(tokens[0], message, "split it, or use a generator")


def _is_single_bit(after: Sequence[QasmToken]) -> bool:
    """Whether `[3]` follows a register's name."""
    return len(after) == 3 and after[0].text == "[" and after[2].text == "]"


def _without_head(tokens: Sequence[QasmToken]) -> Sequence[QasmToken]:
    """The statement behind an `if (...)`, `else` or `for ... in [...]` without a block."""
    while tokens and tokens[0].text in _HEADS:
        tokens = tokens[_after_group(tokens, 1) :]
    if tokens and tokens[0].text == "for":
        start = next((n for n, token in enumerate(tokens) if token.text == "in"), 0)
        tokens = tokens[_after_group(tokens, start + 1) :]
        return _without_head(tokens)
    return tokens


def _after_group(tokens: Sequence[QasmToken], start: int) -> int:
    """The place behind the bracket that opens at `start`; `start` where none does."""
    depth = 0
    for place in range(start, len(tokens)):
        if tokens[place].text in ("(", "["):
            depth += 1
        elif tokens[place].text in (")", "]"):
            depth -= 1
        if depth <= 0:
            return place + 1 if place > start else start
    return len(tokens) if depth else start


def _number(text: str) -> int:
    """Value of an integer literal; 10^12 for a long one and for what is none."""
    digits = text.replace("_", "")
    if len(digits) > 12:
        return 10**12
    try:
        return int(digits, 0) if not digits.isdecimal() else int(digits)
    except ValueError:
        return 10**12
