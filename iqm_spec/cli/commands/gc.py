"""`iqm-spec gc [DIR]`: what nothing leads to, shown, and with --yes dropped."""

from __future__ import annotations

import time
from pathlib import Path

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import folder_argument, json_option
from iqm_spec.diagnostics import printable
from iqm_spec.errors import ExitCode
from iqm_spec.plan.label import count
from iqm_spec.results.garbage import Garbage, drop, find_garbage
from iqm_spec.store import Store

MOST_LINES = 10


@click.command()
@folder_argument
@click.option("--yes", is_flag=True, help="Drop it, after looking.")
@json_option
def command(directory: Path, yes: bool, as_json: bool) -> int:
    """Show what a results folder (default: results) can do without; with --yes, drop it.

    Objects that no run, job or answered ask leads to, leftovers in tmp/, and index files of packs
    that are gone. runs/, jobs/ and asks/ are never touched. What is younger than an hour is kept: a
    run may be at work. In a folder that does not verify nothing is dropped (exit code 7).
    """
    store = Store(directory)
    garbage = find_garbage(store, time.time())
    if yes:
        drop(store, garbage)
    if as_json:
        output.answer(
            {
                "results": directory.as_posix(),
                "files": [
                    {"path": item.path, "bytes": item.bytes, "why": item.why}
                    for item in garbage.items
                ],
                "bytes": garbage.bytes,
                "young": garbage.young,
                "dropped": yes,
                "exit": int(ExitCode.DONE),
            }
        )
        return int(ExitCode.DONE)
    _show(directory, garbage, dropped=yes)
    return int(ExitCode.DONE)


def _show(directory: Path, garbage: Garbage, *, dropped: bool) -> None:
    for item in garbage.items[:MOST_LINES]:
        click.echo(printable(f"{item.path}: {item.bytes:,} bytes: {item.why}"))
    if len(garbage.items) > MOST_LINES:
        click.echo(f"... and {len(garbage.items) - MOST_LINES:,} more")
    what = f"{count(len(garbage.items), 'file')}, {garbage.bytes:,} bytes"
    if not garbage.items:
        click.echo(f"{directory.as_posix()}: nothing to drop")
    else:
        verb = "dropped" if dropped else "can be dropped"
        click.echo(f"{directory.as_posix()}: {what} {verb}")
    if garbage.young:
        told = count(garbage.young, "file")
        output.say(
            f"note: {told} younger than an hour, with what they name, are kept: a run may be at "
            "work"
        )
    if garbage.items and not dropped:
        output.say("hint: `iqm-spec gc --yes` drops it; what git has stays in its history")
