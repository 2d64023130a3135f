"""`iqm-spec export RUN`: counts and distances as CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import click

from iqm_spec.cli import output as out
from iqm_spec.cli.missing import tell_gaps
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.cli.written import write_text, write_with
from iqm_spec.errors import UsageError
from iqm_spec.runs.gaps import Gaps, gaps
from iqm_spec.runs.rows import Row
from iqm_spec.runs.saved import SavedRun, load_run
from iqm_spec.runs.tidy import tidy, write_parquet
from iqm_spec.store import Store


@click.command()
@click.argument("run", default="latest")
@click.option(
    "--format", "kind", type=click.Choice(["csv", "json", "parquet"]), help="Default: csv."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: stdout."
)
@click.option("--mock", is_flag=True, help="The mock's counts instead: random bits, by design.")
@stored_results_option
@json_option
def command(
    run: str, kind: str | None, output: Path | None, mock: bool, results: Path, as_json: bool
) -> int:
    """Write the counts of RUN: a row per point and outcome (CSV, Parquet), or per point (JSON).

    Counts of the Aer stage and of the machine. Points without counts are left out and named on
    stderr; exit code 7 where they were lost.
    """
    store = Store(results)
    saved = load_run(store, run)
    rows = saved.rows(store, mock=mock)
    found = gaps(saved, rows, store)
    have = [row for row in rows if row.record]
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    named = suffix if suffix in ("csv", "json", "parquet") else ""
    kind = kind or named or ("json" if as_json else "csv")
    if mock and not rows:
        out.say("note: the run asked no mock")
    if kind == "parquet":
        _write_parquet(rows, output, saved, as_json=as_json)
        return tell_gaps(saved.state.id, found)
    text = _json(have, found) if kind == "json" else _csv(rows)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output, text)
    return tell_gaps(saved.state.id, found)


def _write_parquet(
    rows: Sequence[Row], path: Path | None, saved: SavedRun, *, as_json: bool
) -> None:
    if path is None:
        raise UsageError("Parquet is written to a file", hint="name one: -o FILE.parquet")
    told = {"run": saved.state.id, "spec": saved.plan.name}
    write_with(path, lambda file: write_parquet(tidy(rows), file, told))
    if as_json:
        out.answer({"run": saved.state.id, "file": path.as_posix(), "exit": 0})


def _json(rows: Sequence[Row], found: Gaps) -> str:
    listed = [
        {**row.to_json(), "repeat": row.point.repeat + 1, "random": row.stage == "mock"}
        for row in rows
    ]
    missing = [point.id for point in found.counts]
    return json.dumps({"rows": listed, "missing": missing}, indent=1) + "\n"


def _csv(rows: Sequence[Row]) -> str:
    """One line per outcome: what is swept in columns of its own, tidy for pandas or R."""
    table = tidy(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    for line in table.lines():
        writer.writerow([_cell(cell) for cell in line])
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value
