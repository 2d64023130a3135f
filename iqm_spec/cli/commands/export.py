"""`iqm-spec export RUN`: counts and distances as CSV or JSON, one row per point and stage."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import click

from iqm_spec.cli.options import json_option, results_option
from iqm_spec.errors import JobFailed
from iqm_spec.run.rows import Row
from iqm_spec.run.saved import load_run
from iqm_spec.store import Store

LEADING = ("point", "stage", "circuit", "target", "repeat")
COMPARED = ("hellinger_fidelity", "hellinger_fidelity_error", "total_variation_distance")


@click.command()
@click.argument("run", default="latest")
@click.option("--format", "kind", type=click.Choice(["csv", "json"]), help="Default: csv.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: stdout."
)
@results_option
@json_option
def command(run: str, kind: str | None, output: Path | None, results: Path, as_json: bool) -> None:
    """Write the counts of RUN: a CSV row per point and outcome, or JSON with a row per point."""
    store = Store(results)
    rows = [row for row in load_run(store, run).rows(store) if row.record]
    kind = kind or ("json" if as_json else "csv")
    text = _json(rows) if kind == "json" else _csv(rows)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise JobFailed(f"{output.as_posix()} cannot be written: {error.strerror}") from error


def _json(rows: Sequence[Row]) -> str:
    return json.dumps({"rows": [row.to_json() for row in rows]}, indent=1) + "\n"


def _csv(rows: Sequence[Row]) -> str:
    """One line per outcome: what is swept in columns of its own, tidy for pandas or R."""
    axes = list(dict.fromkeys(name for row in rows for name, _ in row.point.values))
    taken = {*LEADING, "shots", "shots_returned", "outcome", "count", *COMPARED}
    columns = [f"axis_{axis}" if axis in taken else axis for axis in axes]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*LEADING, *columns, "shots", "shots_returned", "outcome", "count", *COMPARED])
    for row in rows:
        values = dict(row.point.values)
        compared = row.comparison or {}
        told = [row.point.id, row.stage, row.point.name, row.point.target, row.point.repeat]
        swept = [_cell(values.get(axis)) for axis in axes]
        returned = row.record["shots_returned"] if row.record else ""
        for outcome, count in row.counts.items():
            distances = [compared.get(name, "") for name in COMPARED]
            writer.writerow([*told, *swept, row.point.shots, returned, outcome, count, *distances])
    return text.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    return " ".join(map(str, value)) if isinstance(value, tuple) else value
