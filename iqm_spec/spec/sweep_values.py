"""Values of axes: the functions `range`, `linspace`, `logspace`, `geomspace`, and listed values.

Functions are computed in exact or decimal arithmetic, so that a spec has the same points, and so
the same digest, on every platform: `linspace: [0, 1, 11]` holds 0.3, not 0.30000000000000004.

Listed names and values are checked here rather than by the JSON Schema, which says the same (a
property test compares the two): its validator takes minutes for a sweep of 100,000 points.
"""

from __future__ import annotations

import decimal
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from iqm_spec.diagnostics import Problem, TreePath
from iqm_spec.json_types import Json
from iqm_spec.spec.phrases import describe_value, field_name
from iqm_spec.spec.template import AXIS_NAME

MAX_AXIS_VALUES = 1_000_000
"""Values in one axis; more is refused before any memory is taken."""

_DECIMAL = decimal.Context(prec=40)

Number = int | float


class ValueFunctionError(ValueError):
    """Arguments that a value function does not take; the text says why."""


def evaluate_function(name: str, arguments: Json) -> tuple[Number, ...]:
    """Values of the function `name`; `ValueFunctionError` or, for an unknown one, `KeyError`."""
    function = VALUE_FUNCTIONS[name]
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


VALUE_FUNCTIONS = {
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
    if count > MAX_AXIS_VALUES:
        raise ValueFunctionError(
            f"`{name}` holds {count} values; an axis has {MAX_AXIS_VALUES} at most"
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


# --- listed values -------------------------------------------------------------------------------

_LISTS = ("points", "exclude", "include")
_SCALARS = frozenset((int, float, bool, str))


def split_sweeps(tree: Mapping[str, Json]) -> tuple[dict[str, Json], list[Problem]]:
    """`tree` with its sweeps' plain values left out, for the schema; and what is wrong in them."""
    problems: list[Problem] = []
    light = dict(tree)
    if "sweep" in tree:
        light["sweep"] = _light(tree["sweep"], ("sweep",), problems)
    circuits = tree.get("circuits")
    if isinstance(circuits, list):
        light["circuits"] = [
            {**entry, "sweep": _light(entry["sweep"], ("circuits", i, "sweep"), problems)}
            if isinstance(entry, dict) and "sweep" in entry
            else entry
            for i, entry in enumerate(circuits)
        ]
    return light, problems


def _light(sweep: Json, path: TreePath, problems: list[Problem]) -> Json:
    if not isinstance(sweep, list):
        return sweep
    return [
        _light_block(block, (*path, i), problems) if isinstance(block, dict) else block
        for i, block in enumerate(sweep)
    ]


def _light_block(
    block: Mapping[str, Json], path: TreePath, problems: list[Problem]
) -> dict[str, Json]:
    light = dict(block)
    grid, groups = block.get("grid"), block.get("zip")
    if isinstance(grid, dict):
        light["grid"] = _light_axes(grid, (*path, "grid"), problems)
    if isinstance(groups, list):
        light["zip"] = [
            _light_axes(group, (*path, "zip", i), problems) if isinstance(group, dict) else group
            for i, group in enumerate(groups)
        ]
    for name in _LISTS:
        entries = block.get(name)
        if isinstance(entries, list):
            problems += _assignments(entries, (*path, name))
            light[name] = []
    return light


def _light_axes(
    axes: Mapping[str, Json], path: TreePath, problems: list[Problem]
) -> dict[str, Json]:
    """Axes whose values are not listed one by one; the others are checked here."""
    light: dict[str, Json] = {}
    for name, values in axes.items():
        if not AXIS_NAME.match(name):
            problems.append(_bad_name(name, path))
        elif isinstance(values, list):
            for i, value in enumerate(values):
                if type(value) not in _SCALARS:
                    problems += _value(value, (*path, name, i))
        else:
            light[name] = values
    return light


def _assignments(entries: Sequence[Json], path: TreePath) -> Iterator[Problem]:
    for i, entry in enumerate(entries):
        if type(entry) is not dict:
            yield _wrong((*path, i), "a mapping of axis names to values", entry)
            continue
        for name, value in entry.items():
            if not AXIS_NAME.match(name):
                yield _bad_name(name, (*path, i))
            if type(value) not in _SCALARS:
                yield from _value(value, (*path, i, name))


def _value(value: Json, path: TreePath) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield _wrong(path, "a number, a text, true, false or a flat list of these", value)
        return
    for i, item in enumerate(value):
        if type(item) not in _SCALARS:
            yield _wrong((*path, i), "a number, a text, true or false", item)


def _wrong(path: TreePath, words: str, value: Json) -> Problem:
    return Problem(path, "S203", f"{field_name(path)} must be {words}, got {describe_value(value)}")


def _bad_name(name: str, path: TreePath) -> Problem:
    better = re.sub(r"\W", "_", name, flags=re.ASCII)
    better = f"_{better}" if better[:1].isdigit() or not better else better
    return Problem(
        (*path, name),
        "S204",
        f"{field_name((name,))} is not a name for an axis: letters, digits and `_`,"
        " beginning with a letter or `_`",
        f"write {better}" if len(better) < 40 else "",
        on_key=True,
    )
