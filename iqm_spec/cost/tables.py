"""Timing tables and job tables (CSV): every mistake of a file at once, each with its place."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from attrs import field, frozen

from iqm_spec.cost.shape import JobShape, alike
from iqm_spec.cost.sheet import MOST_ROWS, Mistakes, read_text, rows_of
from iqm_spec.cost.timings import Timing
from iqm_spec.diagnostics import nearest, printable

SECONDS = "qpu_seconds"
SIZES = ("num_qubits", "depth", "circuits", "shots")
OTHER_NAMES = {"batches": "circuits", "num_circuits": "circuits"}
"""What FiQCI's timing tables call the number of circuits in a job."""

FAILED = "error"
"""A column whose text says why a job failed; what such a job took tells nothing."""

LARGEST = 1e9
"""Of every number in a table; far beyond what a job can have."""

SHORTEST = 1e-6
"""Seconds; no clock of a server is better."""

_LEAST = {"depth": 0}


@frozen
class TableJob:
    """A row: the job, and the seconds that it took where the table tells."""

    line: int
    shape: JobShape
    seconds: float | None


@frozen
class JobTable:
    """The jobs of a table in its order, and what to know of how it was read."""

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

    Raises TableError with every mistake found, UsageError's exit code.
    """
    return _read(path, (*SIZES, SECONDS))


def read_jobs(path: Path) -> JobTable:
    """A table with the columns num_qubits, depth, circuits and shots; qpu_seconds may be empty."""
    return _read(path, SIZES)


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
    mistakes = Mistakes(file, text.split("\n"))
    rows = rows_of(text, mistakes)
    line, names = next(rows, (1, []))
    if not names and not mistakes.found:
        mistakes.add(1, "the file is empty", f"its first line is: {','.join(required)}")
        mistakes.stop()
    head = _head(names, line, tuple(required), mistakes)
    if mistakes.found:
        mistakes.stop()
    jobs: list[TableJob] = []
    failed = 0
    for line, cells in rows:
        if len(jobs) + failed == MOST_ROWS:
            mistakes.add(line, f"more rows than {MOST_ROWS:,}", "cut the table into parts")
            break
        if _failed(cells, head):
            failed += 1
        elif job := _job(cells, line, head, mistakes):
            jobs.append(job)
    if not jobs and not mistakes.found:
        mistakes.add(line, "no row with a job", "each row below the head is one job")
    if mistakes.found:
        mistakes.stop()
    told = [f"rows with a text in `{FAILED}`, left out as failed: {failed:,}"] if failed else []
    return JobTable(file, tuple(jobs), (*head.notes, *told))


def _head(names: Sequence[str], line: int, required: tuple[str, ...], mistakes: Mistakes) -> _Head:
    """The columns; mistakes where one is missing, there twice, or the file is no CSV."""
    told = [name.strip().lower() for name in names]
    if len(told) == 1 and (other := _separator(told[0])):
        mistakes.add(line, f"columns are separated by {other}", "save the table with commas")
        return _Head((), {}, required, ())
    known = {*SIZES, SECONDS, FAILED}
    places: dict[str, int] = {}
    further: list[tuple[int, str]] = []
    for place, name in enumerate(told):
        column = OTHER_NAMES.get(name, name)
        if column not in known:
            further.append((place, name))
        elif column in places:
            mistakes.add(line, f"the column `{column}` is there twice", "", place)
        else:
            places[column] = place
    missing = [name for name in required if name not in places]
    misspelt = _misspelt(further, missing, line, mistakes)
    if rest := [name for name in missing if name not in misspelt]:
        columns = " and ".join(f"`{name}`" for name in rest)
        hint = f"the first line names the columns: {','.join(required)}"
        mistakes.add(line, f"there is no column {columns}", hint)
    notes = [f"column not used: {printable(name)}" for _, name in further if name]
    return _Head(tuple(names), places, required, tuple(notes))


def _misspelt(
    further: Sequence[tuple[int, str]], missing: Sequence[str], line: int, mistakes: Mistakes
) -> set[str]:
    """The missing columns for which another one seems to be meant; each is told."""
    found: set[str] = set()
    for place, name in further:
        others = [old for old, new in OTHER_NAMES.items() if new in missing]
        hint = nearest(name, [*missing, *others])
        if hint:
            mistakes.add(line, f"there is no column `{printable(name)}`", hint, place)
            found |= {known for known in missing if known in hint or _renamed(known, hint)}
    return found


def _renamed(column: str, hint: str) -> bool:
    return any(old in hint for old, new in OTHER_NAMES.items() if new == column)


def _separator(line: str) -> str:
    """In words what separates the columns of a head without a comma; empty for one column."""
    words = {";": "semicolons", "\t": "tabs", "|": "bars"}
    return next((word for sign, word in words.items() if sign in line), "")


def _failed(cells: Sequence[str], head: _Head) -> bool:
    place = head.places.get(FAILED)
    return place is not None and place < len(cells) and bool(cells[place])


def _job(cells: Sequence[str], line: int, head: _Head, mistakes: Mistakes) -> TableJob | None:
    """The job of a row; None where something in it is wrong, which is told."""
    if len(cells) > len(head.names) and any(cells[len(head.names) :]):
        hint = "a number is written 1234.5, without separators of thousands"
        mistakes.add(line, f"{len(cells)} values for {len(head.names)} columns", hint)
        return None
    before = mistakes.count
    sizes = [_whole(cells, line, name, head, mistakes) for name in SIZES]
    seconds = _seconds(cells, line, head, mistakes)
    if mistakes.count > before:
        return None
    qubits, depth, circuits, shots = map(int, sizes)
    return TableJob(line, alike(qubits, depth, circuits, shots), seconds)


def _whole(cells: Sequence[str], line: int, name: str, head: _Head, mistakes: Mistakes) -> float:
    """A whole number, 1 at least (of depth 0); `1000.0` and `1e3` are."""
    place, least = head.places[name], _LEAST.get(name, 1)
    text = cells[place] if place < len(cells) else ""
    value = _number(text)
    if value is None or not value.is_integer() or not least <= value <= LARGEST:
        got = f"got `{printable(text)}`" if text else "but it is empty"
        wanted = f"a whole number from {least} to {LARGEST:,.0f}"
        hint = "averages of unlike circuits are no job: give each its row" if value else ""
        fraction = value is not None and not value.is_integer()
        mistakes.add(line, f"`{name}` must be {wanted}, {got}", hint if fraction else "", place)
        return math.nan
    return value


def _seconds(cells: Sequence[str], line: int, head: _Head, mistakes: Mistakes) -> float | None:
    """QPU seconds above 0; None where the table may be without."""
    place = head.places.get(SECONDS)
    text = cells[place] if place is not None and place < len(cells) else ""
    if not text and SECONDS not in head.required:
        return None
    value = _number(text)
    if value is None or not SHORTEST <= value <= LARGEST:
        got = f"got `{printable(text)}`" if text else "but it is empty"
        hint = "" if text else f"leave the row out, or say in a column `{FAILED}` why it failed"
        wanted = f"a number of seconds from {SHORTEST:g} to {LARGEST:,.0f}"
        mistakes.add(line, f"`{SECONDS}` must be {wanted}, {got}", hint, place)
        return None
    return value


def _number(text: str) -> float | None:
    """A finite number as every language writes it; None for `nan`, `1_000`, `0x10` and texts."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text, re.ASCII):
        return None
    value = float(text)
    return value if math.isfinite(value) else None
