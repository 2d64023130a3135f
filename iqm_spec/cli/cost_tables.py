"""Costs in tables and words, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from iqm_spec.cli.tables import MOST_ROWS, WIDE
from iqm_spec.cost.words import amount, range_words
from iqm_spec.plan.label import count

if TYPE_CHECKING:
    from rich.table import Table

    from iqm_spec.cost.ranges import Range
    from iqm_spec.stages.server.preview import Batching, JobPreview, Slots


def range_cell(one: Range, digits: int) -> str:
    """`0.53 (0.31-1.2)`: expected, low and high."""
    low, high = amount(one.low, digits), amount(one.high, digits)
    return f"{amount(one.expected, digits)} ({low}-{high})"


def jobs_table(jobs: Sequence[JobPreview], width: int) -> Table:
    """One line per job of a machine: size, QPU seconds and credits with their ranges."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    wide, several = width >= WIDE, len({job.computer for job in jobs}) > 1
    left = ["machine"] if several and not wide else ["job", *(["machine"] if wide else [])]
    titles = [*left, "circuits" if wide else "circ.", "shots"]
    titles += ["depth", "2q", "1q"] if wide else []
    for title in titles:
        table.add_column(title, justify="left" if title == "machine" else "right", no_wrap=True)
    table.add_column("QPU s", no_wrap=True)
    table.add_column("credits", no_wrap=True)
    digits = 3 if wide else 2
    for number, job in enumerate(jobs[:MOST_ROWS], start=1):
        named = {"job": str(number), "machine": job.computer}
        cells = [*(named[title] for title in left), f"{job.circuits:,}", f"{job.shots:,}"]
        if wide:
            pairs = job.gates.get("cz", 0) + job.gates.get("move", 0)
            cells += [f"{job.depth:,}", f"{pairs:,}", f"{job.gates.get('r', 0):,}"]
        table.add_row(*cells, range_cell(job.seconds, digits), range_cell(job.credits, digits))
    if len(jobs) > MOST_ROWS:
        table.add_row("...", f"and {len(jobs) - MOST_ROWS:,} more")
    return table


def batching_lines(batchings: Iterable[Batching]) -> list[str]:
    """What another way to cut the circuits into jobs would cost."""
    return [
        f"{one.name} instead: {count(one.jobs, 'job')}, {range_words(one.credits, 'credits')}"
        for one in batchings
        if one.name != "this plan"
    ]


def slot_lines(slots: Iterable[Slots]) -> list[str]:
    """How long a timeslot to ask for, and whether the plan fits in one, by machine."""
    told = []
    for one in slots:
        told.append(
            f"timeslot on {one.machine}: {time_words(one.need.seconds)}; ask the PI (role "
            f"Scheduler) for one of {one.need.minutes} min"
        )
        if one.minutes is not None and one.fit is not None:
            left = one.need.jobs - one.fit
            fits = "all jobs fit" if not left else f"{count(left, 'job')} would be held back"
            told.append(f"in {one.minutes:,.0f} min on {one.machine} {fits}")
    return told


def time_words(seconds: Range) -> str:
    """A range of times, in minutes from two on."""
    if seconds.high < 120:
        return range_words(seconds, "s")
    return range_words(seconds.times(1 / 60), "min")
