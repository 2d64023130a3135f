"""Bytes of a spec file to its text: encoding, control characters, leftovers of a merge."""

from __future__ import annotations

import re

from iqm_spec.diagnostics import Span
from iqm_spec.source.limits import MOST_MISTAKES
from iqm_spec.source.places import Mistake

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\r\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_CONFLICT = re.compile(r"^(<{7}|>{7})(?: .*)?$", re.MULTILINE)


def decode(data: bytes) -> tuple[str, list[Mistake]]:
    """The text of `data` with `\\n` line ends and no byte order mark, and what is wrong with it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return "", [_not_utf8(data, error)]
    text = text.replace("\r\n", "\n")
    return text, conflicts(text) or controls(text)


def span_at(text: str, start: int, width: int = 1) -> Span:
    """Place of the character at `start`."""
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    return Span(line, column, column + width)


def _not_utf8(data: bytes, error: UnicodeDecodeError) -> Mistake:
    # `error.object` is the data behind a byte order mark, if there is one
    before = error.object[: error.start]
    line = before.count(b"\n") + 1
    lead = before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")
    offset = len(data) - len(error.object) + error.start
    return Mistake(
        Span(line, len(lead) + 1, len(lead) + 2),
        "S102",
        f"the file is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {offset}",
        "save the file as UTF-8",
    )


def conflicts(text: str) -> list[Mistake]:
    """Where git left the two sides of a conflict in `text`."""
    marks = list(_CONFLICT.finditer(text))
    begins = [match for match in marks if match[1][0] == "<"] or marks
    found = [
        Mistake(
            span_at(text, match.start(), len(match[1])),
            "S108",
            "an unresolved merge conflict",
            "keep one side of the conflict and remove the marker lines",
        )
        for match in begins
    ]
    return found[:MOST_MISTAKES]


def controls(text: str) -> list[Mistake]:
    """The first character of `text` that nobody can see."""
    match = _CONTROL.search(text)
    if match is None:
        return []
    name = "a carriage return alone" if match[0] == "\r" else f"the character U+{ord(match[0]):04X}"
    return [
        Mistake(
            span_at(text, match.start()),
            "S102",
            f"{name}, which is invisible and may not stand in a spec",
            "remove it; a text in double quotes can hold it as an escape",
        )
    ]
