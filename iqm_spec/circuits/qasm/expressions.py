"""Values, durations and bits that expressions of an OpenQASM 3 program stand for."""

from __future__ import annotations

from typing import Any

from openqasm3 import ast

from iqm_spec.circuits.qasm.constants import (
    BUILT_IN,
    Constant,
    NotConstant,
    WrongValue,
    cast,
    evaluate,
)
from iqm_spec.circuits.qasm.meanings import Bits, Duration, Number, Scope, Symbol, like, refuse

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


class Expressions:
    """Reads expressions and operands in a scope."""

    def __init__(self) -> None:
        self._registers: dict[str, int] = {}
        """Sizes of the program's registers."""

    # --- values -----------------------------------------------------------------------------------

    def _value(self, node: Any, scope: Scope) -> Constant:
        """The value of an expression; NotConstant where it has none before the circuit runs."""
        try:
            return evaluate(node, lambda inner: self._resolved(inner, scope))
        except WrongValue as error:
            refuse(node, str(error))

    def _known(self, node: Any, scope: Scope, what: str) -> Constant:
        """The value of an expression that must have one before the circuit runs."""
        try:
            return self._value(node, scope)
        except NotConstant:
            refuse(node, f"{what} must be known before the circuit runs", "use constants")

    def _integer(self, node: Any, scope: Scope, what: str) -> int:
        value = self._known(node, scope, what)
        if isinstance(value, float):
            refuse(node, f"{what} must be an integer, not {value}")
        return int(value)

    def _resolved(self, node: Any, scope: Scope) -> Constant:
        match node:
            case ast.Identifier():
                meaning = scope.find(node.name)
                if isinstance(meaning, Number) and isinstance(meaning.value, bool | int | float):
                    return meaning.value
                if meaning is None and node.name in BUILT_IN:
                    return BUILT_IN[node.name]
            case ast.IndexExpression(collection=ast.Identifier()):
                collection: Any = node.collection
                meaning = scope.find(collection.name)
                if isinstance(meaning, Number) and isinstance(meaning.value, tuple):
                    if isinstance(node.index, ast.DiscreteSet) or len(node.index) != 1:
                        raise NotConstant
                    at = self._integer(node.index[0], scope, "an index")
                    if not -len(meaning.value) <= at < len(meaning.value):
                        refuse(node, "an index is outside of its array")
                    return meaning.value[at]
            case ast.SizeOf(target=ast.Identifier(), index=None):
                target: Any = node.target
                meaning = scope.find(target.name)
                if isinstance(meaning, Bits) and not meaning.single:
                    return len(meaning.items)
                if isinstance(meaning, Number) and isinstance(meaning.value, tuple):
                    return len(meaning.value)
            case ast.FunctionCall():
                return self._value_of_call(node, scope)
        raise NotConstant

    def _value_of_call(self, call: ast.FunctionCall, scope: Scope) -> Constant:
        """What a subroutine returns. Raises `NotConstant` where it is not a known value."""
        raise NotConstant

    def _cast_value(self, kind: ast.ClassicalType, node: Any, scope: Scope) -> Constant:
        value = self._value(node, scope)
        try:
            return cast(kind, value)
        except WrongValue as error:
            refuse(node, str(error))

    def _quotient(self, node: Any, scope: Scope) -> Constant:
        """The value of an expression in which integers divide to fractions."""
        if isinstance(node, ast.UnaryExpression) and node.op.name == "-":
            return -self._quotient(node.expression, scope)
        if isinstance(node, ast.BinaryExpression) and node.op.name in "+-*/":
            left, right = self._quotient(node.lhs, scope), self._quotient(node.rhs, scope)
            if node.op.name == "/":
                if right == 0:
                    refuse(node, "division by zero")
                return left // right if left % right == 0 else left / right
            return {"+": left + right, "-": left - right, "*": left * right}[node.op.name]
        return self._value(node, scope)

    def _folded(self, node: Any, scope: Scope) -> Any:
        """An expression whose known parts are written as numbers."""
        if isinstance(node, ast.IntegerLiteral | ast.FloatLiteral | ast.BooleanLiteral):
            return node
        if not self._has_own_names(node, scope):
            return node
        try:
            return like(node, literal(self._value(node, scope)))
        except NotConstant:
            pass
        match node:
            case ast.Identifier():
                meaning = scope.find(node.name)
                if isinstance(meaning, Symbol) and meaning.node is not None:
                    return meaning.node
            case ast.UnaryExpression():
                inner = self._folded(node.expression, scope)
                return like(node, ast.UnaryExpression(node.op, inner))
            case ast.BinaryExpression():
                left, right = self._folded(node.lhs, scope), self._folded(node.rhs, scope)
                if node.op.name in "+-":  # the converter adds no integers to angles
                    left, right = _as_float(left), _as_float(right)
                return like(node, ast.BinaryExpression(node.op, left, right))
            case ast.Cast(type=ast.FloatType() | ast.AngleType()):
                return self._folded(node.argument, scope)  # of an input, which is a number
        return node

    def _has_own_names(self, node: Any, scope: Scope) -> bool:
        """Whether the converter would not understand the expression as it is."""
        match node:
            case ast.Identifier():
                meaning = scope.find(node.name)
                return not (meaning is None or meaning == Symbol())
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

    def _duration(self, node: Any, scope: Scope) -> Duration | None:
        """A length of time that is known; None for all else."""
        match node:
            case ast.DurationLiteral():
                return Duration(node.value, node.unit.name)
            case ast.Identifier():
                meaning = scope.find(node.name)
                return meaning if isinstance(meaning, Duration) else None
            case ast.BinaryExpression():
                left, right = self._duration(node.lhs, scope), self._duration(node.rhs, scope)
                sign = node.op.name
                if left is not None and right is not None and sign in "+-":
                    direction = 1 if sign == "+" else -1
                    if left.unit == right.unit:
                        return Duration(left.value + direction * right.value, left.unit)
                    if left.unit not in _SECONDS or right.unit not in _SECONDS:
                        return None
                    seconds = left.value * _SECONDS[left.unit]
                    seconds += direction * right.value * _SECONDS[right.unit]
                    return Duration(seconds, "s")
                if left is not None and right is None and sign in "*/":
                    factor = self._known(node.rhs, scope, "the length of a delay")
                    if sign == "/" and factor == 0:
                        refuse(node, "division by zero")
                    value = left.value * factor if sign == "*" else left.value / factor
                    return Duration(value, left.unit)
                if right is not None and left is None and sign == "*":
                    factor = self._known(node.lhs, scope, "the length of a delay")
                    return Duration(right.value * factor, right.unit)
        return None

    def _range(self, node: ast.RangeDefinition, scope: Scope, size: int | None = None) -> range:
        """The integers of a range, both ends included; negative indices count from the end."""
        step = 1 if node.step is None else self._integer(node.step, scope, "the step of a range")
        if step == 0:
            refuse(node, "a range with steps of 0 never ends")
        first, last = (0, (size or 0) - 1) if step > 0 else ((size or 0) - 1, 0)
        ends = []
        for end, otherwise in ((node.start, first), (node.end, last)):
            if end is None:
                if size is None:
                    refuse(node, "the range of a loop needs both ends")
                ends.append(otherwise)
                continue
            value = self._integer(end, scope, "the end of a range")
            ends.append(value + size if size is not None and value < 0 else value)
        return range(ends[0], ends[1] + (1 if step > 0 else -1), step)

    # --- bits -------------------------------------------------------------------------------------

    def _bits_of(self, node: Any, scope: Scope) -> Bits | None:
        """The bits that an operand names; None for what the converter reports."""
        match node:
            case ast.Identifier():
                meaning = scope.find(node.name)
                return meaning if isinstance(meaning, Bits) else None
            case ast.IndexedIdentifier():
                bits, indices = self._bits_of(node.name, scope), node.indices
            case ast.IndexExpression():
                bits, indices = self._bits_of(node.collection, scope), [node.index]
            case ast.Concatenation():
                left, right = self._bits_of(node.lhs, scope), self._bits_of(node.rhs, scope)
                if left is None or right is None:
                    return None
                return Bits(left.items + right.items, single=False)
            case _:
                return None
        for index in indices:
            if bits is None or bits.single:
                return None
            bits = self._indexed(bits, index, node, scope)
        return bits

    def _indexed(self, bits: Bits, index: Any, node: Any, scope: Scope) -> Bits | None:
        if isinstance(index, ast.DiscreteSet):
            places = [self._integer(value, scope, "an index") for value in index.values]
            return Bits(tuple(_item(bits, place, node) for place in places), single=False)
        if len(index) != 1:
            return None
        if isinstance(index[0], ast.RangeDefinition):
            span = self._range(index[0], scope, len(bits.items))
            return Bits(tuple(_item(bits, place, node) for place in span), single=False)
        place = self._integer(index[0], scope, "an index")
        return Bits((_item(bits, place, node),), single=True)

    def _written(self, bits: Bits, node: Any) -> Any | None:
        """An operand that names the bits; None where a single operand cannot."""
        bases = {base for base, _ in bits.items}
        if len(bases) != 1:
            return None
        (base,) = bases
        name = like(node, ast.Identifier(base))
        places = [place for _, place in bits.items]
        if places[0] is None:
            return name if bits.single else None
        if not bits.single and places == list(range(self._registers[base])):
            return name
        literals = [like(node, ast.IntegerLiteral(place)) for place in places if place is not None]
        index: Any = [literals[0]] if bits.single else like(node, ast.DiscreteSet(list(literals)))
        return like(node, ast.IndexedIdentifier(name, [index]))

    def _operand(self, node: Any, scope: Scope) -> tuple[Any | None, Bits | None]:
        """An operand of the lowered program (None where several are needed), and its bits."""
        bits = self._bits_of(node, scope)
        if bits is None:
            return node, None
        return self._written(bits, node), bits


def _item(bits: Bits, place: int, node: Any) -> tuple[str, int | None]:
    if not -len(bits.items) <= place < len(bits.items):
        refuse(node, "an index is outside of its register")
    return bits.items[place]


def literal(value: Constant) -> ast.Expression:
    """`value` as an expression; a negative number has a sign before it."""
    if isinstance(value, bool):
        return ast.BooleanLiteral(value)
    kind: Any = ast.IntegerLiteral if isinstance(value, int) else ast.FloatLiteral
    if value < 0:
        return ast.UnaryExpression(ast.UnaryOperator["-"], kind(-value))
    literal: ast.Expression = kind(value)
    return literal


def _is_integer(node: Any) -> bool:
    """Whether an expression is of integers only, whose quotient the converter rounds down."""
    if isinstance(node, ast.UnaryExpression):
        return _is_integer(node.expression)
    if isinstance(node, ast.BinaryExpression):
        return _is_integer(node.lhs) and _is_integer(node.rhs)
    return isinstance(node, ast.IntegerLiteral)


def _as_float(node: Any) -> Any:
    """A literal integer as a float; anything else as it is."""
    if isinstance(node, ast.UnaryExpression):
        return like(node, ast.UnaryExpression(node.op, _as_float(node.expression)))
    return (
        like(node, ast.FloatLiteral(float(node.value)))
        if isinstance(node, ast.IntegerLiteral)
        else node
    )
