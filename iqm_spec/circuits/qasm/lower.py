"""Lowers OpenQASM 3 programs to what the converter to Qiskit reads correctly.

What is known before the circuit runs is worked out here: variables of numbers, `for` loops,
subroutines, aliases and index sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import evolve
from openqasm3 import ast

from iqm_spec.circuits.circuit_files import MOST_BITS
from iqm_spec.circuits.qasm.constants import Constant, NotConstant
from iqm_spec.circuits.qasm.meanings import Bits, Number, Scope, Symbol, like, line_of, refuse
from iqm_spec.circuits.qasm.operations import Operations
from iqm_spec.model import DELAY_IN_SAMPLES, Feature

_DEEPEST_CALL = 50
_NUMBERS = (ast.IntType, ast.UintType, ast.FloatType, ast.AngleType, ast.BoolType)


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
            yield Feature(kind, line_of(node))
        for blocks in ("if_block", "else_block", "block", "body"):
            if not isinstance(node, ast.QuantumGateDefinition):
                yield from _features(getattr(node, blocks, ()))


def _in_samples(node: Any) -> bool:
    if isinstance(node, ast.BinaryExpression):
        return _in_samples(node.lhs) or _in_samples(node.rhs)
    return isinstance(node, ast.DurationLiteral) and node.unit is ast.TimeUnit.dt


class _Break(Exception):
    """Leaves an unrolled loop."""


class _Continue(Exception):
    """Continues with the next round of an unrolled loop."""


class _Return(Exception):
    """Leaves a subroutine."""

    def __init__(self, node: ast.ReturnStatement, scope: Scope) -> None:
        super().__init__()
        self.node, self.scope = node, scope


class _Lowering(Operations):
    """Lowers a program; each class of statements has its method, named after the class."""

    def __init__(self) -> None:
        super().__init__()
        self._subroutines: dict[str, ast.SubroutineDefinition] = {}
        self._bits = 0

    def run(self, statements: Iterable[ast.Statement | ast.Pragma]) -> Iterator[Any]:
        for statement in statements:
            made = list(self._statement(statement, self._global))
            yield from self._instances_made
            self._instances_made.clear()
            yield from made

    # --- declarations -----------------------------------------------------------------------------

    def _declare(self, node: Any, name: str, size: Any, scope: Scope) -> Any:
        """The literal size of a register of the program, None where it is no register."""
        if name in scope.names and not isinstance(scope.names[name], Symbol):
            refuse(node, f"`{name}` is already declared")
        number = 1 if size is None else self._integer(size, scope, "the size of a register")
        if number < 0:
            refuse(size, f"a register of {number} bits")
        self._bits += number
        if self._bits > 2 * MOST_BITS:
            refuse(
                node,
                f"the registers hold more than {2 * MOST_BITS:,} bits and qubits",
                "declare the qubits in use only",
            )
        items = ((name, None),) if size is None else tuple((name, i) for i in range(number))
        scope.names[name] = Bits(items, size is None)
        self._registers[name] = number
        return None if size is None else like(size, ast.IntegerLiteral(number))

    def _QubitDeclaration(self, node: ast.QubitDeclaration, scope: Scope) -> Iterator[Any]:  # noqa: N802
        size = self._declare(node, node.qubit.name, node.size, scope)
        yield like(node, ast.QubitDeclaration(node.qubit, size))

    def _ConstantDeclaration(self, node: ast.ConstantDeclaration, scope: Scope) -> Iterator[Any]:  # noqa: N802
        self._variable(node, scope, constant=True)
        yield from ()

    def _ClassicalDeclaration(self, node: ast.ClassicalDeclaration, scope: Scope) -> Iterator[Any]:  # noqa: N802
        if not isinstance(node.type, ast.BitType):
            if not self._variable(node, scope, constant=False):
                yield node
            return
        name, kind = node.identifier.name, node.type
        if scope.returned is not None and scope is not self._global:
            # bits that a subroutine declares are those that it returns
            returned_name, target = scope.returned
            if name != returned_name or target is None:
                refuse(
                    node,
                    f"the bits `{name}` of a subroutine are not what is kept of it",
                    "return them, and write `c = ` before the call",
                )
            size = 1
            if kind.size is not None:
                size = self._integer(kind.size, scope, "the size of a register")
            if size != len(target.items):
                refuse(node, f"`{name}` has {size} bits, what is kept of it {len(target.items)}")
            scope.names[name] = evolve(target, single=kind.size is None)
            yield from self._initial(node, node.init_expression, scope)
            return
        if scope is not self._global and not scope.waits:
            refuse(node, f"`{name}` is declared within a loop", "declare it before the loop")
        declared = like(node, ast.BitType(self._declare(node, name, kind.size, scope)))
        yield like(node, ast.ClassicalDeclaration(declared, node.identifier, None))
        yield from self._initial(node, node.init_expression, scope)

    def _initial(self, node: Any, init: Any, scope: Scope) -> Iterator[Any]:
        """Statements that give the initial value of bits that were just declared."""
        target = node.identifier
        if isinstance(init, ast.QuantumMeasurement):
            statement = like(node, ast.QuantumMeasurementStatement(init, target))
            yield from self._QuantumMeasurementStatement(statement, scope)
        elif isinstance(init, ast.FunctionCall) and init.name.name in self._subroutines:
            yield from self._inlined(init, self._bits_of(target, scope), scope)
        elif init is not None and not _is_zero(init):
            refuse(
                init,
                f"`{target.name}` does not begin as 0",
                "no machine sets a bit: use the number itself, or a `const`",
            )

    def _variable(self, node: Any, scope: Scope, *, constant: bool) -> bool:
        """Record a variable whose value is known; False where it is of another kind."""
        name, kind, init = node.identifier.name, node.type, node.init_expression
        if name in scope.names and not isinstance(scope.names[name], Symbol):
            refuse(node, f"`{name}` is already declared")
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
                scope.names[name] = Number(kind.base_type, values, constant)
                return True
            if isinstance(kind, _NUMBERS) or (constant and isinstance(kind, ast.BitType)):
                value = None if init is None else self._cast_value(kind, init, scope)
                scope.names[name] = Number(kind, value, constant)
                return True
        except NotConstant:
            if constant:
                refuse(node, f"the constant `{name}` has no value before the circuit runs")
        return False

    def _IODeclaration(self, node: ast.IODeclaration, scope: Scope) -> Iterator[Any]:  # noqa: N802
        scope.names[node.identifier.name] = Symbol()
        yield node

    def _AliasStatement(self, node: ast.AliasStatement, scope: Scope) -> Iterator[Any]:  # noqa: N802
        bits = self._bits_of(node.value, scope)
        if bits is None:
            yield node
            return
        if node.target.name in scope.names:
            refuse(node, f"`{node.target.name}` is already declared")
        scope.names[node.target.name] = bits

    # --- control flow -----------------------------------------------------------------------------

    def _ForInLoop(self, node: ast.ForInLoop, scope: Scope) -> Iterator[Any]:  # noqa: N802
        for value in self._rounds(node, scope):
            self._spend(node, 1)
            inner = scope.inside()
            inner.names[node.identifier.name] = Number(node.type, value, constant=True)
            try:
                yield from self._block(node.block, inner)
            except _Continue:
                continue
            except _Break:
                break

    def _rounds(self, node: ast.ForInLoop, scope: Scope) -> Iterable[Constant]:
        """The values of a loop's variable."""
        over = node.set_declaration
        if isinstance(over, ast.RangeDefinition):
            return self._range(over, scope)
        if isinstance(over, ast.DiscreteSet):
            return [self._known(value, scope, "the values of a loop") for value in over.values]
        meaning = scope.find(over.name) if isinstance(over, ast.Identifier) else None
        if not isinstance(meaning, Number) or not isinstance(meaning.value, tuple):
            refuse(over, "a loop over such a set is not supported", "use a range or constants")
        return meaning.value

    def _WhileLoop(self, node: ast.WhileLoop, scope: Scope) -> Iterator[Any]:  # noqa: N802
        try:
            going = bool(self._value(node.while_condition, scope))
        except NotConstant:
            condition = self._condition(node.while_condition, scope)
            block = list(self._block(node.block, scope.inside(waits=True, repeats=True)))
            yield like(node, ast.WhileLoop(condition, block))
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

    def _BreakStatement(self, node: ast.BreakStatement, scope: Scope) -> Iterator[Any]:  # noqa: N802
        yield from self._leave(node, scope, _Break())

    def _ContinueStatement(self, node: ast.ContinueStatement, scope: Scope) -> Iterator[Any]:  # noqa: N802
        yield from self._leave(node, scope, _Continue())

    def _leave(self, node: Any, scope: Scope, how: Exception) -> Iterator[Any]:
        if scope.repeats:
            yield node
        elif scope.waits:
            refuse(node, "whether the loop ends here depends on a measurement", "use `if`")
        else:
            raise how

    def _BranchingStatement(self, node: ast.BranchingStatement, scope: Scope) -> Iterator[Any]:  # noqa: N802
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
            yield like(node, ast.BranchingStatement(condition, block, otherwise))

    def _condition(self, node: Any, scope: Scope) -> Any:
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
                else like(node, ast.UnaryExpression(node.op, inner))
            )
        if isinstance(node, ast.BinaryExpression) and node.op.name in ("&&", "||"):
            left, right = self._condition(node.lhs, scope), self._condition(node.rhs, scope)
            decides = node.op.name == "||"
            for known, other in ((left, right), (right, left)):
                if isinstance(known, bool):
                    return decides if known == decides else other
            return like(node, ast.BinaryExpression(node.op, left, right))
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
                    like(side, ast.BooleanLiteral(bool(side.value)))
                    if isinstance(side, ast.IntegerLiteral) and side.value in (0, 1)
                    else side
                    for side in sides
                ]
            return like(node, ast.BinaryExpression(node.op, sides[0], sides[1]))
        bits = self._bits_of(node, scope)
        return node if bits is None else _expression(self._written(bits, node), node)

    def _SwitchStatement(self, node: ast.SwitchStatement, scope: Scope) -> Iterator[Any]:  # noqa: N802
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

    def _CompoundStatement(self, node: ast.CompoundStatement, scope: Scope) -> Iterator[Any]:  # noqa: N802
        yield from self._block(node.statements, scope.inside())

    # --- assignments and subroutines --------------------------------------------------------------

    def _ClassicalAssignment(self, node: ast.ClassicalAssignment, scope: Scope) -> Iterator[Any]:  # noqa: N802
        target: Any = node.lvalue
        name = target.name.name if isinstance(target, ast.IndexedIdentifier) else target.name
        meaning = scope.find(name)
        if isinstance(meaning, Number) and isinstance(target, ast.Identifier):
            holder = scope.holder(name)
            if meaning.constant:
                refuse(node, f"`{name}` is a constant")
            if scope.waits and not holder.waits:
                refuse(node, f"the value of `{name}` would depend on a measurement")
            value: Any = node.rvalue
            if node.op.name != "=":
                operator = ast.BinaryOperator[node.op.name.removesuffix("=")]
                value = like(node, ast.BinaryExpression(operator, target, node.rvalue))
            try:
                new_value = self._cast_value(meaning.type, value, scope)
            except NotConstant:
                refuse(node, f"the value of `{name}` is not known before the circuit runs")
            holder.names[name] = evolve(meaning, value=new_value)
            return
        call = node.rvalue
        if isinstance(call, ast.FunctionCall) and call.name.name in self._subroutines:
            yield from self._inlined(call, self._bits_of(target, scope), scope)
            return
        yield node

    def _SubroutineDefinition(self, node: ast.SubroutineDefinition, _: Scope) -> Iterator[Any]:  # noqa: N802
        if node.name.name in self._subroutines:
            refuse(node, f"'{node.name.name}' is already defined.")
        self._subroutines[node.name.name] = node
        yield from ()

    def _ExpressionStatement(self, node: ast.ExpressionStatement, scope: Scope) -> Iterator[Any]:  # noqa: N802
        call = node.expression
        if isinstance(call, ast.FunctionCall) and call.name.name in self._subroutines:
            yield from self._inlined(call, None, scope)
        else:
            yield node

    def _ReturnStatement(self, node: ast.ReturnStatement, scope: Scope) -> Iterator[Any]:  # noqa: N802
        if scope.returned is None:
            yield node
            return
        if scope.waits:
            refuse(node, "whether it returns here depends on a measurement", "return at the end")
        raise _Return(node, scope)

    def _value_of_call(self, call: ast.FunctionCall, scope: Scope) -> Constant:
        if call.name.name not in self._subroutines:
            raise NotConstant
        made, returned = self._called(call, None, scope)
        result = None if returned is None else returned.node.expression
        if made or returned is None or not isinstance(result, ast.Expression):
            raise NotConstant
        return self._value(result, returned.scope)

    def _inlined(self, call: ast.FunctionCall, target: Bits | None, scope: Scope) -> Iterator[Any]:
        """The statements of a subroutine, which writes what it returns into `target`."""
        made, returned = self._called(call, target, scope)
        yield from made
        result = None if returned is None else returned.node.expression
        if result is None:
            if target is not None:
                refuse(call, f"`{call.name.name}` returns nothing")
            return
        if isinstance(result, ast.QuantumMeasurement):
            if target is None or returned is None:
                refuse(call, "the result of a measurement must be kept", "write `c = measure q;`")
            qubits, _ = self._operand(result.qubit, returned.scope)
            target_operand = self._written(target, call)
            if qubits is None or target_operand is None:
                refuse(call, "the measured qubits are of several registers", "measure one by one")
            measured = like(result, ast.QuantumMeasurement(qubits))
            self._spend(call, len(target.items))
            yield like(call, ast.QuantumMeasurementStatement(measured, target_operand))
        elif target is not None:
            bits = self._bits_of(result, returned.scope) if returned is not None else None
            if bits != target:
                refuse(
                    result,
                    "a subroutine returns a measurement, or bits that it declares",
                    "write `bit b; b = measure q; return b;`",
                )

    def _called(
        self, call: ast.FunctionCall, target: Bits | None, scope: Scope
    ) -> tuple[list[Any], _Return | None]:
        """The statements of a call, and where it returned."""
        routine = self._subroutines[call.name.name]
        if scope.depth >= _DEEPEST_CALL:
            refuse(call, f"`{call.name.name}` is called more than {_DEEPEST_CALL} deep")
        self._spend(call, 1)
        last = routine.body[-1] if routine.body else None
        result = last.expression if isinstance(last, ast.ReturnStatement) else None
        name = result.name if isinstance(result, ast.Identifier) else ""
        inner = Scope(self._global, scope.waits, returned=(name, target), depth=scope.depth + 1)
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
        scope: Scope,
        inner: Scope,
    ) -> None:
        """Give the arguments of a call their meanings in the subroutine."""
        if len(call.arguments) != len(routine.arguments):
            number = len(routine.arguments)
            takes = f"`{routine.name.name}` takes {number} argument{'s' * (number != 1)}"
            refuse(call, f"{takes}, here it is given {len(call.arguments)}")
        for formal, actual in zip(routine.arguments, call.arguments, strict=True):
            name = formal.name.name
            is_bits = isinstance(formal, ast.QuantumArgument) or isinstance(
                formal.type, ast.BitType
            )
            if not is_bits:
                kind = formal.type  # type: ignore[union-attr]
                if not isinstance(kind, _NUMBERS):
                    refuse(formal, "such arguments are not supported", "pass numbers or qubits")
                try:
                    value = self._cast_value(kind, actual, scope)
                    inner.names[name] = Number(kind, value, constant=False)
                except NotConstant:
                    inner.names[name] = Symbol(self._folded(actual, scope))
                continue
            bits = self._bits_of(actual, scope)
            declared: Any = formal if isinstance(formal, ast.QuantumArgument) else formal.type
            size = declared.size
            if bits is None:
                refuse(actual, f"`{name}` must be a qubit, bit or register that is declared")
            if size is None and not bits.single:
                if len(bits.items) != 1:
                    refuse(actual, f"`{name}` is one bit, here it is given {len(bits.items)}")
                bits = evolve(bits, single=True)
            elif size is not None:
                expected = self._integer(size, inner, "the size of a register")
                if expected != len(bits.items):
                    refuse(actual, f"`{name}` has {expected} bits, here {len(bits.items)}")
                bits = evolve(bits, single=False)
            inner.names[name] = bits


def _if(condition: Any, block: list[Any], node: Any) -> Any:
    """An `if` without `else`; a conjunction becomes two nested ones."""
    if isinstance(condition, ast.BinaryExpression) and condition.op.name == "&&":
        return _if(condition.lhs, [_if(condition.rhs, block, node)], node)
    return like(node, ast.BranchingStatement(condition, block, []))


def _expression(operand: Any, node: Any) -> Any:
    """An operand in the form that it has in expressions."""
    if isinstance(operand, ast.IndexedIdentifier):
        return like(node, ast.IndexExpression(operand.name, operand.indices[0]))
    return operand


def _is_zero(node: Any) -> bool:
    """Whether an initial value of bits is 0, as of all bits."""
    if isinstance(node, ast.BitstringLiteral | ast.IntegerLiteral | ast.BooleanLiteral):
        return node.value == 0
    return False
