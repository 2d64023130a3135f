"""`iqm-spec export RUN`: counts and distances as CSV, JSON or Parquet, shots as .npz or JSON."""

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

_AT_ONCE = 1 << 12
"""Lines, or tokens of JSON, that are in memory at once."""


@click.command()
@click.argument("run", default="latest")
@click.option(
    "--format", "kind", type=click.Choice(["csv", "json", "parquet", "npz"]), help="Default: csv."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: stdout."
)
@click.option("--mock", is_flag=True, help="The mock's counts instead: random bits, by design.")
@click.option(
    "--memory", is_flag=True, help="The bits of every shot, of specs with `memory: true`."
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

    With --memory the shots in order: NumPy arrays of shots x classical bits (-o FILE.npz), or lists
    of bitstrings beside the counts (JSON).

    Counts of the Aer stage and of the machine. Points without counts are left out and named on
    stderr; exit code 7 where they were lost.
    """
    store = Store(results)
    saved = load_run(store, run)
    rows = saved.rows(store, mock=mock)
    found = gaps(saved, rows, store)
    have = [row for row in rows if row.record]
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    named = suffix if suffix in ("csv", "json", "parquet", "npz") else ""
    kind = kind or named or ("json" if as_json else "csv")
    _require_sense(kind, output, mock=mock, memory=memory)
    if mock and not rows:
        out.say("note: the run asked no mock")
    if kind == "parquet":
        _write_parquet(rows, output, saved, as_json=as_json)
        return warn_of_gaps(saved.state.id, found)
    if kind == "npz":
        _write_npz(store, have, output, saved, as_json=as_json)
        return warn_of_gaps(saved.state.id, found)
    shots: dict[int, Json] | None = None
    if memory:
        shots = {id(row): cast("Json", bitstrings(store, row)) for row in have}
    pieces = _json(have, found, shots) if kind == "json" else _csv(rows)
    if output is None:
        for piece in pieces:
            click.echo(piece, nl=False)
    else:
        write_pieces(output, pieces)
    return warn_of_gaps(saved.state.id, found)


def _write_parquet(
    rows: Sequence[Row], path: Path | None, saved: SavedRun, *, as_json: bool
) -> None:
    if path is None:
        raise UsageError("Parquet is written to a file", hint="name one: -o FILE.parquet")
    told = {"run": saved.state.id, "spec": saved.plan.name}
    write_with(path, lambda file: write_parquet(tidy(rows), file, told))
    if as_json:
        out.answer({"run": saved.state.id, "file": path.as_posix(), "exit": 0})


def _require_sense(kind: str, path: Path | None, *, mock: bool, memory: bool) -> None:
    """UsageError for shots in a format that has no place for them, or of a mock."""
    if memory and mock:
        raise UsageError("no shots of a mock are kept: they are random bits")
    if memory and kind not in ("json", "npz"):
        raise UsageError(
            f"shots are not written as {kind}",
            hint="take --memory -o FILE.npz, or --memory --format json",
        )
    if kind == "npz" and not memory:
        raise UsageError("an .npz holds shots", hint="add --memory")
    if kind == "npz" and path is None:
        raise UsageError("an .npz is written to a file", hint="name one: -o FILE.npz")


def _write_npz(
    store: Store, rows: Sequence[Row], path: Path | None, saved: SavedRun, *, as_json: bool
) -> None:
    arrays = 0

    def write(file: BinaryIO) -> None:
        nonlocal arrays
        arrays = write_npz(store, rows, file)

    assert path is not None  # noqa: S101 - looked at before
    write_with(path, write)
    if arrays < len(rows):
        out.say(f"note: {count(len(rows) - arrays, 'row')} without shots: they were not kept")
    if as_json:
        out.answer({"run": saved.state.id, "file": path.as_posix(), "arrays": arrays, "exit": 0})


def _json(rows: Sequence[Row], found: Gaps, shots: Mapping[int, Json] | None) -> Iterator[str]:
    listed: list[dict[str, Json]] = [
        {
            **row.to_json(),
            "repeat": row.point.repeat + 1,
            "random": stage_named(row.stage).counts_are_random,
        }
        for row in rows
    ]
    if shots is not None:
        listed = [{**one, "memory": shots[id(row)]} for one, row in zip(listed, rows, strict=True)]
    missing = [point.id for point in found.counts]
    tokens = json.JSONEncoder(indent=1).iterencode({"rows": listed, "missing": missing})
    while some := list(islice(tokens, _AT_ONCE)):
        yield "".join(some)
    yield "\n"


def _csv(rows: Sequence[Row]) -> Iterator[str]:
    """One line per outcome: what is swept in columns of its own, tidy for pandas or R."""
    table = tidy(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    lines = table.lines()
    while some := list(islice(lines, _AT_ONCE)):
        writer.writerows([_cell(cell) for cell in line] for line in some)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value
