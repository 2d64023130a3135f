"""Data files (CSV, JSON, NPZ) to columns that know their places, or every mistake in them.

- CSV: a line of names, then lines of values, with commas between and texts in double quotes.
  Without quotes a value is what it is in a spec: a number, true, false or a text.
- JSON: a mapping of names to lists of equal length, or a list of mappings with equal names. It is
  read by the rules of a spec, of which JSON is a part: no key twice, finite numbers.
- NPZ: NumPy's arrays by name; those of two dimensions have a list of values in each row. Sizes are
  checked before memory is taken, and nothing is unpickled.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from attrs import field, frozen

from iqm_spec.canonical import LARGEST_INTEGER
from iqm_spec.diagnostics import NOWHERE, Span
from iqm_spec.json_types import Json
from iqm_spec.source.places import find_place, unpack
from iqm_spec.source.scalars import ScalarError, parse_scalar, whole_as_integer
from iqm_spec.source.text import MAX_MISTAKES, Mistake, decode_text

MAX_CELLS = 2_000_000
"""Values of a data file."""


@frozen
class DataColumn:
    """Values of one column in order; `header` is the place of its name, `places` of its values.

    Where places are missing the file has no lines.
    """

    values: list[Json] = field(repr=False)
    header: Span = NOWHERE
    places: Sequence[Span] = field(default=(), repr=False)

    def span(self, row: int | None) -> Span:
        """Place of a value, or of the column's name."""
        return self.header if row is None or row >= len(self.places) else self.places[row]


DataTable = Mapping[str, DataColumn]
"""Columns of a data file by name, in its order."""


def read_data_file(
    data: bytes, ref: str, only: Collection[str] | None = None
) -> tuple[DataTable, list[Mistake]]:
    """Columns of the file whose path is `ref`; of use where there are no mistakes.

    Texts of columns that `only` lacks are not looked at: they may be notes.
    """
    ending = PurePosixPath(ref).suffix.lower()
    if ending == ".npz":
        table, mistakes = _npz_table(data)
    elif ending in (".csv", ".json"):
        text, mistakes = decode_text(data)
        if mistakes:
            return {}, mistakes
        table, mistakes = _csv_table(text, only) if ending == ".csv" else _json_table(text)
    else:
        hint = "a data file is .csv, .json or .npz"
        return {}, [Mistake(NOWHERE, "S313", f"`{ref}` is no data file by its name", hint)]
    if not table and not mistakes:
        mistakes = [Mistake(NOWHERE, "S313", "the file has no columns")]
    return table, mistakes[:MAX_MISTAKES]


# --- CSV -----------------------------------------------------------------------------------------

_CELL = re.compile(r'[ \t]*(?:"(?P<quoted>(?:[^"]|"")*)"[ \t]*|(?P<plain>[^",]*))(?P<end>,|\Z)')

_Cell = tuple[str, bool, Span]
"""Text of a cell, whether it stood in quotes, and its place."""


def _csv_table(text: str, only: Collection[str] | None = None) -> tuple[DataTable, list[Mistake]]:
    """The columns of a CSV text, and its mistakes; values of columns that `only` lacks are None."""
    mistakes: list[Mistake] = []
    lines = [(i, line) for i, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        return {}, [Mistake(NOWHERE, "S313", "the file is empty", "begin with the columns' names")]
    names = _names(lines[0], mistakes)
    if mistakes:
        return {}, mistakes
    if len(names) * (len(lines) - 1) > MAX_CELLS:
        message = f"the file has more than {MAX_CELLS:,} values"
        return {}, [Mistake(NOWHERE, "S109", message)]
    columns = {name: DataColumn([], span, []) for name, span in names.items()}
    for number, line in lines[1:]:
        cells = list(_cells(number, line, mistakes))
        if len(cells) != len(columns):
            if not mistakes or mistakes[-1].span.line != number:
                message = f"values on this line: {len(cells)}, names on the first: {len(columns)}"
                hint = "commas stand between values" if set(line) & {";", "\t"} else ""
                mistakes.append(Mistake(Span(number, 1, len(line) + 1), "S313", message, hint))
            continue
        for (name, column), cell in zip(columns.items(), cells, strict=True):
            used = only is None or name in only
            column.values.append(_cell_value(cell, mistakes) if used else None)
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


def _cell_value(cell: _Cell, mistakes: list[Mistake]) -> Json:
    text, quoted, span = cell
    if quoted:
        return text
    try:
        value = parse_scalar(text)
    except ScalarError as error:
        mistakes.append(Mistake(span, error.code, error.message, error.hint))
        return None
    if value is None:
        message = f"`{text}` is no value for an axis" if text else "a value is missing"
        mistakes.append(Mistake(span, "S203", message, 'write "" for an empty text'))
    return value


# --- JSON ----------------------------------------------------------------------------------------


def _json_table(text: str) -> tuple[DataTable, list[Mistake]]:
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
        mistakes = []
        columns: dict[str, DataColumn] = {}
        for name, values in data.items():
            header = unpack(find_place(places, (name,), on_key=True))
            if not isinstance(values, list):
                mistakes.append(Mistake(header, "S313", f"the column `{name}` is no list"))
                continue
            spans = [unpack(find_place(places, (name, row))) for row in range(len(values))]
            columns[name] = DataColumn(values, header, spans)
        mistakes += _unequal_lengths(columns, "columns", Span(1, 1, 2))
        return columns, mistakes
    if isinstance(data, list) and data and all(isinstance(row, Mapping) for row in data):
        return _of_rows(data, text)
    message = "a data file maps names to lists, or lists mappings of names to values"
    return {}, [Mistake(Span(1, 1, 2), "S313", message)]


def _of_rows(rows: Sequence[Mapping[str, Json]], text: str) -> tuple[DataTable, list[Mistake]]:
    from iqm_spec.source.yaml_tree import locate_yaml

    # places of a document that is a list are found below a mapping's
    places = locate_yaml('{"rows":' + text.replace("\t", " ") + "}")
    names = list(rows[0])

    def at(path: tuple[str | int, ...], *, on_key: bool = False) -> Span:
        span = unpack(find_place(places, ("rows", *path), on_key=on_key))
        moved = len('{"rows":') if span.line == 1 else 0
        return Span(span.line, span.column - moved, span.end_column - moved)

    mistakes = []
    for number, row in enumerate(rows):
        if list(row) != names and set(row) != set(names):
            odd = ", ".join(f"`{name}`" for name in sorted(set(row) ^ set(names)))
            message = f"this row differs from the first in {odd}"
            mistakes.append(Mistake(at((number,)), "S313", message))
    if mistakes:
        return {}, mistakes
    columns = {
        name: DataColumn(
            [row[name] for row in rows],
            at((0, name), on_key=True),
            [at((number, name)) for number in range(len(rows))],
        )
        for name in names
    }
    return columns, []


# --- NPZ -----------------------------------------------------------------------------------------

_MAX_ARRAY_BYTES = 64 * 2**20
"""Bytes of all arrays of a file, unpacked."""
_MAX_ARRAYS = 1000
_ARRAY_KINDS = "biufU"


class _NoColumn(ValueError):
    """An array that is no column."""


def _npz_table(data: bytes) -> tuple[DataTable, list[Mistake]]:
    """The columns of an NPZ file, and its mistakes."""
    columns: dict[str, DataColumn] = {}
    mistakes = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > _MAX_ARRAYS or sum(m.file_size for m in members) > _MAX_ARRAY_BYTES:
                message = f"the arrays take more than {_MAX_ARRAY_BYTES // 2**20} MiB"
                return {}, [Mistake(NOWHERE, "S109", message)]
            for member in members:
                name = member.filename.removesuffix(".npy")
                try:
                    with archive.open(member) as file:
                        content = file.read(member.file_size + 1)
                    columns[name] = DataColumn(_array_values(content))
                except _NoColumn as error:
                    message = f"the array `{name[:64]}` {error}"
                    mistakes.append(Mistake(NOWHERE, "S313", message))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError):
        hint = "`numpy.savez` writes one"
        return {}, [Mistake(NOWHERE, "S313", "this is no NPZ file", hint)]
    mistakes += _unequal_lengths(columns, "arrays", NOWHERE)
    return columns, mistakes


def _unequal_lengths(table: DataTable, kind: str, span: Span) -> list[Mistake]:
    lengths = {name: len(column.values) for name, column in table.items()}
    if len(set(lengths.values())) < 2:
        return []
    listed = ", ".join(f"`{name}` has {length}" for name, length in lengths.items())
    return [Mistake(span, "S305", f"{kind} of different lengths: {listed}")]


def _array_values(content: bytes) -> list[Json]:
    import numpy as np
    from numpy.lib import format as npy

    stream = io.BytesIO(content)
    try:
        version = npy.read_magic(stream)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = header(stream)
    except (ValueError, EOFError, SyntaxError, TypeError, UnicodeDecodeError) as error:
        raise _NoColumn("is no array that NumPy wrote") from error
    if dtype.kind not in _ARRAY_KINDS or dtype.hasobject:
        raise _NoColumn("holds neither numbers, texts nor true and false")
    if len(shape) not in (1, 2):
        raise _NoColumn(f"has {len(shape)} dimensions, a column has one or two")
    count = math.prod(shape)
    rest = content[stream.tell() :]
    if count > MAX_CELLS or len(rest) != count * dtype.itemsize or not dtype.itemsize:
        raise _NoColumn("has another size than it says, or too many values")
    array = np.frombuffer(rest, dtype=dtype).reshape(shape, order="F" if fortran else "C")
    return [_array_value(value) for value in array.tolist()]


def _array_value(value: Any) -> Json:
    if isinstance(value, list):
        return [_array_value(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _NoColumn(f"holds {value}: values are finite numbers")
        try:
            return whole_as_integer(value)
        except ScalarError as error:
            raise _NoColumn(f"holds a value that is too large: {error.message}") from error
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise _NoColumn("holds a whole number beyond 2^53 - 1")
    return value  # type: ignore[no-any-return]
