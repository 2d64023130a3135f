"""`iqm-spec export RUN`: write counts and distances as CSV, JSON or Parquet, shots as .npz."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import click

from iqm_spec.cli import output as out
from iqm_spec.cli.files import write_pieces, write_with
from iqm_spec.cli.gaps import warn_of_gaps
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.engine.saved import SavedRun, load_run
from iqm_spec.errors import UsageError
from iqm_spec.json_types import Json
from iqm_spec.plan.label import count
from iqm_spec.results.export import bitstrings, tidy, write_npz, write_parquet
from iqm_spec.results.gaps import Gaps, gaps
from iqm_spec.stages.registry import stage_named
from iqm_spec.stages.rows import Row
from iqm_spec.store import Store

_CHUNK = 1 << 12
"""Lines, or tokens of JSON, that are written at a time."""


@click.command()
@click.argument("run", default="latest")
@click.option(
    "--format", "kind", type=click.Choice(["csv", "json", "parquet", "npz"]), help="Default: csv."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: stdout."
)
@click.option("--mock", is_flag=True, help="Write the mock's counts instead (random bits).")
@click.option(
    "--memory", is_flag=True, help="Write the bits of every shot, for specs with `memory: true`."
)
@stored_results_option
@json_option
def command(
    run: str,
    kind: str | None,
    output: Path | None,
    mock: bool,
    memory: bool,
    results: Path,
    as_json: bool,
) -> int:
    """Write the counts of RUN: a row per point and outcome (CSV, Parquet), or per point (JSON).

    Includes the Aer and the hardware stage. --memory writes the shots in order: NumPy arrays of
    shots x classical bits (-o FILE.npz), or the counts with lists of bitstrings (JSON).

    Leaves out points without counts and lists them on stderr. Exit code 7 if counts are lost.
    """
    store = Store(results)
    saved = load_run(store, run)
    rows = saved.rows(store, mock=mock)
    run_gaps = gaps(saved, rows, store)
    measured = [row for row in rows if row.record]
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    kind_of_file = suffix if suffix in ("csv", "json", "parquet", "npz") else ""
    kind = kind or kind_of_file or ("json" if as_json else "csv")
    _require_compatible(kind, output, mock=mock, memory=memory)
    if mock and not rows:
        out.say("note: the run has no mock stage")
    if kind == "parquet" and output is not None:
        metadata = {"run": saved.state.id, "spec": saved.plan.name}
        write_with(output, lambda file: write_parquet(tidy(rows), file, metadata))
        if as_json:
            out.answer({"run": saved.state.id, "file": output.as_posix()})
        return warn_of_gaps(saved.state.id, run_gaps)
    if kind == "npz" and output is not None:
        _write_npz(store, measured, output, saved, as_json=as_json)
        return warn_of_gaps(saved.state.id, run_gaps)
    shots: dict[int, Json] | None = None
    if memory:
        shots = {id(row): cast("Json", bitstrings(store, row)) for row in measured}
    pieces = _json(measured, run_gaps, shots) if kind == "json" else _csv(rows)
    if output is None:
        for piece in pieces:
            click.echo(piece, nl=False)
    else:
        write_pieces(output, pieces)
    return warn_of_gaps(saved.state.id, run_gaps)


def _require_compatible(kind: str, path: Path | None, *, mock: bool, memory: bool) -> None:
    """Raises UsageError for options that exclude each other, such as shots as CSV."""
    if memory and mock:
        raise UsageError("shots of the mock are not stored: they are random bits")
    if memory and kind not in ("json", "npz"):
        raise UsageError(
            f"shots cannot be written as {kind}",
            hint="use --memory -o FILE.npz, or --memory --format json",
        )
    if kind == "npz" and not memory:
        raise UsageError("the npz format is for shots", hint="add --memory")
    if kind == "npz" and path is None:
        raise UsageError("the npz format needs a file", hint="use -o FILE.npz")
    if kind == "parquet" and path is None:
        raise UsageError("Parquet needs a file", hint="use -o FILE.parquet")


def _write_npz(
    store: Store, rows: Sequence[Row], path: Path, saved: SavedRun, *, as_json: bool
) -> None:
    arrays = 0

    def write(file: BinaryIO) -> None:
        nonlocal arrays
        arrays = write_npz(store, rows, file)

    write_with(path, write)
    if arrays < len(rows):
        out.say(f"note: {count(len(rows) - arrays, 'row')} without shots: they were not stored")
    if as_json:
        out.answer({"run": saved.state.id, "file": path.as_posix(), "arrays": arrays})


def _json(rows: Sequence[Row], run_gaps: Gaps, shots: Mapping[int, Json] | None) -> Iterator[str]:
    listed: list[dict[str, Json]] = [
        {
            **row.to_json(),
            "repeat": row.point.repeat + 1,
            "random": stage_named(row.stage).counts_are_random,
        }
        for row in rows
    ]
    if shots is not None:
        listed = [
            {**entry, "memory": shots[id(row)]} for entry, row in zip(listed, rows, strict=True)
        ]
    missing = [point.id for point in run_gaps.counts]
    tokens = json.JSONEncoder(indent=1).iterencode({"rows": listed, "missing": missing})
    while chunk := list(islice(tokens, _CHUNK)):
        yield "".join(chunk)
    yield "\n"


def _csv(rows: Sequence[Row]) -> Iterator[str]:
    """One line per outcome, with a column for each axis: tidy data for pandas or R."""
    table = tidy(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    lines = table.lines()
    while chunk := list(islice(lines, _CHUNK)):
        writer.writerows([_cell(cell) for cell in line] for line in chunk)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value
