"""Tables (CSV) of jobs and of measured jobs: those of users, and the public ones of three machines.

A user's file is bounded in size, and all of its mistakes are reported at once, each with its place.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from attrs import field, frozen

from iqm_spec.cost.job_shape import JobShape, Timing, uniform_job
from iqm_spec.diagnostics import NOWHERE, Diagnostic, Span, nearest, printable
from iqm_spec.errors import ExitCode, SpecError

if TYPE_CHECKING:
    from iqm_spec.cost.time_model import TimeModel

SECONDS = "qpu_seconds"

SIZES = ("num_qubits", "depth", "circuits", "shots")

OTHER_NAMES = {"batches": "circuits", "num_circuits": "circuits"}
"""What FiQCI's timing tables call the number of circuits in a job."""

FAILED = "error"
"""A column whose text says why a job failed; the time of such a job means nothing."""

LARGEST = 1e9
"""Of every number in a table; far beyond what a job can have."""

SHORTEST = 1e-6
"""Seconds; no clock of a server is better."""

MOST_BYTES = 16 << 20

MOST_ROWS = 100_000

MOST_MISTAKES = 20
"""TableMistakes that are reported one by one."""

MACHINES = {"Aalto Q20": "aaltoq20.csv", "Helmi": "helmi.csv", "VTT Q50": "vtt-q50.csv"}
"""Measured by FiQCI (github.com/FiQCI/resource-estimator, MIT licence)."""

_LEAST = {"depth": 0}

_FIELD = re.compile(r'(?:^|,)((?:\s*"(?:[^"]|"")*")?[^,]*)')

_DATA = Path(__file__).parent / "data"


@frozen
class TableJob:
    """A row: the job, and the seconds that it took where the table has them."""

    line: int
    shape: JobShape
    seconds: float | None


@frozen
class JobTable:
    """The jobs of a table in its order, and notes on how it was read."""

    file: str
    jobs: tuple[TableJob, ...]
    notes: tuple[str, ...] = field(factory=tuple)

    @property
    def timings(self) -> tuple[Timing, ...]:
        """The jobs whose time is known."""
        known = [(job.shape, job.seconds) for job in self.jobs if job.seconds is not None]
        return tuple(Timing(shape, seconds) for shape, seconds in known)


def read_timings(path: Path) -> JobTable:
    """A table with the columns num_qubits, depth, circuits, shots and qpu_seconds.

    TableError with every mistake; it has the exit code of a UsageError.
    """
    return _read(path, (*SIZES, SECONDS))


def read_jobs(path: Path) -> JobTable:
    """A table with the columns num_qubits, depth, circuits and shots; qpu_seconds may be empty."""
    return _read(path, SIZES)


def measured_table(machine: str) -> JobTable:
    """The table of one of `MACHINES`."""
    return read_timings(_DATA / MACHINES[machine])


def measured_machines() -> dict[str, TimeModel]:
    """A model for each machine, fitted here and now: takes some seconds."""
    from iqm_spec.cost.accuracy import checked_fit

    return {
        machine: checked_fit(
            measured_table(machine).timings, {"source": f"FiQCI resource-estimator, {file}"}
        )
        for machine, file in MACHINES.items()
    }


class TableError(SpecError):
    """A table is wrong; `diagnostics` holds the mistakes, in file order. Exit code 2."""

    exit_code = ExitCode.USAGE
    code = "usage.table"

    def __init__(self, diagnostics: Sequence[Diagnostic], file: str) -> None:
        super().__init__(tuple(diagnostics))
        count = len(diagnostics)
        self.message = f"{count} mistake{'s' if count != 1 else ''} in {file}"


class TableMistakes:
    """Collects the mistakes of a file; those beyond `MOST_MISTAKES` are only counted."""

    def __init__(self, file: str, lines: Sequence[str]) -> None:
        self.file, self.lines = file, lines
        self.diagnostics: list[Diagnostic] = []
        self.more = 0

    @property
    def count(self) -> int:
        """TableMistakes so far."""
        return len(self.diagnostics) + self.more

    def add(self, line: int, message: str, hint: str = "", place: int | None = None) -> None:
        """Adds a mistake, in the cell of column `place` (from 0) or the whole line."""
        if len(self.diagnostics) < MOST_MISTAKES:
            text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
            cells = [match.span(1) for match in _FIELD.finditer(text)]
            in_cell = place is not None and place < len(cells)
            start, end = cells[place or 0] if in_cell else (0, len(text))
            span = Span(line, start + 1, max(end, start + 1) + 1)
            self.diagnostics.append(Diagnostic(self.file, span, "table", message, hint))
        else:
            self.more += 1

    def stop(self) -> NoReturn:
        """Raises TableError."""
        if self.more:
            last = self.diagnostics[-1]
            more = f"and {self.more:,} more mistakes that are not shown"
            self.diagnostics.append(Diagnostic(self.file, last.span, "table", more))
        raise TableError(self.diagnostics, self.file)


@frozen
class _Head:
    """Where the columns of a table are, by the name that they have here."""

    names: tuple[str, ...]
    places: dict[str, int]
    required: tuple[str, ...]
    notes: tuple[str, ...]


def _read(path: Path, required: Sequence[str]) -> JobTable:
    file = printable(path.as_posix())
    text = read_text(path, file)
    mistakes = TableMistakes(file, text.split("\n"))
    rows = rows_of(text, mistakes)
    line, names = next(rows, (1, []))
    if not names and not mistakes.diagnostics:
        mistakes.add(1, "the file is empty", f"its first line is: {','.join(required)}")
        mistakes.stop()
    head = _head(names, line, tuple(required), mistakes)
    if mistakes.diagnostics:
        mistakes.stop()
    jobs: list[TableJob] = []
    failed = 0
    for line, cells in rows:
        if len(jobs) + failed == MOST_ROWS:
            mistakes.add(line, f"more rows than {MOST_ROWS:,}", "cut the table into parts")
            break
        reason = head.places.get(FAILED)
        if reason is not None and reason < len(cells) and cells[reason]:
            failed += 1
        elif job := _job(cells, line, head, mistakes):
            jobs.append(job)
    if not jobs and not mistakes.diagnostics:
        mistakes.add(line, "no row with a job", "each row below the head is one job")
    if mistakes.diagnostics:
        mistakes.stop()
    notes = [f"rows with a text in `{FAILED}`, left out as failed: {failed:,}"] if failed else []
    return JobTable(file, tuple(jobs), (*head.notes, *notes))


def _head(
    names: Sequence[str], line: int, required: tuple[str, ...], mistakes: TableMistakes
) -> _Head:
    """The columns; mistakes where one is missing, there twice, or the file is no CSV."""
    columns = [name.strip().lower() for name in names]
    if len(columns) == 1:
        for sign, separator in {";": "semicolons", "\t": "tabs", "|": "bars"}.items():
            if sign in columns[0]:
                message = f"columns are separated by {separator}"
                mistakes.add(line, message, "save the table with commas")
                return _Head((), {}, required, ())
    used = {*SIZES, SECONDS, FAILED}
    places: dict[str, int] = {}
    unused: list[tuple[int, str]] = []
    for place, name in enumerate(columns):
        column = OTHER_NAMES.get(name, name)
        if column not in used:
            unused.append((place, name))
        elif column in places:
            mistakes.add(line, f"the column `{column}` is there twice", "", place)
        else:
            places[column] = place
    missing = [name for name in required if name not in places]
    misspelt = _misspelt(unused, missing, line, mistakes)
    if absent := [name for name in missing if name not in misspelt]:
        listed = " and ".join(f"`{name}`" for name in absent)
        hint = f"the first line names the columns: {','.join(required)}"
        mistakes.add(line, f"there is no column {listed}", hint)
    notes = [f"column not used: {printable(name)}" for _, name in unused if name]
    return _Head(tuple(names), places, required, tuple(notes))


def _misspelt(
    unused: Sequence[tuple[int, str]], missing: Sequence[str], line: int, mistakes: TableMistakes
) -> set[str]:
    """The missing columns that an unused one seems to stand for; each is reported."""
    misspelt: set[str] = set()
    for place, name in unused:
        aliases = [old for old, new in OTHER_NAMES.items() if new in missing]
        hint = nearest(name, [*missing, *aliases])
        if hint:
            mistakes.add(line, f"there is no column `{printable(name)}`", hint, place)
            misspelt |= {
                column
                for column in missing
                if column in hint
                or any(OTHER_NAMES[old] == column and old in hint for old in aliases)
            }
    return misspelt


def _job(cells: Sequence[str], line: int, head: _Head, mistakes: TableMistakes) -> TableJob | None:
    """The job of a row; None where something in it is wrong, which is reported."""
    if len(cells) > len(head.names) and any(cells[len(head.names) :]):
        hint = "a number is written 1234.5, without separators of thousands"
        mistakes.add(line, f"{len(cells)} values for {len(head.names)} columns", hint)
        return None
    before = mistakes.count
    sizes = [_integer(cells, line, name, head, mistakes) for name in SIZES]
    seconds = _seconds(cells, line, head, mistakes)
    if mistakes.count > before:
        return None
    qubits, depth, circuits, shots = map(int, sizes)
    return TableJob(line, uniform_job(qubits, depth, circuits, shots), seconds)


def _integer(
    cells: Sequence[str], line: int, name: str, head: _Head, mistakes: TableMistakes
) -> float:
    """A whole number from 1 on (depth: from 0), as `1000`, `1000.0` or `1e3`; NaN for a mistake."""
    place, least = head.places[name], _LEAST.get(name, 1)
    text = cells[place] if place < len(cells) else ""
    value = _number(text)
    if value is None or not value.is_integer() or not least <= value <= LARGEST:
        got = f"got `{printable(text)}`" if text else "but it is empty"
        expected = f"a whole number from {least} to {LARGEST:,.0f}"
        hint = "averages of unlike circuits are no job: give each its row" if value else ""
        fraction = value is not None and not value.is_integer()
        mistakes.add(line, f"`{name}` must be {expected}, {got}", hint if fraction else "", place)
        return math.nan
    return value


def _seconds(cells: Sequence[str], line: int, head: _Head, mistakes: TableMistakes) -> float | None:
    """QPU seconds above 0; None where the table has none, or for a mistake."""
    place = head.places.get(SECONDS)
    text = cells[place] if place is not None and place < len(cells) else ""
    if not text and SECONDS not in head.required:
        return None
    value = _number(text)
    if value is None or not SHORTEST <= value <= LARGEST:
        got = f"got `{printable(text)}`" if text else "but it is empty"
        hint = "" if text else f"leave the row out, or say in a column `{FAILED}` why it failed"
        expected = f"a number of seconds from {SHORTEST:g} to {LARGEST:,.0f}"
        mistakes.add(line, f"`{SECONDS}` must be {expected}, {got}", hint, place)
        return None
    return value


def _number(text: str) -> float | None:
    """A finite number as every language writes it; None for `nan`, `1_000`, `0x10` and texts."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text, re.ASCII):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


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


def rows_of(text: str, mistakes: TableMistakes) -> Iterator[tuple[int, list[str]]]:
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
