"""A CSV file of strangers as rows of texts: bounded, and with the places of its mistakes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from iqm_spec.diagnostics import NOWHERE, Diagnostic, Span
from iqm_spec.errors import ExitCode, SpecError

MOST_BYTES = 16 << 20
MOST_ROWS = 100_000
MOST_MISTAKES = 20
"""Mistakes that are told one by one."""

_FIELD = re.compile(r'(?:^|,)((?:\s*"(?:[^"]|"")*")?[^,]*)')


class TableError(SpecError):
    """A table is wrong; `diagnostics` holds the mistakes, in file order. Exit code 2."""

    exit_code = ExitCode.USAGE
    code = "usage.table"

    def __init__(self, diagnostics: Sequence[Diagnostic], file: str) -> None:
        super().__init__(tuple(diagnostics))
        count = len(diagnostics)
        self.message = f"{count} mistake{'s' if count != 1 else ''} in {file}"


class Mistakes:
    """Collects the mistakes of a file; those beyond `MOST_MISTAKES` are only counted."""

    def __init__(self, file: str, lines: Sequence[str]) -> None:
        self.file, self.lines = file, lines
        self.found: list[Diagnostic] = []
        self.left_out = 0

    @property
    def count(self) -> int:
        """Mistakes so far."""
        return len(self.found) + self.left_out

    def add(self, line: int, message: str, hint: str = "", place: int | None = None) -> None:
        """One more, in the cell of column `place` (from 0) or the whole line."""
        if len(self.found) < MOST_MISTAKES:
            span = _span(self.lines, line, place)
            self.found.append(Diagnostic(self.file, span, "table", message, hint))
        else:
            self.left_out += 1

    def stop(self) -> NoReturn:
        """Raises TableError."""
        if self.left_out:
            last = self.found[-1]
            more = f"and {self.left_out:,} more mistakes that are not shown"
            self.found.append(Diagnostic(self.file, last.span, "table", more))
        raise TableError(self.found, self.file)


def _span(lines: Sequence[str], line: int, place: int | None) -> Span:
    """The cell in column `place` (from 0) of a line, or the whole line."""
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    cells = [match.span(1) for match in _FIELD.finditer(text)]
    if place is None or place >= len(cells):
        return Span(line, 1, max(len(text), 1) + 1)
    start, end = cells[place]
    return Span(line, start + 1, max(end, start + 1) + 1)


def read_text(path: Path, file: str) -> str:
    """The file as text with `\\n` at the end of lines; at most `MOST_BYTES` are looked at."""
    try:
        if not path.exists():
            _stop(file, "there is no such file", "name a CSV file")
        if not path.is_file():
            _stop(file, "not a regular file", "name a CSV file; a pipe must be saved as one first")
        with path.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        _stop(file, f"the file cannot be read: {error.strerror}")
    if len(data) > MOST_BYTES:
        _stop(file, f"larger than {MOST_BYTES >> 20} MiB", "cut the table into parts")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "save it as CSV in UTF-8; spreadsheet files (.xlsx, .ods) are not read"
        _stop(file, "not a text in UTF-8", hint, line)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _stop(file: str, message: str, hint: str = "", line: int = 1) -> NoReturn:
    span = Span(line, 1, 2) if line > 1 else NOWHERE
    raise TableError([Diagnostic(file, span, "table", message, hint)], file)


def rows_of(text: str, mistakes: Mistakes) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of its first line."""
    reader = csv.reader(text.split("\n"), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            mistakes.add(line, f"not CSV: {error}", "look for a quote that is not closed")
            return
        if any(cells) and not cells[0].startswith("#"):
            yield line, cells
