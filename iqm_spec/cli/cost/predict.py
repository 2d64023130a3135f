"""`iqm-spec cost predict MODEL.json JOBS.csv`: QPU seconds of jobs, as ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import json_option
from iqm_spec.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from iqm_spec.cost.accuracy import Accuracy
    from iqm_spec.cost.ranges import Range
    from iqm_spec.cost.time_model import TimeModel
    from iqm_spec.cost.timing_tables import JobTable, TableJob


@click.command()
@click.argument("model", metavar="MODEL.json", type=click.Path(path_type=Path))
@click.argument("jobs", metavar="JOBS.csv", type=click.Path(path_type=Path))
@json_option
def command(model: Path, jobs: Path, as_json: bool) -> int:
    """Predict QPU seconds of the jobs of a table: low, expected and high, nine in ten within.

    The table has the columns num_qubits, depth, circuits and shots, one row per job; with
    qpu_seconds too, the predictions are compared with them.
    """
    from iqm_spec.cli.cost.model_text import data_ranges, model_json, outside
    from iqm_spec.cli.options import read_model
    from iqm_spec.cost.accuracy import accuracy_of_ranges
    from iqm_spec.cost.ranges import total
    from iqm_spec.cost.timing_tables import read_jobs

    fitted = read_model(model)
    table = read_jobs(jobs)
    ranges = _ranges(fitted, table)
    measured = [job.seconds for job in table.jobs if job.seconds is not None]
    pairs = list(zip(table.jobs, ranges, strict=True))
    of_measured = [predicted for job, predicted in pairs if job.seconds is not None]
    compared = accuracy_of_ranges(of_measured, measured) if measured else None
    if as_json:
        within = data_ranges(fitted)
        body = model_json(fitted)
        shown = ("origin", "words", "jobs", "ranges", "accuracy")
        rows = [
            {
                **predicted.to_json(),
                "line": job.line,
                "outside": outside(job.shape, within),
                **({} if job.seconds is None else {"measured": job.seconds}),
            }
            for job, predicted in pairs
        ]
        return output.answer(
            {
                "rows": rows,
                "total": total(ranges).to_json(),
                "compared": None if compared is None else compared.to_json(),
                "model": {"file": model.as_posix(), **{name: body[name] for name in shown}},
                "notes": list(table.notes),
            }
        )
    _print(fitted, table, ranges, compared)
    return int(ExitCode.DONE)


def _ranges(model: TimeModel, table: JobTable) -> list[Range]:
    """QPU seconds of each job; UsageError where a model has no finite number for them."""
    import numpy as np

    from iqm_spec.cost.accuracy import predict_many

    try:
        with np.errstate(all="ignore"):
            ranges = list(predict_many(model, [job.shape for job in table.jobs]))
            finite = math.isfinite(sum(predicted.high for predicted in ranges))
    except (ValueError, IndexError, ArithmeticError):  # of a model that was made by hand
        finite = False
    if not finite:
        raise UsageError(
            "the model has no finite figures for these jobs",
            hint="fit it again with `iqm-spec cost fit`",
        )
    return ranges


def _print(
    model: TimeModel, table: JobTable, ranges: Sequence[Range], compared: Accuracy | None
) -> None:
    from iqm_spec.cli.cost.model_text import data_ranges, outside
    from iqm_spec.cli.tables import MOST_ROWS

    within = data_ranges(model)
    odd = [sorted(outside(job.shape, within)) for job in table.jobs]
    console = output.console()
    console.print(_table(table.jobs, ranges, odd, console.width))
    if len(ranges) > MOST_ROWS:
        click.echo(f"... and {len(ranges) - MOST_ROWS:,} more rows; --json has all")
    if any(odd):
        names = ", ".join(sorted({name for names in odd for name in names}))
        odd_words = f"* unlike the measured jobs in {names}: the range is a guess"
        click.echo(output.fitted(odd_words, console))
    if compared is not None:
        words = (
            f"beside {compared.jobs:,} measured: median error {compared.median_error:.1%}, 90th "
            f"percentile {compared.p90_error:.1%}; {compared.coverage:.1%} within the range"
        )
        click.echo(output.fitted(words, console))
    for note in table.notes:
        output.say(f"note: {note}")


def _table(
    jobs: Sequence[TableJob], ranges: Sequence[Range], odd: Sequence[Sequence[str]], width: int
) -> Table:
    """QPU seconds of the first jobs, and the total of all; a wide one names their sizes too."""
    from rich.table import Table

    from iqm_spec.cli.cost.model_text import sizes
    from iqm_spec.cli.tables import MOST_ROWS, WIDE
    from iqm_spec.cost.ranges import amount, total

    measured = any(job.seconds is not None for job in jobs)
    named = ["qubits", "depth", "circuits", "shots"] if width >= WIDE else []
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    titles = [
        "line",
        *named,
        "low",
        "expected",
        "high",
        *(["measured"] if measured else []),
        "QPU s",
    ]
    for title in titles:
        table.add_column(title, justify="left" if title == "QPU s" else "right", no_wrap=True)
    for job, predicted, names in list(zip(jobs, ranges, odd, strict=True))[:MOST_ROWS]:
        cells = [f"{value:,.0f}" for value in sizes(job.shape).values()] if named else []
        cells += [amount(predicted.low), amount(predicted.expected), amount(predicted.high)]
        if measured:
            cells.append("-" if job.seconds is None else amount(job.seconds))
        table.add_row(str(job.line), *cells, "*" if names else "")
    sums = total(ranges)
    cells = [amount(sums.low), amount(sums.expected), amount(sums.high)]
    table.add_row("total", *("" for _ in named), *cells)
    return table
