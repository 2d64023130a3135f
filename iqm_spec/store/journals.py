"""Journals: folders of write-once events. The state is a join of all events.

An event is `<seq>-<kind>-<start of its sha256>.json`. Two writers may take the same `seq`: both
events stand, ordered by seq and then by name, on every machine alike.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from attrs import evolve, frozen

from iqm_spec.canonical import canonical, sha256
from iqm_spec.diagnostics import nearest
from iqm_spec.errors import StoreCorrupt, UsageError
from iqm_spec.json_types import Json
from iqm_spec.store.files import Folder, names_in
from iqm_spec.store.layout import (
    DIGEST,
    EVENT_NAME,
    JOBS,
    KIND,
    LARGEST_EVENT,
    RUN_ID,
    RUNS,
    SPEC_NAME,
)
from iqm_spec.store.objects import CHECKSUM_MISMATCH, corrupt, opened
from iqm_spec.store.structure import MisfitError, structure, to_json

if TYPE_CHECKING:
    from iqm_spec.store.events import JobEvent, RunEnded, RunEvent, RunStarted

EVENT_FORMAT = "iqm-spec/event/1"


@frozen
class Event:
    """An event of a journal. `file` is its name in the journal's folder.

    `fields` are the stored JSON, `data` the same with types; None for a kind that this version does
    not know.
    """

    seq: int
    kind: str
    fields: Mapping[str, Json]
    file: str
    data: RunEvent | JobEvent | None = None


@frozen
class Journal:
    """The events in one folder below a results folder; the folder's name is the journal's."""

    folder: Folder
    path: Path

    def add(self, data: RunEvent | JobEvent) -> None:
        """Writes the next event. It is on the disk when this returns."""
        from iqm_spec.store.events import KINDS

        self.append(KINDS[type(data)], to_json(data))

    def append(self, kind: str, fields: Mapping[str, Json]) -> Event:
        """As `add`, for fields of any kind."""
        seq = max((seq for seq, _ in event_files(self.path)), default=0) + 1
        while (event := self._write(seq, kind, fields)) is None:
            seq += 1
        return event

    def claim(self, kind: str, number: int) -> bool:
        """True for the one caller that wrote this kind of event with this number (from 1).

        A claim does not name its owner: its bytes and its file name are the same for all processes
        that try, so that only one of them can create it.
        """
        return self._write(number, kind, {}) is not None

    def events(self) -> tuple[Event, ...]:
        """All events in order, each checked against its name."""
        return tuple(read_event(self.path / name) for _, name in event_files(self.path))

    def _write(self, seq: int, kind: str, fields: Mapping[str, Json]) -> Event | None:
        """The event; None where the same event exists already."""
        if not KIND.fullmatch(kind):
            raise ValueError(f"an event's kind is lower-case words joined by hyphens, got {kind!r}")
        data = event_bytes(self.path.name, seq, kind, fields)
        if len(data) > LARGEST_EVENT:
            raise ValueError(f"an event of {len(data)} bytes is too large: store an object")
        name = event_name(seq, kind, data)
        if not self.folder.write(self.path / name, data, exclusive=True):
            return None
        return Event(seq, kind, fields, name)


def event_bytes(journal: str, seq: int, kind: str, fields: Mapping[str, Json]) -> bytes:
    """The bytes of an event's file."""
    return canonical(
        {
            "format": EVENT_FORMAT,
            "journal": journal,
            "seq": seq,
            "kind": kind,
            "fields": dict(fields),
        }
    )


def event_name(seq: int, kind: str, data: bytes) -> str:
    """The name of an event's file."""
    return f"{seq:04d}-{kind}-{sha256(data)[:8]}.json"


def event_files(path: Path) -> list[tuple[int, str]]:
    """Seq and file name of the events in a folder, in order; other files are ignored."""
    if not path.is_dir():
        return []
    matches = (EVENT_NAME.fullmatch(name) for name in os.listdir(path))
    return sorted((int(match[1]), match[0]) for match in matches if match)


def missing_numbers(numbers: Collection[int], most: int = 1000) -> tuple[int, ...]:
    """Missing numbers between 1 and the greatest, at most `most` of them."""
    gone = (number for number in range(1, max(numbers, default=1)) if number not in numbers)
    return tuple(islice(gone, most))


def read_event(path: Path) -> Event:
    """The event in a file; StoreCorrupt for a checksum mismatch."""
    with opened(path) as file:
        data = file.read(LARGEST_EVENT + 1)
    event = parse_event(path, data)
    if event is None:
        raise corrupt(path, CHECKSUM_MISMATCH)
    try:
        return typed(path, event)
    except MisfitError as error:
        raise corrupt(path, f"cannot be read: {error}") from error


def typed(path: Path, event: Event) -> Event:
    """An event of the journal's folder with its `data`; MisfitError where fields do not fit."""
    from iqm_spec.store import events  # its classes take milliseconds to make

    of = events.EVENTS.get((path.parent.parent.name, event.kind))
    return event if of is None else evolve(event, data=structure(event.fields, of))


def parse_event(path: Path, data: bytes) -> Event | None:
    """The event in `data`, or None where it does not fit the file's name and folder."""
    if len(data) > LARGEST_EVENT or sha256(data)[:8] != path.stem.rpartition("-")[2]:
        return None
    try:
        content = json.loads(data)
        seq, kind, fields = content["seq"], content["kind"], content["fields"]
        fits = data == event_bytes(path.parent.name, seq, kind, fields)
        if not fits or event_name(seq, kind, data) != path.name:
            return None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Event(seq, kind, cast("Mapping[str, Json]", fields), path.name)


def job_journal(folder: Folder, key: str) -> Journal:
    """The journal of a job; it need not exist. ValueError for what is no job key."""
    if not DIGEST.fullmatch(key):
        raise ValueError(f"a job key is a sha256 in lower-case hex, got {key!r}")
    return Journal(folder, folder.root / JOBS / key)


def job_keys(folder: Folder) -> list[str]:
    """Keys of all jobs that have events."""
    path = folder.root / JOBS
    names = sorted(name for name in names_in(path) if DIGEST.fullmatch(name))
    return [name for name in names if event_files(path / name)]


E = TypeVar("E")

_STAMP = "%Y%m%d-%H%M%S"
_MOST_CANDIDATES = 5


@frozen(slots=False)
class RunState:
    """One run: the join of its events.

    `name` is the spec's, `started` in UTC with whole seconds; `fields` are those of all events
    together, where a later event's value takes the place of an earlier one's. `start` and `end` are
    these fields with their types.
    """

    id: str
    name: str
    started: datetime
    events: tuple[Event, ...]
    fields: Mapping[str, Json]

    @cached_property
    def start(self) -> RunStarted:
        """The start of the run; StoreCorrupt where its journal lacks that."""
        from iqm_spec.store.events import RunStarted

        return self._joined(RunStarted)

    @cached_property
    def end(self) -> RunEnded:
        """How the run ended; without an exit code where it has not."""
        from iqm_spec.store.events import RunEnded

        return self._joined(RunEnded)

    def _joined(self, of: type[E]) -> E:
        try:
            return structure(self.fields, of)
        except MisfitError as error:
            raise StoreCorrupt(
                f"the journal of run {self.id} cannot be read: {error}",
                hint="`iqm-spec verify` reports what else is wrong",
            ) from error

    def each(self, of: type[E]) -> tuple[E, ...]:
        """The events of one class, in order."""
        return tuple(event.data for event in self.events if isinstance(event.data, of))

    @property
    def lost(self) -> tuple[int, ...]:
        """Numbers of missing events: events are numbered without a gap.

        Events that are missing at the end cannot be detected.
        """
        return missing_numbers({event.seq for event in self.events})


def start_run(
    folder: Folder, name: str, now: datetime, started: RunStarted | Mapping[str, Json]
) -> str:
    """Begins a run with a `started` event; returns its id. `now` must know its time zone."""
    if not SPEC_NAME.fullmatch(name):
        raise ValueError(f"not a spec's name: {name!r}")
    if now.tzinfo is None:
        raise ValueError("the start of a run needs a time zone")
    run = _run_id(name, now)
    while (folder.root / RUNS / run).exists():
        run = _run_id(name, now)
    _journal(folder, run).append("started", to_json(started))
    return run


def _run_id(name: str, now: datetime) -> str:
    """A new id. Its last part begins with the microsecond, so that ids sort by time."""
    stamp = now.astimezone(UTC).strftime(_STAMP)
    chance = int.from_bytes(os.urandom(2), "big") % 4096
    return f"{name}-{stamp}-{now.microsecond:05x}{chance:03x}"


def run_journal(folder: Folder, run: str) -> Journal:
    """The journal of a run that was started; UsageError where there is none of that id."""
    journal = _journal(folder, run)
    if not event_files(journal.path):
        raise _unknown(folder.root, run)
    return journal


def load_run(folder: Folder, run: str) -> RunState:
    """The run of exactly this id; UsageError where there is none."""
    match = RUN_ID.fullmatch(run)
    events = _journal(folder, run).events() if match else ()
    if not match or not events:
        raise _unknown(folder.root, run)
    fields = {key: value for event in events for key, value in event.fields.items()}
    try:
        started = datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        started = datetime.fromtimestamp(0, UTC)  # a folder that someone named by hand
    return RunState(run, match[1], started, events, fields)


def run_ids(root: Path) -> list[str]:
    """Ids of all runs that have events, the oldest first."""
    path = root / RUNS
    matches = [match for name in names_in(path) if (match := RUN_ID.fullmatch(name))]
    matches = [match for match in matches if event_files(path / match[0])]
    return [match[0] for match in sorted(matches, key=lambda match: (match[2], match[3]))]


def resolve(folder: Folder, selector: str) -> RunState:
    """The run that a run id, `latest`, a spec's name (its newest) or a unique prefix means."""
    ids = run_ids(folder.root)
    if selector in ids:
        return load_run(folder, selector)
    named = ids if selector == "latest" else [run for run in ids if _name(run) == selector]
    if named:
        return load_run(folder, named[-1])
    matching = [run for run in ids if selector and run.startswith(selector)]
    if len(matching) > 1:
        raise UsageError(
            f"{selector!r} could be {len(matching)} runs: {_listed(matching)}",
            hint="write more of the id",
        )
    if not matching:
        raise _unknown(folder.root, selector)
    return load_run(folder, matching[0])


def _journal(folder: Folder, run: str) -> Journal:
    if not RUN_ID.fullmatch(run):
        raise _unknown(folder.root, run)
    return Journal(folder, folder.root / RUNS / run)


def _name(run: str) -> str:
    match = RUN_ID.fullmatch(run)
    return match[1] if match else ""


def _unknown(root: Path, selector: str) -> UsageError:
    ids = run_ids(root)
    if not ids:
        return UsageError(
            f"there is no run {selector!r}: {root} holds no runs",
            hint="run a spec first, or name the folder with --results",
        )
    names = {_name(run) for run in ids}
    hint = nearest(selector, [*names, *ids]) or "`iqm-spec status` lists all runs"
    return UsageError(f"there is no run {selector!r}; the newest are {_listed(ids)}", hint=hint)


def _listed(ids: list[str]) -> str:
    """The newest few of some ids, the newest first."""
    shown = ", ".join(ids[: -_MOST_CANDIDATES - 1 : -1])
    return shown + (", ..." if len(ids) > _MOST_CANDIDATES else "")
