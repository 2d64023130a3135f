"""Conditionals of a circuit (`if`): the bits they depend on, and the gates under them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.model import (
    CONDITIONAL_GATE,
    CONDITIONAL_MEASUREMENT,
    CONDITIONAL_OTHER,
    CONDITIONAL_RESET,
    WIDE_CONDITION,
)

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import CircuitInstruction, Clbit, Gate, Operation, Qubit
    from qiskit.circuit.classical.expr import Expr


MOST_BITS = 4
"""Bits that one condition may depend on: each bit more doubles the number of pulses."""
_DEEPEST = 64  # nested conditionals, nested definitions

Assignment = tuple[bool, ...]


class Inexpressible(Exception):
    """No single-qubit gates under conditions on bits can replace a conditional.

    `kind` is the kind of the feature that the circuit then has.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@frozen
class Condition:
    """True where the values of `bits`, which are Qiskit's, are among `holds`."""

    bits: tuple[Clbit, ...]
    holds: frozenset[Assignment]

    def opposite(self) -> Condition:
        """The negation."""
        all_values = frozenset(product((False, True), repeat=len(self.bits)))
        return Condition(self.bits, all_values - self.holds)

    def within(self, outer: Condition) -> Condition:
        """The conjunction with `outer`; `Inexpressible` where it depends on too many bits."""
        bits = tuple(dict.fromkeys((*outer.bits, *self.bits)))
        return _condition(
            bits,
            lambda values: (
                tuple(values[bit] for bit in outer.bits) in outer.holds
                and tuple(values[bit] for bit in self.bits) in self.holds
            ),
        )


ALWAYS = Condition((), frozenset({()}))


@frozen
class ConditionalGate:
    """A single-qubit gate of the circuit under a condition."""

    condition: Condition
    qubit: Qubit
    gate: Gate


def inexpressible(circuit: QuantumCircuit) -> list[str | None]:
    """Per `if` in the order of the text, the kind of feature that no gates express, or None."""
    kinds: list[str | None] = []
    for item, written in conditionals(circuit):
        try:
            conditional_gates(item, written)
            kind = None
        except Inexpressible as reason:
            kind = reason.kind
        kinds += [kind] + [None] * (_num_conditionals(item) - 1)
    return kinds


def conditionals(circuit: QuantumCircuit) -> Iterator[tuple[CircuitInstruction, frozenset[Clbit]]]:
    """Each `if` among the circuit's own instructions, with the bits that may be 1 by then."""
    written: frozenset[Clbit] = frozenset()
    for item in circuit.data:
        if item.operation.name == "if_else":
            yield item, written  # a body that writes bits is inexpressible
        else:
            written |= set(item.clbits)


def _num_conditionals(item: CircuitInstruction) -> int:
    """Number of `if` in an instruction, including itself."""
    blocks = getattr(item.operation, "blocks", ())
    inner = sum(_num_conditionals(inside) for block in blocks for inside in block.data)
    return inner + int(item.operation.name == "if_else")


def conditional_gates(
    item: CircuitInstruction, written: Collection[Clbit]
) -> list[ConditionalGate]:
    """The gates of an `if`; a bit that is not in `written` is 0. Raises `Inexpressible`."""
    qubits = {qubit: qubit for qubit in item.qubits}
    bits = {bit: bit for bit in item.clbits}
    return list(_of_if(item, ALWAYS, qubits, bits, written, 0))


def _of_if(
    item: CircuitInstruction,
    outer: Condition,
    qubits: Mapping[Qubit, Qubit],
    bits: Mapping[Clbit, Clbit],
    written: Collection[Clbit],
    depth: int,
) -> Iterator[ConditionalGate]:
    if depth > _DEEPEST:
        raise Inexpressible(CONDITIONAL_OTHER)
    own = _read(item.operation.condition, bits, written)
    for block, condition in zip(item.operation.blocks, (own, own.opposite()), strict=False):
        inner_qubits = {
            inner: qubits[outside] for inner, outside in zip(block.qubits, item.qubits, strict=True)
        }
        inner_bits = {
            inner: bits[outside] for inner, outside in zip(block.clbits, item.clbits, strict=True)
        }
        both = condition.within(outer)
        yield from _of_block(block, both, inner_qubits, inner_bits, written, depth + 1)


def _of_block(
    block: QuantumCircuit,
    condition: Condition,
    qubits: Mapping[Qubit, Qubit],
    bits: Mapping[Clbit, Clbit],
    written: Collection[Clbit],
    depth: int,
) -> Iterator[ConditionalGate]:
    from qiskit.circuit import Gate

    for item in block.data:
        operation = item.operation
        if operation.name == "barrier":
            continue
        if operation.name == "if_else":
            yield from _of_if(item, condition, qubits, bits, written, depth)
        elif isinstance(operation, Gate) and operation.num_qubits == 1:
            yield ConditionalGate(condition, qubits[item.qubits[0]], operation)
        elif isinstance(operation, Gate) and operation.num_qubits == 0:
            continue  # a global phase under a classical condition is unobservable
        else:
            inside = _definition(operation, depth)
            places = dict(zip(inside.qubits, (qubits[q] for q in item.qubits), strict=True))
            yield from _of_block(inside, condition, places, {}, written, depth + 1)


def _definition(operation: Operation, depth: int) -> QuantumCircuit:
    """The definition of a gate that is not standard; raises `Inexpressible` for all else."""
    from qiskit.circuit import Gate

    if operation.name == "measure":
        raise Inexpressible(CONDITIONAL_MEASUREMENT)
    if operation.name == "reset":
        raise Inexpressible(CONDITIONAL_RESET)
    if not isinstance(operation, Gate):
        raise Inexpressible(CONDITIONAL_OTHER)
    own = getattr(operation, "_standard_gate", None) is None
    inside: QuantumCircuit | None = operation.definition if own else None
    if inside is None or depth > _DEEPEST:
        raise Inexpressible(CONDITIONAL_GATE)
    return inside


# --- conditions ----------------------------------------------------------------------------------


def _read(condition: Any, bits: Mapping[Clbit, Clbit], written: Collection[Clbit]) -> Condition:
    """A condition of Qiskit's, on the bits of the outermost circuit."""
    from qiskit.circuit.classical import expr

    if isinstance(condition, expr.Expr):
        inner = dict.fromkeys(_bits_of(condition))
        names = {bit: bits[bit] for bit in inner}
        return _on(names, written, lambda values: bool(_value(condition, values)))
    target, number = condition
    target_bits = list(target) if hasattr(target, "size") else [target]
    names = {bit: bits[bit] for bit in target_bits}
    return _on(names, written, lambda values: _number(target_bits, values) == int(number))


def _on(
    names: Mapping[Clbit, Clbit],
    written: Collection[Clbit],
    holds: Callable[[Mapping[Clbit, bool]], bool],
) -> Condition:
    """The condition `holds` on the inner bits of `names`; bits that are not written are 0."""
    live = tuple(dict.fromkeys(outer for outer in names.values() if outer in written))

    def of(values: Mapping[Clbit, bool]) -> bool:
        return bool(holds({inner: values.get(outer, False) for inner, outer in names.items()}))

    return _condition(live, of)


def _condition(bits: Sequence[Clbit], holds: Callable[[Mapping[Clbit, bool]], bool]) -> Condition:
    """On the bits that `holds` depends on; raises `Inexpressible` where `bits` are too many."""
    if len(bits) > MOST_BITS:
        raise Inexpressible(WIDE_CONDITION)
    table = {
        values: bool(holds(dict(zip(bits, values, strict=True))))
        for values in product((False, True), repeat=len(bits))
    }

    def matters(place: int) -> bool:
        flipped = (
            (values, (*values[:place], not values[place], *values[place + 1 :])) for values in table
        )
        return any(table[values] != table[changed] for values, changed in flipped)

    places = [place for place in range(len(bits)) if matters(place)]
    holding = frozenset(tuple(v[i] for i in places) for v, is_true in table.items() if is_true)
    return Condition(tuple(bits[i] for i in places), holding)


def _number(bits: Sequence[Clbit], values: Mapping[Clbit, bool]) -> int:
    return sum(values[bit] << place for place, bit in enumerate(bits))


def _bits_of(node: Expr) -> Iterator[Clbit]:
    from qiskit.circuit import Clbit
    from qiskit.circuit.classical import expr

    for variable in expr.iter_vars(node):
        if isinstance(variable.var, Clbit):
            yield variable.var
        elif hasattr(variable.var, "size"):
            yield from variable.var
        else:
            raise Inexpressible(CONDITIONAL_OTHER)


def _value(node: Expr, values: Mapping[Clbit, bool]) -> int:
    """The value of an expression of numbers and bits; raises `Inexpressible` for others."""
    from qiskit.circuit import Clbit
    from qiskit.circuit.classical import expr

    if isinstance(node, expr.Value):
        return int(node.value)
    if isinstance(node, expr.Var):
        target_bits = [node.var] if isinstance(node.var, Clbit) else list(node.var)
        return _number(target_bits, values)
    if isinstance(node, expr.Cast):
        number = _value(node.operand, values)
        return int(number != 0) if _width(node) == 1 else number & _mask(node)
    if isinstance(node, expr.Index):
        return _value(node.target, values) >> _value(node.index, values) & 1
    if isinstance(node, expr.Unary):
        number = _value(node.operand, values)
        if node.op is expr.Unary.Op.BIT_NOT:
            return ~number & _mask(node)
        if node.op is expr.Unary.Op.LOGIC_NOT:
            return int(not number)
    if isinstance(node, expr.Binary) and node.op.name in _BINARY:
        left, right = _value(node.left, values), _value(node.right, values)
        return int(_BINARY[node.op.name](left, right)) & _mask(node)
    raise Inexpressible(CONDITIONAL_OTHER)


_BINARY: Mapping[str, Callable[[int, int], int]] = {
    "BIT_AND": lambda a, b: a & b,
    "BIT_OR": lambda a, b: a | b,
    "BIT_XOR": lambda a, b: a ^ b,
    "LOGIC_AND": lambda a, b: a and b and 1,
    "LOGIC_OR": lambda a, b: int(bool(a or b)),
    "EQUAL": lambda a, b: a == b,
    "NOT_EQUAL": lambda a, b: a != b,
    "LESS": lambda a, b: a < b,
    "LESS_EQUAL": lambda a, b: a <= b,
    "GREATER": lambda a, b: a > b,
    "GREATER_EQUAL": lambda a, b: a >= b,
}


def _width(node: Expr) -> int:
    return int(getattr(node.type, "width", 1))


def _mask(node: Expr) -> int:
    return (1 << _width(node)) - 1
