"""`iqm-spec status [RUN]`: the runs of a results folder, or one of them; works offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from iqm_spec.cli import output, tables
from iqm_spec.cli.options import json_option, results_option
from iqm_spec.plan.label import count
from iqm_spec.run.saved import SavedRun, load_run
from iqm_spec.store import Store


@click.command()
@click.argument("run", required=False)
@results_option
@json_option
def command(run: str | None, results: Path, as_json: bool) -> None:
    """Show the runs of the results folder, newest last, or one RUN with its points.

    RUN is a run's id, a unique part of its beginning, a spec's name, or `latest`.
    """
    store = Store(results)
    if run is not None:
        _one(store, load_run(store, run), as_json=as_json)
        return
    saved = [load_run(store, state.id) for state in store.runs()]
    if as_json:
        output.answer({"runs": [_data(item) for item in saved], "exit": 0})
        return
    if not saved:
        output.say(f"no runs in {results.as_posix()}/ yet")
        return
    wide = max(len(item.state.id) for item in saved)
    for item in saved:
        told = f"{item.state.id:{wide}}  {item.status:10}  {count(len(item.plan.points), 'point')}"
        click.echo(f"{told}  {item.about}")


def _one(store: Store, saved: SavedRun, *, as_json: bool) -> None:
    rows = saved.rows(store)
    have = sum(1 for row in rows if row.record)
    if as_json:
        output.answer({"run": {**_data(saved), "measured": have}, "exit": 0})
        return
    console = output.console()
    console.print(f"run {saved.state.id}: {saved.status}")
    for stage in saved.stages:
        console.print(f"{stage['stage']}: {stage['status']}")
        for reason in stage["verdict"]:
            console.print(f"  {reason}")
    console.print(f"{have:,} of {len(rows):,} points have results\n")
    console.print(tables.results_table(rows, console.width))
    rest = tables.more(len(rows))
    if rest:
        console.print(rest)
    if saved.status == "unfinished":
        console.print("\nit broke off: run its spec again, and only what is missing is computed")


def _data(saved: SavedRun) -> dict[str, Any]:
    fields = saved.state.fields
    return {
        "run": saved.state.id,
        "status": saved.status,
        "spec": fields["spec"],
        "plan": {"digest": saved.plan.digest, "points": len(saved.plan.points)},
        "stages": saved.stages,
        "exit": fields.get("exit"),
    }
