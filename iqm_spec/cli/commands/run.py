"""`iqm-spec run SPEC`: plan an experiment and carry it out, or preview it with `--dry-run`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from iqm_spec.check import Checked
from iqm_spec.cli import output, tables
from iqm_spec.cli.load import load
from iqm_spec.cli.options import (
    allow_code_option,
    json_option,
    results_option,
    set_option,
    spec_argument,
)
from iqm_spec.cli.progress import Progress
from iqm_spec.model import Stage
from iqm_spec.plan.plan import Plan
from iqm_spec.run.events import Planned, RunDone, StageDone
from iqm_spec.run.keys import installed_simulator
from iqm_spec.run.loop import carry_out
from iqm_spec.run.request import Request
from iqm_spec.run.rows import aer_rows
from iqm_spec.store import Store


@click.command()
@spec_argument
@click.option("--dry-run", is_flag=True, help="Show the plan; run and write nothing.")
@click.option(
    "--until", type=click.Choice([stage.value for stage in Stage]), help="Stop after this stage."
)
@set_option
@click.option("--fresh", is_flag=True, help="Compute again what the results folder holds.")
@click.option("--replan", is_flag=True, help="Transpile again instead of using the stored plan.")
@click.option(
    "-j", "--jobs", "workers", type=click.IntRange(1, 256), default=1, show_default=True,
    help="Processes of the Aer stage; the results do not depend on it.",
)  # fmt: skip
@allow_code_option
@results_option
@json_option
def command(
    spec: Path,
    dry_run: bool,
    until: str | None,
    overrides: Sequence[str],
    fresh: bool,
    replan: bool,
    workers: int,
    allowed_code: Sequence[str],
    results: Path,
    as_json: bool,
) -> int:
    """Run the experiment SPEC, stage by stage; what the results folder holds is not run again."""
    store = Store(results)
    checked = load(spec, overrides, allowed_code, store)
    request = Request(
        checked=checked,
        until=None if until is None else Stage(until),
        fresh=fresh,
        replan=replan,
        workers=workers,
    )
    if dry_run:
        from iqm_spec.cli.dry_run import preview

        preview(request, store, as_json=as_json)
        return 0
    return _run(request, store, results, as_json=as_json)


def _run(request: Request, store: Store, results: Path, *, as_json: bool) -> int:
    stages: list[StageDone] = []
    plan: Plan | None = None
    over: RunDone | None = None
    with Progress() as progress:
        for event in carry_out(request, store):
            progress.show(event)
            match event:
                case Planned():
                    plan = event.plan
                case StageDone():
                    stages.append(event)
                case RunDone():
                    over = event
    assert plan is not None and over is not None  # noqa: S101, PT018 - `carry_out` always says both
    if as_json:
        output.answer(_answer(request.checked, plan, stages, over, results))
    else:
        _tell(store, plan, over, results)
    return over.exit_code


def _answer(
    checked: Checked, plan: Plan, stages: Sequence[StageDone], over: RunDone, results: Path
) -> dict[str, Any]:
    return {
        "run": over.run,
        "again": over.again,
        "spec": {"name": checked.spec.name, "digest": checked.digest},
        "plan": {
            "digest": plan.digest,
            "points": len(plan.points),
            "circuits": plan.circuits,
            "jobs": sum(stage.jobs for stage in stages),
        },
        "server": None,
        "stages": [stage.to_json() for stage in stages],
        "results": results.as_posix(),
        "exit": over.exit_code,
    }


def _tell(store: Store, plan: Plan, over: RunDone, results: Path) -> None:
    console = output.console()
    rows = list(aer_rows(store, plan, installed_simulator()))
    if any(row.record for row in rows):
        console.print(tables.results_table(rows, console.width))
        rest = tables.more(len(rows))
        if rest:
            console.print(rest)
    told = f"nothing to do: run {over.run} has all of it" if over.again else f"run {over.run}"
    console.print(f"\n{told}, in {results.as_posix()}/", soft_wrap=True)
