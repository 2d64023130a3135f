"""Rows of a run as a tidy table: one line per point, stage and outcome."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from attrs import frozen

from iqm_spec.circuits.problems import InvalidCircuitFile
from iqm_spec.circuits.stim import decode_stim, read_steps
from iqm_spec.engine.respec import respec
from iqm_spec.engine.saved import SavedRun
from iqm_spec.errors import StoreCorrupt, UsageError
from iqm_spec.json_types import Json
from iqm_spec.model import SourceKind
from iqm_spec.plan.differences import point_name
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.stages.rows import Row
from iqm_spec.stages.shots import shots_of
from iqm_spec.store import Store

if TYPE_CHECKING:
    from iqm_spec.packed_shots import Bits


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
        axes = []
        for types in swept.values():
            if types == {int, float}:
                axes.append("float")
            else:
                axes.append(_KINDS.get(next(iter(types)), "text") if len(types) == 1 else "text")
        before = [_FIXED.get(name, "text") for name in LEADING]
        return [*before, *axes, *(_FIXED.get(name, "text") for name in (*COUNTED, *COMPARED))]

    def lines(self) -> Iterator[list[object]]:
        """The lines, in the order of the rows and of their outcomes."""
        for row in self._rows:
            point, values = row.point, dict(row.point.values)
            leading = [
                point.id,
                row.stage,
                row.emulated,
                point.name,
                point.target,
                point.repeat + 1,
            ]
            swept = [values.get(axis) for axis in self._axes]
            cells = [
                " ".join(map(str, value)) if isinstance(value, tuple) else value for value in swept
            ]
            returned = [row.record.shots_returned if row.record else None, row.calibration_set_id]
            distances = [getattr(row.comparison, name, None) for name in COMPARED]
            for outcome, count in row.counts.items():  # none where the record is missing
                yield [*leading, *cells, point.shots, *returned, outcome, count, *distances]


def tidy(rows: Sequence[Row]) -> Tidy:
    """The table of some rows: what is swept has columns of its own."""
    axes = tuple(dict.fromkeys(name for row in rows for name, _ in row.point.values))
    taken = {*LEADING, *COUNTED, *COMPARED}
    columns = axis_columns(axes, taken).values()
    return Tidy((*LEADING, *columns, *COUNTED, *COMPARED), rows, axes)


def axis_columns(axes: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """The column of each axis: its own name, or `axis_NAME` where that is taken."""
    columns = {axis: axis for axis in axes if axis not in taken}
    for axis in axes:
        if axis in taken:
            column = f"axis_{axis}"
            while column in (*taken, *columns.values()):
                column = f"axis_{column}"
            columns[axis] = column
    return {axis: columns[axis] for axis in axes}


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
        while batch := list(islice(lines, _LINES_AT_ONCE)):
            columns = zip(kinds.values(), zip(*batch, strict=True), strict=True)
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
            hint="`iqm-spec verify` reports what else is wrong",
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


_INDEXED = ("point", "stage", "emulated", "circuit", "values", "target", "calibration_set_id")
"""What the index of arrays of shots takes from a row's JSON."""

MOST_TEXTS = 5_000_000
"""Shots that are written as texts: more take gigabytes."""


def write_npz(store: Store, rows: Sequence[Row], file: BinaryIO) -> int:
    """Writes `index` (JSON text) and one array of shots x classical bits per row that has shots.

    One array is in memory at a time. Returns the number of arrays.
    """
    import numpy as np

    index: list[Json] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for row in rows:
            bits = shots_of(store, row)
            if bits is None:
                continue
            name = f"shots_{len(index)}"
            _write_array(archive, name, bits)
            entry = row.to_json()
            first = next(iter(row.counts), "")
            registers: list[Json] = [len(part) for part in first.split(" ")[::-1]]
            index.append(
                {
                    "array": name,
                    **{key: entry[key] for key in _INDEXED},
                    "repeat": row.point.repeat + 1,
                    "shots": entry["shots_returned"],
                    "registers": registers,
                }
            )
        _write_array(archive, "index", np.array(json.dumps(index)))
    return len(index)


def _write_array(archive: zipfile.ZipFile, name: str, array: Bits) -> None:
    from numpy.lib import format as npy

    entry = zipfile.ZipInfo(f"{name}.npy")  # of 1980, so that equal shots are equal bytes
    entry.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(entry, "w", force_zip64=True) as member:
        npy.write_array(member, array, allow_pickle=False)


def bitstrings(store: Store, row: Row) -> list[str] | None:
    """A row's shots as Qiskit prints them, in order; None where they are not kept.

    UsageError for more than are sensible as texts.
    """
    if row.record is not None and row.record.shots_returned > MOST_TEXTS:
        raise UsageError(
            f"point {row.point.id} has more than {MOST_TEXTS:,} shots, too many for texts",
            hint="write arrays instead: `--memory -o FILE.npz`",
        )
    bits = shots_of(store, row)
    return None if bits is None else list(_texts(bits, next(iter(row.counts), "")))


def _texts(bits: Bits, example: str) -> Iterator[str]:
    """Each shot with the spaces that `example` has between its registers."""
    widths = [len(part) for part in example.split(" ")]
    ends = [sum(widths[: number + 1]) for number in range(len(widths))]
    for shot in bits[:, ::-1]:
        text = (shot + 48).tobytes().decode()
        cuts = zip([0, *ends], ends, strict=False)
        yield text if len(widths) == 1 else " ".join(text[a:b] for a, b in cuts)


def stim_texts(store: Store, saved: SavedRun, points: Collection[PlannedPoint]) -> dict[str, str]:
    """The Stim text of points by their ids; those of other circuits are left out.

    Only of circuits whose stored file was run: their circuit key, computed again, is the plan's.
    UsageError where the package `stim` is not installed.
    """
    spec = respec(store, saved)
    left = {point_name(point): point for point in points}
    texts: dict[bytes, str] = {}
    text_of_point: dict[str, str] = {}
    for point in spec.points() if spec else ():
        planned = left.pop(point_name(point), None)
        if planned is None or spec is None:
            continue
        source = spec.source_of(point)
        if (
            source is None
            or source[0] is not SourceKind.STIM
            or spec.circuit_key(point) != planned.circuit_key
        ):
            continue
        data = source[2]
        if data not in texts:
            try:
                read_steps(data)
                texts[data] = decode_stim(data)
            except InvalidCircuitFile:
                texts[data] = ""
        if texts[data]:
            text_of_point[planned.id] = texts[data]
    return text_of_point


def require_text(store: Store, saved: SavedRun, point: PlannedPoint) -> str:
    """The Stim text of one point; UsageError where its circuit is no Stim file."""
    text = stim_texts(store, saved, [point]).get(point.id)
    if text is None:
        raise UsageError(
            f"the circuit {point.name} has no detectors",
            hint="only circuits of Stim files have: `stim: FILE` in the spec",
        )
    return text
