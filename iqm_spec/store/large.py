"""Reads JSON as `json.loads` does; a long record's tables piece by piece.

A million outcomes as one text, once more as a string and with the parser's own table of their names
would take more memory than what is read.
"""

from __future__ import annotations

import json
import re
from typing import Any

LONG = 1 << 20
"""Bytes from which on a value is read in pieces."""

_PIECE = 1 << 16
_NAME = re.compile(rb'"[^"\\]*":')


def read_json(data: bytes) -> Any:
    """The value of `data`; ValueError or RecursionError where it is not JSON."""
    found = _record(data) if len(data) >= LONG else None
    return json.loads(data) if found is None else found


def _record(data: bytes) -> dict[str, Any] | None:
    """An object without spaces whose objects hold none; None where the text is something else.

    Where the text of some members is JSON by itself, up to a comma or the next brace, so it is in
    the whole: JSON is read from left to right, and nothing that follows changes what was read.
    """
    found: dict[str, Any] = {}
    place, end = 1, len(data.rstrip())
    if data[:1] != b"{":
        return None
    while name := _NAME.match(data, place):
        place = name.end()
        if data[place : place + 1] == b"{":
            close = data.find(b"}", place)
            value: Any = _table(data, place + 1, close)
            place = close + 1
        else:
            value, place = _short(data, place)
        if value is _UNKNOWN:
            return None
        found[json.loads(name[0][:-1])] = value
        after = data[place : place + 1]
        place += 1
        if after == b"}" and place == end:
            return found
        if after != b",":
            return None
    return None


_UNKNOWN = object()


def _table(data: bytes, start: int, end: int) -> Any:
    """The object whose members stand between two places."""
    found: dict[str, Any] = {}
    while start < end:
        cut = end if end - start <= _PIECE else data.rfind(b',"', start, start + _PIECE)
        if cut <= start:
            return _UNKNOWN
        try:
            found.update(json.loads(b"{" + data[start:cut] + b"}"))
        except ValueError:
            return _UNKNOWN
        start = cut + 1
    return found if start != end else _UNKNOWN


def _short(data: bytes, start: int) -> tuple[Any, int]:
    """A value that is no object, and its end."""
    piece = data[start : start + _PIECE]
    try:
        value, end = _decode(piece.decode("ascii"))
    except (ValueError, RecursionError):
        return _UNKNOWN, start
    return (value, start + end) if end < len(piece) else (_UNKNOWN, start)


_decode = json.JSONDecoder().raw_decode
