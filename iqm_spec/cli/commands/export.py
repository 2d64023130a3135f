"""`iqm-spec export RUN`: counts and distances as CSV or JSON, one row per point and stage."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import click

from iqm_spec.cli.missing import tell_gaps
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.cli.written import write_text
from iqm_spec.runs.gaps import Gaps, gaps
from iqm_spec.runs.rows import Row
from iqm_spec.runs.saved import load_run
from iqm_spec.store import Store

LEADING = ("point", "stage", "emulated", "circuit", "target", "repeat")
COMPARED = ("hellinger_fidelity", "hellinger_fidelity_error", "total_variation_distance")


@click.command()
@click.argument("run", default="latest")
@click.option("--format", "kind", type=click.Choice(["csv", "json"]), help="Default: csv.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: stdout."
)
@click.option("--mock", is_flag=True, help="The mock's counts instead: random bits, by design.")
@stored_results_option
@json_option
def command(
    run: str, kind: str | None, output: Path | None, mock: bool, results: Path, as_json: bool
) -> int:
    """Write the counts of RUN: a CSV row per point and outcome, or JSON with a row per point.

    Counts of the Aer stage and of the machine. Points without counts are left out and named on
    stderr; exit code 7 where they were lost.
    """
    store = Store(results)
    saved = load_run(store, run)
    rows = saved.rows(store, mock=mock)
    found = gaps(saved, rows, store)
    have = [row for row in rows if row.record]
    kind = kind or ("json" if as_json else "csv")
    text = _json(have, found) if kind == "json" else _csv(rows)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output, text)
    return tell_gaps(saved.state.id, found)


def _json(rows: Sequence[Row], found: Gaps) -> str:
    listed = [
        {**row.to_json(), "repeat": row.point.repeat + 1, "random": row.stage == "mock"}
        for row in rows
    ]
    missing = [point.id for point in found.counts]
    return json.dumps({"rows": listed, "missing": missing}, indent=1) + "\n"


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
        point = row.point
        emulated = str(row.emulated).lower()
        told = [point.id, row.stage, emulated, point.name, point.target, point.repeat + 1]
        swept = [_cell(values.get(axis)) for axis in axes]
        returned = row.record["shots_returned"] if row.record else ""
        for outcome, count in row.counts.items():  # none where the record is missing
            distances = [compared.get(name, "") for name in COMPARED]
            writer.writerow([*told, *swept, row.point.shots, returned, outcome, count, *distances])
    return text.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    return " ".join(map(str, value)) if isinstance(value, tuple) else value
