"""NPZ: NumPy's arrays by name; those of two dimensions have a list of values in each row.

Sizes are looked at before memory is taken, and nothing is unpickled.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from typing import Any

from iqm_spec.canonical import LARGEST_INTEGER
from iqm_spec.data.columns import MOST_CELLS, Column, Table
from iqm_spec.diagnostics import NOWHERE
from iqm_spec.json_types import Json
from iqm_spec.source.places import Mistake
from iqm_spec.source.scalars import ScalarError, number

_LARGEST = 64 * 2**20
"""Bytes of all arrays of a file, unpacked."""
_MOST_ARRAYS = 1000
_KINDS = "biufU"


class _Refusal(ValueError):
    """An array that is no column."""


def npz_table(data: bytes) -> tuple[Table, list[Mistake]]:
    """The columns of an NPZ file, and its mistakes."""
    columns: dict[str, Column] = {}
    mistakes = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > _MOST_ARRAYS or sum(m.file_size for m in members) > _LARGEST:
                told = f"the arrays take more than {_LARGEST // 2**20} MiB"
                return {}, [Mistake(NOWHERE, "S109", told)]
            for member in members:
                name = member.filename.removesuffix(".npy")
                try:
                    with archive.open(member) as file:
                        content = file.read(member.file_size + 1)
                    columns[name] = Column(_values(content))
                except _Refusal as refusal:
                    told = f"the array `{name[:64]}` {refusal}"
                    mistakes.append(Mistake(NOWHERE, "S313", told))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError):
        hint = "`numpy.savez` writes one"
        return {}, [Mistake(NOWHERE, "S313", "this is no NPZ file", hint)]
    lengths = {name: len(column.values) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"`{name}` has {length}" for name, length in lengths.items())
        mistakes.append(Mistake(NOWHERE, "S305", f"arrays of different lengths: {told}"))
    return columns, mistakes


def _values(content: bytes) -> list[Json]:
    import numpy as np
    from numpy.lib import format as npy

    stream = io.BytesIO(content)
    try:
        version = npy.read_magic(stream)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = header(stream)
    except (ValueError, EOFError, SyntaxError, TypeError, UnicodeDecodeError) as error:
        raise _Refusal("is no array that NumPy wrote") from error
    if dtype.kind not in _KINDS or dtype.hasobject:
        raise _Refusal("holds neither numbers, texts nor true and false")
    if len(shape) not in (1, 2):
        raise _Refusal(f"has {len(shape)} dimensions, a column has one or two")
    count = math.prod(shape)
    rest = content[stream.tell() :]
    if count > MOST_CELLS or len(rest) != count * dtype.itemsize or not dtype.itemsize:
        raise _Refusal("has another size than it says, or too many values")
    array = np.frombuffer(rest, dtype=dtype).reshape(shape, order="F" if fortran else "C")
    return [_plain(value) for value in array.tolist()]


def _plain(value: Any) -> Json:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _Refusal(f"holds {value}: values are finite numbers")
        try:
            return number(value)
        except ScalarError as error:
            raise _Refusal(f"holds a value that is too large: {error.message}") from error
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise _Refusal("holds a whole number beyond 2^53 - 1")
    return value  # type: ignore[no-any-return]
