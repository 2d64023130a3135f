"""`iqm-spec gc [DIR]`: list unreferenced objects, and delete them with --yes."""

from __future__ import annotations

import time
from pathlib import Path

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import folder_argument, json_option
from iqm_spec.diagnostics import printable
from iqm_spec.errors import ExitCode
from iqm_spec.plan.label import count
from iqm_spec.results.garbage import drop, find_garbage
from iqm_spec.store import Store

MOST_LINES = 10


@click.command()
@folder_argument
@click.option("--yes", is_flag=True, help="Delete the listed files.")
@json_option
def command(directory: Path, yes: bool, as_json: bool) -> int:
    """List unreferenced files of a results folder (default: results); with --yes, delete them.

    These are objects that no run, job or cached plan refers to, leftovers in tmp/, and index files
    of missing packs. runs/, jobs/ and asks/ are never touched. Files younger than an hour are kept,
    as a run may be in progress. If `verify` reports problems, nothing is deleted (exit code 7).
    """
    store = Store(directory)
    garbage = find_garbage(store, time.time())
    if yes:
        drop(store, garbage)
    if as_json:
        return output.answer(
            {
                "results": directory.as_posix(),
                "files": [
                    {"path": item.path, "bytes": item.bytes, "why": item.why}
                    for item in garbage.items
                ],
                "bytes": garbage.bytes,
                "young": garbage.young,
                "dropped": yes,
            }
        )
    listed = [printable(f"{item.path}: {item.bytes:,} bytes: {item.why}") for item in garbage.items]
    for line in output.first_lines(listed, MOST_LINES):
        click.echo(line)
    verdict = "nothing to delete"
    if garbage.items:
        files = f"{count(len(garbage.items), 'file')}, {garbage.bytes:,} bytes"
        verdict = f"{files} {'deleted' if yes else 'can be deleted'}"
    click.echo(f"{directory.as_posix()}: {verdict}")
    if garbage.young:
        output.say(
            f"note: kept {count(garbage.young, 'file')} younger than an hour, and what they refer "
            "to: a run may be in progress"
        )
    if garbage.items and not yes:
        output.say(
            "hint: `iqm-spec gc --yes` deletes these files; committed ones stay in git's history"
        )
    return int(ExitCode.DONE)
