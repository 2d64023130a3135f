"""`iqm-spec resume [RUN]`: fetch a run's jobs from the server, and continue the run."""

from __future__ import annotations

import time
from pathlib import Path

import click

from iqm_spec.cli.commands.run import show_run
from iqm_spec.cli.options import (
    DURATION,
    CostFlags,
    cost_flags,
    json_option,
    model_option,
    most_option,
    price_option,
    server_option,
    slot_option,
    stored_results_option,
)
from iqm_spec.cli.progress import Progress, consent
from iqm_spec.engine.resume import resume
from iqm_spec.engine.saved import load_run
from iqm_spec.engine.session import NO_CREDENTIALS, server_of_run, session_of
from iqm_spec.stages.interface import RunOptions
from iqm_spec.store import Store


@click.command()
@click.argument("run", default="latest")
@click.option("--yes", is_flag=True, help="Agree to the jobs that are still to be submitted.")
@click.option(
    "--wait", type=DURATION, metavar="TIME", help="Wait at most this long for results, e.g. 30m."
)
@cost_flags(most_option, price_option, model_option, slot_option)
@server_option
@stored_results_option
@json_option
def command(
    run: str,
    yes: bool,
    wait: float | None,
    costs: CostFlags,
    server: str | None,
    results: Path,
    as_json: bool,
) -> int:
    """Fetch the jobs of RUN that are at the server, and continue with its other stages.

    Never resubmits a job that has an id. RUN is a run's id, a unique prefix of it, a spec's name,
    or `latest` (the default).
    """
    store = Store(results)
    saved = load_run(store, run)
    server = server_of_run(saved.server_id, server)
    with session_of(server, results) as session, Progress() as progress:
        options = RunOptions(
            deadline=None if wait is None else time.monotonic() + wait,
            costs=costs.read(),
            agree=consent(yes=yes, progress=progress),
            report=progress.show,
        )
        events = resume(saved, store, options, session, NO_CREDENTIALS)
        return show_run(events, session, store, progress, results, plan=saved.plan, as_json=as_json)
