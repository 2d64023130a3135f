"""`iqm-spec reproduce RUN`: repeat a run from its folder, and report every difference."""

from __future__ import annotations

import time
from pathlib import Path

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.diagnostics import printable
from iqm_spec.engine.event_lines import SECONDS_BETWEEN_LINES
from iqm_spec.engine.saved import load_run
from iqm_spec.errors import ExitCode
from iqm_spec.store import Store

MOST_LINES = 10


@click.command()
@click.argument("run", default="latest")
@click.option(
    "-j", "--jobs", "workers", type=click.IntRange(1, 256), default=1, show_default=True,
    help="Number of processes that simulate.",
)  # fmt: skip
@stored_results_option
@json_option
def command(run: str, workers: int, results: Path, as_json: bool) -> int:
    """Repeat RUN from the results folder alone. Exit code 7 if anything differs.

    Checks the files, simulates the simulated points again, computes distances and verdicts again,
    and builds the requests of jobs again from the plan's circuits. Contacts no server and writes
    nothing. With other versions of the libraries counts may differ: then they are compared as
    samples of one distribution, and a note says so.
    """
    from iqm_spec.replay import reproduce

    store = Store(results)
    saved = load_run(store, run)
    last_line = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last_line
        if done < total and time.monotonic() - last_line >= SECONDS_BETWEEN_LINES:
            last_line = time.monotonic()
            output.say(f"simulated {done:,} of {total:,} points")

    checks = []
    for check in reproduce(store, saved, workers, report):
        checks.append(check)
        if as_json:
            continue
        click.echo(f"{check.name}: {check.same:,} of {check.total:,} agree")
        mismatches = [printable(f"{item.what}: {item.why}") for item in check.mismatches]
        for line in output.first_lines(mismatches, MOST_LINES):
            click.echo(f"  {line}")
        if check.note:
            click.echo(printable(f"  note: {check.note}"))
    wrong = sum(len(check.mismatches) for check in checks)
    code = int(ExitCode.CORRUPT if wrong else ExitCode.DONE)
    if as_json:
        listed = [check.to_json() for check in checks]
        return output.answer({"run": saved.state.id, "checks": listed, "same": not wrong}, code)
    summary = f"{wrong:,} differ" if wrong else "reproduced"
    loose = sum(check.loose for check in checks)
    if loose and not wrong:
        summary += f"; {loose:,} differ in bits, but agree statistically"
    click.echo(f"run {saved.state.id}: {summary}")
    return code
