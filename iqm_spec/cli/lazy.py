"""Groups of commands whose modules are loaded only when they are called: starting fast counts."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

import click

from iqm_spec.errors import UsageError


class LazyGroup(click.Group):
    """`told` holds what each command does, in the order of `--help`.

    Each lives in a module of `package` as `command`. A name that is a word of Python's has an
    underscore behind it there.
    """

    def __init__(self, *args: Any, package: str, told: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._package, self._told = package, told

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `--help`."""
        return list(self._told)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded; None where there is none of that name."""
        if cmd_name not in self._told:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = importlib.import_module(f"{self._package}.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What each command does, without loading it."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._told.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named; UsageError, with the nearest name, where there is none."""
        if args and not args[0].startswith("-") and args[0] not in self._told:
            from iqm_spec.diagnostics import nearest

            _, *groups = ctx.command_path.split(" ")
            hint = nearest(args[0], self._told) or f"`{ctx.command_path} --help` lists the commands"
            raise UsageError(f"there is no command `{' '.join([*groups, args[0]])}`", hint=hint)
        return super().resolve_command(ctx, args)
