"""`iqm-spec adopt RUN JOB_ID`: assign a job id to a job whose submission is unknown."""

from __future__ import annotations

from pathlib import Path

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import job_id_of, json_option, server_option, stored_results_option
from iqm_spec.engine.resume import attempts_of
from iqm_spec.engine.saved import load_run
from iqm_spec.engine.session import require_session, server_of_run, session_of
from iqm_spec.stages.server.adopt import adopt
from iqm_spec.stages.server.attempts import Phase
from iqm_spec.stages.server.judge import short_job_key
from iqm_spec.store import Store


@click.command()
@click.argument("run")
@click.argument("job_id")
@click.option("--anyway", is_flag=True, help="Accept a job created at any time.")
@server_option
@stored_results_option
@json_option
def command(
    run: str, job_id: str, anyway: bool, server: str | None, results: Path, as_json: bool
) -> int:
    """Assign JOB_ID to the job of RUN whose submission is unknown.

    Compares the job at the server with the job that RUN was about to submit. Refuses a job that
    differs or was created at another time. `iqm-spec resume` then fetches the results.
    """
    from iqm_spec.server_api.jobs import read_job, read_payload
    from iqm_spec.server_api.retry import READS, Retry

    job_id = job_id_of(job_id)
    store = Store(results)
    saved = load_run(store, run)
    attempts = attempts_of(saved, store, settle=True)
    with session_of(server_of_run(saved.server_id, server), results) as session:
        connection = require_session(session).connection
        retry = Retry(READS, lambda why, seconds: output.say(f"{why}; again in {seconds:.0f} s"))
        payload = read_payload(connection, job_id, retry)
        created = None if anyway else read_job(connection, job_id, retry).created
        attempt = adopt(store, attempts, job_id, payload, created)
    run = attempt.intent.run or saved.state.id
    ids = sorted({*attempt.ids, job_id})
    if as_json:
        return output.answer({"job": attempt.job, "attempt": attempt.number, "ids": ids})
    output.say(f"assigned job id {job_id} to job {short_job_key(attempt)} of run {run}")
    if attempt.phase is Phase.RELEASED:
        output.say("note: this job was released before; if it was resubmitted, it is paid twice")
    if len(ids) > 1:
        output.say(f"note: this job has {len(ids)} ids, and each is paid: {', '.join(ids)}")
    output.say(f"`iqm-spec resume {run}` fetches the results")
    return 0
