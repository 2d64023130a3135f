"""`run(argv)`: find the command, call it, and make text and an exit code of whatever went wrong."""

from __future__ import annotations

from collections.abc import Sequence

import click

from iqm_spec.cli import output
from iqm_spec.cli.lazy import LazyGroup
from iqm_spec.errors import ExitCode, IqmSpecError, UsageError
from iqm_spec.version import __version__

COMMANDS = {
    "validate": "Check specs: every mistake at once, with its place.",
    "run": "Carry an experiment out, or preview it with --dry-run.",
    "resume": "Fetch a run's jobs from the server, and carry the run on.",
    "cancel": "Cancel a run's jobs that are at the server.",
    "adopt": "Take a job on the dashboard for one whose submission had no answer.",
    "release": "Let a job that is not at the server be submitted again.",
    "status": "Show the runs of a results folder, or one of them.",
    "analyze": "Compute figures of merit from a run's counts, and store them.",
    "report": "Write a run, or two compared, as one page or as Markdown with drawings.",
    "export": "Write a run's counts as CSV, JSON or Parquet.",
    "verify": "Check a results folder: every file against its sha256, every reference.",
    "archive": "Write a run as one zip to publish: an RO-Crate.",
    "gc": "Show, or drop, what no run, job or ask leads to.",
    "reproduce": "Replay a run from its folder alone: it must come out as it was.",
    "justify": "Write a request for credits, or the usage report of a run.",
    "cost": "Fit and use time models; what jobs, shots and error bars cost.",
    "ledger": "Sum up what was spent, predicted beside measured.",
    "diff": "Compare two runs: what was asked and what came out.",
    "explain": "Tell why two specs or runs are not the same question.",
    "doctor": "Check versions, server, credentials, and whether a spec can run there.",
    "import": "Bring in jobs that an older script submitted, checked against a spec.",
    "emulator": "Run an emulated IQM server on this machine.",
    "schema": "Print the JSON Schema of the spec language.",
    "init": "Write a spec to start from.",
}
"""Commands in the order of `--help`; each lives in `iqm_spec.cli.commands.<name>`."""


@click.group(
    cls=LazyGroup,
    package="iqm_spec.cli.commands",
    told=COMMANDS,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 2 usage, 3 the spec is wrong, 4 refused, 5 a job failed, "
    "6 unreachable, 7 the results folder is corrupt, 8 unknown, 9 waiting, 70 a bug, 130 Ctrl-C.",
)
@click.version_option(__version__, prog_name="iqm-spec")
def app() -> None:
    """Experiments on IQM quantum computers, declared in a file."""


def run(argv: Sequence[str]) -> int:
    """Run one command; the exit code of docs/errors.md. Never raises for a user's mistake."""
    as_json = "--json" in argv
    try:
        result = app.main(args=list(argv), prog_name="iqm-spec", standalone_mode=False)
        return int(result) if isinstance(result, int) else int(ExitCode.DONE)
    except IqmSpecError as error:
        return output.fail(error, as_json=as_json)
    except click.exceptions.NoArgsIsHelpError as help_:
        click.echo(help_.format_message(), err=True)
        return int(ExitCode.USAGE)
    except click.ClickException as error:
        return output.fail(_usage(error), as_json=as_json)
    except (KeyboardInterrupt, click.Abort):
        return output.interrupted(as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug, told as one
        return output.bug(error, as_json=as_json)


def _usage(error: click.ClickException) -> UsageError:
    hint = ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"`{error.ctx.command_path} --help` tells how"
    return UsageError(error.format_message(), hint=hint)
