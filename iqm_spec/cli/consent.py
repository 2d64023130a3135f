"""Asks a person before credits are spent."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from iqm_spec.cli import output
from iqm_spec.cli.progress import Progress
from iqm_spec.stages.server.budget import Bill


def consent(*, yes: bool, progress: Progress) -> Callable[[Bill], bool]:
    """Shows a bill and asks; `--yes` is the answer, and where nobody can answer it is no."""

    def agree(bill: Bill) -> bool:
        progress.pause()
        output.say(f"about to {bill.text}")
        output.say(f"  {bill.price}")
        for note in bill.notes:
            output.say(f"  {note}")
        if yes:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        return click.confirm("Submit?", default=False, err=True)

    return agree
