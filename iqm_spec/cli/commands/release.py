"""`iqm-spec release RUN JOB`: give up an unknown submission, so that the job can be resubmitted."""

from __future__ import annotations

from pathlib import Path

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.engine.resume import attempts_of
from iqm_spec.engine.saved import load_run
from iqm_spec.stages.server.adopt import release
from iqm_spec.stages.server.judge import short_job_key
from iqm_spec.store import Store


@click.command()
@click.argument("run")
@click.argument("job")
@stored_results_option
@json_option
def command(run: str, job: str, results: Path, as_json: bool) -> int:
    """Give up the submission of JOB of RUN, so that `run` or `resume` resubmits its circuits.

    Use this for a job whose submission is unknown and that the dashboard does not show, or for a
    failed job. JOB is a prefix of the job's key (as `status RUN` and `run` show it) or of its id.
    If the server has the job after all, you pay for it twice.
    """
    store = Store(results)
    saved = load_run(store, run)
    attempt = release(store, attempts_of(saved, store, settle=True), job)
    if as_json:
        return output.answer({"job": attempt.job, "attempt": attempt.number})
    output.say(
        f"released job {short_job_key(attempt)}; `iqm-spec resume {saved.state.id}` resubmits it"
    )
    return 0
