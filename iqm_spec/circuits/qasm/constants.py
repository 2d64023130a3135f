"""Values of OpenQASM 3 expressions that are known before a circuit runs."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openqasm3 import ast

Constant = bool | int | float
"""A value that is known before the circuit runs."""

LARGEST_INTEGER = 2**63 - 1
_LARGEST_EXPONENT = 1024

BUILT_IN: Mapping[str, float] = {
    "pi": math.pi,
    "π": math.pi,
    "tau": math.tau,
    "τ": math.tau,
    "euler": math.e,
    "ℇ": math.e,
}


class NotConstant(Exception):
    """The expression has no value before the circuit runs."""


class WrongValue(Exception):
    """The expression has no value at all: a division by zero, a number too large."""


def _divided(left: Constant, right: Constant) -> Constant:
    """Integers divide as in C, towards zero."""
    if right == 0:
        raise WrongValue("division by zero")
    if isinstance(left, float) or isinstance(right, float):
        return left / right
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: Constant, right: Constant) -> Constant:
    if right == 0:
        raise WrongValue("division by zero")
    if isinstance(left, float) or isinstance(right, float):
        return math.fmod(left, right)
    return left - right * int(_divided(left, right))


def _power(left: Constant, right: Constant) -> Constant:
    if abs(right) > _LARGEST_EXPONENT:
        raise WrongValue(f"the exponent {right} is too large")
    if isinstance(left, int) and isinstance(right, int) and right < 0:
        left = float(left)
    if left == 0 and right < 0:
        raise WrongValue("division by zero")
    result = left**right
    if isinstance(result, complex):
        raise WrongValue("the power of a negative number")
    return result


def _shifted(left: Constant, right: Constant) -> Constant:
    if not 0 <= right < 64:
        raise WrongValue(f"a shift by {right}")
    return int(left) << int(right)


def _shifted_right(left: Constant, right: Constant) -> Constant:
    if right < 0:
        raise WrongValue(f"a shift by {right}")
    return int(left) >> min(int(right), 64)


_BINARY: Mapping[str, Callable[[Any, Any], Constant]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divided,
    "%": _remainder,
    "**": _power,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "&&": lambda a, b: bool(a) and bool(b),
    "||": lambda a, b: bool(a) or bool(b),
    "&": lambda a, b: int(a) & int(b),
    "|": lambda a, b: int(a) | int(b),
    "^": lambda a, b: int(a) ^ int(b),
    "<<": _shifted,
    ">>": _shifted_right,
}

_UNARY: Mapping[str, Callable[[Any], Constant]] = {
    "-": lambda a: -a,
    "!": lambda a: not a,
}

FUNCTIONS: Mapping[str, tuple[int, Callable[..., Constant]]] = {
    "sin": (1, math.sin),
    "cos": (1, math.cos),
    "tan": (1, math.tan),
    "arcsin": (1, math.asin),
    "arccos": (1, math.acos),
    "arctan": (1, math.atan),
    "exp": (1, math.exp),
    "log": (1, math.log),
    "ln": (1, math.log),
    "sqrt": (1, math.sqrt),
    "ceiling": (1, math.ceil),
    "floor": (1, math.floor),
    "mod": (2, _remainder),
    "pow": (2, _power),
    "popcount": (1, lambda a: int(a).bit_count()),
}
"""Functions of the language, with their numbers of arguments."""


def evaluate(node: ast.Expression, resolve: Callable[[ast.Expression], Constant]) -> Constant:
    """The value of an expression; `resolve` gives that of names, indexed names and calls.

    `NotConstant` where it has none before the circuit runs, `WrongValue` where it has none at all.
    """
    from openqasm3 import ast as nodes

    match node:
        case nodes.IntegerLiteral() | nodes.FloatLiteral() | nodes.BooleanLiteral():
            return _checked(node.value)
        case nodes.UnaryExpression():
            if node.op.name not in _UNARY:
                raise NotConstant
            return _checked(_UNARY[node.op.name](evaluate(node.expression, resolve)))
        case nodes.BinaryExpression():
            left, right = evaluate(node.lhs, resolve), evaluate(node.rhs, resolve)
            if node.op.name not in _BINARY:
                raise NotConstant
            try:
                return _checked(_BINARY[node.op.name](left, right))
            except OverflowError as error:
                raise WrongValue("the number is too large") from error
        case nodes.Cast():
            return cast(node.type, evaluate(node.argument, resolve))
        case nodes.FunctionCall() if node.name.name in FUNCTIONS:
            name = node.name.name
            arity, function = FUNCTIONS[name]
            values = [evaluate(argument, resolve) for argument in node.arguments]
            if len(values) != arity:
                raise WrongValue(f"`{name}` takes {arity} arguments, not {len(values)}")
            try:
                return _checked(function(*values))
            except (ValueError, OverflowError) as error:
                arguments = ", ".join(map(str, values))
                raise WrongValue(f"`{name}({arguments})` has no value") from error
        case nodes.Identifier() | nodes.IndexExpression() | nodes.FunctionCall() | nodes.SizeOf():
            return resolve(node)
    raise NotConstant


def cast(type_: ast.ClassicalType, value: Constant) -> Constant:
    """`value` as a variable of the type holds it."""
    from openqasm3 import ast as nodes

    match type_:
        case nodes.IntType() | nodes.UintType():
            integer = int(value)
            if isinstance(type_, nodes.UintType) and integer < 0:
                raise WrongValue(f"{integer} is no unsigned integer")
            return _checked(integer)
        case nodes.FloatType() | nodes.AngleType():
            return float(value)
        case nodes.BoolType():
            return bool(value)
        case nodes.BitType() if type_.size is None and value in (0, 1):
            return bool(value)
    raise NotConstant


def _checked(value: Constant) -> Constant:
    if isinstance(value, float):
        if not cmath.isfinite(value):
            raise WrongValue("the number is not finite")
    elif abs(value) > LARGEST_INTEGER:
        raise WrongValue("the number is too large for an integer")
    return value
