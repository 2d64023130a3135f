"""Canonical JSON (RFC 8785) and its sha256: equal values have equal bytes and equal digests.

`sha256sum` on a stored file gives its name, so these bytes must not depend on a library's version.
Results that this machine computed from bytes are cached by their sha256, below `cache_folder`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfc8785

if TYPE_CHECKING:
    from iqm_spec.json_types import Json


LARGEST_INTEGER = 2**53 - 1
"""The largest integer that a JSON number holds exactly (RFC 8785, section 3.2.2.3)."""

_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


def canonical(value: Json) -> bytes:
    """RFC 8785 bytes of `value`; raises `ValueError` for NaN, infinities, integers beyond 2^53.

    A whole float beyond 2^53 is refused too: its bytes would be read back as such an integer.
    """
    if type(value) is dict and _is_long(value):
        parts = BytesIO()
        _write_parts(value, parts)
        return parts.getvalue()
    if _is_plain(value):
        return _encode(value).encode()
    _refuse_large_whole(value)
    numbers: list[str] = []
    try:
        marked = _marked(value, numbers)
    except _Odd:
        return bytes(rfc8785.dumps(value))
    return _MARKED.sub(lambda match: numbers[int(match[1])], _encode(marked)).encode()


_AT_ONCE = 1 << 12
"""Members of an object that are written together: copies of millions of them fill memory."""


def _is_long(value: dict[str, Json]) -> bool:
    """Whether an object, or one in it, has many members; their names are ASCII."""
    tables = [value, *(item for item in value.values() if type(item) is dict)]
    return max(map(len, tables)) > _AT_ONCE and all(
        set(map(type, table)) <= {str} and "".join(table).isascii() for table in tables
    )


def _write_parts(value: dict[str, Json], into: BytesIO) -> None:
    """The bytes of a long object, some members at a time."""
    names = sorted(value)
    long = [name for name in names if type(value[name]) is dict and len(value[name]) > _AT_ONCE]  # type: ignore[arg-type]
    start, before = 0, b"{"
    for name in [*long, None]:
        end = len(names) if name is None else names.index(name, start)
        for first in range(start, end, _AT_ONCE):
            members = {each: value[each] for each in names[first : min(first + _AT_ONCE, end)]}
            into.write(before + _members(members))
            before = b","
        if name is not None:
            into.write(before + canonical(name) + b":")
            before = b","
            table: Json = value[name]
            if type(table) is dict and _is_long(table):
                _write_parts(table, into)
            else:
                into.write(canonical(table))
        start = end + 1
    into.write(b"}")


def _members(members: dict[str, Json]) -> bytes:
    """The members of an object as they stand between its braces."""
    values: list[Any] = list(members.values())
    kind = type(values[0])
    if kind in _MOST and set(map(type, values)) == {kind} and _BITS.fullmatch("".join(members)):
        write, most = _MOST[kind]
        if min(values) >= 0 and max(values) <= most:
            pairs = zip(members, map(write, values), strict=True)
            return ",".join([f'"{bits}":{number}' for bits, number in pairs]).encode()
    return canonical(members)[1:-1]


_BITS = re.compile("[01 ]*")
_MOST: dict[type, tuple[Callable[[Any], str], int]] = {
    int: (str, LARGEST_INTEGER),
    float: (lambda value: _number(value), 1),
}
"""How counts and probabilities are written, and up to which."""


class _Odd(Exception):
    """More than a number is not plain."""


_MARKED = re.compile(r'"\\u0000(\d+)"')


def _marked(value: Json, numbers: list[str]) -> Json:
    """`value` with a mark for each number that is not plain; rfc8785 writes these alone.

    Most of what is not plain is a small probability, and most of the rest is written quickly.
    """
    kind = type(value)
    if kind is dict:
        if not all(map(_is_key, value)):  # type: ignore[arg-type]
            raise _Odd
        return {key: _marked(item, numbers) for key, item in value.items()}  # type: ignore[union-attr]
    if kind is list or kind is tuple:
        return [_marked(item, numbers) for item in value]  # type: ignore[union-attr]
    if kind is float and not _is_plain(value):
        numbers.append(_number(value))  # type: ignore[arg-type]
        return f"\0{len(numbers) - 1}"
    if not _is_plain(value) or (kind is str and "\0" in value):  # type: ignore[operator]
        raise _Odd
    return value


def _number(value: float) -> str:
    """As rfc8785 writes it, probabilities without its detours."""
    if 1e-4 <= value < 1:
        return repr(value)
    if not 0 < value < 1e-4:
        return str(rfc8785.dumps(value), "ascii")
    if value < 1e-6:
        return repr(value).replace("e-0", "e-")
    digits, _, power = repr(value).partition("e-")
    return f"0.{'0' * (int(power) - 1)}{digits.replace('.', '')}"


def _is_key(key: object) -> bool:
    return type(key) is str and key.isascii() and "\0" not in key


def _refuse_large_whole(value: Json) -> None:
    if isinstance(value, float) and value.is_integer() and abs(value) > LARGEST_INTEGER:
        raise ValueError(f"{value!r} is a whole number beyond 2^53")
    if isinstance(value, list | tuple):
        for item in value:
            _refuse_large_whole(item)
    elif isinstance(value, dict):
        for item in value.values():
            _refuse_large_whole(item)


def _is_plain(value: Json) -> bool:
    """True where the standard library's encoder gives RFC 8785's bytes (it is ten times faster).

    It differs on floats that it writes with an exponent or a trailing `.0`, on integers that are
    too large, and on the order of keys outside ASCII (tests/property/test_canonical.py).
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -LARGEST_INTEGER <= value <= LARGEST_INTEGER  # type: ignore[operator]
    if kind is float:
        size = abs(value)  # type: ignore[arg-type]
        return 1e-4 <= size < 1e15 and not value.is_integer()  # type: ignore[union-attr]
    if kind is list or kind is tuple:
        return all(map(_is_plain, value))  # type: ignore[arg-type]
    if kind is dict:
        return (
            set(map(type, value)) <= {str}  # type: ignore[arg-type]
            and "".join(value).isascii()  # type: ignore[arg-type]
            and all(map(_is_plain, value.values()))  # type: ignore[union-attr]
        )
    return False


def sha256(data: bytes) -> str:
    """Lower-case hex sha256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Json) -> str:
    """Sha256 of the canonical JSON of `value`."""
    return sha256(canonical(value))


def cache_folder() -> Path | None:
    """IQM_SPEC_CACHE, else the user's cache folder; None for a user without a home.

    It need not exist. Nothing is lost with it: what cannot be read there is computed again.
    """
    named = os.environ.get("IQM_SPEC_CACHE")
    if named:
        return Path(named)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "iqm-spec"
    except RuntimeError:
        return None
