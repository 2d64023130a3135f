"""`iqm-spec verify [DIR]`: check every checksum and reference in a results folder."""

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
    """Check a results folder (default: results). Exit code 7 if there are problems.

    Compares every file of objects/, runs/ and jobs/ with the sha256 in its name, and checks that
    everything that runs, plans and asks/ refer to exists. Derived files and those that you may edit
    (index/, tmp/, README.md, .gitattributes, .gitignore) are not read.
    """
    from iqm_spec.store import verify

    verification = verify(Store(directory))
    problems = verification.problems
    code = int(ExitCode.CORRUPT if problems else ExitCode.DONE)
    if as_json:
        return output.answer(
            {
                "results": directory.as_posix(),
                "checked": verification.checked,
                "bytes": verification.bytes,
                "problems": [
                    {"path": item.path, "code": item.code, "message": item.message}
                    for item in problems
                ],
            },
            code,
        )
    for item in problems:
        click.echo(printable(f"{item.path}: {item.code}: {item.message}"))
    verdict = count(len(problems), "problem") if problems else "no problems"
    size = f"{verification.checked:,} files, {verification.bytes:,} bytes"
    click.echo(f"{directory.as_posix()}: {size}: {verdict}")
    if problems:
        output.say(
            "hint: `git checkout` restores committed files; without git, move damaged files out of"
            " objects/ or asks/ and run their spec again with --replan: this computes plans,"
            " circuits and simulated counts again, but not the counts of a machine"
        )
        if any(item.path.startswith(("jobs/", "runs/")) for item in problems):
            output.say(
                "hint: events in jobs/ and runs/ cannot be computed again, and without them a job "
                "might be paid twice: restore them from git or a colleague's copy; delete none"
            )
    return code
