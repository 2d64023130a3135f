"""`iqm-spec diff A B`: two runs, what was asked differently and what came out differently."""

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

    P-values are of a chi-square test, corrected for the number of points (Holm).
    """
    store = Store(results)
    one, other = load_run(store, left), load_run(store, right)
    asked = explain(one.plan, other.plan)
    mine, theirs = one.rows(store), other.rows(store)
    pairs = paired(mine, theirs)
    code = max(_told(one, mine, store), _told(other, theirs, store))
    if as_json:
        points = [_point(pair) for pair in pairs]
        output.answer({"asked": data(asked), "points": points, "exit": code})
    else:
        for line in lines(asked, left, right):
            click.echo(line)
        _tell(pairs, complete=all(row.record for row in (*mine, *theirs)))
    return code


def _told(saved: SavedRun, rows: list[Row], store: Store) -> int:
    return warn_of_gaps(saved.state.id, gaps(saved, rows, store))


def _tell(pairs: list[Pair], *, complete: bool) -> None:
    if not pairs:
        why = ": circuits, axes or values have other names" if complete else " that have counts"
        click.echo(f"no points in common{why}")
        return
    click.echo(in_short(pairs))
    differ = [pair for pair in pairs if pair.significant]
    for pair in differ[:MOST_ROWS]:
        click.echo(f"  {_line(pair)}")
    if len(differ) > MOST_ROWS:
        click.echo(f"  ... and {len(differ) - MOST_ROWS:,} more; --json has all")
    apart = max(pairs, key=lambda pair: pair.comparison.total_variation_distance)
    if not differ and not apart.same:
        click.echo(f"farthest apart: {_line(apart)}")


def _line(pair: Pair) -> str:
    point = pair.left.point
    told = f"{label(point.name, point.values, point.repeat)} ({pair.left.stage})"
    distance = pair.comparison.total_variation_distance
    return f"{told}: total variation distance {distance:.3f}, p = {pair.p_value:.2g}"


def _point(pair: Pair) -> dict[str, object]:
    point = pair.left.point
    return {
        "point": point.id,
        "circuit": point.name,
        "values": dict(point.values),
        "stage": pair.left.stage,
        "same_record": pair.same,
        "total_variation_distance": pair.comparison.total_variation_distance,
        "p_value": pair.comparison.p_value,
        "p_value_corrected": pair.p_value,
    }
