"""The one way to say something: answers on stdout, everything for people's eyes on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from iqm_spec.diagnostics import printable, render
from iqm_spec.errors import ExitCode, IqmSpecError, SpecError

if TYPE_CHECKING:
    from rich.console import Console

    from iqm_spec.json_types import Json

NARROWEST = 60
"""Columns that every table and message fits in."""

REPORT_URL = "the project's issue tracker"


def answer(data: Mapping[str, Any]) -> None:
    """Print the one JSON document of `--json`."""
    click.echo(_escaped(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)))


def _escaped(text: str) -> str:
    """JSON with escapes for what a terminal would obey, which stands in texts alone."""
    return re.sub(r"[^\x20-\x7e\n]", lambda found: _escape(found[0]), text)


def _escape(char: str) -> str:
    if char.isprintable():
        return char
    return "\\u007f" if char == "\x7f" else json.dumps(char)[1:-1]


def say(text: str = "") -> None:
    """Print a line for people, on stderr."""
    click.echo(text, err=True)


def console(*, err: bool = False) -> Console:
    """A rich console on stdout or stderr; plain where it is no terminal, never too narrow.

    Markup is off: names and values come from specs of strangers. NO_COLOR drops bold and dim too.
    """
    import os

    from rich.console import Console

    no_color = bool(os.environ.get("NO_COLOR"))

    def made(width: int | None = None, *, plain: bool = no_color) -> Console:
        return Console(
            stderr=err,
            highlight=False,
            markup=False,
            emoji=False,
            width=width,
            color_system=None if plain else "auto",
        )

    found = made()
    if not found.is_terminal:
        # without a terminal there is no width to fit: lines must not break at 80 columns
        return made(_piped_width(), plain=True)
    return found if found.width >= NARROWEST else made(NARROWEST)


def fitted(text: str, console: Console) -> str:
    """A line broken between words to fit a terminal, what follows indented; whole elsewhere."""
    import textwrap

    if not console.is_terminal:
        return text
    return textwrap.fill(
        text, console.width, subsequent_indent="    ", break_long_words=False,
        break_on_hyphens=False, drop_whitespace=True,
    )  # fmt: skip


def _piped_width() -> int:
    import os

    columns = os.environ.get("COLUMNS", "")
    return max(NARROWEST, int(columns)) if columns.isdigit() else 120


def fail(error: IqmSpecError, *, as_json: bool) -> int:
    """Tell an error; returns its exit code."""
    diagnostics = error.diagnostics if isinstance(error, SpecError) else ()
    overrides = error.overrides if isinstance(error, SpecError) else ()
    if as_json:
        body: dict[str, Json] = {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "diagnostics": [item.to_json() for item in diagnostics],
        }
        answer({"error": body, "exit": int(error.exit_code)})
        return int(error.exit_code)
    if diagnostics:
        from iqm_spec.source import line_reader

        say(render(diagnostics, line_reader(overrides)))
        files = len({item.file for item in diagnostics})
        where = "" if files == 1 else f" in {files} files"
        say(f"\n{len(diagnostics)} mistake{'s' if len(diagnostics) != 1 else ''}{where}.")
    else:
        say(f"error: {printable(error.message)}")
        if error.hint:
            say(f"hint: {printable(error.hint)}")
    return int(error.exit_code)


def interrupted(*, as_json: bool) -> int:
    """Tell that Ctrl-C ended the command."""
    text = (
        "interrupted; what was finished is stored, jobs at a server go on; the same command goes "
        "on from there"
    )
    if as_json:
        answer({"error": {"code": "interrupted", "message": text}, "exit": 130})
    else:
        say(f"\n{text}")
    return int(ExitCode.INTERRUPTED)


def bug(error: Exception, *, as_json: bool) -> int:
    """Tell a mistake of this program, with its traceback on stderr."""
    import traceback

    traceback.print_exception(error, file=sys.stderr)
    text = f"{type(error).__name__}: {error}"
    if as_json:
        answer({"error": {"code": "bug", "message": text}, "exit": int(ExitCode.BUG)})
    say(f"\nThis is a bug in iqm-spec. Please report it, with the lines above, to {REPORT_URL}.")
    return int(ExitCode.BUG)
