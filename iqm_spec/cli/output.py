"""Everything that the command line prints: answers on stdout, all that people read on stderr.

Writing never ends a command: a reader may go away, a disk may be full. A run stores what it
computes whoever reads along, so `Outlet` drops what cannot be written, and `guarded` reports a lost
answer once, at the end.
"""

from __future__ import annotations

import io
import json
import re
import select
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from iqm_spec.diagnostics import printable, render
from iqm_spec.errors import ExitCode, IqmSpecError, SpecError

if TYPE_CHECKING:
    from rich.console import Console
    from typing_extensions import Buffer

    from iqm_spec.json_types import Json


NARROWEST = 60
"""Columns that every table and message fits in."""

REPORT_URL = "the project's issue tracker"


def answer(data: Mapping[str, Any], code: int = ExitCode.DONE) -> int:
    """Print the one JSON document of `--json`, with the exit code as `exit`; returns the code."""
    print_json({**data, "exit": int(code)})
    return int(code)


def print_json(data: Mapping[str, Any]) -> None:
    """Print JSON whose texts hold no control characters."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    click.echo(re.sub(r"[^\x20-\x7e\n]", _escape, text))


def _escape(match: re.Match[str]) -> str:
    """A character of JSON, escaped if it is a control character: a terminal would obey it."""
    char = match[0]
    if char.isprintable():
        return char
    return "\\u007f" if char == "\x7f" else json.dumps(char)[1:-1]


def say(text: str = "") -> None:
    """Print a line for people, on stderr."""
    click.echo(text, err=True)


def first_lines(lines: Sequence[str], most: int, rest: str = "more") -> list[str]:
    """The first `most` lines, and a line with the number of the others."""
    left_out = len(lines) - most
    return [*lines[:most], *([f"... and {left_out:,} {rest}"] if left_out > 0 else [])]


def show_log(*, debug: bool) -> None:
    """Print what the program logs, on stderr, until the command ends."""
    import logging

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(printable(self.format(record)))

    handler = Handler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("iqm_spec")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else logging.INFO)

    def restore() -> None:
        logger.removeHandler(handler)
        logger.setLevel(before)

    click.get_current_context().find_root().call_on_close(restore)


_QUIET = "iqm_spec.quiet"


def quiet() -> None:
    """Show no progress until the command ends."""
    click.get_current_context().find_root().meta[_QUIET] = True


def is_quiet() -> bool:
    """Whether the user asked for no progress."""
    context = click.get_current_context(silent=True)
    return context is not None and _QUIET in context.find_root().meta


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

    default = made()
    if not default.is_terminal:
        # without a terminal there is no width to fit: lines must not break at 80 columns
        columns = os.environ.get("COLUMNS", "")
        return made(max(NARROWEST, int(columns)) if columns.isdigit() else 120, plain=True)
    return default if default.width >= NARROWEST else made(NARROWEST)


def fitted(text: str, console: Console) -> str:
    """A line wrapped to fit a terminal, with a hanging indent; unchanged elsewhere."""
    import textwrap

    if not console.is_terminal:
        return text
    return textwrap.fill(
        text, console.width, subsequent_indent="    ", break_long_words=False,
        break_on_hyphens=False, drop_whitespace=True,
    )  # fmt: skip


def print_fitted(lines: Iterable[str], console: Console, style: str | None = None) -> None:
    """Print lines that are wrapped to fit a terminal."""
    for line in lines:
        console.print(fitted(line, console), style=style, soft_wrap=True)


def fail(error: IqmSpecError, *, as_json: bool) -> int:
    """Print an error; returns its exit code."""
    diagnostics = error.diagnostics if isinstance(error, SpecError) else ()
    overrides = error.overrides if isinstance(error, SpecError) else ()
    if as_json:
        body: dict[str, Json] = {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "diagnostics": [item.to_json() for item in diagnostics],
        }
        return answer({"error": body}, error.exit_code)
    if diagnostics:
        from iqm_spec.source import line_reader

        say(render(diagnostics, line_reader(overrides)))
        files = len({item.file for item in diagnostics})
        where = "" if files == 1 else f" in {files} files"
        say(f"\n{len(diagnostics)} error{'s' if len(diagnostics) != 1 else ''}{where}.")
    else:
        say(f"error: {printable(error.message)}")
        if error.hint:
            say(f"hint: {printable(error.hint)}")
    return int(error.exit_code)


def interrupted(*, as_json: bool) -> int:
    """Print that Ctrl-C ended the command."""
    text = (
        "interrupted; finished results are stored and jobs at a server continue; run the same "
        "command again to go on"
    )
    if as_json:
        return answer({"error": {"code": "interrupted", "message": text}}, ExitCode.INTERRUPTED)
    say(f"\n{text}")
    return int(ExitCode.INTERRUPTED)


def bug(error: Exception, *, as_json: bool) -> int:
    """Print a bug of this program, with its traceback on stderr."""
    import traceback

    traceback.print_exception(error, file=sys.stderr)
    text = f"{type(error).__name__}: {error}"
    if as_json:
        answer({"error": {"code": "bug", "message": text}}, ExitCode.BUG)
    say(f"\nThis is a bug in iqm-spec. Please report it, with the lines above, to {REPORT_URL}.")
    return int(ExitCode.BUG)


_GIVES_WAY = {ExitCode.DONE, ExitCode.REFUSED, ExitCode.UNREACHABLE, ExitCode.WAITING}
"""Exit codes that matter less than a lost answer."""


class Outlet(io.FileIO):
    """A file descriptor whose writes never fail; `failed` is the first error but a closed pipe."""

    failed: OSError | None = None

    def write(self, data: Buffer, /) -> int:
        """The number of bytes taken: all of them once nothing can be written any more."""
        try:
            while (taken := cast("int | None", super().write(data))) is None:
                select.select([], [self], [])
        except OSError as error:
            if not isinstance(error, BrokenPipeError):  # a reader that has enough: `| head`
                self.failed = self.failed or error
            return memoryview(data).nbytes
        return taken


def guarded(run: Callable[[], int]) -> int:
    """The exit code of `run`; `failed` (5) where its answer could not be written."""
    outlet = None
    if sys.stdout is not None:
        sys.stdout, outlet = _steady(sys.stdout)
    if sys.stderr is not None:
        sys.stderr, _ = _steady(sys.stderr)
    code = run()
    if sys.stdout is not None:
        sys.stdout.flush()
    if outlet is None or outlet.failed is None:
        return code
    if sys.stderr is not None:
        sys.stderr.write(f"error: the answer cannot be written: {outlet.failed.strerror}\n")
    return int(ExitCode.FAILED) if code in _GIVES_WAY else code


def _steady(stream: TextIO) -> tuple[TextIO, Outlet]:
    """A text stream to the same place as `stream`, and the outlet below it."""
    stream.flush()
    outlet = Outlet(stream.fileno(), "w", closefd=False)
    made = io.TextIOWrapper(
        io.BufferedWriter(outlet),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream is sys.stderr or stream.isatty(),
    )
    return made, outlet
