"""`iqm-spec release RUN JOB`: a job that is not at the server may be submitted again."""

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
    """Give the circuits of JOB of RUN free: the next `run` or `resume` submits them again.

    For a job whose submission had no answer and that the dashboard does not show, or one that
    failed. JOB is the beginning of its key (as `status RUN` and `run` tell it) or of its id. If the
    server has it after all, it is paid twice.
    """
    store = Store(results)
    saved = load_run(store, run)
    attempt = release(store, attempts_of(saved, store, settle=True), job)
    if as_json:
        output.answer({"job": attempt.job, "attempt": attempt.number, "exit": 0})
        return 0
    output.say(
        f"job {short_job_key(attempt)} is free: `iqm-spec resume {saved.state.id}` submits it again"
    )
    return 0
