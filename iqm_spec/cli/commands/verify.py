"""`iqm-spec verify [DIR]`: every file against its name, every reference against the folder."""

from __future__ import annotations

from pathlib import Path

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import folder_argument, json_option
from iqm_spec.diagnostics import printable
from iqm_spec.errors import ExitCode
from iqm_spec.plan.label import count
from iqm_spec.store import Store


@click.command()
@folder_argument
@json_option
def command(directory: Path, as_json: bool) -> int:
    """Check a results folder (default: results). Exit code 7 where anything is not as it was.

    Every file of objects/, runs/ and jobs/ is compared with the sha256 in its name, and everything
    that runs, plans and asks name must be there. What is derived or yours to change (index/, tmp/,
    README.md, .gitattributes, .gitignore) is not read.
    """
    from iqm_spec.store import verify

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
    verdict = count(len(found.problems), "problem") if found.problems else "all as it was"
    click.echo(f"{directory.as_posix()}: {found.checked:,} files, {found.bytes:,} bytes: {verdict}")
    if found.problems:
        output.say(
            "hint: `git checkout` brings a committed file back; without git, move what is damaged"
            " in objects/ or asks/ away and run its spec again with --replan: plans, circuits and"
            " simulated counts are made again, counts of a machine are not"
        )
        if any(item.path.startswith(("jobs/", "runs/")) for item in found.problems):
            output.say(
                "hint: nothing makes an event of jobs/ or runs/ again, and without it a job might "
                "be paid twice: bring it back from git or a colleague's copy, and remove none"
            )
    return code
