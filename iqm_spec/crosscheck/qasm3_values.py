"""Expressions of OpenQASM 3: numbers, and functions of bits that only a run knows."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.crosscheck.program import NotReadable

if TYPE_CHECKING:
    from openqasm3 import ast


Number = bool | int | float

_CONSTANTS = {
    "pi": math.pi,
    "π": math.pi,
    "tau": math.tau,
    "τ": math.tau,
    "euler": math.e,
    "ℇ": math.e,
}
_FUNCTIONS: dict[str, Callable[..., Number]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "floor": math.floor,
    "ceiling": math.ceil,
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LOGIC = ("&&", "||")
_BITWISE: dict[str, Callable[[int, int], int]] = {
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
}
_LARGEST_WHOLE = 2**53
_LONGEST = 20_000


@frozen
class QubitPlaces:
    """Numbers of qubits; `single` for a qubit outside of registers."""

    places: tuple[int, ...]
    single: bool


@frozen
class BitPlaces:
    """Places of classical bits; `single` for a bit outside of registers."""

    places: tuple[int, ...]
    single: bool


@frozen(eq=False)
class RuntimeValue:
    """A function of bits; `width` is its number of bits, None for a truth value."""

    bits: frozenset[int]
    value: Callable[[int], int]
    width: int | None = None


Value = Number | QubitPlaces | BitPlaces | RuntimeValue


@frozen
class BitLiteral:
    """The bits of a literal such as "0101"."""

    value: int
    width: int


def evaluate(node: ast.Expression | None, scope: Mapping[str, Value]) -> Value | BitLiteral:
    """The value of an expression with the names of `scope`."""
    from openqasm3 import ast

    match node:
        case ast.Identifier(name=name):
            if name in scope:
                return scope[name]
            if name in _CONSTANTS:
                return _CONSTANTS[name]
            raise NotReadable(f"`{name[:40]}` in an expression")
        case ast.IntegerLiteral(value=value) | ast.FloatLiteral(value=value):
            return value
        case ast.BooleanLiteral(value=value):
            return value
        case ast.BitstringLiteral(value=value, width=width):
            return BitLiteral(value, width)
        case ast.UnaryExpression():
            return _unary(node.op.name, evaluate(node.expression, scope))
        case ast.BinaryExpression():
            left, right = evaluate(node.lhs, scope), evaluate(node.rhs, scope)
            return _binary(node.op.name, left, right)
        case ast.IndexExpression():
            return indexed(evaluate(node.collection, scope), node.index, scope)
        case ast.Concatenation():
            left = evaluate(node.lhs, scope)
            right = evaluate(node.rhs, scope)
            for kind in (QubitPlaces, BitPlaces):
                if isinstance(left, kind) and isinstance(right, kind):
                    if len(left.places) + len(right.places) > _LONGEST:
                        raise NotReadable("very long registers")
                    return kind((*left.places, *right.places), single=False)
            raise NotReadable("a concatenation of such values")
        case ast.FunctionCall():
            name = node.name.name
            arguments = [number(argument, scope) for argument in node.arguments]
            if name in _FUNCTIONS and len(arguments) == 1:
                return _FUNCTIONS[name](arguments[0])
            if name == "pow" and len(arguments) == 2:
                return _binary_number("**", *arguments)
            raise NotReadable(f"the function `{name[:40]}`")
        case _:
            raise NotReadable(f"an expression of the kind {type(node).__name__}")


def number(node: ast.Expression | None, scope: Mapping[str, Value]) -> Number:
    """The number of an expression; raises `NotReadable` where only a run knows it."""
    value = evaluate(node, scope)
    if not isinstance(value, bool | int | float):
        raise NotReadable("a number that only a run knows")
    return _finite(value)


def integer(node: ast.Expression | None, scope: Mapping[str, Value]) -> int:
    """The integer of an expression; raises `NotReadable` where it is none."""
    value = number(node, scope)
    if isinstance(value, bool) or not isinstance(value, int):
        raise NotReadable("an index or a size that is no whole number")
    return value


def _finite(value: Number) -> Number:
    if isinstance(value, float) and not math.isfinite(value):
        raise NotReadable("an angle that cannot be computed")
    if abs(value) > _LARGEST_WHOLE:
        raise NotReadable("very large numbers")
    return value


def _unary(sign: str, value: Value | BitLiteral) -> Value:
    if sign == "!":
        if isinstance(value, bool):
            return not value
        test = truth(value)
        return RuntimeValue(test.bits, lambda state: not test.value(state))
    if sign == "-" and isinstance(value, int | float) and not isinstance(value, bool):
        return -value
    if sign == "~" and isinstance(value, BitPlaces | RuntimeValue):
        run = runtime(value)
        if run.width is not None:
            mask = (1 << run.width) - 1
            return RuntimeValue(run.bits, lambda state: run.value(state) ^ mask, run.width)
    raise NotReadable(f"the operator `{sign}` here")


def _binary(sign: str, left: Value | BitLiteral, right: Value | BitLiteral) -> Value:
    if isinstance(left, bool | int | float) and isinstance(right, bool | int | float):
        return _finite(_binary_number(sign, left, right))
    if sign in _LOGIC:
        first_test, second_test = truth(left), truth(right)
        both = first_test.bits | second_test.bits
        if sign == "&&":
            return RuntimeValue(
                both, lambda state: bool(first_test.value(state) and second_test.value(state))
            )
        return RuntimeValue(
            both, lambda state: bool(first_test.value(state) or second_test.value(state))
        )
    first, second = runtime(left), runtime(right)
    bits = first.bits | second.bits
    widths = {run.width for run in (first, second) if run.width is not None and run.bits}
    if sign in _COMPARISONS:
        if len(widths) > 1 or _differs_in_width(left, second) or _differs_in_width(right, first):
            raise NotReadable("a comparison of values of different sizes")
        compare = _COMPARISONS[sign]
        return RuntimeValue(bits, lambda state: compare(first.value(state), second.value(state)))
    if sign in _BITWISE and len(widths) == 1 and first.width == second.width:
        combine = _BITWISE[sign]
        return RuntimeValue(
            bits, lambda state: combine(first.value(state), second.value(state)), first.width
        )
    raise NotReadable(f"the operator `{sign}` on bits")


def _differs_in_width(literal: Value | BitLiteral, other: RuntimeValue) -> bool:
    return isinstance(literal, BitLiteral) and literal.width != other.width


def _binary_number(sign: str, left: Number, right: Number) -> Number:
    integers = isinstance(left, int) and isinstance(right, int)
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if integers:
            if left % right and (left < 0 or right < 0):
                raise NotReadable("a division of negative whole numbers")
            return left // right
        case "/":
            return left / right
        case "%" if integers and left >= 0 and right > 0:
            return left % right
        case "**" if abs(right) <= 64:
            return float(math.pow(left, right)) if not integers or right < 0 else left**right
        case "<<" | ">>" if integers and left >= 0 and 0 <= right <= 52:
            return int(left) << int(right) if sign == "<<" else int(left) >> int(right)
        case "&&":
            return bool(left) and bool(right)
        case "||":
            return bool(left) or bool(right)
        case _ if sign in _COMPARISONS:
            return _COMPARISONS[sign](left, right)
        case _ if sign in _BITWISE and integers:
            return _BITWISE[sign](int(left), int(right))
        case _:
            raise NotReadable(f"the operator `{sign}` here")


def runtime(value: Value | BitLiteral) -> RuntimeValue:
    """A value as a function of bits: registers as integers, the first bit the lowest."""
    match value:
        case RuntimeValue():
            return value
        case BitPlaces(places=places):
            return RuntimeValue(
                frozenset(places),
                lambda state: sum((state >> place & 1) << i for i, place in enumerate(places)),
                len(places),
            )
        case BitLiteral(value=known, width=width):
            return RuntimeValue(frozenset(), lambda state: known, width)
        case bool() | int():
            constant = int(value)
            return RuntimeValue(frozenset(), lambda state: constant)
        case _:
            raise NotReadable("a condition on such a value")


def truth(value: Value | BitLiteral) -> RuntimeValue:
    """A value as a condition: true where it is not 0."""
    run = runtime(value)
    return RuntimeValue(run.bits, lambda state: bool(run.value(state)))


def indexed(value: Value | BitLiteral, index: Any, scope: Mapping[str, Value]) -> Value:
    """The bits that an index, a range or a set of indices takes from a register."""
    from openqasm3 import ast

    if not isinstance(value, QubitPlaces | BitPlaces) or value.single:
        raise NotReadable("an index of what is no register")
    size = len(value.places)
    if isinstance(index, ast.DiscreteSet):
        picked = [_place(integer(item, scope), size) for item in index.values]
    elif len(index) != 1:
        raise NotReadable("an index of several dimensions")
    elif isinstance(index[0], ast.RangeDefinition):
        picked = [_place(item, size) for item in integer_range(index[0], scope, size)]
    else:
        place = _place(integer(index[0], scope), size)
        return type(value)((value.places[place],), single=True)
    return type(value)(tuple(value.places[place] for place in picked), single=False)


def _place(index: int, size: int) -> int:
    if not -size <= index < size:
        raise NotReadable("an index outside of its register")
    return index % size


def integer_range(
    node: ast.RangeDefinition, scope: Mapping[str, Value], size: int | None = None
) -> range:
    """The integers of a range, end included; `size` is that of an indexed register."""
    step = 1 if node.step is None else integer(node.step, scope)
    if step == 0 or (size is None and (node.start is None or node.end is None)):
        raise NotReadable("a range without end")
    first, last = (0, (size or 1) - 1) if step > 0 else ((size or 1) - 1, 0)
    start = first if node.start is None else integer(node.start, scope)
    end = last if node.end is None else integer(node.end, scope)
    if size is not None:
        start, end = _place(start, size), _place(end, size)
    return range(start, end + (1 if step > 0 else -1), step)
