"""`iqm-spec diff A B`: compare two runs, their plans and their results."""

from __future__ import annotations

from pathlib import Path

import click

from iqm_spec.cli import output
from iqm_spec.cli.commands.explain import data, lines
from iqm_spec.cli.gaps import warn_of_gaps
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.cli.tables import MOST_ROWS
from iqm_spec.engine.saved import SavedRun, load_run
from iqm_spec.plan.differences import explain
from iqm_spec.plan.label import label
from iqm_spec.results.compare import Pair, in_short, paired
from iqm_spec.results.gaps import gaps
from iqm_spec.stages.rows import Row
from iqm_spec.store import Store


@click.command()
@click.argument("left", metavar="RUN")
@click.argument("right", metavar="RUN")
@stored_results_option
@json_option
def command(left: str, right: str, results: Path, as_json: bool) -> int:
    """Compare two runs point by point: total variation distance, and whether chance explains it.

    P-values come from a chi-square test, corrected for the number of points (Holm).
    """
    store = Store(results)
    left_run, right_run = load_run(store, left), load_run(store, right)
    differences = explain(left_run.plan, right_run.plan)
    left_rows, right_rows = left_run.rows(store), right_run.rows(store)
    pairs = paired(left_rows, right_rows)
    code = max(_warn(left_run, left_rows, store), _warn(right_run, right_rows, store))
    if as_json:
        points = [
            {
                "point": pair.left.point.id,
                "circuit": pair.left.point.name,
                "values": dict(pair.left.point.values),
                "stage": pair.left.stage,
                "same_record": pair.same,
                "total_variation_distance": pair.comparison.total_variation_distance,
                "p_value": pair.comparison.p_value,
                "p_value_corrected": pair.p_value,
            }
            for pair in pairs
        ]
        output.answer({"asked": data(differences), "points": points}, code)
    else:
        for line in lines(differences, left, right):
            click.echo(line)
        _show(pairs, complete=all(row.record for row in (*left_rows, *right_rows)))
    return code


def _warn(saved: SavedRun, rows: list[Row], store: Store) -> int:
    return warn_of_gaps(saved.state.id, gaps(saved, rows, store))


def _show(pairs: list[Pair], *, complete: bool) -> None:
    if not pairs:
        why = ": circuits, axes or values differ" if complete else " that have counts"
        click.echo(f"no points in common{why}")
        return
    click.echo(in_short(pairs))
    differ = [pair for pair in pairs if pair.significant]
    for line in output.first_lines(list(map(_line, differ)), MOST_ROWS, "more; --json lists all"):
        click.echo(f"  {line}")
    farthest = max(pairs, key=lambda pair: pair.comparison.total_variation_distance)
    if not differ and not farthest.same:
        click.echo(f"largest distance: {_line(farthest)}")


def _line(pair: Pair) -> str:
    point = pair.left.point
    name = f"{label(point.name, point.values, point.repeat)} ({pair.left.stage})"
    distance = pair.comparison.total_variation_distance
    return f"{name}: total variation distance {distance:.3f}, p = {pair.p_value:.2g}"
