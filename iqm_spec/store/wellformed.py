"""Is this text canonical JSON? Asked of every line of a folder, so it has to be quick."""

from __future__ import annotations

import json
from collections.abc import Sequence

from iqm_spec.canonical import canonical
from iqm_spec.json_types import Json
from iqm_spec.store.large import LONG, read_json


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
