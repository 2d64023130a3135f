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
from iqm_spec.model import Stage
from iqm_spec.plan.collapsed import collapsed
from iqm_spec.plan.plan import Plan
from iqm_spec.plan.witness import Crosschecked
from iqm_spec.runs.events import Event, Planned, RunDone, StageDone
from iqm_spec.runs.loop import carry_out
from iqm_spec.runs.prepare import Given, prepare
from iqm_spec.runs.request import Request
from iqm_spec.runs.saved import load_run
from iqm_spec.runs.session import NO_CREDENTIALS, realm_asked, session_of
from iqm_spec.stages.aer import spread_of
from iqm_spec.store import Store

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
    "--until", type=click.Choice([stage.value for stage in Stage]), help="Stop after this stage."
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
    last = None if until is None else Stage(until)
    spread_of(executor, scheduler, {})  # before anything is transpiled
    with session_of(server, results, keep=not dry_run) as session, Progress() as progress:
        given = Given(spec, overrides, allowed_code, last)
        ready = prepare(given, store, session, output.say, replan=replan, offline=dry_run)
        request = Request(
            checked=ready.checked,
            until=last,
            fresh=fresh,
            replan=replan,
            workers=workers,
            spread=spread_of(executor, scheduler, ready.checked.spec.executor),
            session=session,
            why_no_session=NO_CREDENTIALS,
            pins=ready.pins,
            deadline=None if wait is None else time.monotonic() + wait,
            detach=detach,
            costs=costs.read(),
            agree=consent(yes=yes, progress=progress),
            tell=progress.show,
        )
        if server is not None and ready.checked.spec.stages == (Stage.AER,):
            output.say(ONLY_AER)
        if dry_run:
            from iqm_spec.cli.dry_run import dry_run as show

            show(request, store, realm_asked(server), as_json=as_json)
            return 0
        events = carry_out(request, store)
        return show_run(events, request, store, progress, results, as_json=as_json)


def show_run(
    events: Iterator[Event],
    request: Request,
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
        output.answer(_answer(request, plan, crosschecked, stages, done, results))
    else:
        _show(store, plan, done, results)
    return done.exit_code


def _answer(
    request: Request,
    plan: Plan,
    crosschecked: Crosschecked | None,
    stages: Sequence[StageDone],
    done: RunDone,
    results: Path,
) -> dict[str, Any]:
    return {
        "run": done.run,
        "again": done.again,
        "spec": dict(plan.header["spec"]),
        "plan": {
            "digest": plan.digest,
            "points": len(plan.points),
            "circuits": plan.circuits,
            "jobs": sum(stage.jobs for stage in stages),
        },
        **({} if crosschecked is None else {"crosscheck": crosschecked.to_json()}),
        "server": request.session.realm if request.session is not None else None,
        "stages": [stage.to_json() for stage in stages],
        "warnings": collapsed(plan.points),
        "results": results.as_posix(),
        "exit": done.exit_code,
    }


def _show(store: Store, plan: Plan, done: RunDone, results: Path) -> None:
    console = output.console()
    rows = load_run(store, done.run).each_row(store)
    shown = list(islice(rows, tables.MOST_ROWS))
    has_record = [row.record is not None for row in chain(shown, rows)]
    if any(has_record):
        console.print(tables.results_table(shown, console.width))
        rest = tables.more(len(has_record))
        if rest:
            console.print(rest)
    text = f"run {done.run}"
    if done.again:
        complete = done.exit_code == 0
        text = f"nothing to do: {text} is complete" if complete else f"nothing new: {text}"
    console.print(f"\n{text}, in {results.as_posix()}/", soft_wrap=True)
