"""`iqm-spec status [RUN]`: the runs of a results folder, or one of them; works offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from iqm_spec.cli import output, tables
from iqm_spec.cli.gaps import LOST, UNFINISHED, warn_of_gaps
from iqm_spec.cli.options import json_option, server_option, stored_results_option
from iqm_spec.engine.event_lines import stage_label
from iqm_spec.engine.resume import attempts_of, since
from iqm_spec.engine.saved import SavedRun, load_run
from iqm_spec.engine.session import server_of_run, session_of
from iqm_spec.errors import ExitCode, IqmSpecError, StoreCorrupt
from iqm_spec.plan.label import count
from iqm_spec.results.gaps import gaps, names_lost_objects
from iqm_spec.stages.rows import Row
from iqm_spec.stages.server.attempts import Attempt
from iqm_spec.stages.server.judge import short_job_key
from iqm_spec.stages.server.server_info import Session
from iqm_spec.store import RunState, Store
from iqm_spec.store.references import lost_of_jobs
from iqm_spec.store.structure import to_json

DAMAGED = "damaged"
"""In the place of a run's status: something that it had is lost."""


@click.command()
@click.argument("run", required=False)
@server_option
@stored_results_option
@json_option
def command(run: str | None, server: str | None, results: Path, as_json: bool) -> int:
    """Show the runs of the results folder, newest last, or one RUN with its points and jobs.

    Jobs of RUN that go on are asked of the server for a few seconds, where there are credentials;
    nothing is written. RUN is a run's id, a unique part of its beginning, a spec's name, or
    `latest`. Exit code 7 where something that a run had is lost.
    """
    store = Store(results)
    if run is not None:
        saved = load_run(store, run)
        return _one(store, saved, server_jobs(saved, store, results, server), as_json=as_json)
    states = store.runs()
    look = any(names_lost_objects(state, store) for state in states)
    runs = [_entry(state, store, look=look) for state in states]
    code = int(ExitCode.CORRUPT if any(r["status"] == DAMAGED for r in runs) else ExitCode.DONE)
    if as_json:
        output.answer({"runs": runs, "exit": code})
        return code
    if not runs:
        output.say(f"no runs in {results.as_posix()}/ yet")
    _list(runs)
    if code:
        output.say(f"hint: {LOST}")
    return code


def _list(runs: list[dict[str, Any]]) -> None:
    wide = max((len(entry["run"]) for entry in runs), default=0)
    for entry in runs:
        points = entry["plan"]["points"]
        told = "its plan cannot be read" if points is None else count(points, "point")
        click.echo(
            f"{entry['run']:{wide}}  {entry['status']:10}  {told}  {entry['about']}".rstrip()
        )


def _entry(state: RunState, store: Store, *, look: bool) -> dict[str, Any]:
    """One run of the list; its records are looked for where any run of the folder lost some."""
    saved = None
    try:
        saved = load_run(store, state.id)
        lost = bool(state.lost or lost_of_jobs(store.root, state))
        lost = lost or (look and gaps(saved, saved.rows(store), store).lost)
    except StoreCorrupt:  # must not hide the other runs
        lost = True
    return _data(state, saved, DAMAGED if lost or saved is None else saved.status)


def _one(store: Store, saved: SavedRun, jobs: list[dict[str, Any]], *, as_json: bool) -> int:
    rows = saved.rows(store)
    found = gaps(saved, rows, store)
    have = len({row.point.id for row in rows} - {point.id for point in found.counts})
    status = DAMAGED if found.lost else saved.status
    news = since(saved, store)
    if as_json:
        code = warn_of_gaps(saved.state.id, found)
        told = {**_data(saved.state, saved, status), "measured": have, "jobs": jobs, "news": news}
        output.answer({"run": told, "exit": code})
        return code
    _show(saved, rows, status, have, jobs, news)
    return warn_of_gaps(saved.state.id, found) if found or saved.status != "unfinished" else _rest()


def _show(
    saved: SavedRun,
    rows: list[Row],
    status: str,
    have: int,
    jobs: list[dict[str, Any]],
    news: list[str],
) -> None:
    console = output.console()
    console.print(f"run {saved.state.id}: {status}")
    for stage in saved.stages:
        console.print(f"{stage_label(stage.stage, stage.emulated)}: {stage.status}")
        for reason in stage.verdict:
            console.print(output.fitted(f"  {reason}", console), soft_wrap=True)
    for job in jobs:
        console.print(f"  {line(job)}", soft_wrap=True)
    for told in news:
        console.print(output.fitted(told, console), soft_wrap=True)
    if not rows:
        return
    points = len({row.point.id for row in rows})
    console.print(f"{have:,} of {points:,} points have results\n")
    console.print(tables.results_table(rows, console.width))
    rest = tables.more(len(rows))
    if rest:
        console.print(rest)


def _rest() -> int:
    output.say(f"hint: it broke off; {UNFINISHED}")
    return int(ExitCode.DONE)


def _data(state: RunState, saved: SavedRun | None, status: str) -> dict[str, Any]:
    fields = state.fields  # a damaged run is listed with what is there
    return {
        "run": state.id,
        "status": status,
        "spec": fields.get("spec"),
        "plan": {
            "digest": fields.get("plan"),
            "points": None if saved is None else len(saved.plan.points),
        },
        "stages": [] if saved is None else [to_json(stage) for stage in saved.stages],
        "about": "" if saved is None else saved.about,
        "exit": fields.get("exit"),
    }


def server_jobs(
    saved: SavedRun, store: Store, results: Path, server: str | None
) -> list[dict[str, Any]]:
    """Every job that stands for points of the run; those that go on with the server's own word.

    Works without a server: then a job's `status` is the folder's.
    """
    if saved.realm is None:
        return []
    found = attempts_of(saved, store)
    jobs = [_told(attempt) for attempt in found]
    if any(attempt.open for attempt in found):
        try:
            with session_of(server_of_run(saved.realm, server), results) as session:
                _update(jobs, found, session)
        except IqmSpecError as error:
            output.say(f"note: the server was not asked: {error.message}")
    return jobs


def line(job: dict[str, Any]) -> str:
    """`garnet 5e12dc5a-...: waiting, 3 jobs before it`."""
    place = f", {job['queue_position']} before it" if job["queue_position"] else ""
    return f"{job['computer']} {', '.join(job['ids']) or job['job']}: {job['status']}{place}"


def _told(attempt: Attempt) -> dict[str, Any]:
    end = attempt.end
    return {
        "job": short_job_key(attempt),
        "attempt": attempt.number,
        "stage": attempt.intent.stage,
        "computer": attempt.intent.computer,
        "ids": list(attempt.ids),
        "circuits": len(attempt.parts),
        "shots": attempt.intent.shots,
        "status": attempt.phase.value,
        "queue_position": None,
        "measured_seconds": attempt.qpu_seconds,
        "server_estimate_seconds": end.server_estimate_seconds if end else None,
    }


def _update(jobs: list[dict[str, Any]], found: list[Attempt], session: Session | None) -> None:
    from iqm_spec.server_api.jobs import read_job
    from iqm_spec.server_api.retry import SHORT_READS, Retry

    for job, attempt in zip(jobs, found, strict=True):
        if session is not None and attempt.open:
            report = read_job(session.connection, attempt.ids[0], Retry(SHORT_READS))
            job |= {
                "status": report.status,
                "queue_position": report.queue_position,
                "server_estimate_seconds": report.estimate_seconds,
            }
