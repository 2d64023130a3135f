"""Expressions of OpenQASM 3: numbers that are known, and tests of bits that only a run knows."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
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


@frozen
class Qubits:
    """Numbers of qubits; `single` for one that is no register."""

    places: tuple[int, ...]
    single: bool


@frozen
class Bits:
    """Places of classical bits; `single` for one that is no register."""

    places: tuple[int, ...]
    single: bool


@frozen(eq=False)
class Runtime:
    """A value that bits decide; `width` is its number of bits, None for a truth value."""

    bits: frozenset[int]
    value: Callable[[int], int]
    width: int | None = None


Value = Number | Qubits | Bits | Runtime


@frozen
class Literal:
    """The bits of a literal such as "0101"."""

    value: int
    width: int


def evaluate(node: ast.Expression | None, scope: Mapping[str, Value]) -> Value | Literal:
    """What an expression stands for where its names are those of `scope`."""
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
            return Literal(value, width)
        case ast.UnaryExpression():
            return _unary(node.op.name, evaluate(node.expression, scope))
        case ast.BinaryExpression():
            left, right = evaluate(node.lhs, scope), evaluate(node.rhs, scope)
            return _binary(node.op.name, left, right)
        case ast.IndexExpression():
            return indexed(evaluate(node.collection, scope), node.index, scope)
        case ast.Concatenation():
            return _joined(evaluate(node.lhs, scope), evaluate(node.rhs, scope))
        case ast.FunctionCall():
            return _called(node.name.name, [number(one, scope) for one in node.arguments])
        case _:
            raise NotReadable(f"an expression of the kind {type(node).__name__}")


def number(node: ast.Expression | None, scope: Mapping[str, Value]) -> Number:
    """The number that an expression stands for, which is known without running."""
    found = evaluate(node, scope)
    if not isinstance(found, bool | int | float):
        raise NotReadable("a number that only a run knows")
    return _finite(found)


def whole(node: ast.Expression | None, scope: Mapping[str, Value]) -> int:
    """The whole number that an expression stands for."""
    found = number(node, scope)
    if isinstance(found, bool) or not isinstance(found, int):
        raise NotReadable("an index or a size that is no whole number")
    return found


def _finite(value: Number) -> Number:
    if isinstance(value, float) and not math.isfinite(value):
        raise NotReadable("an angle that cannot be computed")
    if abs(value) > _LARGEST_WHOLE:
        raise NotReadable("very large numbers")
    return value


def _called(name: str, arguments: Sequence[Number]) -> Number:
    if name in _FUNCTIONS and len(arguments) == 1:
        return _FUNCTIONS[name](arguments[0])
    if name == "pow" and len(arguments) == 2:
        return _binary_number("**", *arguments)
    raise NotReadable(f"the function `{name[:40]}`")


def _unary(sign: str, value: Value | Literal) -> Value:
    if sign == "!":
        if isinstance(value, bool):
            return not value
        held = truth(value)
        return Runtime(held.bits, lambda state: not held.value(state))
    if sign == "-" and isinstance(value, int | float) and not isinstance(value, bool):
        return -value
    if sign == "~" and isinstance(value, Bits | Runtime):
        run = runtime(value)
        if run.width is not None:
            mask = (1 << run.width) - 1
            return Runtime(run.bits, lambda state: run.value(state) ^ mask, run.width)
    raise NotReadable(f"the operator `{sign}` here")


def _binary(sign: str, left: Value | Literal, right: Value | Literal) -> Value:
    if isinstance(left, bool | int | float) and isinstance(right, bool | int | float):
        return _finite(_binary_number(sign, left, right))
    if sign in _LOGIC:
        one, two = truth(left), truth(right)
        both = one.bits | two.bits
        if sign == "&&":
            return Runtime(both, lambda state: bool(one.value(state) and two.value(state)))
        return Runtime(both, lambda state: bool(one.value(state) or two.value(state)))
    first, second = runtime(left), runtime(right)
    bits = first.bits | second.bits
    widths = {run.width for run in (first, second) if run.width is not None and run.bits}
    if sign in _COMPARISONS:
        if len(widths) > 1 or _unlike(left, second) or _unlike(right, first):
            raise NotReadable("a comparison of values of different sizes")
        compare = _COMPARISONS[sign]
        return Runtime(bits, lambda state: compare(first.value(state), second.value(state)))
    if sign in _BITWISE and len(widths) == 1 and first.width == second.width:
        combine = _BITWISE[sign]
        return Runtime(
            bits, lambda state: combine(first.value(state), second.value(state)), first.width
        )
    raise NotReadable(f"the operator `{sign}` on bits")


def _unlike(literal: Value | Literal, other: Runtime) -> bool:
    return isinstance(literal, Literal) and literal.width != other.width


def _binary_number(sign: str, left: Number, right: Number) -> Number:
    wholes = isinstance(left, int) and isinstance(right, int)
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if wholes:
            if left % right and (left < 0 or right < 0):
                raise NotReadable("a division of negative whole numbers")
            return left // right
        case "/":
            return left / right
        case "%" if wholes and left >= 0 and right > 0:
            return left % right
        case "**" if abs(right) <= 64:
            return float(math.pow(left, right)) if not wholes or right < 0 else left**right
        case "<<" | ">>" if wholes and left >= 0 and 0 <= right <= 52:
            return int(left) << int(right) if sign == "<<" else int(left) >> int(right)
        case "&&":
            return bool(left) and bool(right)
        case "||":
            return bool(left) or bool(right)
        case _ if sign in _COMPARISONS:
            return _COMPARISONS[sign](left, right)
        case _ if sign in _BITWISE and wholes:
            return _BITWISE[sign](int(left), int(right))
        case _:
            raise NotReadable(f"the operator `{sign}` here")


def runtime(value: Value | Literal) -> Runtime:
    """A value as one of the bits: registers as whole numbers, the first bit the lowest."""
    match value:
        case Runtime():
            return value
        case Bits(places=places):
            return Runtime(
                frozenset(places),
                lambda state: sum((state >> place & 1) << i for i, place in enumerate(places)),
                len(places),
            )
        case Literal(value=known, width=width):
            return Runtime(frozenset(), lambda state: known, width)
        case bool() | int():
            constant = int(value)
            return Runtime(frozenset(), lambda state: constant)
        case _:
            raise NotReadable("a condition on such a value")


def truth(value: Value | Literal) -> Runtime:
    """A value as a condition: true where it is not 0."""
    run = runtime(value)
    return Runtime(run.bits, lambda state: bool(run.value(state)))


def _joined(left: Value | Literal, right: Value | Literal) -> Value:
    for kind in (Qubits, Bits):
        if isinstance(left, kind) and isinstance(right, kind):
            return kind((*left.places, *right.places), single=False)
    raise NotReadable("a concatenation of such values")


def indexed(value: Value | Literal, index: Any, scope: Mapping[str, Value]) -> Value:
    """What an index, a range or a set of them takes from a register."""
    from openqasm3 import ast

    if not isinstance(value, Qubits | Bits) or value.single:
        raise NotReadable("an index of what is no register")
    size = len(value.places)
    if isinstance(index, ast.DiscreteSet):
        picked = [_place(whole(one, scope), size) for one in index.values]
    elif len(index) != 1:
        raise NotReadable("an index of several dimensions")
    elif isinstance(index[0], ast.RangeDefinition):
        picked = [_place(one, size) for one in span(index[0], scope, size)]
    else:
        place = _place(whole(index[0], scope), size)
        return type(value)((value.places[place],), single=True)
    return type(value)(tuple(value.places[place] for place in picked), single=False)


def _place(index: int, size: int) -> int:
    if not -size <= index < size:
        raise NotReadable("an index outside of its register")
    return index % size


def span(given: ast.RangeDefinition, scope: Mapping[str, Value], size: int | None = None) -> range:
    """The whole numbers of a range, whose end is included; `size` is that of a register."""
    step = 1 if given.step is None else whole(given.step, scope)
    if step == 0 or (size is None and (given.start is None or given.end is None)):
        raise NotReadable("a range without end")
    first, last = (0, (size or 1) - 1) if step > 0 else ((size or 1) - 1, 0)
    start = first if given.start is None else whole(given.start, scope)
    end = last if given.end is None else whole(given.end, scope)
    if size is not None:
        start, end = _place(start, size), _place(end, size)
    return range(start, end + (1 if step > 0 else -1), step)
