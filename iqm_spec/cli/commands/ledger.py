"""`iqm-spec ledger`: what was spent, from the results folder alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.cost.ranges import amount
from iqm_spec.plan.label import count
from iqm_spec.store import Store

if TYPE_CHECKING:
    from rich.table import Table

    from iqm_spec.results.accounts import Account

BY = ("experiment", "machine", "mode", "month", "server")
COUNTS_FOR = click.Choice(["measured", "upper", "nothing"])


@click.command()
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(BY),
    help="Sum by this; give it several times. Default: experiment, machine, mode and month.",
)
@click.option("--failed", type=COUNTS_FOR, default="measured", show_default=True,
              help="What a failed job counts for.")  # fmt: skip
@click.option("--cancelled", type=COUNTS_FOR, default="measured", show_default=True,
              help="What a cancelled job counts for.")  # fmt: skip
@stored_results_option
@json_option
def command(by: Sequence[str], failed: str, cancelled: str, results: Path, as_json: bool) -> int:
    """Sum up what jobs on machines took and cost, predicted beside measured.

    Credits are measured QPU seconds times the price that was known when a job was submitted: what a
    server bills may differ, and only its dashboard tells. Mocks cost nothing and are left out; what
    an emulator stood for is never summed with what a machine did.
    """
    from iqm_spec.results.accounts import accounts, read_entries
    from iqm_spec.stages.server.budget import Counting

    found = read_entries(Store(results), Counting(failed, cancelled))
    sums = accounts(found, list(dict.fromkeys(by)) or list(BY[:4]))
    totals = accounts(found, [])
    if as_json:
        output.answer(
            {
                "results": results.as_posix(),
                "accounts": [one.to_json() for one in sums],
                "totals": [one.to_json() for one in totals],
                "exit": 0,
            }
        )
        return 0
    if not sums:
        output.say("no job has been sent to a machine from this folder")
        return 0
    console = output.console()
    console.print(_table(sums, console.width))
    for one in totals:
        console.print(output.fitted(_words(one), console), soft_wrap=True)
    return 0


def _table(sums: Sequence[Account], width: int) -> Table:
    from rich.table import Table

    from iqm_spec.cli.tables import WIDE

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    wide = width >= WIDE
    names = [name for name, _ in sums[0].names]
    for name in names if wide else [" ".join(names)]:
        table.add_column(name, overflow="ellipsis", no_wrap=True)
    numbers = ["predicted s", "measured s"] if wide else ["pred.", "meas."]
    for title in ("jobs", *(["shots"] if wide else []), *numbers, "credits"):
        table.add_column(title, justify="right", no_wrap=True, min_width=len(title))
    for one in sums:
        cells = [_mode(value) for _, value in one.names]
        cells[0] += " (emulated)" if one.emulated and wide else "*" if one.emulated else ""
        cells = cells if wide else [" ".join(cells)]
        told = f"{one.jobs:,}" + (f" ({one.open} open)" if one.open and wide else "")
        predicted = amount(one.predicted_seconds.expected) if one.compared else "-"
        credits_ = amount(one.credits) + (f" +{amount(one.reserved)}" if one.reserved else "")
        table.add_row(
            *cells, told, *([f"{one.executions:,}"] if wide else []), predicted,
            amount(one.measured_seconds), credits_,
        )  # fmt: skip
    return table


def _mode(text: str) -> str:
    return "payg" if text == "pay-as-you-go" else text


def _words(one: Account) -> str:
    """The total of what machines did, or of what an emulator stood for."""
    what = "* emulated" if one.emulated else "total"
    seconds, credits_ = amount(one.measured_seconds), amount(one.credits)
    told = (
        f"\n{what}: {count(one.jobs, 'job')}, {seconds} s of QPU time measured, {credits_} credits"
    )
    if abs(one.credits - one.measured_credits) > 1e-9:
        told += f" counted ({amount(one.measured_credits)} by measured time)"
    if one.reserved:
        told += f", up to {amount(one.reserved)} more reserved by {one.open} open jobs"
    if one.lost:
        told += f"; {one.lost} failed or were cancelled"
    if one.compared:
        told += (
            f"; {one.inside} of {one.compared} took a time within the range predicted "
            f"({amount(one.predicted_seconds.expected)} s expected)"
        )
    return told
