"""`iqm-spec run SPEC`: plan an experiment and carry it out, or preview it with `--dry-run`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click

from iqm_spec.cli import output, tables
from iqm_spec.cli.options import (
    DURATION,
    CostFlags,
    cost_flags,
    model_option,
    most_option,
    price_option,
    set_option,
    slot_option,
    spec_argument,
    spec_at_server,
)
from iqm_spec.cli.progress import Progress, consent
from iqm_spec.engine.prepare import GivenSpec, prepare_run
from iqm_spec.engine.run import run_spec
from iqm_spec.engine.saved import load_run
from iqm_spec.engine.session import NO_CREDENTIALS, realm_asked, session_of
from iqm_spec.model import StageName
from iqm_spec.plan.plan import Plan, collapsed
from iqm_spec.plan.transpiling import Crosschecked
from iqm_spec.stages.aer import chosen_cluster
from iqm_spec.stages.events import Event, Planned, RunDone, StageDone
from iqm_spec.stages.interface import RunOptions
from iqm_spec.stages.registry import any_needs_server
from iqm_spec.stages.server.server_info import Session
from iqm_spec.store import Store
from iqm_spec.store.structure import to_json

ONLY_AER = (
    "note: this spec has the aer stage alone, so no server is asked; "
    "`stages: [aer, mock, hardware]` in it asks for the others"
)


@click.command()
@spec_argument
@click.option(
    "--dry-run", is_flag=True, help="Show the plan and its cost; submit and write nothing."
)
@click.option(
    "--until",
    type=click.Choice([stage.value for stage in StageName]),
    help="Stop after this stage.",
)
@set_option
@click.option("--fresh", is_flag=True, help="Compute again what the results folder holds.")
@click.option("--replan", is_flag=True, help="Transpile again instead of using the stored plan.")
@click.option(
    "-j", "--jobs", "workers", type=click.IntRange(1, 256), default=1, show_default=True,
    help="Processes of the Aer stage; the results do not depend on it.",
)  # fmt: skip
@click.option(
    "--executor",
    type=click.Choice(["local", "dask"]),
    default=None,
    help="Where the Aer stage runs: on this machine (the default), or on a Dask cluster: `-j` "
    "workers here, or Slurm jobs by the spec's `executor`. The results do not depend on it.",
)
@click.option(
    "--scheduler", metavar="tcp://HOST:PORT", help="Use the Dask cluster of this scheduler."
)
@click.option(
    "--yes", is_flag=True, help="Agree to what the run submits; without a terminal nobody else can."
)
@click.option("--detach", is_flag=True, help="Leave the last stage's jobs to `resume`.")
@click.option(
    "--wait", type=DURATION, metavar="TIME", help="Return after so long, e.g. 90s, 30m, 12h."
)
@cost_flags(most_option, price_option, model_option, slot_option)
@spec_at_server
def command(
    spec: Path,
    dry_run: bool,
    until: str | None,
    overrides: Sequence[str],
    fresh: bool,
    replan: bool,
    workers: int,
    executor: str | None,
    scheduler: str | None,
    yes: bool,
    detach: bool,
    wait: float | None,
    costs: CostFlags,
    allowed_code: Sequence[str],
    server: str | None,
    results: Path,
    as_json: bool,
) -> int:
    """Run the experiment SPEC, stage by stage; what the results folder holds is not run again."""
    store = Store(results)
    last = None if until is None else StageName(until)
    chosen_cluster(executor, scheduler, {})  # before anything is transpiled
    with session_of(server, results, keep=not dry_run) as session, Progress() as progress:
        options = RunOptions(
            fresh=fresh,
            replan=replan,
            workers=workers,
            executor=executor,
            scheduler=scheduler,
            deadline=None if wait is None else time.monotonic() + wait,
            detach=detach,
            costs=costs.read(),
            agree=consent(yes=yes, progress=progress),
            report=progress.show,
        )
        prepared = prepare_run(
            GivenSpec(spec, overrides, allowed_code, last),
            store,
            session,
            options,
            output.say,
            why_no_server=NO_CREDENTIALS,
            offline=dry_run,
        )
        if server is not None and not any_needs_server(prepared.checked.spec.stages):
            output.say(ONLY_AER)
        if dry_run:
            from iqm_spec.cli.dry_run import dry_run as show

            show(prepared, store, realm_asked(server), as_json=as_json)
            return 0
        events = run_spec(prepared, store)
        return show_run(events, session, store, progress, results, as_json=as_json)


def show_run(
    events: Iterator[Event],
    session: Session | None,
    store: Store,
    progress: Progress,
    results: Path,
    *,
    plan: Plan | None = None,
    as_json: bool,
) -> int:
    """Carry a run out, showing how it goes on and what came out; returns its exit code."""
    stages: list[StageDone] = []
    over: RunDone | None = None
    crosschecked: Crosschecked | None = None
    with progress:
        for event in events:
            progress.show(event)
            match event:
                case Crosschecked():
                    crosschecked = event
                case Planned():
                    plan = event.plan
                case StageDone():
                    stages.append(event)
                case RunDone():
                    over = event
    assert plan is not None and over is not None  # noqa: S101, PT018 - `carry_out` always says both
    if as_json:
        output.answer(_answer(session, plan, crosschecked, stages, over, results))
    else:
        _tell(store, plan, over, results)
    return over.exit_code


def _answer(
    session: Session | None,
    plan: Plan,
    crosschecked: Crosschecked | None,
    stages: Sequence[StageDone],
    over: RunDone,
    results: Path,
) -> dict[str, Any]:
    return {
        "run": over.run,
        "again": over.again,
        "spec": to_json(plan.header.spec),
        "plan": {
            "digest": plan.digest,
            "points": len(plan.points),
            "circuits": plan.circuits,
            "jobs": sum(stage.jobs for stage in stages),
        },
        **({} if crosschecked is None else {"crosscheck": crosschecked.to_json()}),
        "server": None if session is None else session.realm,
        "stages": [stage.to_json() for stage in stages],
        "warnings": collapsed(plan.points),
        "results": results.as_posix(),
        "exit": over.exit_code,
    }


def _tell(store: Store, plan: Plan, over: RunDone, results: Path) -> None:
    console = output.console()
    rows = load_run(store, over.run).each_row(store)
    shown = list(islice(rows, tables.MOST_ROWS))
    held = [row.record is not None for row in chain(shown, rows)]
    if any(held):
        console.print(tables.results_table(shown, console.width))
        rest = tables.more(len(held))
        if rest:
            console.print(rest)
    told = f"run {over.run}"
    if over.again:
        all_ = "has all of it" if over.exit_code == 0 else "stands as it did"
        told = f"{'nothing to do' if over.exit_code == 0 else 'nothing new'}: {told} {all_}"
    console.print(f"\n{told}, in {results.as_posix()}/", soft_wrap=True)
