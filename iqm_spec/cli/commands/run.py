"""`iqm-spec run SPEC`: run an experiment, or preview it with `--dry-run`."""

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
from iqm_spec.engine.prepare import UserSpec, prepare_run
from iqm_spec.engine.run import run_spec
from iqm_spec.engine.saved import load_run
from iqm_spec.engine.session import NO_CREDENTIALS, requested_server_id, session_of
from iqm_spec.model import CALIBRATED, StageName
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
    "note: this spec has only the aer stage, so --server has no effect; "
    "add `stages: [aer, mock, hardware]` to run the others"
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
@click.option("--fresh", is_flag=True, help="Ignore cached results and run everything again.")
@click.option("--replan", is_flag=True, help="Transpile again instead of using the stored plan.")
@click.option(
    "-j", "--jobs", "workers", type=click.IntRange(1, 256), default=1, show_default=True,
    help="Number of processes of the Aer stage; results do not depend on it.",
)  # fmt: skip
@click.option(
    "--executor",
    type=click.Choice(["local", "dask"]),
    default=None,
    help="Where the Aer stage runs: in processes on this machine (the default), or on a Dask "
    "cluster: `-j` local workers, or Slurm jobs set by the spec's `executor`. Results do not "
    "depend on it.",
)
@click.option(
    "--scheduler", metavar="tcp://HOST:PORT", help="Use the Dask cluster at this address."
)
@click.option(
    "--yes", is_flag=True, help="Agree to the submission; required if there is no terminal."
)
@click.option(
    "--detach", is_flag=True, help="Submit the last stage's jobs, and let `resume` fetch them."
)
@click.option(
    "--wait", type=DURATION, metavar="TIME",
    help="Wait at most this long for results, e.g. 90s, 30m, 12h.",
)  # fmt: skip
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
    """Run the experiment SPEC, stage by stage. Results in the results folder are reused."""
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
            UserSpec(spec, overrides, allowed_code, last),
            store,
            session,
            options,
            output.say,
            why_no_server=NO_CREDENTIALS,
            offline=dry_run,
            server_id=requested_server_id(server),
        )
        spec_ = prepared.checked.spec
        asks_server = any_needs_server(spec_.stages) or spec_.aer.noise == CALIBRATED
        if server is not None and not asks_server:
            output.say(ONLY_AER)
        if dry_run:
            from iqm_spec.cli.dry_run import dry_run as show

            show(prepared, store, requested_server_id(server), as_json=as_json)
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
    """Carry a run out, showing its progress and its results; returns its exit code."""
    stages: list[StageDone] = []
    done: RunDone | None = None
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
                    done = event
    assert plan is not None and done is not None  # noqa: S101, PT018 - `carry_out` yields both
    if as_json:
        body = _answer(session, plan, crosschecked, stages, done, results)
        return output.answer(body, done.exit_code)
    _show(store, plan, done, results)
    return done.exit_code


def _answer(
    session: Session | None,
    plan: Plan,
    crosschecked: Crosschecked | None,
    stages: Sequence[StageDone],
    done: RunDone,
    results: Path,
) -> dict[str, Any]:
    return {
        "run": done.run,
        "again": done.again,
        "spec": to_json(plan.header.spec),
        "plan": {
            "digest": plan.digest,
            "points": len(plan.points),
            "circuits": plan.circuits,
            "jobs": sum(stage.jobs for stage in stages),
        },
        **({} if crosschecked is None else {"crosscheck": crosschecked.to_json()}),
        "server": None if session is None else session.server_id,
        "stages": [stage.to_json() for stage in stages],
        "warnings": collapsed(plan.points),
        "results": results.as_posix(),
    }


def _show(store: Store, plan: Plan, done: RunDone, results: Path) -> None:
    console = output.console()
    rows = load_run(store, done.run).each_row(store)
    shown = list(islice(rows, tables.MOST_ROWS))
    has_record = [row.record is not None for row in chain(shown, rows)]
    if any(has_record):
        console.print(tables.results_table(shown, console.width))
        tables.print_more(len(has_record), console)
    text = f"run {done.run}"
    if done.again:
        complete = done.exit_code == 0
        text = f"nothing to do: {text} is complete" if complete else f"nothing new: {text}"
    console.print(f"\n{text}, in {results.as_posix()}/", soft_wrap=True)
