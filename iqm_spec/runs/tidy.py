"""Rows of a run as a tidy table: one line per point, stage and outcome."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO

from attrs import frozen

from iqm_spec.errors import StoreCorrupt, UsageError
from iqm_spec.stages.rows import Row

LEADING = ("point", "stage", "emulated", "circuit", "target", "repeat")
COUNTED = ("shots", "shots_returned", "calibration_set_id", "outcome", "count")
COMPARED = (
    *("hellinger_fidelity", "hellinger_fidelity_error"),
    *("total_variation_distance", "total_variation_distance_error"),
)


@frozen
class Tidy:
    """Names of columns, and lines of as many cells; None is an empty one."""

    columns: tuple[str, ...]
    _rows: Sequence[Row]
    _axes: tuple[str, ...]

    def kinds(self) -> list[str]:
        """What each column holds: `text`, `int`, `float` or `bool`, whatever cells are empty."""
        swept: dict[str, set[type]] = {axis: set() for axis in self._axes}
        for row in self._rows:
            for axis, value in row.point.values:
                swept[axis].add(type(value))
        axes = [_kind(swept[axis]) for axis in self._axes]
        before = [_FIXED.get(name, "text") for name in LEADING]
        return [*before, *axes, *(_FIXED.get(name, "text") for name in (*COUNTED, *COMPARED))]

    def lines(self) -> Iterator[list[object]]:
        """The lines, in the order of the rows and of their outcomes."""
        for row in self._rows:
            point, values = row.point, dict(row.point.values)
            told = [point.id, row.stage, row.emulated, point.name, point.target, point.repeat + 1]
            swept = [_cell(values.get(axis)) for axis in self._axes]
            got = [row.record.shots_returned if row.record else None, row.calibration_set_id]
            distances = [getattr(row.comparison, name, None) for name in COMPARED]
            for outcome, count in row.counts.items():  # none where the record is missing
                yield [*told, *swept, point.shots, *got, outcome, count, *distances]


def tidy(rows: Sequence[Row]) -> Tidy:
    """The table of some rows: what is swept has columns of its own."""
    axes = tuple(dict.fromkeys(name for row in rows for name, _ in row.point.values))
    taken = {*LEADING, *COUNTED, *COMPARED}
    columns = axis_columns(axes, taken).values()
    return Tidy((*LEADING, *columns, *COUNTED, *COMPARED), rows, axes)


def axis_columns(axes: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """The column of each axis: its own name, or `axis_NAME` where that is taken."""
    found = {axis: axis for axis in axes if axis not in taken}
    for axis in axes:
        if axis in taken:
            column = f"axis_{axis}"
            while column in (*taken, *found.values()):
                column = f"axis_{column}"
            found[axis] = column
    return {axis: found[axis] for axis in axes}


def write_parquet(table: Tidy, file: BinaryIO, metadata: dict[str, str]) -> None:
    """The table as Parquet, column by column typed, piece by piece; UsageError without pyarrow."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed",
            hint="pip install 'iqm-spec[parquet]', or take --format csv",
        ) from error
    kinds = dict(zip(table.columns, table.kinds(), strict=True))
    types = {"text": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in kinds.items()], metadata)
    with parquet.ParquetWriter(file, schema) as writer:
        lines = table.lines()
        while some := list(islice(lines, _LINES_AT_ONCE)):
            columns = zip(kinds.values(), zip(*some, strict=True), strict=True)
            arrays = [pa.array(_converted(kind, cells), types[kind]) for kind, cells in columns]
            writer.write_table(pa.table(arrays, schema))


_OF: Mapping[str, Callable[[Any], object]] = {
    "text": lambda cell: str(cell).lower() if isinstance(cell, bool) else str(cell),
    "int": int,
    "float": float,
    "bool": bool,
}
_LINES_AT_ONCE = 100_000


def _converted(kind: str, cells: Iterable[object]) -> list[object]:
    """Cells of one kind; StoreCorrupt for what no record of ours holds."""
    try:
        return [None if cell is None else _OF[kind](cell) for cell in cells]
    except (TypeError, ValueError) as error:
        raise StoreCorrupt(
            "the counts have cells that are no numbers",
            hint="`iqm-spec verify` tells what else is wrong",
        ) from error


_KINDS = {bool: "bool", int: "int", float: "float"}
_FIXED = {
    "emulated": "bool",
    "repeat": "int",
    "shots": "int",
    "shots_returned": "int",
    "count": "int",
    **dict.fromkeys(COMPARED, "float"),
}


def _kind(types: set[type]) -> str:
    """One kind for the values of an axis: floats where numbers are mixed, texts for all else."""
    if types == {int, float}:
        return "float"
    return _KINDS.get(next(iter(types)), "text") if len(types) == 1 else "text"


def _cell(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, tuple) else value
