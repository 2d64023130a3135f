"""Writes docs/commands.md: the help of every command, as `--help` prints it at 80 columns."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from iqm_spec.cli.app import COMMANDS, app

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"

HEAD = """\
# Commands

Made from `--help` by `make docs`. Results go to stdout, progress and messages to stderr. With
`--json`, stdout has exactly one JSON document. A RUN is a run's id, a unique prefix of it, a spec's
name (its newest run), or `latest`. Exit codes are in [errors.md](errors.md).
"""


def page() -> str:
    """The page as it should be."""
    parts = [HEAD]
    for name in COMMANDS:
        context = click.Context(
            app, info_name="iqm-spec", terminal_width=80, **app.context_settings
        )
        command = app.get_command(context, name)
        if command is None:
            raise LookupError(name)
        parts += _help(name, command, context)
    return "\n".join(parts)


def _help(name: str, command: click.Command, parent: click.Context) -> list[str]:
    """The help of a command, and of those below it."""
    inner = click.Context(command, parent=parent, info_name=name, terminal_width=80)
    title = inner.command_path.removeprefix("iqm-spec ")
    found = [f"## {title}\n\n```\n{command.get_help(inner)}\n```\n"]
    if isinstance(command, click.Group):
        for below in command.list_commands(inner):
            one = command.get_command(inner, below)
            found += [] if one is None else _help(below, one, inner)
    return found


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` tell by the exit code whether it is up to date."""
    if "--check" in arguments:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
