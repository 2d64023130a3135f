"""OpenQASM 3 as a program: the parsed text, executed statement by statement.

Versions of the language define `U`, `u2` and `u3` with different global phases, which matter under
a control or in a broken power: a text in which they may matter has two readings.
"""

from __future__ import annotations

import io
from cmath import exp
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from iqm_spec.crosscheck.library import LibraryGate, scalar, stdgates, u
from iqm_spec.crosscheck.program import (
    MOST_ENTRIES,
    MOST_STEPS,
    WIDEST_STEP,
    Allowance,
    BitTest,
    Conditional,
    Measure,
    NotReadable,
    Program,
    ProgramStep,
    Reset,
    Unitary,
    controlled,
    inverse,
    lay_out_registers,
    power,
    product,
)
from iqm_spec.crosscheck.qasm3_values import (
    BitPlaces,
    Number,
    QubitPlaces,
    Value,
    evaluate,
    indexed,
    integer,
    integer_range,
    number,
    truth,
)

if TYPE_CHECKING:
    from openqasm3 import ast


_NOTHING = ("QuantumBarrier", "DelayInstruction", "Pragma")

_MOST_QUBITS = 10_000

_MOST_REPEATS = 64


@frozen(eq=False)
class _Subroutine:
    arguments: Sequence[Any]
    body: Sequence[Any]


@frozen(eq=False)
class _DefinedGate:
    """A gate that the file defines, with the meanings of names at that place."""

    parameters: tuple[str, ...]
    qubits: tuple[str, ...]
    body: Sequence[Any]
    gates: Mapping[str, Any]
    scope: Mapping[str, Value]


def read_qasm3(text: str, inputs: Mapping[str, float]) -> list[Program]:
    """The one or two readings of OpenQASM 3 `text`. Raises `NotReadable`."""
    program = _parsed(text)
    readings = []
    for phased in (False, True):
        interpreter = _Interpreter(dict(inputs), phased)
        try:
            registers = interpreter.declare(program)
            interpreter.run(program.statements, interpreter.steps)
        except (ArithmeticError, ValueError):
            raise NotReadable("an angle that cannot be computed") from None
        except RecursionError:
            raise NotReadable("nested too deep") from None
        readings.append(Program(registers, tuple(interpreter.steps)))
        if not interpreter.phase_matters:
            break
    return readings


@lru_cache(maxsize=4)
def _parsed(text: str) -> ast.Program:
    import openqasm3.parser

    try:
        with redirect_stderr(io.StringIO()):  # the lexer prints what it also raises
            return openqasm3.parser.parse(text)
    except Exception as error:
        raise NotReadable("a text that cannot be parsed") from error


@define(eq=False)
class _Interpreter:
    """Executes statements; each class of statements has its method.

    Attributes:
        inputs: Values of the `input` parameters.
        phased: Whether gates get the global phases of the other version of the language.
        phase_matters: Whether such a phase was under a control or a broken power.
    """

    inputs: dict[str, float]
    phased: bool
    steps: list[ProgramStep] = field(factory=list)
    phase_matters: bool = False
    _scope: dict[str, Value] = field(factory=dict)
    _fixed: set[str] = field(factory=set)
    _gates: dict[str, Any] = field(factory=dict)
    _bits: dict[str, tuple[int, ...]] = field(factory=dict)
    _physical: dict[str, int] = field(factory=dict)
    _qubits: int = 0
    _left: Allowance = field(factory=Allowance)
    _routines: dict[str, _Subroutine] = field(factory=dict)
    _rounds: int = 0
    _depth: int = 0
    _num_phase_sensitive: int = 0

    def declare(self, program: ast.Program) -> tuple[tuple[str, int], ...]:
        """Lay out the classical registers, all of which are declared outside of blocks."""
        from openqasm3 import ast

        declared: list[tuple[str, int | None]] = []
        constants: dict[str, Value] = {}
        for node in program.statements:
            if isinstance(node, ast.ConstantDeclaration):
                constants[node.identifier.name] = number(node.init_expression, constants)
            if isinstance(node, ast.ClassicalDeclaration) and isinstance(node.type, ast.BitType):
                size = None if node.type.size is None else integer(node.type.size, constants)
                declared.append((node.identifier.name, size))
        if sum(size or 1 for _, size in declared) > _MOST_QUBITS:
            raise NotReadable("very many bits")
        registers, first = lay_out_registers(declared)
        for (name, size), start in zip(declared, first, strict=True):
            self._bits[name] = tuple(range(start, start + (1 if size is None else size)))
        return registers

    def run(self, nodes: Sequence[Any], out: list[ProgramStep]) -> None:
        """Execute statements; append their steps to `out`."""
        for node in nodes:
            kind = type(node).__name__
            if kind in _NOTHING:
                continue
            action = getattr(self, f"_on_{kind}", None)
            if action is None:
                raise NotReadable(f"a statement of the kind {kind}")
            action(node, out)

    # --- declarations -----------------------------------------------------------------------------

    def _on_Include(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        if node.filename != "stdgates.inc":
            raise NotReadable("a file that it includes")
        self._gates.update(stdgates())

    def _on_QubitDeclaration(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        size = 1 if node.size is None else integer(node.size, self._scope)
        if size < 1 or self._qubits + size > _MOST_QUBITS:
            raise NotReadable("very many qubits")
        places = tuple(range(self._qubits, self._qubits + size))
        self._qubits += size
        self._scope[node.qubit.name] = QubitPlaces(places, single=node.size is None)

    def _on_ClassicalDeclaration(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        from openqasm3 import ast

        name = node.identifier.name
        if not isinstance(node.type, ast.BitType):
            if node.init_expression is None:
                raise NotReadable("a variable without a value")
            self._scope[name] = self._typed(node.type, number(node.init_expression, self._scope))
            return
        if out is not self.steps or name not in self._bits:
            raise NotReadable("a bit that is declared in a block")
        self._scope[name] = BitPlaces(self._bits[name], single=node.type.size is None)
        if isinstance(node.init_expression, ast.QuantumMeasurement):
            self._measure(node.init_expression, self._scope[name], out)
        elif node.init_expression is not None:
            raise NotReadable("a bit with a value from the start")

    def _on_ConstantDeclaration(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        value = number(node.init_expression, self._scope)
        self._scope[node.identifier.name] = self._typed(node.type, value)
        self._fixed.add(node.identifier.name)

    def _on_IODeclaration(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        name = node.identifier.name
        if node.io_identifier.name != "input":
            raise NotReadable("`output`")
        if name not in self.inputs:
            raise NotReadable("an input without a value")
        self._scope[name] = self._typed(node.type, self.inputs[name])

    def _typed(self, kind: Any, value: Number) -> Number:
        from openqasm3 import ast

        if isinstance(kind, ast.FloatType | ast.AngleType):
            return float(value)
        if isinstance(kind, ast.BoolType):
            return bool(value)
        if isinstance(kind, ast.IntType | ast.UintType) and float(value).is_integer():
            return int(value)
        raise NotReadable(f"a variable of the kind {type(kind).__name__}")

    def _on_QuantumGateDefinition(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        # names in the body keep their meanings at this place
        scope = {k: v for k, v in self._scope.items() if isinstance(v, bool | int | float)}
        self._gates[node.name.name] = _DefinedGate(
            tuple(argument.name for argument in node.arguments),
            tuple(qubit.name for qubit in node.qubits),
            node.body,
            dict(self._gates),
            scope,
        )

    def _on_AliasStatement(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        value = evaluate(node.value, self._scope)
        if not isinstance(value, QubitPlaces | BitPlaces):
            raise NotReadable("an alias of such a value")
        self._scope[node.target.name] = value

    # --- gates ------------------------------------------------------------------------------------

    def _on_QuantumGate(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        angles = [float(number(angle, self._scope)) for angle in node.arguments]
        modifiers = [self._modifier(modifier) for modifier in node.modifiers]
        arguments = [self._qubits_of(operand) for operand in node.qubits]
        for qubits in _rows(arguments):
            if len(set(qubits)) < len(qubits):
                raise NotReadable("a gate on the same qubit twice")
            controls = sum(modifier.controls for modifier in modifiers)
            broken = any(m.kind == "pow" and not m.value.is_integer() for m in modifiers)
            phased = broken or any(modifier.controls for modifier in modifiers)
            self._num_phase_sensitive += phased
            inner = self._gate(node.name.name, angles, qubits[controls:])
            self._num_phase_sensitive -= phased
            self._emit(modified(inner, modifiers, qubits), out)

    def _on_QuantumPhase(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        modifiers = [self._modifier(modifier) for modifier in node.modifiers]
        steps = [Unitary(scalar(float(number(node.argument, self._scope))), ())]
        for qubits in _rows([self._qubits_of(q) for q in node.qubits]) if node.qubits else [()]:
            if len(qubits) != sum(modifier.controls for modifier in modifiers):
                raise NotReadable("`gphase` on qubits")
            self._emit(modified(steps, modifiers, qubits), out)

    def _emit(self, steps: Sequence[Unitary], out: list[ProgramStep]) -> None:
        self._left.spend(len(steps), [step.matrix for step in steps])
        # outside of gates a global phase never matters
        out += steps if self._depth else [step for step in steps if step.qubits]

    def _gate(self, name: str, angles: Sequence[float], qubits: Sequence[int]) -> list[Unitary]:
        self._left.spend(1)  # empty gates count too: they may call each other often
        gate = self._gates.get(name)
        if gate is None and name == "U":
            gate = LibraryGate(3, 1, u)
        if gate is None:
            raise NotReadable(f"the gate `{name[:40]}`, which nothing defines")
        if isinstance(gate, LibraryGate):
            if len(angles) != gate.angles or len(qubits) != gate.qubits:
                raise NotReadable("a gate that is given other angles or qubits than it takes")
            phase = 0.0
            if self._num_phase_sensitive:
                phase = _open_phase(name, angles)
                self.phase_matters = self.phase_matters or phase != 0
            matrix = gate.at(tuple(angles))
            return [Unitary(matrix * exp(1j * phase) if self.phased else matrix, tuple(qubits))]
        if len(angles) != len(gate.parameters) or len(qubits) != len(gate.qubits):
            raise NotReadable("a gate that is given other angles or qubits than it takes")
        scope, gates = self._scope, self._gates
        self._scope = {
            **gate.scope,
            **dict(zip(gate.parameters, angles, strict=True)),
            **{
                name: QubitPlaces((q,), single=True)
                for name, q in zip(gate.qubits, qubits, strict=True)
            },
        }
        self._gates = dict(gate.gates)
        self._depth += 1
        body: list[Any] = []
        try:
            self.run(gate.body, body)
        finally:
            self._scope, self._gates = scope, gates
            self._depth -= 1
        return body

    def _modifier(self, node: Any) -> Modifier:
        kind = node.modifier.name
        if kind == "inv":
            return Modifier(kind)
        if kind == "pow":
            return Modifier(kind, _exponent(node.argument, self._scope))
        count = 1 if node.argument is None else integer(node.argument, self._scope)
        if count < 1:
            raise NotReadable("a modifier with no controls")
        return Modifier(kind, count)

    def _qubits_of(self, node: Any) -> QubitPlaces:
        from openqasm3 import ast

        name = node.name if isinstance(node, ast.Identifier) else node.name.name
        if name.startswith("$"):
            if name not in self._physical:
                self._physical[name] = self._qubits
                self._qubits += 1
            return QubitPlaces((self._physical[name],), single=True)
        value = self._target(node)
        if not isinstance(value, QubitPlaces):
            raise NotReadable("a gate on what is no qubit")
        return value

    def _target(self, node: Any) -> Value:
        from openqasm3 import ast

        if isinstance(node, ast.IndexedIdentifier):
            value = evaluate(node.name, self._scope)
            for index in node.indices:
                value = indexed(value, index, self._scope)
        else:
            value = evaluate(node, self._scope)
        if not isinstance(value, QubitPlaces | BitPlaces):
            raise NotReadable("an operation on what is neither qubit nor bit")
        return value

    # --- measurements and resets ------------------------------------------------------------------

    def _on_QuantumMeasurementStatement(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        if node.target is None:
            raise NotReadable("a measurement that is kept nowhere")
        self._measure(node.measure, self._target(node.target), out)

    def _measure(self, measurement: Any, target: Value, out: list[ProgramStep]) -> None:
        qubits = self._qubits_of(measurement.qubit)
        if not isinstance(target, BitPlaces) or len(target.places) != len(qubits.places):
            raise NotReadable("a measurement of registers of different sizes")
        self._left.spend(len(qubits.places))
        for qubit, bit in zip(qubits.places, target.places, strict=True):
            out.append(Measure(qubit, bit))

    def _on_QuantumReset(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        qubits = self._qubits_of(node.qubits).places
        self._left.spend(len(qubits))
        out += [Reset(qubit) for qubit in qubits]

    # --- control flow -----------------------------------------------------------------------------

    @contextmanager
    def _inner(self) -> Iterator[None]:
        """A scope whose names are forgotten at its end."""
        outer = self._scope
        self._scope = dict(outer)
        try:
            yield
        finally:
            self._scope = outer

    def _block(self, nodes: Sequence[Any]) -> tuple[ProgramStep, ...]:
        steps: list[ProgramStep] = []
        with self._inner():
            self.run(nodes, steps)
        return tuple(steps)

    def _on_BranchingStatement(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        if self._depth:
            raise NotReadable("a condition in a gate")
        value = evaluate(node.condition, self._scope)
        if isinstance(value, bool | int | float):
            out += self._block(node.if_block if value else node.else_block)
            return
        test = truth(value)
        condition = BitTest(test.bits, lambda state: bool(test.value(state)))
        out.append(Conditional(condition, self._block(node.if_block), self._block(node.else_block)))

    def _on_WhileLoop(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        value = evaluate(node.while_condition, self._scope)
        if not isinstance(value, bool) or value:
            raise NotReadable("a `while` loop")

    def _on_ForInLoop(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        from openqasm3 import ast

        declaration = node.set_declaration
        if isinstance(declaration, ast.RangeDefinition):
            values: Sequence[int | float] = integer_range(declaration, self._scope)
        elif isinstance(declaration, ast.DiscreteSet):
            values = [number(item, self._scope) for item in declaration.values]
        else:
            raise NotReadable("a loop over such a value")
        for value in values:
            self._rounds += 1
            if self._rounds > MOST_STEPS:
                raise NotReadable(f"more than {MOST_STEPS:,} rounds of loops")
            with self._inner():
                self._scope[node.identifier.name] = self._typed(node.type, value)
                self.run(node.block, out)

    def _on_Box(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        with self._inner():
            self.run(node.body, out)

    def _on_CompoundStatement(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        with self._inner():
            self.run(node.statements, out)

    # --- subroutines ------------------------------------------------------------------------------

    def _on_SubroutineDefinition(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        if node.return_type is not None:
            raise NotReadable("a subroutine that returns something")
        self._routines[node.name.name] = _Subroutine(node.arguments, node.body)

    def _on_ExpressionStatement(self, node: Any, out: list[ProgramStep]) -> None:  # noqa: N802
        from openqasm3 import ast

        call = node.expression
        routine = isinstance(call, ast.FunctionCall) and self._routines.get(call.name.name)
        if not routine or len(routine.arguments) != len(call.arguments) or self._depth:
            raise NotReadable("an expression as a statement")
        arguments = [
            self._argument(argument, value)
            for argument, value in zip(routine.arguments, call.arguments, strict=True)
        ]
        with self._inner():
            self._scope = {
                name: value
                for name, value in self._scope.items()
                if name in self._fixed and name in self._scope
            }
            for argument, value in zip(routine.arguments, arguments, strict=True):
                self._scope[argument.name.name] = value
            self.run(routine.body, out)

    def _argument(self, argument: Any, expression: Any) -> Value:
        from openqasm3 import ast

        if not isinstance(argument, ast.QuantumArgument):
            return self._typed(argument.type, number(expression, self._scope))
        value = evaluate(expression, self._scope)
        size = None if argument.size is None else number(argument.size, self._scope)
        fits = isinstance(value, QubitPlaces) and (
            value.single if size is None else not value.single and len(value.places) == size
        )
        if not fits:
            raise NotReadable("an argument of another kind or size")
        return value  # type: ignore[return-value]


def _rows(arguments: Sequence[QubitPlaces]) -> Iterator[tuple[int, ...]]:
    """Qubits of each repetition over registers; single qubits repeat."""
    sizes = {len(argument.places) for argument in arguments if not argument.single}
    if len(sizes) > 1:
        raise NotReadable("a gate on registers of different sizes")
    for row in range(sizes.pop() if sizes else 1):
        yield tuple(a.places[0 if a.single else row] for a in arguments)


def _open_phase(name: str, angles: Sequence[float]) -> float:
    """Difference of a gate's global phase between versions of the language, in radians."""
    match name:
        case "U":
            return angles[0] / 2
        case "u3":
            return -(angles[1] + angles[2]) / 2
        case "u2":
            return -(angles[0] + angles[1]) / 2
        case _:
            return 0.0


def _exponent(node: Any, scope: Mapping[str, Value]) -> float:
    """An exponent, in which 1/2 is a half, as in the language's own `pow(1/2) @ x`."""
    from openqasm3 import ast

    if isinstance(node, ast.UnaryExpression) and node.op.name == "-":
        return -_exponent(node.expression, scope)
    if isinstance(node, ast.BinaryExpression) and node.op.name in "+-*/":
        left, right = _exponent(node.lhs, scope), _exponent(node.rhs, scope)
        match node.op.name:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case _ if right == 0:
                raise NotReadable("a division by zero")
            case _:
                return left / right
    return float(number(node, scope))


@frozen
class Modifier:
    """`inv`, `pow` with its exponent, or `ctrl` and `negctrl` with the number of controls."""

    kind: str
    value: float = 1

    @property
    def controls(self) -> int:
        """Qubits that the modifier adds in front."""
        return int(self.value) if self.kind in ("ctrl", "negctrl") else 0


def modified(
    steps: list[Unitary], modifiers: Sequence[Modifier], qubits: Sequence[int]
) -> list[Unitary]:
    """`steps`, which act on the last of `qubits`, under `modifiers`, the outermost first."""
    controls = sum(modifier.controls for modifier in modifiers)
    start = controls
    for modifier in reversed(modifiers):
        match modifier.kind:
            case "inv":
                steps = _inverted(steps)
            case "pow":
                steps = _powered(steps, modifier.value, qubits[start:])
            case _:
                start -= modifier.controls
                for control in qubits[start : start + modifier.controls]:
                    if sum(4 * step.matrix.size for step in steps) > MOST_ENTRIES:
                        raise NotReadable("many wide gates")
                    steps = [_controlled(step, control, modifier.kind == "ctrl") for step in steps]
    return steps


def _inverted(steps: Sequence[Unitary]) -> list[Unitary]:
    return [Unitary(inverse(step.matrix), step.qubits) for step in reversed(steps)]


def _controlled(step: Unitary, control: int, value: bool) -> Unitary:
    if len(step.qubits) >= WIDEST_STEP:
        raise NotReadable("a gate with many controls")
    return Unitary(controlled(step.matrix, int(value)), (control, *step.qubits))


def _powered(steps: list[Unitary], exponent: float, qubits: Sequence[int]) -> list[Unitary]:
    if float(exponent).is_integer() and abs(exponent) <= _MOST_REPEATS:
        base = _inverted(steps) if exponent < 0 else steps
        if len(base) * abs(exponent) > MOST_STEPS:
            raise NotReadable(f"more than {MOST_STEPS:,} gates")
        return base * int(abs(exponent))
    if len(qubits) > WIDEST_STEP:
        raise NotReadable("a power of a wide gate")
    return [Unitary(power(product(steps, qubits), exponent), tuple(qubits))]
