"""OpenQASM 2 text as a program, by a parser written from the language's definition.

A gate that the file defines means what its body says, whatever its name: only names that the file
has not defined before are the library's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import define, field, frozen

from iqm_spec.circuits.qasm.tokens import QasmToken, tokenize
from iqm_spec.crosscheck.library import LibraryGate, qelib1
from iqm_spec.crosscheck.program import (
    Allowance,
    BitTest,
    Conditional,
    Measure,
    NotReadable,
    Program,
    ProgramStep,
    Reset,
    Unitary,
    lay_out_registers,
)

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


@frozen(eq=False)
class _Call:
    """A call in the body of a gate: angles, and qubits as places among the body's qubits."""

    gate: _Gate
    angles: tuple[Expression, ...]
    qubits: tuple[int, ...]


@frozen(eq=False)
class _DefinedGate:
    """A gate that the file defines."""

    parameters: tuple[str, ...]
    qubits: int
    body: tuple[_Call, ...]


_Gate = LibraryGate | _DefinedGate


def read_qasm2(text: str) -> Program:
    """The program of OpenQASM 2 `text`. Raises `NotReadable`."""
    tokens = [token for token in tokenize(text) if token.text.strip()]
    reader = _Reader(Cursor(tokens))
    try:
        reader.read()
    except (ArithmeticError, ValueError, KeyError):
        raise NotReadable("an angle that cannot be computed") from None
    except RecursionError:
        raise NotReadable("nested too deep") from None
    return Program(reader.registers(), tuple(reader.steps))


@define(eq=False)
class _Reader:
    cursor: Cursor
    steps: list[ProgramStep] = field(factory=list)
    _gates: dict[str, _Gate] = field(factory=dict)
    _qubits: dict[str, tuple[int, int]] = field(factory=dict)
    _bits: dict[str, tuple[int, int]] = field(factory=dict)
    _left: Allowance = field(factory=Allowance)

    def registers(self) -> tuple[tuple[str, int], ...]:
        return lay_out_registers([(name, size) for name, (_, size) in self._bits.items()])[0]

    def read(self) -> None:
        if self.cursor.accept("OPENQASM"):
            self.cursor.next()
            self.cursor.expect(";")
        while self.cursor.text:
            self._statement(self.steps)

    def _statement(self, out: list[ProgramStep]) -> None:
        cursor = self.cursor
        match cursor.text:
            case "include":
                cursor.next()
                if cursor.next().text.strip("\"'") != "qelib1.inc":
                    raise NotReadable("a file that it includes")
            case "qreg":
                self._declare(self._qubits)
            case "creg":
                self._declare(self._bits)
            case "gate":
                self._define()
                return
            case "opaque":
                self._skip()
            case "barrier":
                cursor.next()
                self._arguments(self._qubits)
            case "measure":
                cursor.next()
                sources = self._operand(self._qubits)[0]
                cursor.expect("->")
                bits = self._operand(self._bits)[0]
                if len(sources) != len(bits):
                    raise NotReadable("a measurement of registers of different sizes")
                self._left.spend(len(bits))
                out += [Measure(qubit, bit) for qubit, bit in zip(sources, bits, strict=True)]
            case "reset":
                cursor.next()
                qubits = self._operand(self._qubits)[0]
                self._left.spend(len(qubits))
                out += [Reset(qubit) for qubit in qubits]
            case "if":
                self._if(out)
                return
            case ";":
                pass
            case _:
                gate, angles = self._called()
                for row in _rows(self._arguments(self._qubits)):
                    self._expand(gate, [angle({}) for angle in angles], row, out)
        cursor.expect(";")

    # --- declarations -----------------------------------------------------------------------------

    def _declare(self, registers: dict[str, tuple[int, int]]) -> None:
        self.cursor.next()
        name = self.cursor.name()
        self.cursor.expect("[")
        size = integer(self.cursor)
        self.cursor.expect("]")
        registers[name] = sum(size for _, size in registers.values()), size

    def _define(self) -> None:
        cursor = self.cursor
        cursor.next()
        name = cursor.name()
        parameters = tuple(self._names(")")) if cursor.accept("(") else ()
        qubits = tuple(self._names("{"))
        place = {qubit: i for i, qubit in enumerate(qubits)}
        body = []
        while not cursor.accept("}"):
            if cursor.text == "barrier":
                self._skip()
            else:
                gate, angles = self._called()
                called = [place[cursor.name()]]
                while cursor.accept(","):
                    called.append(place[cursor.name()])
                body.append(_Call(gate, angles, _checked_qubits(gate, angles, called)))
            cursor.expect(";")
        self._gates[name] = _DefinedGate(parameters, len(qubits), tuple(body))

    def _skip(self) -> None:
        """Skip to the end of the statement."""
        while self.cursor.text != ";":
            self.cursor.next()

    def _names(self, end: str) -> Iterator[str]:
        while not self.cursor.accept(end):
            yield self.cursor.name()
            self.cursor.accept(",")

    # --- operations -------------------------------------------------------------------------------

    def _called(self) -> tuple[_Gate, tuple[Expression, ...]]:
        name = self.cursor.name()
        gate = self._gates.get(name) or qelib1().get(name)
        if gate is None:
            raise NotReadable(f"the gate `{name[:40]}`, which nothing defines")
        angles = []
        if self.cursor.accept("("):
            while not self.cursor.accept(")"):
                angles.append(parse_expression(self.cursor))
                self.cursor.accept(",")
        return gate, tuple(angles)

    def _expand(
        self, gate: _Gate, angles: Sequence[float], qubits: Sequence[int], out: list[ProgramStep]
    ) -> None:
        _checked_qubits(gate, angles, qubits)
        self._left.spend(1)
        if isinstance(gate, LibraryGate):
            matrix = gate.at(tuple(angles))
            self._left.spend(0, [matrix])
            out.append(Unitary(matrix, tuple(qubits)))
            return
        values: Values = dict(zip(gate.parameters, angles, strict=True))
        for call in gate.body:
            inner = [angle(values) for angle in call.angles]
            self._expand(call.gate, inner, [qubits[place] for place in call.qubits], out)

    def _if(self, out: list[ProgramStep]) -> None:
        self.cursor.next()
        self.cursor.expect("(")
        start, size = self._register(self._bits)
        self.cursor.expect("==")
        value = integer(self.cursor)
        self.cursor.expect(")")
        inner: list[ProgramStep] = []
        self._statement(inner)
        bits = frozenset(range(start, start + size))
        mask = (1 << size) - 1
        condition = BitTest(bits, lambda state: state >> start & mask == value)
        out += [Conditional(condition, tuple(inner))] if inner else []

    # --- registers --------------------------------------------------------------------------------

    def _register(self, registers: dict[str, tuple[int, int]]) -> tuple[int, int]:
        name = self.cursor.name()
        if name not in registers:
            raise NotReadable(f"`{name[:40]}`, which is not declared")
        return registers[name]

    def _operand(self, registers: dict[str, tuple[int, int]]) -> tuple[list[int], bool]:
        """The places that an operand names, and whether it is a register."""
        start, size = self._register(registers)
        if not self.cursor.accept("["):
            return list(range(start, start + size)), True
        index = integer(self.cursor)
        self.cursor.expect("]")
        if index >= size:
            raise NotReadable("an index outside of its register")
        return [start + index], False

    def _arguments(self, registers: dict[str, tuple[int, int]]) -> list[tuple[list[int], bool]]:
        operands = [self._operand(registers)]
        while self.cursor.accept(","):
            operands.append(self._operand(registers))
        return operands


def _rows(arguments: Sequence[tuple[list[int], bool]]) -> Iterator[tuple[int, ...]]:
    """Qubits of each repetition over registers; single qubits repeat."""
    sizes = {len(places) for places, is_register in arguments if is_register}
    if len(sizes) > 1:
        raise NotReadable("a gate on registers of different sizes")
    for row in range(sizes.pop() if sizes else 1):
        yield tuple(places[row if is_register else 0] for places, is_register in arguments)


def _checked_qubits(
    gate: _Gate, angles: Sequence[object], qubits: Sequence[int]
) -> tuple[int, ...]:
    num_angles = gate.angles if isinstance(gate, LibraryGate) else len(gate.parameters)
    if len(angles) != num_angles or len(qubits) != gate.qubits or len(set(qubits)) < len(qubits):
        raise NotReadable("a gate that is given other angles or qubits than it takes")
    return tuple(qubits)


class Cursor:
    """A position among tokens."""

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
        """The next token; moves behind it."""
        if self._place >= len(self._tokens):
            raise NotReadable("the text ends early")
        self._place += 1
        return self._tokens[self._place - 1]

    def accept(self, text: str) -> bool:
        """Whether the next token is `text`; if so, moves behind it."""
        matches = self.text == text
        self._place += matches
        return matches

    def expect(self, text: str) -> None:
        """Move behind `text`; raises `NotReadable` where the next token is another."""
        if not self.accept(text):
            raise NotReadable(f"`{self.text[:20]}` where `{text}` was expected")

    def name(self) -> str:
        """The next token, which must be a name; moves behind it."""
        if self.kind != "name":
            raise NotReadable(f"`{self.text[:20]}` where a name was expected")
        return self.next().text


def integer(cursor: Cursor) -> int:
    """An integer in digits."""
    text = cursor.next().text
    if not text.isdecimal() or len(text) > 18:
        raise NotReadable(f"`{text[:20]}` where a whole number was expected")
    return int(text)


def parse_expression(cursor: Cursor) -> Expression:
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
        inner = parse_expression(cursor)
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
        function, argument = _FUNCTIONS[token.text], parse_expression(cursor)
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
            return lambda values: math.pow(left(values), right(values))
