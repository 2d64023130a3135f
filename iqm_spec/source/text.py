"""Bytes of a file to its text: limits of size, encoding, invisible characters, merge conflicts.

Specs come from strangers: sizes are checked before memory is taken.
"""

from __future__ import annotations

import re

from attrs import frozen

from iqm_spec.diagnostics import Diagnostic, Span

MAX_BYTES = 8 * 1024 * 1024
"""Size of a spec file in bytes."""

MAX_NODES = 2_000_000
"""Values in a spec file: mappings, lists and scalars together."""

MAX_DEPTH = 64
"""Mappings and lists inside each other."""

MAX_MISTAKES = 100
"""Mistakes that are reported for one file."""


@frozen
class Mistake:
    """A mistake at a known place of a text."""

    span: Span
    code: str
    message: str
    hint: str = ""

    def diagnostic(self, file: str) -> Diagnostic:
        """The mistake as one of `file`."""
        return Diagnostic(file, self.span, self.code, self.message, self.hint)


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\r\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_CONFLICT = re.compile(r"^(<{7}|>{7})(?: .*)?$", re.MULTILINE)


def decode_text(data: bytes) -> tuple[str, list[Mistake]]:
    """The text of `data` with `\\n` line ends and no byte order mark, and what is wrong with it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # `error.object` is the data behind a byte order mark, if there is one
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        lead = before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")
        offset = len(data) - len(error.object) + error.start
        return "", [
            Mistake(
                Span(line, len(lead) + 1, len(lead) + 2),
                "S102",
                f"the file is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {offset}",
                "save the file as UTF-8",
            )
        ]
    text = text.replace("\r\n", "\n")
    return text, merge_conflicts(text) or control_characters(text)


def span_at(text: str, start: int, width: int = 1) -> Span:
    """Place of the character at `start`."""
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    return Span(line, column, column + width)


def merge_conflicts(text: str) -> list[Mistake]:
    """Mistakes where git left the markers of an unresolved conflict in `text`."""
    marks = list(_CONFLICT.finditer(text))
    begins = [match for match in marks if match[1][0] == "<"] or marks
    return [
        Mistake(
            span_at(text, match.start(), len(match[1])),
            "S108",
            "an unresolved merge conflict",
            "keep one side of the conflict and remove the marker lines",
        )
        for match in begins[:MAX_MISTAKES]
    ]


def control_characters(text: str) -> list[Mistake]:
    """A mistake at the first invisible character of `text`; none where all are visible."""
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
