"""Runs: what carried a plan out, when and how it went, as a journal of events each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from iqm_spec.diagnostics import nearest
from iqm_spec.errors import StoreCorrupt, UsageError
from iqm_spec.json_types import Json
from iqm_spec.store.events import RunEnded, RunStarted
from iqm_spec.store.folder import Folder
from iqm_spec.store.journal import Event, Journal, event_files, missing_numbers
from iqm_spec.store.layout import RUN_ID, RUNS, SPEC_NAME
from iqm_spec.store.reading import names_in
from iqm_spec.store.structure import MisfitError, structure, to_json

E = TypeVar("E")

_STAMP = "%Y%m%d-%H%M%S"
_MOST_CANDIDATES = 5


@frozen(slots=False)
class RunState:
    """One run as its events tell it.

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
        """What the run began with; StoreCorrupt where its journal does not say that."""
        return self._joined(RunStarted)

    @cached_property
    def end(self) -> RunEnded:
        """How the run ended; without an exit code where it has not."""
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
        """Numbers of events that are gone: events are numbered without a gap.

        Whether there was one behind the last, nobody can tell.
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
    return RunState(run, match[1], _started(match[2]), events, fields)


def run_ids(root: Path) -> list[str]:
    """Ids of all runs that have events, the oldest first."""
    path = root / RUNS
    found = [match for name in names_in(path) if (match := RUN_ID.fullmatch(name))]
    found = [match for match in found if event_files(path / match[0])]
    return [match[0] for match in sorted(found, key=lambda match: (match[2], match[3]))]


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


def _started(stamp: str) -> datetime:
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)  # a folder that someone named by hand


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
