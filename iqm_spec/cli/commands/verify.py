"""`iqm-spec verify [DIR]`: every byte against its name, every reference against the folder."""

from __future__ import annotations

from pathlib import Path

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import FolderPath, json_option
from iqm_spec.diagnostics import printable
from iqm_spec.errors import ExitCode, UsageError
from iqm_spec.plan.label import count
from iqm_spec.store import Store


@click.command()
@click.argument(
    "directory",
    type=FolderPath(path_type=Path),
    default=Path("results"),
    metavar="[DIR]",
)
@json_option
def command(directory: Path, as_json: bool) -> int:
    """Check a results folder (default: results). Exit code 7 where anything is not as it was."""
    from iqm_spec.store import verify

    if not directory.is_dir():
        raise UsageError(f"there is no results folder at {directory.as_posix()}")
    found = verify(Store(directory))
    code = int(ExitCode.CORRUPT if found.problems else ExitCode.DONE)
    if as_json:
        problems = [
            {"path": item.path, "code": item.code, "message": item.message}
            for item in found.problems
        ]
        output.answer(
            {
                "results": directory.as_posix(),
                "checked": found.checked,
                "bytes": found.bytes,
                "problems": problems,
                "exit": code,
            }
        )
        return code
    for item in found.problems:
        click.echo(printable(f"{item.path}: {item.code}: {item.message}"))
    verdict = count(len(found.problems), "problem") if found.problems else "every byte is as it was"
    click.echo(f"{directory.as_posix()}: {found.checked:,} files, {found.bytes:,} bytes: {verdict}")
    if found.problems:
        output.say(
            "hint: `git checkout` brings a committed file back; what is lost can be run again"
        )
    return code
