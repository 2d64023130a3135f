"""From plain JSON to attrs classes and back: the only place that handles stored JSON without types.

msgspec checks every value against the annotations of a class and converts nothing: an integer stays
an integer and a float a float. Fields that a class does not have are ignored.
"""

from __future__ import annotations

import re
from abc import ABCMeta
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_type_hints

import attrs
import msgspec

T = TypeVar("T")

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""A sha256 in lower-case hex."""

Natural = Annotated[int, msgspec.Meta(ge=0)]
"""An integer from 0 on."""

Number = int | float
"""An integer or a float, as it stands in the JSON."""

JsonObject = Mapping[str, Any]
"""A JSON object of which nothing more is known."""


class MisfitError(ValueError):
    """A value does not fit the type stored there; `path` is the place in it, `why` the reason."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"`{path}` {why}" if path else why)
        self.path, self.why = path, why


_CHECKS: dict[type, Callable[[Any], object]] = {}


def checked_object(check: Callable[[dict[str, Any]], object]) -> Any:
    """A type for a JSON object that is not converted; `check` may raise ValueError."""
    kind = ABCMeta("CheckedObject", (), {})
    kind.register(dict)
    _CHECKS[kind] = check
    return kind


def _check_counts(value: dict[str, Any]) -> None:
    if set("".join(value)) - _BITS or len(set(map(len, value))) > 1:
        raise ValueError("has outcomes that are no bitstrings of one length")
    numbers = value.values()
    if not (set(map(type, numbers)) <= {int} and min(numbers, default=0) >= 0):
        raise ValueError("has counts that are no integers from 0 on")


_BITS = frozenset("01 ")

if TYPE_CHECKING:
    Counts = Mapping[str, int]
    """Bitstrings of one length, spaces between registers, with how often each was seen."""
else:
    Counts = checked_object(_check_counts)  # msgspec would copy a table of a million outcomes


def structure(value: object, into: type[T]) -> T:
    """`value` as an object of an attrs class; MisfitError where it does not fit."""
    try:
        return msgspec.convert(value, into, dec_hook=_check_special)
    except msgspec.ValidationError as error:
        raise _misfit(str(error)) from None
    except RecursionError:
        raise MisfitError("", "is nested too deeply") from None


def structure_known(types: Mapping[str, type[Any]], name: str, value: Any) -> Any:
    """`value` as an object of the class that a table has for a name; as it is where it has none."""
    of = types.get(name)
    return value if of is None else structure(value, of)


def _check_special(kind: type, value: object) -> object:
    """Checks the types that msgspec does not have."""
    if type(value) is not dict:
        raise ValueError("is no JSON object")
    _CHECKS[kind](value)
    return value


_MESSAGE = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)


def _misfit(message: str) -> MisfitError:
    """The path and the reason that a message of msgspec has."""
    match = _MESSAGE.fullmatch(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    if missing := _MISSING.fullmatch(what):
        return MisfitError(f"{path}.{missing['name']}".removeprefix("."), "is missing")
    if "matching regex" in what:
        what = "is no sha256 in lower-case hex"
    elif what.startswith("Expected"):
        what = f"is not what it must be: {what[0].lower()}{what[1:]}"
    return MisfitError(path.removeprefix("."), what)


# --- and back ------------------------------------------------------------------------------------

_ALWAYS = "written even where it has its default"


def nullable(default: Any = None) -> Any:
    """A field that a folder may lack, and that is always written, as null for instance.

    Other fields with a default are left out where they have it.
    """
    return attrs.field(default=default, metadata={_ALWAYS: True})


def to_json(value: Any) -> Any:
    """The plain JSON of attrs objects, also in lists and mappings: what `structure` reads.

    Fields come in the order of canonical JSON. Tuples stay tuples, which canonical JSON writes as
    lists; values without attrs objects are not copied.
    """
    kind: Any = type(value)
    fields = _fields(kind)
    if fields is not None:
        values = {name: getattr(value, name) for name in fields.names}
        for name, default in fields.defaults:
            item = values[name]
            if item is default or (item == default and type(item) is type(default)):
                del values[name]
        for name in fields.nested:
            if name in values:
                values[name] = to_json(values[name])
        return values
    if kind is tuple or kind is list:
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    return value


@attrs.frozen
class _Fields:
    """The fields of an attrs class in order, defaults that are not written, fields with objects."""

    names: tuple[str, ...]
    defaults: tuple[tuple[str, Any], ...]
    nested: tuple[str, ...]


@cache
def _fields(kind: Any) -> _Fields | None:
    if not attrs.has(kind):
        return None
    hints = get_type_hints(kind)
    fields = sorted(attrs.fields(kind), key=lambda field: str(field.name))
    return _Fields(
        names=tuple(field.name for field in fields),
        defaults=tuple(
            (field.name, field.default)
            for field in fields
            if _ALWAYS not in field.metadata and field.default is not attrs.NOTHING
        ),
        nested=tuple(field.name for field in fields if _holds_class(hints[field.name])),
    )


def _holds_class(hint: Any) -> bool:
    return attrs.has(hint) or any(map(_holds_class, get_args(hint)))
