"""JSON: a mapping of names to lists of equal length, or a list of mappings with equal names.

It is read by the rules of a spec, of which JSON is a part: no key twice, finite numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from iqm_spec.data.columns import Column, Table
from iqm_spec.diagnostics import NOWHERE, Span
from iqm_spec.json_types import Json
from iqm_spec.source.places import Branch, Mistake, find, unpack


def json_table(text: str) -> tuple[Table, list[Mistake]]:
    """The columns of a JSON text, and its mistakes."""
    from iqm_spec.source.yaml_tree import locate_yaml, parse_yaml

    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        span = Span(error.lineno, error.colno, error.colno + 1)
        return {}, [Mistake(span, "S313", f"this is not JSON: {error.msg}")]
    except (RecursionError, ValueError):
        return {}, [Mistake(NOWHERE, "S109", "the file is nested too deep, or a number too long")]
    spaced = text.replace("\t", " ")  # indentation in JSON means nothing
    data, mistakes = parse_yaml(spaced)
    if mistakes:
        return {}, mistakes
    places = locate_yaml(spaced)
    if isinstance(data, Mapping):
        return _of_lists(data, places)
    if isinstance(data, list) and data and all(isinstance(row, Mapping) for row in data):
        return _of_rows(data, text)
    told = "a data file maps names to lists, or lists mappings of names to values"
    return {}, [Mistake(Span(1, 1, 2), "S313", told)]


def _of_lists(data: Mapping[str, Json], places: Branch) -> tuple[Table, list[Mistake]]:
    mistakes = []
    columns: dict[str, Column] = {}
    for name, values in data.items():
        header = unpack(find(places, (name,), on_key=True))
        if not isinstance(values, list):
            mistakes.append(Mistake(header, "S313", f"the column `{name}` is no list"))
            continue
        spans = [unpack(find(places, (name, row))) for row in range(len(values))]
        columns[name] = Column(values, header, spans)
    lengths = {name: len(column.values) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"`{name}` has {length}" for name, length in lengths.items())
        mistakes.append(Mistake(Span(1, 1, 2), "S305", f"columns of different lengths: {told}"))
    return columns, mistakes


def _of_rows(rows: Sequence[Mapping[str, Json]], text: str) -> tuple[Table, list[Mistake]]:
    from iqm_spec.source.yaml_tree import locate_yaml

    # places of a document that is a list are found below a mapping's
    places = locate_yaml('{"rows":' + text.replace("\t", " ") + "}")
    names = list(rows[0])

    def at(path: tuple[str | int, ...], *, on_key: bool = False) -> Span:
        span = unpack(find(places, ("rows", *path), on_key=on_key))
        moved = len('{"rows":') if span.line == 1 else 0
        return Span(span.line, span.column - moved, span.end_column - moved)

    mistakes = []
    for number, row in enumerate(rows):
        if list(row) != names and set(row) != set(names):
            odd = ", ".join(f"`{name}`" for name in sorted(set(row) ^ set(names)))
            told = f"this row differs from the first in {odd}"
            mistakes.append(Mistake(at((number,)), "S313", told))
    if mistakes:
        return {}, mistakes
    columns = {
        name: Column(
            [row[name] for row in rows],
            at((0, name), on_key=True),
            [at((number, name)) for number in range(len(rows))],
        )
        for name in names
    }
    return columns, []
