"""`iqm-spec cancel [RUN]`: cancel the jobs of a run at the server."""

from __future__ import annotations

from pathlib import Path

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import json_option, server_option, stored_results_option
from iqm_spec.engine.resume import attempts_of
from iqm_spec.engine.saved import load_run
from iqm_spec.engine.session import require_session, server_of_run, session_of
from iqm_spec.errors import ExitCode
from iqm_spec.stages.server.attempts import Phase
from iqm_spec.stages.server.judge import short_job_key
from iqm_spec.store import Store


@click.command()
@click.argument("run", default="latest")
@server_option
@stored_results_option
@json_option
def command(run: str, server: str | None, results: Path, as_json: bool) -> int:
    """Ask the server to cancel every job of RUN that has not ended.

    The server does not refund what a job has cost so far. `iqm-spec resume` then stores how each
    job ended; a job that completed before it was cancelled keeps its results.
    """
    from iqm_spec.server_api.jobs import cancel

    store = Store(results)
    saved = load_run(store, run)
    attempts = attempts_of(saved, store, settle=True)
    ids = [i for attempt in attempts if attempt.open for i in attempt.ids]
    unknown = [short_job_key(attempt) for attempt in attempts if attempt.phase is Phase.UNKNOWN]
    answers = []
    if ids:
        with session_of(server_of_run(saved.server_id, server), results) as session:
            connection = require_session(session).connection
            answers = [(i, *cancel(connection, i)) for i in ids]
    code = ExitCode.DONE if all(done for _, done, _ in answers) else ExitCode.FAILED
    code = ExitCode.UNKNOWN if unknown else code
    if as_json:
        jobs = [{"id": i, "cancelled": done, "message": why} for i, done, why in answers]
        answer = {"run": saved.state.id, "jobs": jobs, "unknown": unknown}
        return output.answer(answer, code)
    for i, _, why in answers:
        output.say(f"job {i}: {why}")
    for job in unknown:
        run_id = saved.state.id
        output.say(
            f"job {job} may be at the server, but its id is unknown: look for the job on the "
            f"dashboard, then run `iqm-spec adopt {run_id} JOB_ID` and cancel again"
        )
    if not answers and not unknown:
        output.say(f"run {saved.state.id} has no jobs at the server")
    return int(code)
