"""What OpenQASM 3 declares, and its gates; `qasm3` has the other statements."""

from __future__ import annotations

from cmath import exp
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from iqm_spec.crosscheck.gates3 import Modifier, modified
from iqm_spec.crosscheck.library import LibraryGate, scalar, stdgates, u
from iqm_spec.crosscheck.program import (
    Allowance,
    Measure,
    NotReadable,
    Reset,
    Step,
    Unitary,
    laid_out,
)
from iqm_spec.crosscheck.values3 import (
    Bits,
    Number,
    Qubits,
    Value,
    evaluate,
    indexed,
    number,
    whole,
)

if TYPE_CHECKING:
    from openqasm3 import ast

_NOTHING = ("QuantumBarrier", "DelayInstruction", "Pragma")
_MOST_QUBITS = 10_000


@frozen(eq=False)
class _Own:
    """A gate that the file defines, with what its names meant there."""

    parameters: tuple[str, ...]
    qubits: tuple[str, ...]
    body: Sequence[Any]
    gates: Mapping[str, Any]
    scope: Mapping[str, Value]


@define(eq=False)
class Reader:
    """Carries statements out; each kind of statement has its method."""

    inputs: dict[str, float]
    phased: bool
    steps: list[Step] = field(factory=list)
    phase_matters: bool = False
    _scope: dict[str, Value] = field(factory=dict)
    _fixed: set[str] = field(factory=set)
    _gates: dict[str, Any] = field(factory=dict)
    _bits: dict[str, tuple[int, ...]] = field(factory=dict)
    _physical: dict[str, int] = field(factory=dict)
    _qubits: int = 0
    _left: Allowance = field(factory=Allowance)
    _depth: int = 0
    _under: int = 0

    def declare(self, program: ast.Program) -> tuple[tuple[str, int], ...]:
        """The classical registers, which all stand outside of blocks, and where their bits lie."""
        from openqasm3 import ast

        declared: list[tuple[str, int | None]] = []
        constants: dict[str, Value] = {}
        for node in program.statements:
            if isinstance(node, ast.ConstantDeclaration):
                constants[node.identifier.name] = number(node.init_expression, constants)
            if isinstance(node, ast.ClassicalDeclaration) and isinstance(node.type, ast.BitType):
                size = None if node.type.size is None else whole(node.type.size, constants)
                declared.append((node.identifier.name, size))
        if sum(size or 1 for _, size in declared) > _MOST_QUBITS:
            raise NotReadable("very many bits")
        registers, first = laid_out(declared)
        for (name, size), start in zip(declared, first, strict=True):
            self._bits[name] = tuple(range(start, start + (1 if size is None else size)))
        return registers

    def run(self, nodes: Sequence[Any], out: list[Step]) -> None:
        """Carry statements out, appending to `out`."""
        for node in nodes:
            kind = type(node).__name__
            if kind in _NOTHING:
                continue
            action = getattr(self, f"_on_{kind}", None)
            if action is None:
                raise NotReadable(f"a statement of the kind {kind}")
            action(node, out)

    # --- declarations -----------------------------------------------------------------------------

    def _on_Include(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        if node.filename != "stdgates.inc":
            raise NotReadable("a file that it includes")
        self._gates.update(stdgates())

    def _on_QubitDeclaration(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        size = 1 if node.size is None else whole(node.size, self._scope)
        if size < 1 or self._qubits + size > _MOST_QUBITS:
            raise NotReadable("very many qubits")
        places = tuple(range(self._qubits, self._qubits + size))
        self._qubits += size
        self._scope[node.qubit.name] = Qubits(places, single=node.size is None)

    def _on_ClassicalDeclaration(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        from openqasm3 import ast

        name = node.identifier.name
        if not isinstance(node.type, ast.BitType):
            if node.init_expression is None:
                raise NotReadable("a variable without a value")
            self._scope[name] = self._typed(node.type, number(node.init_expression, self._scope))
            return
        if out is not self.steps or name not in self._bits:
            raise NotReadable("a bit that is declared in a block")
        self._scope[name] = Bits(self._bits[name], single=node.type.size is None)
        if isinstance(node.init_expression, ast.QuantumMeasurement):
            self._measure(node.init_expression, self._scope[name], out)
        elif node.init_expression is not None:
            raise NotReadable("a bit with a value from the start")

    def _on_ConstantDeclaration(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        value = number(node.init_expression, self._scope)
        self._scope[node.identifier.name] = self._typed(node.type, value)
        self._fixed.add(node.identifier.name)

    def _on_IODeclaration(self, node: Any, out: list[Step]) -> None:  # noqa: N802
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

    def _on_QuantumGateDefinition(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        # the names of a body mean what they meant at its place
        scope = {k: v for k, v in self._scope.items() if isinstance(v, bool | int | float)}
        self._gates[node.name.name] = _Own(
            tuple(one.name for one in node.arguments),
            tuple(one.name for one in node.qubits),
            node.body,
            dict(self._gates),
            scope,
        )

    def _on_AliasStatement(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        value = evaluate(node.value, self._scope)
        if not isinstance(value, Qubits | Bits):
            raise NotReadable("an alias of such a value")
        self._scope[node.target.name] = value

    # --- gates ------------------------------------------------------------------------------------

    def _on_QuantumGate(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        angles = [float(number(one, self._scope)) for one in node.arguments]
        modifiers = [self._modifier(one) for one in node.modifiers]
        arguments = [self._qubits_of(one) for one in node.qubits]
        for qubits in _rows(arguments):
            if len(set(qubits)) < len(qubits):
                raise NotReadable("a gate on the same qubit twice")
            controls = sum(modifier.controls for modifier in modifiers)
            phased = _phased(modifiers)
            self._under += phased
            inner = self._gate(node.name.name, angles, qubits[controls:])
            self._under -= phased
            self._emit(modified(inner, modifiers, qubits), out)

    def _on_QuantumPhase(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        modifiers = [self._modifier(one) for one in node.modifiers]
        steps = [Unitary(scalar(float(number(node.argument, self._scope))), ())]
        for qubits in _rows([self._qubits_of(one) for one in node.qubits]) if node.qubits else [()]:
            if len(qubits) != sum(modifier.controls for modifier in modifiers):
                raise NotReadable("`gphase` on qubits")
            self._emit(modified(steps, modifiers, qubits), out)

    def _emit(self, steps: Sequence[Unitary], out: list[Step]) -> None:
        self._left.spend(len(steps), [step.matrix for step in steps])
        # outside of gates nothing can turn a global phase into one that matters
        out += steps if self._depth else [step for step in steps if step.qubits]

    def _gate(self, name: str, angles: Sequence[float], qubits: Sequence[int]) -> list[Unitary]:
        self._left.spend(1)  # of gates with nothing in them too: they may call each other often
        gate = self._gates.get(name)
        if gate is None and name == "U":
            gate = LibraryGate(3, 1, u)
        if gate is None:
            raise NotReadable(f"the gate `{name[:40]}`, which nothing defines")
        if isinstance(gate, LibraryGate):
            if len(angles) != gate.angles or len(qubits) != gate.qubits:
                raise NotReadable("a gate that is given other angles or qubits than it takes")
            turned = 0.0
            if self._under:
                turned = _open_phase(name, angles)
                self.phase_matters = self.phase_matters or turned != 0
            matrix = gate.at(tuple(angles))
            return [Unitary(matrix * exp(1j * turned) if self.phased else matrix, tuple(qubits))]
        return self._own(gate, angles, qubits)

    def _own(self, gate: _Own, angles: Sequence[float], qubits: Sequence[int]) -> list[Unitary]:
        if len(angles) != len(gate.parameters) or len(qubits) != len(gate.qubits):
            raise NotReadable("a gate that is given other angles or qubits than it takes")
        scope, gates = self._scope, self._gates
        self._scope = {
            **gate.scope,
            **dict(zip(gate.parameters, angles, strict=True)),
            **{
                name: Qubits((q,), single=True) for name, q in zip(gate.qubits, qubits, strict=True)
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
        count = 1 if node.argument is None else whole(node.argument, self._scope)
        if count < 1:
            raise NotReadable("a modifier with no controls")
        return Modifier(kind, count)

    def _qubits_of(self, node: Any) -> Qubits:
        from openqasm3 import ast

        name = node.name if isinstance(node, ast.Identifier) else node.name.name
        if name.startswith("$"):
            if name not in self._physical:
                self._physical[name] = self._qubits
                self._qubits += 1
            return Qubits((self._physical[name],), single=True)
        value = self._target(node)
        if not isinstance(value, Qubits):
            raise NotReadable("a gate on what is no qubit")
        return value

    def _target(self, node: Any) -> Value:
        from openqasm3 import ast

        if isinstance(node, ast.IndexedIdentifier):
            found = evaluate(node.name, self._scope)
            for index in node.indices:
                found = indexed(found, index, self._scope)
        else:
            found = evaluate(node, self._scope)
        if not isinstance(found, Qubits | Bits):
            raise NotReadable("an operation on what is neither qubit nor bit")
        return found

    # --- measurements and resets ------------------------------------------------------------------

    def _on_QuantumMeasurementStatement(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        if node.target is None:
            raise NotReadable("a measurement that is kept nowhere")
        self._measure(node.measure, self._target(node.target), out)

    def _measure(self, measurement: Any, target: Value, out: list[Step]) -> None:
        qubits = self._qubits_of(measurement.qubit)
        if not isinstance(target, Bits) or len(target.places) != len(qubits.places):
            raise NotReadable("a measurement of registers of different sizes")
        self._left.spend(len(qubits.places))
        for qubit, bit in zip(qubits.places, target.places, strict=True):
            out.append(Measure(qubit, bit))

    def _on_QuantumReset(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        qubits = self._qubits_of(node.qubits).places
        self._left.spend(len(qubits))
        out += [Reset(qubit) for qubit in qubits]


def _rows(arguments: Sequence[Qubits]) -> Iterator[tuple[int, ...]]:
    """Single qubits are used again for each row of the registers beside them."""
    sizes = {len(one.places) for one in arguments if not one.single}
    if len(sizes) > 1:
        raise NotReadable("a gate on registers of different sizes")
    for row in range(sizes.pop() if sizes else 1):
        yield tuple(one.places[0 if one.single else row] for one in arguments)


def _phased(modifiers: Sequence[Modifier]) -> bool:
    """Whether a global phase of what is modified matters."""
    broken = any(one.kind == "pow" and not one.value.is_integer() for one in modifiers)
    return broken or any(one.controls for one in modifiers)


def _open_phase(name: str, angles: Sequence[float]) -> float:
    """By how much the versions of the language differ in a gate's global phase, in radians."""
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
    """An exponent: 1/2 is a half in it, as in the language's own `pow(1/2) @ x`."""
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
