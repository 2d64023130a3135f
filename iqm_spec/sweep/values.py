"""Value functions of an axis: `range`, `linspace`, `logspace`, `geomspace`.

All are computed in exact or decimal arithmetic, so that a spec has the same points, and so the same
digest, on every platform: `linspace: [0, 1, 11]` holds 0.3, not 0.30000000000000004.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from fractions import Fraction

from iqm_spec.json_types import Json

LONGEST_AXIS = 1_000_000
"""Values in one axis; more is refused before any memory is taken."""

_DECIMAL = decimal.Context(prec=40)

Number = int | float


class ValueFunctionError(ValueError):
    """Arguments that a value function does not take; the text says why."""


def evaluate(name: str, arguments: Json) -> tuple[Number, ...]:
    """Values of the function `name`; `ValueFunctionError` or, for an unknown one, `KeyError`."""
    function = FUNCTIONS[name]
    if not isinstance(arguments, list | tuple) or not all(map(_is_number, arguments)):
        raise ValueFunctionError(f"`{name}` takes a list of numbers")
    return function(arguments)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _range(arguments: Sequence[Number]) -> tuple[Number, ...]:
    if len(arguments) not in (2, 3):
        raise ValueFunctionError("`range` takes [start, stop, step], the stop left out")
    start, stop = _exact(arguments[0]), _exact(arguments[1])
    step = _exact(arguments[2]) if len(arguments) == 3 else Fraction(1)
    if step == 0:
        raise ValueFunctionError("the step of `range` is 0")
    count = -((start - stop) // step)  # the ceiling of (stop - start) / step
    _check_count("range", count)
    return tuple(_number(start + step * i) for i in range(count))


def _linspace(arguments: Sequence[Number]) -> tuple[Number, ...]:
    start, stop, num = _ends("linspace", arguments)
    if num == 1:
        return (_number(start),)
    # over one common denominator an integer division gives the nearest float to the true value
    scale = start.denominator * stop.denominator * (num - 1)
    first = int(start * scale)
    step = int((stop - start) * scale) // (num - 1)
    return tuple(_whole((first + step * i) / scale) for i in range(num))


def _logspace(arguments: Sequence[Number]) -> tuple[Number, ...]:
    start, stop, num = _ends("logspace", arguments)
    if max(abs(start), abs(stop)) > 300:
        raise ValueFunctionError("the exponents of `logspace` must lie between -300 and 300")
    steps = max(1, num - 1)
    exponents = (start + (stop - start) * Fraction(i, steps) for i in range(num))
    return tuple(
        _whole(float(_DECIMAL.power(decimal.Decimal(10), _decimal(exponent))))
        for exponent in exponents
    )


def _geomspace(arguments: Sequence[Number]) -> tuple[Number, ...]:
    start, stop, num = _ends("geomspace", arguments)
    if start * stop <= 0:
        raise ValueFunctionError("the ends of `geomspace` must have one sign and not be 0")
    if num == 1:
        return (_number(start),)
    log = _DECIMAL.ln(_decimal(stop / start))
    inner = (
        _whole(
            float(
                _DECIMAL.multiply(
                    _decimal(start),
                    _DECIMAL.exp(_DECIMAL.multiply(log, _decimal(Fraction(i, num - 1)))),
                )
            )
        )
        for i in range(1, num - 1)
    )
    return (_number(start), *inner, _number(stop))


FUNCTIONS = {
    "range": _range,
    "linspace": _linspace,
    "logspace": _logspace,
    "geomspace": _geomspace,
}


def _ends(name: str, arguments: Sequence[Number]) -> tuple[Fraction, Fraction, int]:
    if len(arguments) != 3:
        raise ValueFunctionError(f"`{name}` takes [start, stop, num], both ends included")
    num = arguments[2]
    if not isinstance(num, int) or num < 1:
        raise ValueFunctionError(f"the num of `{name}` must be a whole number >= 1, got {num}")
    _check_count(name, num)
    return _exact(arguments[0]), _exact(arguments[1]), num


def _check_count(name: str, count: int) -> None:
    if count < 1:
        raise ValueFunctionError(f"`{name}` holds no values")
    if count > LONGEST_AXIS:
        raise ValueFunctionError(
            f"`{name}` holds {count} values; an axis has {LONGEST_AXIS} at most"
        )


def _exact(value: Number) -> Fraction:
    """The number that stands in the file: 0.1 is one tenth, not its nearest float."""
    return Fraction(repr(value))


def _number(value: Fraction) -> Number:
    return _whole(value.numerator / value.denominator)


def _whole(value: float) -> Number:
    if not value.is_integer():
        return value
    if abs(value) >= 2**53:
        raise ValueFunctionError(f"{value:g} is a whole number beyond 2^53, which JSON cannot hold")
    return int(value)


def _decimal(value: Fraction) -> decimal.Decimal:
    return _DECIMAL.divide(decimal.Decimal(value.numerator), decimal.Decimal(value.denominator))
