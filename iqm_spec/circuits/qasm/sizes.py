"""How large the circuit of an OpenQASM text would become, counted statement by statement."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field, frozen

from iqm_spec.circuits.qasm.problem import QasmInvalid, QasmProblem
from iqm_spec.circuits.qasm.tokens import Lines, Statement, Token

MOST_BITS = 10_000
"""Qubits of a circuit, and its classical bits."""

MOST_OPERATIONS = 1_000_000
"""Operations of a circuit with the gates it defines expanded, and of any gate of its own."""

_DEEPEST = 100
_WIDEST_POWER = 8
CONTROLLED = 20
"""Controlling a gate is counted as so many times its size, per control."""

_REGISTERS = {2: ("qreg", "creg"), 3: ("qubit", "bit", "qreg", "creg")}
_HEADS = ("if", "while", "else")


@frozen
class _Gate:
    size: int
    depth: int
    qubits: int
    opaque: bool = False


_LIBRARY = _Gate(size=1, depth=0, qubits=3)


@define
class Sizes:
    """Registers, gates and operations of the statements read so far.

    `read` raises `QasmInvalid` at the first statement with which the circuit is too large.
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
        if tokens and tokens[0].text in ("gate", "opaque"):
            self._define(tokens, statement.end)
        elif self._defining:
            self._add_to_gate(tokens)
        else:
            self._count(tokens)
        self._blocks += {"{": 1, "}": -1}.get(statement.end, 0) if self._defining else 0
        if self._blocks <= 0:
            self._defining, self._blocks = "", 0

    def _refuse(self, token: Token, message: str, hint: str) -> QasmInvalid:
        return QasmInvalid([QasmProblem(*self.lines.place(token.start), "S402", message, hint)])

    # --- gates ------------------------------------------------------------------------------------

    def _define(self, tokens: Sequence[Token], end: str) -> None:
        if len(tokens) < 2:
            return
        name = tokens[1].text
        opaque = tokens[0].text == "opaque"
        arguments = _after_group(tokens, 2)
        qubits = sum(token.kind == "name" for token in tokens[arguments:])
        # qiskit knows what a delay is, though the language does not
        self._gates[name] = _Gate(0, 1, qubits, opaque and name != "delay")
        self._defining = name if end == "{" else ""

    def _add_to_gate(self, tokens: Sequence[Token]) -> None:
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
            raise self._refuse(tokens[0], message, "define it by fewer gates")
        self._gates[self._defining] = _Gate(size, depth, own.qubits)

    def _called(self, tokens: Sequence[Token]) -> tuple[_Gate, int]:
        """The gate that a statement applies, and how many times its size it counts."""
        start = next((n + 1 for n in reversed(range(len(tokens))) if tokens[n].text == "@"), 0)
        if start >= len(tokens):
            return _LIBRARY, 1
        name = tokens[start]
        gate = self._gates.get(name.text, _LIBRARY)
        if name.kind == "name":
            self.calls.setdefault(name.text, self.lines.place(name.start))
        if gate.opaque:
            message = f"the gate `{name.text[:60]}` is opaque: nothing says what it does"
            raise self._refuse(name, message, "define it by `gate`")
        if name.text == "u0" and self.version == 2 and "u0" not in self._gates:
            self._check_u0(tokens[start:])
        return gate, self._modified(tokens[:start], gate)

    def _check_u0(self, tokens: Sequence[Token]) -> None:
        """`u0(n)` stands for n identities."""
        if len(tokens) > 3 and not (tokens[3].text == ")" and _number(tokens[2]) < 1000):
            raise self._refuse(tokens[0], "`u0` takes a number below 1000", "use `barrier`")

    def _modified(self, modifiers: Sequence[Token], gate: _Gate) -> int:
        factor, qubits = 1, gate.qubits
        for place, token in reversed(list(enumerate(modifiers))):
            if token.text in ("ctrl", "negctrl"):
                controls = 1
                if modifiers[place + 1].text == "(":
                    controls = _number(modifiers[place + 2]) if place + 3 < len(modifiers) else 99
                qubits += controls
                factor *= CONTROLLED ** min(controls, 8)
                if controls > 8:
                    raise self._refuse(token, "more than 8 controls", "define the gate by others")
            elif token.text == "pow" and qubits > _WIDEST_POWER:
                message = f"`pow` of a gate on more than {_WIDEST_POWER} qubits"
                raise self._refuse(token, message, "repeat the gate instead")
        return factor if gate is not _LIBRARY else 1

    # --- registers and operations -----------------------------------------------------------------

    def _count(self, tokens: Sequence[Token]) -> None:
        if not tokens:
            return
        if tokens[0].text in _REGISTERS[self.version]:
            self._declare(tokens)
        elif tokens[0].text == "let" and len(tokens) > 1:
            self._registers[tokens[1].text] = self._bits
        elif tokens[0].text not in ("OPENQASM", "include", "input"):
            self._operate(_without_head(tokens))

    def _declare(self, tokens: Sequence[Token]) -> None:
        size, name = 1, tokens[-1].text
        opened = next((place for place, token in enumerate(tokens) if token.text == "["), None)
        if opened is not None:
            inside = tokens[opened + 1 : opened + 3]
            plain = len(inside) == 2 and inside[0].kind == "number" and inside[1].text == "]"
            if not plain and self.version == 3:
                return  # a constant's value is known when the program is lowered
            if not plain:
                message = "the size of a register must be a number"
                raise self._refuse(tokens[opened], message, "write it in digits")
            size = _number(inside[0])
            after_name = opened == 2 and tokens[1].kind == "name"
            name = tokens[1].text if after_name else _name_after(tokens, opened + 3)
        self._bits += size
        if self._bits > 2 * MOST_BITS:
            message = f"the registers hold more than {2 * MOST_BITS:,} bits and qubits"
            raise self._refuse(tokens[0], message, "declare the qubits in use only")
        self._registers[name] = size
        if any(token.text == "measure" for token in tokens):
            self._operate(tokens)

    def _operate(self, tokens: Sequence[Token]) -> None:
        called, factor = self._called(tokens)
        self._operations += max(called.size, 1) * factor * self._width(tokens)
        if self._operations > MOST_OPERATIONS:
            message = f"the circuit has more than {MOST_OPERATIONS:,} operations from here on"
            raise self._refuse(tokens[0], message, "split it, or use a generator")

    def _width(self, tokens: Sequence[Token]) -> int:
        """Times that a statement is repeated over whole registers."""
        width = 1
        for place, token in enumerate(tokens):
            if token.text.startswith("$") and _number_of(token.text[1:]) >= MOST_BITS:
                message = f"there is no qubit `{token.text[:20]}`"
                raise self._refuse(token, message, "name qubits of the machine")
            if token.text in self._registers and not _is_one_bit(tokens[place + 1 : place + 4]):
                width = max(width, self._registers[token.text])
        return width


def _is_one_bit(after: Sequence[Token]) -> bool:
    """Whether `[3]` follows a register's name."""
    return len(after) == 3 and after[0].text == "[" and after[2].text == "]"


def _without_head(tokens: Sequence[Token]) -> Sequence[Token]:
    """The statement that an `if (...)`, `else` or `for ... in [...]` without a block applies to."""
    while tokens and tokens[0].text in _HEADS:
        tokens = tokens[_after_group(tokens, 1) :]
    if tokens and tokens[0].text == "for":
        start = next((n for n, token in enumerate(tokens) if token.text == "in"), 0)
        tokens = tokens[_after_group(tokens, start + 1) :]
        return _without_head(tokens)
    return tokens


def _after_group(tokens: Sequence[Token], start: int) -> int:
    """The place after the bracket that opens at `start`, or `start` where none does."""
    depth = 0
    for place in range(start, len(tokens)):
        if tokens[place].text in ("(", "["):
            depth += 1
        elif tokens[place].text in (")", "]"):
            depth -= 1
        if depth <= 0:
            return place + 1 if place > start else start
    return len(tokens) if depth else start


def _name_after(tokens: Sequence[Token], start: int) -> str:
    return tokens[start].text if start < len(tokens) else ""


def _number(token: Token) -> int:
    return _number_of(token.text)


def _number_of(text: str) -> int:
    """Value of an integer literal, capped: one that is no integer or very long is very large."""
    digits = text.replace("_", "")
    if len(digits) > 12:
        return 10**12
    try:
        return int(digits, 0) if not digits.isdecimal() else int(digits)
    except ValueError:
        return 10**12
