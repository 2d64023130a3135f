"""`run(argv)` calls a command, and turns whatever goes wrong into text and an exit code."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from keyword import iskeyword
from typing import Any

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import quiet_option, verbose_option
from iqm_spec.errors import ExitCode, IqmSpecError, UsageError
from iqm_spec.version import __version__

COMMANDS = {
    "validate": "Report all errors of specs, with line and column.",
    "run": "Run an experiment, or preview it with --dry-run.",
    "resume": "Fetch a run's jobs from the server, and continue the run.",
    "cancel": "Cancel a run's jobs at the server.",
    "adopt": "Assign a job id from the dashboard to a job whose submission is unknown.",
    "release": "Give up an unknown submission, so that the job can be resubmitted.",
    "status": "Show the runs of a results folder, or one run.",
    "analyze": "Compute figures of merit from a run's counts, and store them.",
    "report": "Write a report of a run, or of two side by side, as HTML or Markdown.",
    "export": "Write a run's counts as CSV, JSON or Parquet.",
    "verify": "Check every checksum and reference in a results folder.",
    "archive": "Write a run as a zip file for publication (RO-Crate).",
    "gc": "List, or delete, unreferenced objects.",
    "reproduce": "Repeat a run from its folder, and report every difference.",
    "justify": "Write a request for credits, or the usage report of a run.",
    "cost": "Fit time models, and compute what jobs, shots and error bars cost.",
    "ledger": "Sum up what was spent: predicted and measured.",
    "diff": "Compare two runs: their specs and their results.",
    "explain": "Show which fields make two specs or runs differ.",
    "calibration": "Show a machine's calibration, and what moved since another.",
    "doctor": "Check versions, server, credentials, and whether a spec can run there.",
    "import": "Import jobs of another program, checked against a spec.",
    "emulator": "Run an emulator of IQM's server on this machine.",
    "schema": "Print the JSON Schema of the spec language.",
    "init": "Write a spec to start from.",
}
"""Commands in the order of `--help`; each lives in `iqm_spec.cli.commands.<name>`."""


class LazyGroup(click.Group):
    """Commands whose modules are imported when they are called: starting fast is a feature.

    `summaries` says what each command does, in the order of `--help`. Each lives in a module of
    `package` as `command`; the module of a Python keyword (`import`) has an underscore behind it.
    """

    def __init__(
        self, *args: Any, package: str, summaries: Mapping[str, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._package, self._summaries = package, summaries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `--help`."""
        return list(self._summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded; None where there is none of that name."""
        if cmd_name not in self._summaries:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = importlib.import_module(f"{self._package}.{name}").command
        if not isinstance(command, click.Group) and verbose_option not in command.params:
            command.params += [verbose_option, quiet_option]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What each command does, without loading it."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named; UsageError, with the nearest name, where there is none."""
        if args and not args[0].startswith("-") and args[0] not in self._summaries:
            from iqm_spec.diagnostics import nearest

            _, *groups = ctx.command_path.split(" ")
            hint = (
                nearest(args[0], self._summaries)
                or f"`{ctx.command_path} --help` lists the commands"
            )
            raise UsageError(f"there is no command `{' '.join([*groups, args[0]])}`", hint=hint)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    package="iqm_spec.cli.commands",
    summaries=COMMANDS,
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
        hint = ""
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f"see `{error.ctx.command_path} --help`"
        return output.fail(UsageError(error.format_message(), hint=hint), as_json=as_json)
    except (KeyboardInterrupt, click.Abort):
        return output.interrupted(as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the last line of defense: a bug, reported as one
        return output.bug(error, as_json=as_json)
