"""Lowers gates, measurements and other operations of an OpenQASM 3 program.

Gates that the file defines get names that no library has, and their angles get names in their
order: the converter identifies gates by name and sorts the angles of a definition alphabetically.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from openqasm3 import ast

from iqm_spec.circuits.circuit_files import MOST_OPERATIONS
from iqm_spec.circuits.expand import NAME_MARK
from iqm_spec.circuits.qasm.constants import Constant, NotConstant
from iqm_spec.circuits.qasm.expressions import Expressions, literal
from iqm_spec.circuits.qasm.meanings import (
    Bits,
    Meaning,
    Number,
    Scope,
    Symbol,
    like,
    line_of,
    refuse,
)
from iqm_spec.circuits.qasm.survey import CONTROLLED

MOST_STATEMENTS = 100_000
"""Statements and rounds of loops of a lowered program: the converter reads some 2,000 a second."""


@frozen
class _OwnGate:
    name: str
    size: int
    line: int


class Operations(Expressions):
    """Lowers operations; each class of statements has its method, named after the class."""

    def __init__(self) -> None:
        super().__init__()
        self._gates: dict[str, _OwnGate] = {}
        self._parametric: dict[str, ast.QuantumGateDefinition] = {}
        self._instances: dict[tuple[str, tuple[Constant, ...]], _OwnGate] = {}
        self._instances_made: list[ast.QuantumGateDefinition] = []
        self._operations = 0
        self._statements = 0
        self._global = Scope()

    def _statement(self, node: Any, scope: Scope) -> Iterator[Any]:
        handle = getattr(self, f"_{type(node).__name__}", None)
        if handle is None:
            yield node
        else:
            yield from handle(node, scope)

    def _block(self, nodes: Iterable[Any], scope: Scope) -> Iterator[Any]:
        for node in nodes:
            yield from self._statement(node, scope)

    def _spend(self, node: Any, operations: int) -> None:
        self._statements += 1
        if self._statements > MOST_STATEMENTS:
            refuse(
                node,
                f"the loops and subroutines become more than {MOST_STATEMENTS:,} statements",
                "define gates, or use a generator: OpenQASM 3 is read slowly",
            )
        self._operations += operations
        if self._operations > MOST_OPERATIONS:
            refuse(
                node,
                f"the circuit has more than {MOST_OPERATIONS:,} operations from here on",
                "split it, or use a generator",
            )

    def _each(
        self, nodes: Sequence[Any], scope: Scope, make: Callable[[list[Any]], Any], node: Any
    ) -> Iterator[tuple[Any, int]]:
        """(statement, width) on operands: a single one, or one per bit where several are needed."""
        operands = [self._operand(operand, scope) for operand in nodes]
        width = max((len(b.items) for _, b in operands if b and not b.single), default=1)
        if all(written is not None for written, _ in operands):
            yield make([written for written, _ in operands]), max(width, 1)
            return
        wide = {len(b.items) for _, b in operands if b and not b.single}
        if len(wide) > 1 or any(b is None for _, b in operands):
            refuse(node, "the registers that it acts on differ in their sizes")
        for i in range(width):
            singles = []
            for operand, bits in zip(nodes, (b for _, b in operands), strict=True):
                item = bits.items[0 if bits.single else i]  # type: ignore[union-attr]
                singles.append(self._written(Bits((item,), single=True), operand))
            yield make(singles), 1

    def _spread(self, nodes: Sequence[Any], scope: Scope) -> list[Any]:
        """Operands that name the same bits, each of which a single operand can name."""
        spread = []
        for operand in nodes:
            written, bits = self._operand(operand, scope)
            if written is not None:
                spread.append(written)
            elif bits is not None:
                spread += [
                    self._written(Bits((item,), single=True), operand) for item in bits.items
                ]
        return spread

    # --- gates ------------------------------------------------------------------------------------

    def _QuantumGateDefinition(  # noqa: N802
        self, node: ast.QuantumGateDefinition, scope: Scope
    ) -> Iterator[Any]:
        name = node.name.name
        before = self._gates.get(name) or self._parametric.get(name)
        if before is not None:
            line = before.line if isinstance(before, _OwnGate) else line_of(before)
            refuse(node, f"'{name}' is already defined. Previous definition on line {line}.")
        if name == "U":
            refuse(node, f"'{name}' is already defined.", "it is a gate of the language")
        if node.arguments and _computes(node.body, self._parametric):
            self._parametric[name] = node
            return
        meanings: dict[str, Meaning] = {}
        arguments = []
        number = len(self._gates)
        for i, argument in enumerate(node.arguments):
            # sorted in their order, and unique: Qiskit identifies parameters by name
            ordered = like(
                argument, ast.Identifier(f"{i:05}{NAME_MARK}{argument.name}{NAME_MARK}{number}")
            )
            meanings[argument.name] = Symbol(ordered)
            arguments.append(ordered)
        own, body = self._defined(node, meanings)
        self._gates[name] = own
        called = like(node.name, ast.Identifier(own.name))
        yield like(node, ast.QuantumGateDefinition(called, arguments, node.qubits, body))

    def _defined(
        self, node: ast.QuantumGateDefinition, meanings: Mapping[str, Meaning]
    ) -> tuple[_OwnGate, list[Any]]:
        """A gate of the file under a unique name, and its body."""
        inner = Scope(self._global, names=dict(meanings))
        inner.names |= {qubit.name: Symbol() for qubit in node.qubits}
        before, self._operations = self._operations, 0
        body = list(self._block(node.body, inner))
        size, self._operations = self._operations, before
        number = len(self._gates) + len(self._instances)
        return _OwnGate(f"{node.name.name}{NAME_MARK}{number}", max(size, 1), line_of(node)), body

    def _instance(
        self, call: ast.QuantumGate, node: ast.QuantumGateDefinition, scope: Scope
    ) -> _OwnGate:
        """The gate for the angles of a call, where a gate computes with its angles."""
        name = node.name.name
        if len(call.arguments) != len(node.arguments):
            takes = f"`{name}` takes {len(node.arguments)} angles"
            refuse(call, f"{takes}, here it is given {len(call.arguments)}")
        try:
            values = tuple(float(self._value(angle, scope)) for angle in call.arguments)
        except NotConstant:
            refuse(
                call,
                f"`{name}` computes with its angles, which must be known before the circuit runs",
                "give it numbers, or compute in the spec",
            )
        if (name, values) not in self._instances:
            meanings = {
                argument.name: Number(ast.FloatType(), value, constant=True)
                for argument, value in zip(node.arguments, values, strict=True)
            }
            own, body = self._defined(node, meanings)
            self._instances[name, values] = own
            called = like(node.name, ast.Identifier(own.name))
            made = ast.QuantumGateDefinition(called, [], node.qubits, body)
            self._instances_made.append(like(node, made))
        return self._instances[name, values]

    def _QuantumGate(self, node: ast.QuantumGate, scope: Scope) -> Iterator[Any]:  # noqa: N802
        template = self._parametric.get(node.name.name)
        if template is None:
            own = self._gates.get(node.name.name)
            arguments = [self._folded(argument, scope) for argument in node.arguments]
        else:
            own, arguments = self._instance(node, template, scope), []
        name = node.name if own is None else like(node.name, ast.Identifier(own.name))
        modifiers = self._modifiers(node.modifiers, scope)
        size = (1 if own is None else own.size) * _controls(modifiers)

        def made(qubits: list[Any]) -> ast.QuantumGate:
            return like(node, ast.QuantumGate(modifiers, name, arguments, qubits, node.duration))

        for statement, width in self._each(node.qubits, scope, made, node):
            self._spend(node, size * width)
            yield statement

    def _modifiers(self, modifiers: Sequence[Any], scope: Scope) -> list[Any]:
        read = []
        for modifier in modifiers:
            if modifier.argument is None:
                read.append(modifier)
                continue
            if modifier.modifier is ast.GateModifierName.pow:
                argument = self._power(modifier.argument, scope)
            else:
                argument = self._folded(modifier.argument, scope)
            read.append(like(modifier, ast.QuantumGateModifier(modifier.modifier, argument)))
        return read

    def _power(self, node: Any, scope: Scope) -> Any:
        """An exponent. `pow(1/2) @ x` is the language's own way to write a square root."""
        try:
            value = self._quotient(node, scope)
        except NotConstant:
            return node
        return like(node, literal(value))

    def _QuantumPhase(self, node: ast.QuantumPhase, scope: Scope) -> Iterator[Any]:  # noqa: N802
        angle = self._folded(node.argument, scope)
        modifiers = self._modifiers(node.modifiers, scope)

        def made(qubits: list[Any]) -> ast.QuantumPhase:
            return like(node, ast.QuantumPhase(modifiers, angle, qubits))

        for statement, width in self._each(node.qubits, scope, made, node):
            self._spend(node, width * _controls(modifiers))
            yield statement

    # --- other operations -------------------------------------------------------------------------

    def _QuantumMeasurementStatement(  # noqa: N802
        self, node: ast.QuantumMeasurementStatement, scope: Scope
    ) -> Iterator[Any]:
        if node.target is None:
            yield node
            return

        def made(operands: list[Any]) -> ast.QuantumMeasurementStatement:
            measured = like(node.measure, ast.QuantumMeasurement(operands[0]))
            return like(node, ast.QuantumMeasurementStatement(measured, operands[1]))

        operands = [node.measure.qubit, node.target]
        for statement, width in self._each(operands, scope, made, node):
            self._spend(node, width)
            yield statement

    def _QuantumReset(self, node: ast.QuantumReset, scope: Scope) -> Iterator[Any]:  # noqa: N802
        def made(operands: list[Any]) -> ast.QuantumReset:
            return like(node, ast.QuantumReset(operands[0]))

        for statement, width in self._each([node.qubits], scope, made, node):
            self._spend(node, width)
            yield statement

    def _QuantumBarrier(self, node: ast.QuantumBarrier, scope: Scope) -> Iterator[Any]:  # noqa: N802
        yield like(node, ast.QuantumBarrier(self._spread(node.qubits, scope)))

    def _DelayInstruction(self, node: ast.DelayInstruction, scope: Scope) -> Iterator[Any]:  # noqa: N802
        duration = self._duration(node.duration, scope)
        length: Any = node.duration
        if duration is not None and not isinstance(length, ast.DurationLiteral):
            unit = ast.TimeUnit[duration.unit]
            length = like(node.duration, ast.DurationLiteral(duration.value, unit))
        self._spend(node, 1)
        yield like(node, ast.DelayInstruction(length, self._spread(node.qubits, scope)))

    def _Box(self, node: ast.Box, scope: Scope) -> Iterator[Any]:  # noqa: N802
        body = list(self._block(node.body, scope.inside()))
        yield like(node, ast.Box(node.duration, body))


def _computes(body: Iterable[Any], parametric: Container[str]) -> bool:
    """Whether a gate's body computes more than sums and multiples of its angles."""
    for node in body:
        if isinstance(node, ast.QuantumGate):
            if node.name.name in parametric or any(map(_is_computed, node.arguments)):
                return True
        elif isinstance(node, ast.QuantumPhase):
            if _is_computed(node.argument):
                return True
        elif isinstance(node, ast.ForInLoop) and _computes(node.block, parametric):
            return True
    return False


def _is_computed(node: Any) -> bool:
    if isinstance(node, ast.UnaryExpression):
        return _is_computed(node.expression)
    if isinstance(node, ast.BinaryExpression):
        computed = node.op.name not in "+-*/" or _is_computed(node.lhs)
        return computed or _is_computed(node.rhs)
    return isinstance(node, ast.FunctionCall | ast.Cast)


def _controls(modifiers: Sequence[ast.QuantumGateModifier]) -> int:
    """Factor of a gate's size in its controlled form."""
    controls = 0
    for modifier in modifiers:
        if modifier.modifier in (ast.GateModifierName.ctrl, ast.GateModifierName.negctrl):
            number = modifier.argument
            controls += number.value if isinstance(number, ast.IntegerLiteral) else 1
    return int(CONTROLLED ** min(controls, 8))
