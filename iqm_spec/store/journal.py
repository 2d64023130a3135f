"""Journals: folders of write-once events. The state is a join of the events, whoever wrote them.

An event is `<seq>-<kind>-<start of its sha256>.json`. Two writers may take the same `seq`: both
events stand, ordered by seq and then by name, on every machine alike.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from itertools import islice
from pathlib import Path
from typing import cast

from attrs import evolve, frozen

from iqm_spec.canonical import canonical, sha256
from iqm_spec.json_types import Json
from iqm_spec.store import events as kinds
from iqm_spec.store.events import JobEvent, RunEvent
from iqm_spec.store.folder import Folder
from iqm_spec.store.layout import EVENT_NAME, KIND, LARGEST_EVENT
from iqm_spec.store.objects import corrupt, opened
from iqm_spec.store.structure import MisfitError, structure, to_json

EVENT_FORMAT = "iqm-spec/event/1"


@frozen
class Event:
    """One thing that happened. `file` is its name in the journal's folder.

    `fields` are as they are stored, `data` has their types; it is None for a kind that only a
    version to come knows.
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
        self.append(kinds.KINDS[type(data)], to_json(data))

    def append(self, kind: str, fields: Mapping[str, Json]) -> Event:
        """As `add`, for fields of any kind."""
        seq = max((seq for seq, _ in event_files(self.path)), default=0) + 1
        while (event := self._write(seq, kind, fields)) is None:
            seq += 1
        return event

    def claim(self, kind: str, number: int) -> bool:
        """True for the one caller that wrote this kind of event with this number (from 1).

        A claim says nothing of its owner, so its bytes, its name and thereby the right to it are
        the same for all who try; what the owner then does is an event of its own.
        """
        return self._write(number, kind, {}) is not None

    def events(self) -> tuple[Event, ...]:
        """All events in order, each checked against its name."""
        return tuple(read_event(self.path / name) for _, name in event_files(self.path))

    def _write(self, seq: int, kind: str, fields: Mapping[str, Json]) -> Event | None:
        """The event, or None where the very same event is there already."""
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
    """What stands in an event's file."""
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
    """Seq and file name of the events in a folder, in order; other files are passed over."""
    if not path.is_dir():
        return []
    matches = (EVENT_NAME.fullmatch(name) for name in os.listdir(path))
    return sorted((int(match[1]), match[0]) for match in matches if match)


def missing_numbers(numbers: Collection[int], most: int = 1000) -> tuple[int, ...]:
    """The numbers between 1 and the greatest that are not there, so many of them at most."""
    gone = (number for number in range(1, max(numbers, default=1)) if number not in numbers)
    return tuple(islice(gone, most))


def read_event(path: Path) -> Event:
    """The event in a file; StoreCorrupt where its bytes are not what its name says."""
    with opened(path) as file:
        data = file.read(LARGEST_EVENT + 1)
    event = parse_event(path, data)
    if event is None:
        raise corrupt(path, "is not what its name says")
    try:
        return typed(path, event)
    except MisfitError as error:
        raise corrupt(path, f"cannot be read: {error}") from error


def typed(path: Path, event: Event) -> Event:
    """An event of the journal's folder with its `data`; MisfitError where fields do not fit."""
    of = kinds.EVENTS.get((path.parent.parent.name, event.kind))
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
