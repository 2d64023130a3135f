"""Reads JSON as `json.loads` does; a long record's tables piece by piece.

A million outcomes as one text, once more as a string and with the parser's own table of their names
would take more memory than what is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from iqm_spec.canonical import canonical
from iqm_spec.json_types import Json

LONG = 1 << 20
"""Bytes from which on a value is read in pieces."""

_PIECE = 1 << 16
_NAME = re.compile(rb'"[^"\\]*":')


def read_json(data: bytes) -> Any:
    """The value of `data`; ValueError or RecursionError where it is not JSON."""
    record = _record(data) if len(data) >= LONG else None
    return json.loads(data) if record is None else record


def _record(data: bytes) -> dict[str, Any] | None:
    """An object without spaces whose objects hold none; None where the text is something else.

    Members that are JSON by themselves, up to a comma or the next brace, mean the same in the full
    text: JSON is read from left to right, and nothing that follows changes what was read.
    """
    members: dict[str, Any] = {}
    place, end = 1, len(data.rstrip())
    if data[:1] != b"{":
        return None
    while name := _NAME.match(data, place):
        place = name.end()
        if data[place : place + 1] == b"{":
            close = data.find(b"}", place)
            value: Any = _table(data, place + 1, close)
            if value is None:
                return None
            place = close + 1
        else:
            piece = data[place : place + _PIECE]
            try:
                value, length = _decode(piece.decode("ascii"))
            except (ValueError, RecursionError):
                return None
            if length == len(piece):  # it may go on after the piece
                return None
            place += length
        members[json.loads(name[0][:-1])] = value
        after = data[place : place + 1]
        place += 1
        if after == b"}" and place == end:
            return members
        if after != b",":
            return None
    return None


def _table(data: bytes, start: int, end: int) -> dict[str, Any] | None:
    """The object whose members stand between two places; None where the text is something else."""
    members: dict[str, Any] = {}
    while start < end:
        cut = end if end - start <= _PIECE else data.rfind(b',"', start, start + _PIECE)
        if cut <= start:
            return None
        try:
            members.update(json.loads(b"{" + data[start:cut] + b"}"))
        except ValueError:
            return None
        start = cut + 1
    return members if start != end else None


_decode = json.JSONDecoder().raw_decode


class NotCanonicalError(ValueError):
    """The text is not the canonical JSON of any value."""


def parse_canonical(data: bytes) -> Json:
    """The value whose canonical JSON is `data`; NotCanonicalError where there is none."""
    try:
        value: Json = read_json(data)
    except (ValueError, RecursionError) as error:
        raise NotCanonicalError(f"is not JSON ({error})") from error
    if not _is_canonical(value, data):
        raise NotCanonicalError("is not canonical JSON")
    return value


def parse_lines(lines: Sequence[bytes]) -> list[Json | NotCanonicalError]:
    """The value of each line, or what is wrong with it. Parsed together: twice as fast."""
    if sum(map(len, lines)) > LONG:
        return [_parse_line(line) for line in lines]
    try:
        values = json.loads(b"[" + b",".join(lines) + b"]")
    except (ValueError, RecursionError):
        values = []
    if len(values) == len(lines) and all(map(_is_canonical, values, lines)):
        return list(values)
    return [_parse_line(line) for line in lines]


def _parse_line(line: bytes) -> Json | NotCanonicalError:
    try:
        return parse_canonical(line)
    except NotCanonicalError as error:
        return error


def _is_canonical(value: Json, data: bytes) -> bool:
    try:
        return canonical(value) == data
    except (ValueError, RecursionError):
        return False
