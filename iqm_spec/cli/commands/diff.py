"""`iqm-spec diff A B`: two runs, what was asked differently and what came out differently."""

from __future__ import annotations

from pathlib import Path

import click

from iqm_spec.analysis.homogeneity import Homogeneity, compare_counts, holm
from iqm_spec.cli import output
from iqm_spec.cli.commands.explain import data, lines
from iqm_spec.cli.missing import tell_gaps
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.cli.tables import MOST_ROWS
from iqm_spec.plan.explain import explain, point_name
from iqm_spec.plan.label import label
from iqm_spec.plan.readout import is_calibration
from iqm_spec.runs.gaps import gaps
from iqm_spec.runs.rows import Row
from iqm_spec.runs.saved import SavedRun, load_run
from iqm_spec.store import Store

SIGNIFICANT = 0.01
"""Corrected p-values below this are called a difference."""

Pair = tuple[Row, Row, Homogeneity, float]


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
    pairs = _pairs(mine, theirs)
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
    return tell_gaps(saved.state.id, gaps(saved, rows, store))


def _tell(pairs: list[Pair], *, complete: bool) -> None:
    if not pairs:
        why = ": circuits, axes or values have other names" if complete else " that have counts"
        click.echo(f"no points in common{why}")
        return
    same = sum(1 for a, b, *_ in pairs if _same(a, b))
    differ = [pair for pair in pairs if pair[3] < SIGNIFICANT]
    click.echo(
        f"{len(pairs):,} points in both: {same:,} are the same records,"
        f" {len(differ):,} differ significantly (p < {SIGNIFICANT} after correction)"
    )
    for a, _, found, p in differ[:MOST_ROWS]:
        told = f"{label(a.point.name, a.point.values, a.point.repeat)} ({a.stage})"
        distance = found.total_variation_distance
        click.echo(f"  {told}: total variation distance {distance:.3f}, p = {p:.2g}")


def _pairs(left: list[Row], right: list[Row]) -> list[Pair]:
    """The points of a stage that both runs have; a stage is compared with the same one only."""
    theirs = {(row.stage, point_name(row.point)): row for row in right if row.record}
    both = [
        (row, theirs[row.stage, point_name(row.point)])
        for row in left
        if row.record
        and (row.stage, point_name(row.point)) in theirs
        and not is_calibration(row.point)  # of the qubits that each run measured
    ]
    found = [compare_counts(a.counts, b.counts) for a, b in both]
    corrected = holm([item.p_value for item in found])
    return [(a, b, h, p) for (a, b), h, p in zip(both, found, corrected, strict=True)]


def _same(a: Row, b: Row) -> bool:
    """Whether two rows are one record; a machine's are told apart by the jobs they came of."""
    return a.key == b.key and a.sources == b.sources


def _point(pair: Pair) -> dict[str, object]:
    a, b, found, corrected = pair
    return {
        "point": a.point.id,
        "circuit": a.point.name,
        "values": dict(a.point.values),
        "stage": a.stage,
        "same_record": _same(a, b),
        "total_variation_distance": found.total_variation_distance,
        "p_value": found.p_value,
        "p_value_corrected": corrected,
    }
