"""Lowers OpenQASM 3 programs to what the converter to Qiskit reads correctly.

What is known before the circuit runs is worked out here: constants and variables of numbers,
`for` loops, subroutines, aliases and index sets. Gates that the file defines get names that no
library has, and their angles get names in their order: the converter identifies gates by name and
sorts the angles of a definition alphabetically.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from attrs import define, evolve, field, frozen
from openqasm3 import ast

from iqm_spec.circuits.circuit_files import MOST_BITS, MOST_OPERATIONS
from iqm_spec.circuits.expand import NAME_MARK
from iqm_spec.circuits.problems import InvalidCircuitFile
from iqm_spec.circuits.qasm.constants import (
    BUILT_IN,
    Constant,
    NotConstant,
    WrongValue,
    cast,
    evaluate,
)
from iqm_spec.circuits.qasm.survey import CONTROLLED
from iqm_spec.model import DELAY_IN_SAMPLES, Feature

MOST_STATEMENTS = 100_000
"""Statements and rounds of loops of a lowered program: the converter reads some 2,000 a second."""

_DEEPEST_CALL = 50
_NUMBERS = (ast.IntType, ast.UintType, ast.FloatType, ast.AngleType, ast.BoolType)
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def lower(program: ast.Program) -> ast.Program:
    """The same circuit without loops, subroutines, constants and aliases.

    Raises `InvalidCircuitFile` where it becomes too large or lacks a value that must be known.
    """
    lowered = ast.Program(list(_Lowering().run(program.statements)), program.version)
    lowered.span = program.span
    return lowered


_FEATURES = {
    ast.BranchingStatement: "if_else",
    ast.WhileLoop: "while_loop",
    ast.ForInLoop: "for_loop",
    ast.SwitchStatement: "switch_case",
    ast.QuantumReset: "reset",
    ast.DelayInstruction: "delay",
    ast.Box: "box",
}


def features_of(statements: Iterable[ast.QASMNode]) -> tuple[Feature, ...]:
    """What not every machine can run of a lowered program, with lines, in its order."""
    return tuple(_features(statements))


def _features(statements: Iterable[ast.QASMNode]) -> Iterator[Feature]:
    for node in statements:
        kind = _FEATURES.get(type(node))
        if isinstance(node, ast.DelayInstruction) and _in_samples(node.duration):
            kind = DELAY_IN_SAMPLES
        if kind is not None:
            yield Feature(kind, _line(node))
        for blocks in ("if_block", "else_block", "block", "body"):
            if not isinstance(node, ast.QuantumGateDefinition):
                yield from _features(getattr(node, blocks, ()))


def _in_samples(node: Any) -> bool:
    if isinstance(node, ast.BinaryExpression):
        return _in_samples(node.lhs) or _in_samples(node.rhs)
    return isinstance(node, ast.DurationLiteral) and node.unit is ast.TimeUnit.dt


@frozen
class _Bits:
    """Qubits or classical bits: (register, index), the index None where it stands alone."""

    items: tuple[tuple[str, int | None], ...]
    single: bool


@frozen
class _Number:
    """A value known before the circuit runs; `constant`: it cannot be changed."""

    type: ast.ClassicalType
    value: Constant | tuple[Constant, ...] | None
    constant: bool


@frozen
class _Duration:
    value: float
    unit: str


@frozen
class _Symbol:
    """A name that stands for `node`, or for itself where that is None."""

    node: ast.Expression | None = None


_Meaning = _Bits | _Number | _Duration | _Symbol


@define
class _Scope:
    """Names and their meanings. `waits`: its statements run only if a measured bit says so."""

    parent: _Scope | None = None
    waits: bool = False
    names: dict[str, _Meaning] = field(factory=dict)
    returned: tuple[str, _Bits | None] | None = None
    """In a subroutine: the name of the bits that it returns, and the bits that they become."""
    depth: int = 0
    repeats: bool = False
    """Inside of a loop that the circuit itself runs."""

    def find(self, name: str) -> _Meaning | None:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def holder(self, name: str) -> _Scope:
        scope = self
        while name not in scope.names and scope.parent is not None:
            scope = scope.parent
        return scope

    def inside(self, *, waits: bool = False, repeats: bool = False) -> _Scope:
        return _Scope(
            self,
            self.waits or waits,
            returned=self.returned,
            depth=self.depth,
            repeats=self.repeats or repeats,
        )


class _Break(Exception):
    """Leaves an unrolled loop."""


class _Continue(Exception):
    """Continues with the next round of an unrolled loop."""


class _Return(Exception):
    """Leaves a subroutine."""

    def __init__(self, node: ast.ReturnStatement, scope: _Scope) -> None:
        super().__init__()
        self.node, self.scope = node, scope


@frozen
class _OwnGate:
    name: str
    size: int
    line: int


def _refuse(node: Any, message: str, hint: str = "") -> NoReturn:
    span = node.span
    place = (1, 1) if span is None else (span.start_line, span.start_column + 1)
    raise InvalidCircuitFile.at(place, message, hint)


_Node = TypeVar("_Node", bound=ast.QASMNode)


def _like(node: ast.QASMNode, made: _Node) -> _Node:
    """`made` with the place and the annotations of `node`."""
    made.span = node.span
    if isinstance(node, ast.Statement) and isinstance(made, ast.Statement):
        made.annotations = node.annotations
    return made


class _Lowering:
    """Lowers a program; each class of statements has its method, named after the class."""

    def __init__(self) -> None:
        self._gates: dict[str, _OwnGate] = {}
        self._parametric: dict[str, ast.QuantumGateDefinition] = {}
        self._instances: dict[tuple[str, tuple[Constant, ...]], _OwnGate] = {}
        self._instances_made: list[ast.QuantumGateDefinition] = []
        self._subroutines: dict[str, ast.SubroutineDefinition] = {}
        self._registers: dict[str, int] = {}
        self._bits = 0
        self._operations = 0
        self._statements = 0
        self._global = _Scope()

    def run(self, statements: Iterable[ast.Statement | ast.Pragma]) -> Iterator[Any]:
        for statement in statements:
            made = list(self._statement(statement, self._global))
            yield from self._instances_made
            self._instances_made.clear()
            yield from made

    def _statement(self, node: Any, scope: _Scope) -> Iterator[Any]:
        handle = getattr(self, f"_{type(node).__name__}", None)
        if handle is None:
            yield node
        else:
            yield from handle(node, scope)

    def _block(self, nodes: Iterable[Any], scope: _Scope) -> Iterator[Any]:
        for node in nodes:
            yield from self._statement(node, scope)

    def _spend(self, node: Any, operations: int) -> None:
        self._statements += 1
        if self._statements > MOST_STATEMENTS:
            _refuse(
                node,
                f"the loops and subroutines become more than {MOST_STATEMENTS:,} statements",
                "define gates, or use a generator: OpenQASM 3 is read slowly",
            )
        self._operations += operations
        if self._operations > MOST_OPERATIONS:
            _refuse(
                node,
                f"the circuit has more than {MOST_OPERATIONS:,} operations from here on",
                "split it, or use a generator",
            )

    # --- values -----------------------------------------------------------------------------------

    def _value(self, node: Any, scope: _Scope) -> Constant:
        """The value of an expression; NotConstant where it has none before the circuit runs."""
        try:
            return evaluate(node, lambda inner: self._resolved(inner, scope))
        except WrongValue as error:
            _refuse(node, str(error))

    def _known(self, node: Any, scope: _Scope, what: str) -> Constant:
        """The value of an expression that must have one before the circuit runs."""
        try:
            return self._value(node, scope)
        except NotConstant:
            _refuse(node, f"{what} must be known before the circuit runs", "use constants")

    def _integer(self, node: Any, scope: _Scope, what: str) -> int:
        value = self._known(node, scope, what)
        if isinstance(value, float):
            _refuse(node, f"{what} must be an integer, not {value}")
        return int(value)

    def _resolved(self, node: Any, scope: _Scope) -> Constant:
        match node:
            case ast.Identifier():
                meaning = scope.find(node.name)
                if isinstance(meaning, _Number) and isinstance(meaning.value, bool | int | float):
                    return meaning.value
                if meaning is None and node.name in BUILT_IN:
                    return BUILT_IN[node.name]
            case ast.IndexExpression(collection=ast.Identifier()):
                collection: Any = node.collection
                meaning = scope.find(collection.name)
                if isinstance(meaning, _Number) and isinstance(meaning.value, tuple):
                    if isinstance(node.index, ast.DiscreteSet) or len(node.index) != 1:
                        raise NotConstant
                    at = self._integer(node.index[0], scope, "an index")
                    if not -len(meaning.value) <= at < len(meaning.value):
                        _refuse(node, "an index is outside of its array")
                    return meaning.value[at]
            case ast.SizeOf(target=ast.Identifier(), index=None):
                target: Any = node.target
                meaning = scope.find(target.name)
                if isinstance(meaning, _Bits) and not meaning.single:
                    return len(meaning.items)
                if isinstance(meaning, _Number) and isinstance(meaning.value, tuple):
                    return len(meaning.value)
            case ast.FunctionCall() if node.name.name in self._subroutines:
                made, returned = self._called(node, None, scope)
                if (
                    made
                    or returned is None
                    or not isinstance(returned.node.expression, ast.Expression)
                ):
                    raise NotConstant
                return self._value(returned.node.expression, returned.scope)
        raise NotConstant

    def _folded(self, node: Any, scope: _Scope) -> Any:
        """An expression whose known parts are written as numbers."""
        if isinstance(node, ast.IntegerLiteral | ast.FloatLiteral | ast.BooleanLiteral):
            return node
        if not self._has_own_names(node, scope):
            return node
        try:
            return _like(node, _literal(self._value(node, scope)))
        except NotConstant:
            pass
        match node:
            case ast.Identifier():
                meaning = scope.find(node.name)
                if isinstance(meaning, _Symbol) and meaning.node is not None:
                    return meaning.node
            case ast.UnaryExpression():
                inner = self._folded(node.expression, scope)
                return _like(node, ast.UnaryExpression(node.op, inner))
            case ast.BinaryExpression():
                left, right = self._folded(node.lhs, scope), self._folded(node.rhs, scope)
                if node.op.name in "+-":  # the converter adds no integers to angles
                    left, right = _as_float(left), _as_float(right)
                return _like(node, ast.BinaryExpression(node.op, left, right))
            case ast.Cast(type=ast.FloatType() | ast.AngleType()):
                return self._folded(node.argument, scope)  # of an input, which is a number
        return node

    def _has_own_names(self, node: Any, scope: _Scope) -> bool:
        """Whether the converter would not understand the expression as it is."""
        match node:
            case ast.Identifier():
                meaning = scope.find(node.name)
                return not (meaning is None or meaning == _Symbol())
            case ast.UnaryExpression():
                return self._has_own_names(node.expression, scope)
            case ast.BinaryExpression():
                return (
                    node.op.name not in "+-*/"
                    or (node.op.name == "/" and _is_integer(node))
                    or self._has_own_names(node.lhs, scope)
                    or self._has_own_names(node.rhs, scope)
                )
            case ast.FunctionCall() | ast.Cast() | ast.SizeOf() | ast.IndexExpression():
                return True
        return False

    # --- registers --------------------------------------------------------------------------------

    def _declare(self, node: Any, name: str, size: Any, scope: _Scope) -> Any:
        """The literal size of a register of the program, None where it is no register."""
        if name in scope.names and not isinstance(scope.names[name], _Symbol):
            _refuse(node, f"`{name}` is already declared")
        number = 1 if size is None else self._integer(size, scope, "the size of a register")
        if number < 0:
            _refuse(size, f"a register of {number} bits")
        self._bits += number
        if self._bits > 2 * MOST_BITS:
            _refuse(
                node,
                f"the registers hold more than {2 * MOST_BITS:,} bits and qubits",
                "declare the qubits in use only",
            )
        items = ((name, None),) if size is None else tuple((name, i) for i in range(number))
        scope.names[name] = _Bits(items, size is None)
        self._registers[name] = number
        return None if size is None else _like(size, ast.IntegerLiteral(number))

    def _bits_of(self, node: Any, scope: _Scope) -> _Bits | None:
        """The bits that an operand names; None for what the converter reports."""
        match node:
            case ast.Identifier():
                meaning = scope.find(node.name)
                return meaning if isinstance(meaning, _Bits) else None
            case ast.IndexedIdentifier():
                bits, indices = self._bits_of(node.name, scope), node.indices
            case ast.IndexExpression():
                bits, indices = self._bits_of(node.collection, scope), [node.index]
            case ast.Concatenation():
                left, right = self._bits_of(node.lhs, scope), self._bits_of(node.rhs, scope)
                if left is None or right is None:
                    return None
                return _Bits(left.items + right.items, single=False)
            case _:
                return None
        for index in indices:
            if bits is None or bits.single:
                return None
            bits = self._indexed(bits, index, node, scope)
        return bits

    def _indexed(self, bits: _Bits, index: Any, node: Any, scope: _Scope) -> _Bits | None:
        if isinstance(index, ast.DiscreteSet):
            places = [self._integer(value, scope, "an index") for value in index.values]
            return _Bits(tuple(_item(bits, place, node) for place in places), single=False)
        if len(index) != 1:
            return None
        if isinstance(index[0], ast.RangeDefinition):
            span = self._range(index[0], scope, len(bits.items))
            return _Bits(tuple(_item(bits, place, node) for place in span), single=False)
        place = self._integer(index[0], scope, "an index")
        return _Bits((_item(bits, place, node),), single=True)

    def _range(self, node: ast.RangeDefinition, scope: _Scope, size: int | None = None) -> range:
        """The integers of a range, both ends included; negative indices count from the end."""
        step = 1 if node.step is None else self._integer(node.step, scope, "the step of a range")
        if step == 0:
            _refuse(node, "a range with steps of 0 never ends")
        first, last = (0, (size or 0) - 1) if step > 0 else ((size or 0) - 1, 0)
        ends = []
        for end, otherwise in ((node.start, first), (node.end, last)):
            if end is None:
                if size is None:
                    _refuse(node, "the range of a loop needs both ends")
                ends.append(otherwise)
                continue
            value = self._integer(end, scope, "the end of a range")
            ends.append(value + size if size is not None and value < 0 else value)
        return range(ends[0], ends[1] + (1 if step > 0 else -1), step)

    def _written(self, bits: _Bits, node: Any) -> Any | None:
        """An operand that names the bits; None where a single operand cannot."""
        bases = {base for base, _ in bits.items}
        if len(bases) != 1:
            return None
        (base,) = bases
        name = _like(node, ast.Identifier(base))
        places = [place for _, place in bits.items]
        if places[0] is None:
            return name if bits.single else None
        if not bits.single and places == list(range(self._registers[base])):
            return name
        literals = [_like(node, ast.IntegerLiteral(place)) for place in places if place is not None]
        index: Any = [literals[0]] if bits.single else _like(node, ast.DiscreteSet(list(literals)))
        return _like(node, ast.IndexedIdentifier(name, [index]))

    def _operand(self, node: Any, scope: _Scope) -> tuple[Any | None, _Bits | None]:
        """An operand of the lowered program (None where several are needed), and its bits."""
        bits = self._bits_of(node, scope)
        if bits is None:
            return node, None
        return self._written(bits, node), bits

    def _each(
        self, nodes: Sequence[Any], scope: _Scope, make: Callable[[list[Any]], Any], node: Any
    ) -> Iterator[tuple[Any, int]]:
        """(statement, width) on operands: a single one, or one per bit where several are needed."""
        operands = [self._operand(operand, scope) for operand in nodes]
        width = max((len(b.items) for _, b in operands if b and not b.single), default=1)
        if all(written is not None for written, _ in operands):
            yield make([written for written, _ in operands]), max(width, 1)
            return
        wide = {len(b.items) for _, b in operands if b and not b.single}
        if len(wide) > 1 or any(b is None for _, b in operands):
            _refuse(node, "the registers that it acts on differ in their sizes")
        for i in range(width):
            singles = []
            for operand, bits in zip(nodes, (b for _, b in operands), strict=True):
                item = bits.items[0 if bits.single else i]  # type: ignore[union-attr]
                singles.append(self._written(_Bits((item,), single=True), operand))
            yield make(singles), 1

    # --- declarations -----------------------------------------------------------------------------

    def _QubitDeclaration(self, node: ast.QubitDeclaration, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        size = self._declare(node, node.qubit.name, node.size, scope)
        yield _like(node, ast.QubitDeclaration(node.qubit, size))

    def _ConstantDeclaration(self, node: ast.ConstantDeclaration, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        self._variable(node, scope, constant=True)
        yield from ()

    def _ClassicalDeclaration(self, node: ast.ClassicalDeclaration, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        if not isinstance(node.type, ast.BitType):
            if not self._variable(node, scope, constant=False):
                yield node
            return
        name, kind = node.identifier.name, node.type
        if scope.returned is not None and scope is not self._global:
            # bits that a subroutine declares are those that it returns
            returned_name, target = scope.returned
            if name != returned_name or target is None:
                _refuse(
                    node,
                    f"the bits `{name}` of a subroutine are not what is kept of it",
                    "return them, and write `c = ` before the call",
                )
            size = 1
            if kind.size is not None:
                size = self._integer(kind.size, scope, "the size of a register")
            if size != len(target.items):
                _refuse(node, f"`{name}` has {size} bits, what is kept of it {len(target.items)}")
            scope.names[name] = evolve(target, single=kind.size is None)
            yield from self._initial(node, node.init_expression, scope)
            return
        if scope is not self._global and not scope.waits:
            _refuse(node, f"`{name}` is declared within a loop", "declare it before the loop")
        declared = _like(node, ast.BitType(self._declare(node, name, kind.size, scope)))
        yield _like(node, ast.ClassicalDeclaration(declared, node.identifier, None))
        yield from self._initial(node, node.init_expression, scope)

    def _initial(self, node: Any, init: Any, scope: _Scope) -> Iterator[Any]:
        """Statements that give the initial value of bits that were just declared."""
        target = node.identifier
        if isinstance(init, ast.QuantumMeasurement):
            statement = _like(node, ast.QuantumMeasurementStatement(init, target))
            yield from self._QuantumMeasurementStatement(statement, scope)
        elif isinstance(init, ast.FunctionCall) and init.name.name in self._subroutines:
            yield from self._inlined(init, self._bits_of(target, scope), scope)
        elif init is not None and not _is_zero(init):
            _refuse(
                init,
                f"`{target.name}` does not begin as 0",
                "no machine sets a bit: use the number itself, or a `const`",
            )

    def _variable(self, node: Any, scope: _Scope, *, constant: bool) -> bool:
        """Record a variable whose value is known; False where it is of another kind."""
        name, kind, init = node.identifier.name, node.type, node.init_expression
        if name in scope.names and not isinstance(scope.names[name], _Symbol):
            _refuse(node, f"`{name}` is already declared")
        if isinstance(kind, ast.DurationType) and init is not None:
            duration = self._duration(init, scope)
            if duration is None:
                return False
            scope.names[name] = duration
            return True
        try:
            if isinstance(kind, ast.ArrayType) and isinstance(init, ast.ArrayLiteral):
                values = tuple(
                    self._cast_value(kind.base_type, item, scope) for item in init.values
                )
                scope.names[name] = _Number(kind.base_type, values, constant)
                return True
            if isinstance(kind, _NUMBERS) or (constant and isinstance(kind, ast.BitType)):
                value = None if init is None else self._cast_value(kind, init, scope)
                scope.names[name] = _Number(kind, value, constant)
                return True
        except NotConstant:
            if constant:
                _refuse(node, f"the constant `{name}` has no value before the circuit runs")
        return False

    def _cast_value(self, kind: ast.ClassicalType, node: Any, scope: _Scope) -> Constant:
        value = self._value(node, scope)
        try:
            return cast(kind, value)
        except WrongValue as error:
            _refuse(node, str(error))

    def _IODeclaration(self, node: ast.IODeclaration, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        scope.names[node.identifier.name] = _Symbol()
        yield node

    def _AliasStatement(self, node: ast.AliasStatement, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        bits = self._bits_of(node.value, scope)
        if bits is None:
            yield node
            return
        if node.target.name in scope.names:
            _refuse(node, f"`{node.target.name}` is already declared")
        scope.names[node.target.name] = bits

    def _duration(self, node: Any, scope: _Scope) -> _Duration | None:
        """A length of time that is known; None for all else."""
        match node:
            case ast.DurationLiteral():
                return _Duration(node.value, node.unit.name)
            case ast.Identifier():
                meaning = scope.find(node.name)
                return meaning if isinstance(meaning, _Duration) else None
            case ast.BinaryExpression():
                left, right = self._duration(node.lhs, scope), self._duration(node.rhs, scope)
                sign = node.op.name
                if left is not None and right is not None and sign in "+-":
                    return _sum(left, right, 1 if sign == "+" else -1)
                if left is not None and right is None and sign in "*/":
                    factor = self._known(node.rhs, scope, "the length of a delay")
                    if sign == "/" and factor == 0:
                        _refuse(node, "division by zero")
                    value = left.value * factor if sign == "*" else left.value / factor
                    return _Duration(value, left.unit)
                if right is not None and left is None and sign == "*":
                    factor = self._known(node.lhs, scope, "the length of a delay")
                    return _Duration(right.value * factor, right.unit)
        return None

    # --- gates ------------------------------------------------------------------------------------

    def _QuantumGateDefinition(  # noqa: N802
        self, node: ast.QuantumGateDefinition, scope: _Scope
    ) -> Iterator[Any]:
        name = node.name.name
        before = self._gates.get(name) or self._parametric.get(name)
        if before is not None:
            line = before.line if isinstance(before, _OwnGate) else _line(before)
            _refuse(node, f"'{name}' is already defined. Previous definition on line {line}.")
        if name == "U":
            _refuse(node, f"'{name}' is already defined.", "it is a gate of the language")
        if node.arguments and _computes(node.body, self._parametric):
            self._parametric[name] = node
            return
        meanings: dict[str, _Meaning] = {}
        arguments = []
        number = len(self._gates)
        for i, argument in enumerate(node.arguments):
            # sorted in their order, and unique: Qiskit identifies parameters by name
            ordered = _like(
                argument, ast.Identifier(f"{i:05}{NAME_MARK}{argument.name}{NAME_MARK}{number}")
            )
            meanings[argument.name] = _Symbol(ordered)
            arguments.append(ordered)
        own, body = self._defined(node, meanings)
        self._gates[name] = own
        called = _like(node.name, ast.Identifier(own.name))
        yield _like(node, ast.QuantumGateDefinition(called, arguments, node.qubits, body))

    def _defined(
        self, node: ast.QuantumGateDefinition, meanings: Mapping[str, _Meaning]
    ) -> tuple[_OwnGate, list[Any]]:
        """A gate of the file under a unique name, and its body."""
        inner = _Scope(self._global, names=dict(meanings))
        inner.names |= {qubit.name: _Symbol() for qubit in node.qubits}
        before, self._operations = self._operations, 0
        body = list(self._block(node.body, inner))
        size, self._operations = self._operations, before
        number = len(self._gates) + len(self._instances)
        return _OwnGate(f"{node.name.name}{NAME_MARK}{number}", max(size, 1), _line(node)), body

    def _instance(
        self, call: ast.QuantumGate, node: ast.QuantumGateDefinition, scope: _Scope
    ) -> _OwnGate:
        """The gate for the angles of a call, where a gate computes with its angles."""
        name = node.name.name
        if len(call.arguments) != len(node.arguments):
            takes = f"`{name}` takes {len(node.arguments)} angles"
            _refuse(call, f"{takes}, here it is given {len(call.arguments)}")
        try:
            values = tuple(float(self._value(angle, scope)) for angle in call.arguments)
        except NotConstant:
            _refuse(
                call,
                f"`{name}` computes with its angles, which must be known before the circuit runs",
                "give it numbers, or compute in the spec",
            )
        if (name, values) not in self._instances:
            meanings = {
                argument.name: _Number(ast.FloatType(), value, constant=True)
                for argument, value in zip(node.arguments, values, strict=True)
            }
            own, body = self._defined(node, meanings)
            self._instances[name, values] = own
            called = _like(node.name, ast.Identifier(own.name))
            made = ast.QuantumGateDefinition(called, [], node.qubits, body)
            self._instances_made.append(_like(node, made))
        return self._instances[name, values]

    def _QuantumGate(self, node: ast.QuantumGate, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        template = self._parametric.get(node.name.name)
        if template is None:
            own = self._gates.get(node.name.name)
            arguments = [self._folded(argument, scope) for argument in node.arguments]
        else:
            own, arguments = self._instance(node, template, scope), []
        name = node.name if own is None else _like(node.name, ast.Identifier(own.name))
        modifiers = self._modifiers(node.modifiers, scope)
        size = (1 if own is None else own.size) * _controls(modifiers)

        def made(qubits: list[Any]) -> ast.QuantumGate:
            return _like(node, ast.QuantumGate(modifiers, name, arguments, qubits, node.duration))

        for statement, width in self._each(node.qubits, scope, made, node):
            self._spend(node, size * width)
            yield statement

    def _modifiers(self, modifiers: Sequence[Any], scope: _Scope) -> list[Any]:
        read = []
        for modifier in modifiers:
            if modifier.argument is None:
                read.append(modifier)
                continue
            if modifier.modifier is ast.GateModifierName.pow:
                argument = self._power(modifier.argument, scope)
            else:
                argument = self._folded(modifier.argument, scope)
            read.append(_like(modifier, ast.QuantumGateModifier(modifier.modifier, argument)))
        return read

    def _power(self, node: Any, scope: _Scope) -> Any:
        """An exponent. `pow(1/2) @ x` is the language's own way to write a square root."""
        try:
            value = self._quotient(node, scope)
        except NotConstant:
            return node
        return _like(node, _literal(value))

    def _quotient(self, node: Any, scope: _Scope) -> Constant:
        """The value of an expression in which integers divide to fractions."""
        if isinstance(node, ast.UnaryExpression) and node.op.name == "-":
            return -self._quotient(node.expression, scope)
        if isinstance(node, ast.BinaryExpression) and node.op.name in "+-*/":
            left, right = self._quotient(node.lhs, scope), self._quotient(node.rhs, scope)
            if node.op.name == "/":
                if right == 0:
                    _refuse(node, "division by zero")
                return left // right if left % right == 0 else left / right
            return {"+": left + right, "-": left - right, "*": left * right}[node.op.name]
        return self._value(node, scope)

    def _QuantumPhase(self, node: ast.QuantumPhase, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        angle = self._folded(node.argument, scope)
        modifiers = self._modifiers(node.modifiers, scope)

        def made(qubits: list[Any]) -> ast.QuantumPhase:
            return _like(node, ast.QuantumPhase(modifiers, angle, qubits))

        for statement, width in self._each(node.qubits, scope, made, node):
            self._spend(node, width * _controls(modifiers))
            yield statement

    def _QuantumMeasurementStatement(  # noqa: N802
        self, node: ast.QuantumMeasurementStatement, scope: _Scope
    ) -> Iterator[Any]:
        if node.target is None:
            yield node
            return

        def made(operands: list[Any]) -> ast.QuantumMeasurementStatement:
            measured = _like(node.measure, ast.QuantumMeasurement(operands[0]))
            return _like(node, ast.QuantumMeasurementStatement(measured, operands[1]))

        operands = [node.measure.qubit, node.target]
        for statement, width in self._each(operands, scope, made, node):
            self._spend(node, width)
            yield statement

    def _QuantumReset(self, node: ast.QuantumReset, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        def made(operands: list[Any]) -> ast.QuantumReset:
            return _like(node, ast.QuantumReset(operands[0]))

        for statement, width in self._each([node.qubits], scope, made, node):
            self._spend(node, width)
            yield statement

    def _QuantumBarrier(self, node: ast.QuantumBarrier, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        yield _like(node, ast.QuantumBarrier(self._spread(node.qubits, scope)))

    def _spread(self, nodes: Sequence[Any], scope: _Scope) -> list[Any]:
        """Operands that name the same bits, each of which a single operand can name."""
        spread = []
        for operand in nodes:
            written, bits = self._operand(operand, scope)
            if written is not None:
                spread.append(written)
            elif bits is not None:
                spread += [
                    self._written(_Bits((item,), single=True), operand) for item in bits.items
                ]
        return spread

    def _DelayInstruction(self, node: ast.DelayInstruction, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        duration = self._duration(node.duration, scope)
        length: Any = node.duration
        if duration is not None and not isinstance(length, ast.DurationLiteral):
            unit = ast.TimeUnit[duration.unit]
            length = _like(node.duration, ast.DurationLiteral(duration.value, unit))
        self._spend(node, 1)
        yield _like(node, ast.DelayInstruction(length, self._spread(node.qubits, scope)))

    def _Box(self, node: ast.Box, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        body = list(self._block(node.body, scope.inside()))
        yield _like(node, ast.Box(node.duration, body))

    # --- control flow -----------------------------------------------------------------------------

    def _ForInLoop(self, node: ast.ForInLoop, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        for value in self._rounds(node, scope):
            self._spend(node, 1)
            inner = scope.inside()
            inner.names[node.identifier.name] = _Number(node.type, value, constant=True)
            try:
                yield from self._block(node.block, inner)
            except _Continue:
                continue
            except _Break:
                break

    def _rounds(self, node: ast.ForInLoop, scope: _Scope) -> Iterable[Constant]:
        """The values of a loop's variable."""
        over = node.set_declaration
        if isinstance(over, ast.RangeDefinition):
            return self._range(over, scope)
        if isinstance(over, ast.DiscreteSet):
            return [self._known(value, scope, "the values of a loop") for value in over.values]
        if isinstance(over, ast.Identifier):
            meaning = scope.find(over.name)
            if isinstance(meaning, _Number) and isinstance(meaning.value, tuple):
                return meaning.value
        _refuse(over, "a loop over such a set is not supported", "use a range or constants")

    def _WhileLoop(self, node: ast.WhileLoop, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        try:
            going = bool(self._value(node.while_condition, scope))
        except NotConstant:
            condition = self._condition(node.while_condition, scope)
            block = list(self._block(node.block, scope.inside(waits=True, repeats=True)))
            yield _like(node, ast.WhileLoop(condition, block))
            return
        while going:
            self._spend(node, 1)
            try:
                yield from self._block(node.block, scope.inside())
            except _Continue:
                pass
            except _Break:
                return
            going = bool(self._known(node.while_condition, scope, "the condition of this loop"))

    def _BreakStatement(self, node: ast.BreakStatement, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        yield from self._leave(node, scope, _Break())

    def _ContinueStatement(self, node: ast.ContinueStatement, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        yield from self._leave(node, scope, _Continue())

    def _leave(self, node: Any, scope: _Scope, how: Exception) -> Iterator[Any]:
        if scope.repeats:
            yield node
        elif scope.waits:
            _refuse(node, "whether the loop ends here depends on a measurement", "use `if`")
        else:
            raise how

    def _BranchingStatement(self, node: ast.BranchingStatement, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        condition = self._condition(node.condition, scope)
        if isinstance(condition, bool):
            taken = node.if_block if condition else node.else_block
            yield from self._block(taken, scope.inside())
            return
        block = list(self._block(node.if_block, scope.inside(waits=True)))
        otherwise = list(self._block(node.else_block, scope.inside(waits=True)))
        if not otherwise:
            yield _if(condition, block, node)
        else:
            yield _like(node, ast.BranchingStatement(condition, block, otherwise))

    def _condition(self, node: Any, scope: _Scope) -> Any:
        """A condition on measured bits, or True or False where it is known."""
        try:
            return bool(self._value(node, scope))
        except NotConstant:
            pass
        if isinstance(node, ast.UnaryExpression) and node.op.name in "!~":
            inner = self._condition(node.expression, scope)
            return (
                not inner
                if isinstance(inner, bool)
                else _like(node, ast.UnaryExpression(node.op, inner))
            )
        if isinstance(node, ast.BinaryExpression) and node.op.name in ("&&", "||"):
            left, right = self._condition(node.lhs, scope), self._condition(node.rhs, scope)
            decides = node.op.name == "||"
            for known, other in ((left, right), (right, left)):
                if isinstance(known, bool):
                    return decides if known == decides else other
            return _like(node, ast.BinaryExpression(node.op, left, right))
        if isinstance(node, ast.BinaryExpression):
            sides = []
            lone = False
            for side in (node.lhs, node.rhs):
                bits = self._bits_of(side, scope)
                lone = lone or (bits is not None and bits.single)
                written = None if bits is None else self._written(bits, side)
                sides.append(
                    self._folded(side, scope) if written is None else _expression(written, side)
                )
            if lone:  # a bit is compared with true or false
                sides = [
                    _like(side, ast.BooleanLiteral(bool(side.value)))
                    if isinstance(side, ast.IntegerLiteral) and side.value in (0, 1)
                    else side
                    for side in sides
                ]
            return _like(node, ast.BinaryExpression(node.op, sides[0], sides[1]))
        bits = self._bits_of(node, scope)
        return node if bits is None else _expression(self._written(bits, node), node)

    def _SwitchStatement(self, node: ast.SwitchStatement, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        try:
            value = self._value(node.target, scope)
        except NotConstant:
            yield node
            return
        for values, body in node.cases:
            if any(self._known(case, scope, "a case") == value for case in values):
                yield from self._block(body.statements, scope.inside())
                return
        if node.default is not None:
            yield from self._block(node.default.statements, scope.inside())

    def _CompoundStatement(self, node: ast.CompoundStatement, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        yield from self._block(node.statements, scope.inside())

    # --- assignments and subroutines --------------------------------------------------------------

    def _ClassicalAssignment(self, node: ast.ClassicalAssignment, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        target: Any = node.lvalue
        name = target.name.name if isinstance(target, ast.IndexedIdentifier) else target.name
        meaning = scope.find(name)
        if isinstance(meaning, _Number) and isinstance(target, ast.Identifier):
            holder = scope.holder(name)
            if meaning.constant:
                _refuse(node, f"`{name}` is a constant")
            if scope.waits and not holder.waits:
                _refuse(node, f"the value of `{name}` would depend on a measurement")
            value: Any = node.rvalue
            if node.op.name != "=":
                operator = ast.BinaryOperator[node.op.name.removesuffix("=")]
                value = _like(node, ast.BinaryExpression(operator, target, node.rvalue))
            try:
                new_value = self._cast_value(meaning.type, value, scope)
            except NotConstant:
                _refuse(node, f"the value of `{name}` is not known before the circuit runs")
            holder.names[name] = evolve(meaning, value=new_value)
            return
        call = node.rvalue
        if isinstance(call, ast.FunctionCall) and call.name.name in self._subroutines:
            yield from self._inlined(call, self._bits_of(target, scope), scope)
            return
        yield node

    def _SubroutineDefinition(self, node: ast.SubroutineDefinition, _: _Scope) -> Iterator[Any]:  # noqa: N802
        if node.name.name in self._subroutines:
            _refuse(node, f"'{node.name.name}' is already defined.")
        self._subroutines[node.name.name] = node
        yield from ()

    def _ExpressionStatement(self, node: ast.ExpressionStatement, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        call = node.expression
        if isinstance(call, ast.FunctionCall) and call.name.name in self._subroutines:
            yield from self._inlined(call, None, scope)
        else:
            yield node

    def _ReturnStatement(self, node: ast.ReturnStatement, scope: _Scope) -> Iterator[Any]:  # noqa: N802
        if scope.returned is None:
            yield node
            return
        if scope.waits:
            _refuse(node, "whether it returns here depends on a measurement", "return at the end")
        raise _Return(node, scope)

    def _inlined(
        self, call: ast.FunctionCall, target: _Bits | None, scope: _Scope
    ) -> Iterator[Any]:
        """The statements of a subroutine, which writes what it returns into `target`."""
        made, returned = self._called(call, target, scope)
        yield from made
        result = None if returned is None else returned.node.expression
        if result is None:
            if target is not None:
                _refuse(call, f"`{call.name.name}` returns nothing")
            return
        if isinstance(result, ast.QuantumMeasurement):
            if target is None or returned is None:
                _refuse(call, "the result of a measurement must be kept", "write `c = measure q;`")
            qubits, _ = self._operand(result.qubit, returned.scope)
            target_operand = self._written(target, call)
            if qubits is None or target_operand is None:
                _refuse(call, "the measured qubits are of several registers", "measure one by one")
            measured = _like(result, ast.QuantumMeasurement(qubits))
            self._spend(call, len(target.items))
            yield _like(call, ast.QuantumMeasurementStatement(measured, target_operand))
        elif target is not None:
            bits = self._bits_of(result, returned.scope) if returned is not None else None
            if bits != target:
                _refuse(
                    result,
                    "a subroutine returns a measurement, or bits that it declares",
                    "write `bit b; b = measure q; return b;`",
                )

    def _called(
        self, call: ast.FunctionCall, target: _Bits | None, scope: _Scope
    ) -> tuple[list[Any], _Return | None]:
        """The statements of a call, and where it returned."""
        routine = self._subroutines[call.name.name]
        if scope.depth >= _DEEPEST_CALL:
            _refuse(call, f"`{call.name.name}` is called more than {_DEEPEST_CALL} deep")
        self._spend(call, 1)
        last = routine.body[-1] if routine.body else None
        result = last.expression if isinstance(last, ast.ReturnStatement) else None
        name = result.name if isinstance(result, ast.Identifier) else ""
        inner = _Scope(self._global, scope.waits, returned=(name, target), depth=scope.depth + 1)
        self._pass(call, routine, scope, inner)
        made: list[Any] = []
        try:
            for statement in self._block(routine.body, inner):
                made.append(statement)  # noqa: PERF402 - kept when it returns in the middle
        except _Return as returned:
            return made, returned
        return made, None

    def _pass(
        self,
        call: ast.FunctionCall,
        routine: ast.SubroutineDefinition,
        scope: _Scope,
        inner: _Scope,
    ) -> None:
        """Give the arguments of a call their meanings in the subroutine."""
        if len(call.arguments) != len(routine.arguments):
            number = len(routine.arguments)
            takes = f"`{routine.name.name}` takes {number} argument{'s' * (number != 1)}"
            _refuse(call, f"{takes}, here it is given {len(call.arguments)}")
        for formal, actual in zip(routine.arguments, call.arguments, strict=True):
            name = formal.name.name
            is_bits = isinstance(formal, ast.QuantumArgument) or isinstance(
                formal.type, ast.BitType
            )
            if not is_bits:
                kind = formal.type  # type: ignore[union-attr]
                if not isinstance(kind, _NUMBERS):
                    _refuse(formal, "such arguments are not supported", "pass numbers or qubits")
                try:
                    value = self._cast_value(kind, actual, scope)
                    inner.names[name] = _Number(kind, value, constant=False)
                except NotConstant:
                    inner.names[name] = _Symbol(self._folded(actual, scope))
                continue
            bits = self._bits_of(actual, scope)
            declared: Any = formal if isinstance(formal, ast.QuantumArgument) else formal.type
            size = declared.size
            if bits is None:
                _refuse(actual, f"`{name}` must be a qubit, bit or register that is declared")
            if size is None and not bits.single:
                if len(bits.items) != 1:
                    _refuse(actual, f"`{name}` is one bit, here it is given {len(bits.items)}")
                bits = evolve(bits, single=True)
            elif size is not None:
                expected = self._integer(size, inner, "the size of a register")
                if expected != len(bits.items):
                    _refuse(actual, f"`{name}` has {expected} bits, here {len(bits.items)}")
                bits = evolve(bits, single=False)
            inner.names[name] = bits


def _item(bits: _Bits, place: int, node: Any) -> tuple[str, int | None]:
    if not -len(bits.items) <= place < len(bits.items):
        _refuse(node, "an index is outside of its register")
    return bits.items[place]


def _line(node: ast.QASMNode) -> int:
    return 1 if node.span is None else node.span.start_line


def _literal(value: Constant) -> ast.Expression:
    if isinstance(value, bool):
        return ast.BooleanLiteral(value)
    kind: Any = ast.IntegerLiteral if isinstance(value, int) else ast.FloatLiteral
    if value < 0:
        return ast.UnaryExpression(ast.UnaryOperator["-"], kind(-value))
    literal: ast.Expression = kind(value)
    return literal


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


def _is_integer(node: Any) -> bool:
    """Whether an expression is of integers only, whose quotient the converter rounds down."""
    if isinstance(node, ast.UnaryExpression):
        return _is_integer(node.expression)
    if isinstance(node, ast.BinaryExpression):
        return _is_integer(node.lhs) and _is_integer(node.rhs)
    return isinstance(node, ast.IntegerLiteral)


def _is_computed(node: Any) -> bool:
    if isinstance(node, ast.UnaryExpression):
        return _is_computed(node.expression)
    if isinstance(node, ast.BinaryExpression):
        computed = node.op.name not in "+-*/" or _is_computed(node.lhs)
        return computed or _is_computed(node.rhs)
    return isinstance(node, ast.FunctionCall | ast.Cast)


def _as_float(node: Any) -> Any:
    """A literal integer as a float; anything else as it is."""
    if isinstance(node, ast.UnaryExpression):
        return _like(node, ast.UnaryExpression(node.op, _as_float(node.expression)))
    return (
        _like(node, ast.FloatLiteral(float(node.value)))
        if isinstance(node, ast.IntegerLiteral)
        else node
    )


def _is_zero(node: Any) -> bool:
    """Whether an initial value of bits is 0, as of all bits."""
    if isinstance(node, ast.BitstringLiteral | ast.IntegerLiteral | ast.BooleanLiteral):
        return node.value == 0
    return False


def _controls(modifiers: Sequence[ast.QuantumGateModifier]) -> int:
    """Factor of a gate's size in its controlled form."""
    controls = 0
    for modifier in modifiers:
        if modifier.modifier in (ast.GateModifierName.ctrl, ast.GateModifierName.negctrl):
            number = modifier.argument
            controls += number.value if isinstance(number, ast.IntegerLiteral) else 1
    return int(CONTROLLED ** min(controls, 8))


def _sum(left: _Duration, right: _Duration, sign: int) -> _Duration | None:
    if left.unit == right.unit:
        return _Duration(left.value + sign * right.value, left.unit)
    if left.unit not in _SECONDS or right.unit not in _SECONDS:
        return None
    seconds = left.value * _SECONDS[left.unit] + sign * right.value * _SECONDS[right.unit]
    return _Duration(seconds, "s")


def _if(condition: Any, block: list[Any], node: Any) -> Any:
    """An `if` without `else`; a conjunction becomes two nested ones."""
    if isinstance(condition, ast.BinaryExpression) and condition.op.name == "&&":
        return _if(condition.lhs, [_if(condition.rhs, block, node)], node)
    return _like(node, ast.BranchingStatement(condition, block, []))


def _expression(operand: Any, node: Any) -> Any:
    """An operand in the form that it has in expressions."""
    if isinstance(operand, ast.IndexedIdentifier):
        return _like(node, ast.IndexExpression(operand.name, operand.indices[0]))
    return operand
