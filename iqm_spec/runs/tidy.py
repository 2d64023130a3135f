"""Rows of a run as a tidy table: one line per point, stage and outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from attrs import frozen

from iqm_spec.errors import UsageError
from iqm_spec.runs.rows import Row

LEADING = ("point", "stage", "emulated", "circuit", "target", "repeat")
COUNTED = ("shots", "shots_returned", "outcome", "count")
COMPARED = ("hellinger_fidelity", "hellinger_fidelity_error", "total_variation_distance")


@frozen
class Tidy:
    """Names of columns, and lines of as many cells; None is an empty one."""

    columns: tuple[str, ...]
    _rows: Sequence[Row]
    _axes: tuple[str, ...]

    def lines(self) -> Iterator[list[object]]:
        """The lines, in the order of the rows and of their outcomes."""
        for row in self._rows:
            point, values, compared = row.point, dict(row.point.values), row.comparison or {}
            told = [point.id, row.stage, row.emulated, point.name, point.target, point.repeat + 1]
            swept = [_cell(values.get(axis)) for axis in self._axes]
            returned = row.record["shots_returned"] if row.record else None
            distances = [compared.get(name) for name in COMPARED]
            for outcome, count in row.counts.items():  # none where the record is missing
                yield [*told, *swept, point.shots, returned, outcome, count, *distances]


def tidy(rows: Sequence[Row]) -> Tidy:
    """The table of some rows: what is swept has columns of its own."""
    axes = tuple(dict.fromkeys(name for row in rows for name, _ in row.point.values))
    taken = {*LEADING, *COUNTED, *COMPARED}
    columns = (f"axis_{axis}" if axis in taken else axis for axis in axes)
    return Tidy((*LEADING, *columns, *COUNTED, *COMPARED), rows, axes)


def write_parquet(table: Tidy, file: BinaryIO, metadata: dict[str, str]) -> None:
    """The table as Parquet, column by column typed; UsageError without pyarrow."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed",
            hint="pip install 'iqm-spec[parquet]', or take --format csv",
        ) from error
    columns: list[list[object]] = [[] for _ in table.columns]
    for line in table.lines():
        for column, cell in zip(columns, line, strict=True):
            column.append(cell)
    arrays = {
        name: pa.array(_alike(column)) for name, column in zip(table.columns, columns, strict=True)
    }
    parquet.write_table(pa.table(arrays).replace_schema_metadata(metadata), file)


def _alike(column: list[object]) -> list[object]:
    """One type for a column: numbers as floats where they are mixed, texts for all else."""
    kinds = {type(cell) for cell in column if cell is not None}
    if kinds == {int, float}:
        return [None if cell is None else float(str(cell)) for cell in column]
    if len(kinds) > 1:
        return [None if cell is None else str(cell) for cell in column]
    return column


def _cell(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, tuple) else value
