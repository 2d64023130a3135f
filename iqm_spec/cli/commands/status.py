"""`iqm-spec status [RUN]`: show the runs of a results folder, or one run; works offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from iqm_spec.cli import output, tables
from iqm_spec.cli.gaps import LOST, UNFINISHED, warn_of_gaps
from iqm_spec.cli.options import json_option, server_option, stored_results_option
from iqm_spec.engine.event_lines import stage_label
from iqm_spec.engine.resume import attempts_of, calibration_news, since
from iqm_spec.engine.saved import SavedRun, load_run
from iqm_spec.engine.session import server_of_run, session_of
from iqm_spec.errors import ExitCode, IqmSpecError, StoreCorrupt
from iqm_spec.plan.label import count
from iqm_spec.results.gaps import gaps, names_lost_objects
from iqm_spec.stages.server.attempts import Attempt
from iqm_spec.stages.server.judge import short_job_key
from iqm_spec.store import RunState, Store
from iqm_spec.store.references import lost_of_jobs
from iqm_spec.store.structure import to_json

DAMAGED = "damaged"
"""Status of a run whose files are lost or cannot be read."""


@click.command()
@click.argument("run", required=False)
@server_option
@stored_results_option
@json_option
def command(run: str | None, server: str | None, results: Path, as_json: bool) -> int:
    """Show the runs of the results folder, newest last, or one RUN with its points and jobs.

    With credentials, queries the server for a few seconds about unfinished jobs of RUN. Writes
    nothing. RUN is a run's id, a unique prefix of it, a spec's name, or `latest`. Exit code 7 if
    results or events of a run are lost.
    """
    store = Store(results)
    if run is not None:
        saved = load_run(store, run)
        jobs = server_jobs(saved, store, results, server)
        return _show_run(store, saved, jobs, as_json=as_json)
    states = store.runs()
    read_records = any(names_lost_objects(state, store) for state in states)
    runs = [_entry(state, store, read_records=read_records) for state in states]
    damaged = any(entry["status"] == DAMAGED for entry in runs)
    code = int(ExitCode.CORRUPT if damaged else ExitCode.DONE)
    if as_json:
        return output.answer({"runs": runs}, code)
    if not runs:
        output.say(f"no runs in {results.as_posix()}/ yet")
    id_width = max((len(entry["run"]) for entry in runs), default=0)
    for entry in runs:
        points = entry["plan"]["points"]
        size = "its plan cannot be read" if points is None else count(points, "point")
        text = f"{entry['run']:{id_width}}  {entry['status']:10}  {size}  {entry['about']}"
        click.echo(text.rstrip())
    if code:
        output.say(f"hint: {LOST}")
    return code


def _entry(state: RunState, store: Store, *, read_records: bool) -> dict[str, Any]:
    """One run of the list; `read_records` also looks for missing records, which takes longer."""
    saved = None
    try:
        saved = load_run(store, state.id)
        lost = bool(state.lost or lost_of_jobs(store.root, state))
        lost = lost or (read_records and gaps(saved, saved.rows(store), store).lost)
    except StoreCorrupt:  # a damaged run must not hide the others
        lost = True
    return _data(state, saved, DAMAGED if lost or saved is None else saved.status)


def _show_run(store: Store, saved: SavedRun, jobs: list[dict[str, Any]], *, as_json: bool) -> int:
    rows = saved.rows(store)
    run_gaps = gaps(saved, rows, store)
    measured = len({row.point.id for row in rows} - {point.id for point in run_gaps.counts})
    status = DAMAGED if run_gaps.lost else saved.status
    news = [*since(saved, store), *calibration_news(saved, store)]
    if as_json:
        code = warn_of_gaps(saved.state.id, run_gaps)
        entry = {**_data(saved.state, saved, status), "measured": measured}
        return output.answer({"run": {**entry, "jobs": jobs, "news": news}}, code)
    console = output.console()
    console.print(f"run {saved.state.id}: {status}")
    for stage in saved.stages:
        console.print(f"{stage_label(stage.stage, stage.emulated)}: {stage.status}")
        output.print_fitted((f"  {reason}" for reason in stage.verdict), console)
    for job in jobs:
        console.print(f"  {line(job)}", soft_wrap=True)
    output.print_fitted(news, console)
    if rows:
        points = len({row.point.id for row in rows})
        console.print(f"{measured:,} of {points:,} points have results\n")
        console.print(tables.results_table(rows, console.width))
        tables.print_more(len(rows), console)
    if run_gaps or saved.status != "unfinished":
        return warn_of_gaps(saved.state.id, run_gaps)
    output.say(f"hint: this run was interrupted; {UNFINISHED}")
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
    """Every job that has points of the run; unfinished ones with their status at the server.

    Without a server, a job's `status` is the stored one.
    """
    if saved.server_id is None:
        return []
    attempts = attempts_of(saved, store)
    jobs = [_job(attempt) for attempt in attempts]
    if any(attempt.open for attempt in attempts):
        from iqm_spec.server_api.jobs import read_job
        from iqm_spec.server_api.retry import SHORT_READS, Retry

        try:
            with session_of(server_of_run(saved.server_id, server), results) as session:
                for job, attempt in zip(jobs, attempts, strict=True):
                    if session is not None and attempt.open:
                        retry = Retry(SHORT_READS)
                        report = read_job(session.connection, attempt.ids[0], retry)
                        job |= {
                            "status": report.status,
                            "queue_position": report.queue_position,
                            "server_estimate_seconds": report.estimate_seconds,
                        }
        except IqmSpecError as error:
            output.say(f"note: no status from the server: {error.message}")
    return jobs


def line(job: dict[str, Any]) -> str:
    """`garnet 5e12dc5a-...: waiting, 3 jobs ahead`."""
    place = f", {job['queue_position']} jobs ahead" if job["queue_position"] else ""
    return f"{job['computer']} {', '.join(job['ids']) or job['job']}: {job['status']}{place}"


def _job(attempt: Attempt) -> dict[str, Any]:
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
