"""`iqm-spec cost`: time models, from measured jobs to predictions and pictures."""

from __future__ import annotations

import importlib

import click

from iqm_spec.diagnostics import nearest
from iqm_spec.errors import UsageError

SUBCOMMANDS = {
    "fit": "Fit a time model to measured jobs.",
    "predict": "Predict the QPU seconds of jobs.",
    "shots": "Tell the shots and credits that an error bar asks for.",
    "show": "Show time models, and predicted against measured as a picture.",
}
"""In the order of `--help`; each lives in `iqm_spec.cli.cost.<name>`."""


class _Subcommands(click.Group):
    """Loads a subcommand's module only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        module = importlib.import_module(f"iqm_spec.cli.cost.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in SUBCOMMANDS:
            hint = nearest(args[0], SUBCOMMANDS) or "`iqm-spec cost --help` lists the commands"
            raise UsageError(f"there is no command `cost {args[0]}`", hint=hint)
        return super().resolve_command(ctx, args)


@click.group(cls=_Subcommands, no_args_is_help=True)
def command() -> None:
    """Fit and use time models: how many QPU seconds a job takes, as a range.

    A model comes from measured jobs, in a table or a results folder; how it is made and where it
    does not apply is in docs/cost-model.md.
    """
