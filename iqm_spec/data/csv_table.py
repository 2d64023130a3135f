"""CSV: a line of names, then lines of values, with commas between and texts in double quotes.

Without quotes a value is what it is in a spec: a number, true, false or a text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from iqm_spec.data.columns import MOST_CELLS, Column, Table
from iqm_spec.diagnostics import NOWHERE, Span
from iqm_spec.json_types import Json
from iqm_spec.source.places import Mistake
from iqm_spec.source.scalars import ScalarError, resolve

_CELL = re.compile(r'[ \t]*(?:"(?P<quoted>(?:[^"]|"")*)"[ \t]*|(?P<plain>[^",]*))(?P<end>,|\Z)')

_Cell = tuple[str, bool, Span]
"""Text of a cell, whether it stood in quotes, and its place."""


def csv_table(text: str, only: Collection[str] | None = None) -> tuple[Table, list[Mistake]]:
    """The columns of a CSV text, and its mistakes; values of columns that `only` lacks are None."""
    mistakes: list[Mistake] = []
    lines = [(i, line) for i, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        return {}, [Mistake(NOWHERE, "S313", "the file is empty", "begin with the columns' names")]
    names = _names(lines[0], mistakes)
    if mistakes:
        return {}, mistakes
    if len(names) * (len(lines) - 1) > MOST_CELLS:
        told = f"the file has more than {MOST_CELLS:,} values"
        return {}, [Mistake(NOWHERE, "S109", told)]
    columns = {name: Column([], span, []) for name, span in names.items()}
    for number, line in lines[1:]:
        cells = list(_cells(number, line, mistakes))
        if len(cells) != len(columns):
            if not mistakes or mistakes[-1].span.line != number:
                told = f"values on this line: {len(cells)}, names on the first: {len(columns)}"
                hint = "commas stand between values" if set(line) & {";", "\t"} else ""
                mistakes.append(Mistake(Span(number, 1, len(line) + 1), "S313", told, hint))
            continue
        for (name, column), cell in zip(columns.items(), cells, strict=True):
            wanted = only is None or name in only
            column.values.append(_value(cell, mistakes) if wanted else None)
            column.places.append(cell[2])  # type: ignore[attr-defined]
    return columns, mistakes


def _names(line: tuple[int, str], mistakes: list[Mistake]) -> dict[str, Span]:
    names: dict[str, Span] = {}
    for name, _, span in _cells(*line, mistakes):
        if not name:
            mistakes.append(Mistake(span, "S313", "a column has no name"))
        elif name in names:
            mistakes.append(Mistake(span, "S103", f"two columns are called `{name}`"))
        names[name] = span
    return names


def _cells(number: int, line: str, mistakes: list[Mistake]) -> Iterator[_Cell]:
    start = 0
    while True:
        match = _CELL.match(line, start)
        if match is None:
            span = Span(number, start + 1, len(line) + 1)
            hint = 'write "a ""quoted"" text" on one line'
            mistakes.append(Mistake(span, "S313", "a double quote does not fit here", hint))
            return
        quoted = match["quoted"]
        if quoted is None:
            plain = match["plain"]
            first = match.start("plain")
            span = Span(number, first + 1, max(first + 1 + len(plain.rstrip()), first + 2))
            yield plain.strip(), False, span
        else:
            first = match.start("quoted")
            yield quoted.replace('""', '"'), True, Span(number, first, match.end("quoted") + 2)
        if not match["end"]:
            return
        start = match.end()


def _value(cell: _Cell, mistakes: list[Mistake]) -> Json:
    text, quoted, span = cell
    if quoted:
        return text
    try:
        value = resolve(text)
    except ScalarError as error:
        mistakes.append(Mistake(span, error.code, error.message, error.hint))
        return None
    if value is None:
        told = f"`{text}` is no value for an axis" if text else "a value is missing"
        mistakes.append(Mistake(span, "S203", told, 'write "" for an empty text'))
    return value
