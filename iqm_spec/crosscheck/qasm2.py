"""OpenQASM 2 text as a program, read by its own parser from the language's definition.

A gate that the file defines is what its body says, whatever its name: only names that it did not
define before are the library's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import define, field, frozen

from iqm_spec.circuits.qasm.tokens import tokenize
from iqm_spec.crosscheck.expressions import Cursor, Expression, Values, expression, whole_number
from iqm_spec.crosscheck.library import LibraryGate, qelib1
from iqm_spec.crosscheck.program import (
    MOST_STEPS,
    Branch,
    Condition,
    Measure,
    NotReadable,
    Program,
    Reset,
    Step,
    Unitary,
    laid_out,
)


@frozen(eq=False)
class _Call:
    """A gate in another's body, with its angles and its qubits as places of arguments."""

    gate: _Gate
    angles: tuple[Expression, ...]
    qubits: tuple[int, ...]


@frozen(eq=False)
class _Own:
    """A gate that the file defines."""

    parameters: tuple[str, ...]
    qubits: int
    body: tuple[_Call, ...]


_Gate = LibraryGate | _Own


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
    steps: list[Step] = field(factory=list)
    _gates: dict[str, _Gate] = field(factory=dict)
    _qubits: dict[str, tuple[int, int]] = field(factory=dict)
    _bits: dict[str, tuple[int, int]] = field(factory=dict)
    _count: int = 0

    def registers(self) -> tuple[tuple[str, int], ...]:
        return laid_out([(name, size) for name, (_, size) in self._bits.items()])[0]

    def read(self) -> None:
        if self.cursor.accept("OPENQASM"):
            self.cursor.next()
            self.cursor.expect(";")
        while self.cursor.text:
            self._statement(self.steps)

    def _statement(self, out: list[Step]) -> None:
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
                self._measure(out)
            case "reset":
                cursor.next()
                out += [Reset(qubit) for qubit in self._argument(self._qubits)]
            case "if":
                self._if(out)
                return
            case ";":
                pass
            case _:
                self._apply(out)
        cursor.expect(";")

    # --- declarations -----------------------------------------------------------------------------

    def _declare(self, registers: dict[str, tuple[int, int]]) -> None:
        self.cursor.next()
        name = self.cursor.name()
        self.cursor.expect("[")
        size = whole_number(self.cursor)
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
                body.append(_Call(gate, angles, _fitting(gate, angles, called)))
            cursor.expect(";")
        self._gates[name] = _Own(parameters, len(qubits), tuple(body))

    def _skip(self) -> None:
        """Go on to the end of the statement."""
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
                angles.append(expression(self.cursor))
                self.cursor.accept(",")
        return gate, tuple(angles)

    def _apply(self, out: list[Step]) -> None:
        gate, angles = self._called()
        arguments = self._arguments(self._qubits)
        for qubits in _rows(arguments):
            self._expand(gate, [angle({}) for angle in angles], qubits, out)

    def _expand(
        self, gate: _Gate, angles: Sequence[float], qubits: Sequence[int], out: list[Step]
    ) -> None:
        _fitting(gate, angles, qubits)
        self._count += 1
        if self._count > MOST_STEPS:
            raise NotReadable(f"more than {MOST_STEPS:,} gates")
        if isinstance(gate, LibraryGate):
            out.append(Unitary(gate.matrix(*angles), tuple(qubits)))
            return
        values: Values = dict(zip(gate.parameters, angles, strict=True))
        for call in gate.body:
            inner = [angle(values) for angle in call.angles]
            self._expand(call.gate, inner, [qubits[place] for place in call.qubits], out)

    def _measure(self, out: list[Step]) -> None:
        self.cursor.next()
        qubits = self._argument(self._qubits)
        self.cursor.expect("->")
        bits = self._argument(self._bits)
        if len(qubits) != len(bits):
            raise NotReadable("a measurement of registers of different sizes")
        out += [Measure(qubit, bit) for qubit, bit in zip(qubits, bits, strict=True)]

    def _if(self, out: list[Step]) -> None:
        self.cursor.next()
        self.cursor.expect("(")
        start, size = self._register(self._bits)
        self.cursor.expect("==")
        value = whole_number(self.cursor)
        self.cursor.expect(")")
        inner: list[Step] = []
        self._statement(inner)
        bits = frozenset(range(start, start + size))
        mask = (1 << size) - 1
        condition = Condition(bits, lambda state: state >> start & mask == value)
        out += [Branch(condition, tuple(inner))] if inner else []

    # --- registers --------------------------------------------------------------------------------

    def _register(self, registers: dict[str, tuple[int, int]]) -> tuple[int, int]:
        name = self.cursor.name()
        if name not in registers:
            raise NotReadable(f"`{name[:40]}`, which is not declared")
        return registers[name]

    def _argument(self, registers: dict[str, tuple[int, int]]) -> list[int]:
        return self._whole(registers)[0]

    def _whole(self, registers: dict[str, tuple[int, int]]) -> tuple[list[int], bool]:
        """The places that an argument names, and whether it is a whole register."""
        start, size = self._register(registers)
        if not self.cursor.accept("["):
            return list(range(start, start + size)), True
        index = whole_number(self.cursor)
        self.cursor.expect("]")
        if index >= size:
            raise NotReadable("an index outside of its register")
        return [start + index], False

    def _arguments(self, registers: dict[str, tuple[int, int]]) -> list[tuple[list[int], bool]]:
        found = [self._whole(registers)]
        while self.cursor.accept(","):
            found.append(self._whole(registers))
        return found


def _rows(arguments: Sequence[tuple[list[int], bool]]) -> Iterator[tuple[int, ...]]:
    """Single qubits are used again for each row of the registers beside them."""
    sizes = {len(places) for places, whole in arguments if whole}
    if len(sizes) > 1:
        raise NotReadable("a gate on registers of different sizes")
    for row in range(sizes.pop() if sizes else 1):
        yield tuple(places[row] if whole else places[0] for places, whole in arguments)


def _fitting(gate: _Gate, angles: Sequence[object], qubits: Sequence[int]) -> tuple[int, ...]:
    wanted = gate.angles if isinstance(gate, LibraryGate) else len(gate.parameters)
    if len(angles) != wanted or len(qubits) != gate.qubits or len(set(qubits)) < len(qubits):
        raise NotReadable("a gate that is given other angles or qubits than it takes")
    return tuple(qubits)
