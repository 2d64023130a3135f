"""`iqm-spec ledger`: sum up what was spent, from the results folder alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.cost.ranges import amount
from iqm_spec.diagnostics import printable
from iqm_spec.plan.label import count
from iqm_spec.store import Store

if TYPE_CHECKING:
    from rich.table import Table

    from iqm_spec.analysis.predicted import MachineAgreement
    from iqm_spec.results.accounts import Account

BY = ("experiment", "machine", "mode", "month", "server")
COUNTS_FOR = click.Choice(["measured", "upper", "nothing"])


@click.command()
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(BY),
    help="Group sums by this; repeatable. Default: experiment, machine, mode and month.",
)
@click.option("--failed", type=COUNTS_FOR, default="measured", show_default=True,
              help="How failed jobs count: measured time, upper estimate, or nothing.")  # fmt: skip
@click.option("--cancelled", type=COUNTS_FOR, default="measured", show_default=True,
              help="How cancelled jobs count, likewise.")  # fmt: skip
@stored_results_option
@json_option
def command(by: Sequence[str], failed: str, cancelled: str, results: Path, as_json: bool) -> int:
    """Sum up the QPU time and credits of jobs on machines, predicted and measured.

    With `--by machine` also how well the simulation predicted the figures that `analyze` stored.

    Credits are measured QPU seconds times the price known when the job was submitted. A server may
    bill differently; its dashboard is authoritative. Mock jobs are free and left out. Emulated jobs
    are summed separately from those of machines.
    """
    from iqm_spec.results.accounts import accounts, read_entries
    from iqm_spec.stages.server.budget import Counting

    entries = read_entries(Store(results), Counting(failed, cancelled))
    sums = accounts(entries, list(dict.fromkeys(by)) or list(BY[:4]))
    totals = accounts(entries, [])
    held: list[MachineAgreement] = []
    if "machine" in by:
        from iqm_spec.analysis.predicted import agreements_by_machine

        held = agreements_by_machine(Store(results))
    if as_json:
        document: dict[str, Any] = {
            "results": results.as_posix(),
            "accounts": [account.to_json() for account in sums],
            "totals": [account.to_json() for account in totals],
        }
        if "machine" in by:
            document["predictions"] = [item.to_json() for item in held]
        return output.answer(document)
    if not sums:
        output.say("no job was submitted to a machine from this folder")
        return 0
    console = output.console()
    console.print(_table(sums, console.width))
    output.print_fitted(map(_total_line, totals), console)
    if held:
        output.print_fitted(["", *map(_prediction_line, held)], console)
    return 0


def _prediction_line(item: MachineAgreement) -> str:
    """`predicted on garnet: hellinger fidelity 26 times, ...`."""
    agreement, where = item.agreement, f"{item.machine}{' (emulated)' if item.emulated else ''}"
    text = (
        f"{printable(agreement.figure).replace('_', ' ')} on {where}: predicted "
        f"{count(agreement.number, 'time')}, measured less predicted "
        f"{agreement.mean_difference:+.3g} on average"
    )
    if agreement.typical_deviation is not None:
        text += f", typically {agreement.typical_deviation:.1f} standard errors off"
    return text


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
    for account in sums:
        cells = ["payg" if name == "pay-as-you-go" else name for _, name in account.names]
        cells[0] += " (emulated)" if account.emulated and wide else "*" if account.emulated else ""
        cells = cells if wide else [" ".join(cells)]
        jobs = f"{account.jobs:,}" + (f" ({account.open} open)" if account.open and wide else "")
        predicted = amount(account.predicted_seconds.expected) if account.compared else "-"
        reserved = f" +{amount(account.reserved)}" if account.reserved else ""
        table.add_row(
            *cells, jobs, *([f"{account.executions:,}"] if wide else []), predicted,
            amount(account.measured_seconds), amount(account.credits) + reserved,
        )  # fmt: skip
    return table


def _total_line(total: Account) -> str:
    """The total of jobs on machines, or of emulated jobs."""
    title = "* emulated" if total.emulated else "total"
    seconds = f"{amount(total.measured_seconds)} s of QPU time measured"
    text = f"\n{title}: {count(total.jobs, 'job')}, {seconds}, {amount(total.credits)} credits"
    if abs(total.credits - total.measured_credits) > 1e-9:
        text += f" counted ({amount(total.measured_credits)} by measured time)"
    if total.reserved:
        text += f", up to {amount(total.reserved)} more reserved by {total.open} open jobs"
    if total.lost:
        text += f"; {total.lost} failed or were cancelled"
    if total.compared:
        text += (
            f"; {total.inside} of {total.compared} took a time within the predicted range "
            f"({amount(total.predicted_seconds.expected)} s expected)"
        )
    return text
