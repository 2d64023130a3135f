"""What `gc` may remove: unreferenced objects, unfinished files and stale indexes.

A run's journal does not name the packs of its cache hits: `needs_of` lists what a run needs beside
what its journal names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from attrs import frozen

from iqm_spec.engine.saved import SavedRun, load_run
from iqm_spec.errors import StoreCorrupt
from iqm_spec.model import StageName
from iqm_spec.plan.label import count
from iqm_spec.stages.derived import derived_key
from iqm_spec.stages.interface import Stage
from iqm_spec.stages.keys import aer_key
from iqm_spec.stages.registry import SERVER_STAGES
from iqm_spec.stages.server.attempts import Attempt, read_attempts
from iqm_spec.stages.server.rows import server_rows
from iqm_spec.stages.server.stored_machines import machines_key
from iqm_spec.stages.shots import keys_with_memory, shot_packs
from iqm_spec.store import PackedRecord, Store, verify
from iqm_spec.store.events import StageUsed
from iqm_spec.store.files import names_in, translated
from iqm_spec.store.layout import DIGEST, INDEX, KIND, TMP
from iqm_spec.store.records import AER_DERIVED, AER_MEMORY, AER_RECORDS, HARDWARE_DERIVED
from iqm_spec.store.references import mentioned, objects_in, reached, roots

_AT_ONCE = 4096


@frozen
class Needs:
    """Jobs by stage, each with the attempts that are the run's; packs of results by stage."""

    attempts: Mapping[StageName, tuple[Attempt, ...]]
    results: Mapping[StageName, tuple[str, ...]]
    machines: str | None
    """Digest of the machines as the server described them, where they are stored."""
    missing: int = 0
    """Number of records, distances and shots of the Aer stage that the folder lacks."""

    @property
    def jobs(self) -> tuple[str, ...]:
        """Keys of the jobs, sorted."""
        return tuple(
            sorted({attempt.job for of_stage in self.attempts.values() for attempt in of_stage})
        )

    @property
    def objects(self) -> tuple[str, ...]:
        """Digests of all needed objects beside those that journals name."""
        digests = {digest for of_stage in self.results.values() for digest in of_stage}
        return tuple(sorted(digests if self.machines is None else {*digests, self.machines}))


def needs_of(store: Store, saved: SavedRun) -> Needs:
    """What a stored run needs of its folder; StoreCorrupt where that cannot be read."""
    attempts: dict[StageName, tuple[Attempt, ...]] = {}
    results: dict[StageName, tuple[str, ...]] = {}
    machines = None
    missing = 0
    if StageName.AER.value in saved.state.start.wanted:
        packs, missing = _simulated(store, saved)
        results[StageName.AER] = tuple(sorted(packs))
    if saved.server_id is not None:
        machines = store.find_answer(machines_key(saved.plan.header.spec.digest, saved.server_id))
        for stage in SERVER_STAGES:
            name = stage.name
            attempts[name] = _attempts(store, saved, name, saved.server_id)
            results[name] = tuple(sorted(_measured(store, saved, stage, attempts[name])))
    return Needs(attempts, results, machines, missing)


def _simulated(store: Store, saved: SavedRun) -> tuple[set[str], int]:
    """Packs that hold records and distances of the Aer stage, and how many of these are missing."""
    simulator = saved.simulator
    points = saved.plan.points
    named = [aer_key(saved.plan, point, simulator) for point in points]
    with_shots = keys_with_memory(points, named)
    shots = store.holders(AER_MEMORY, with_shots)
    keys = iter(set(named))
    packs: set[str] = set(shots.values())
    missing = len(with_shots) - len(shots)
    while batch := list(islice(keys, _AT_ONCE)):
        for kind in (AER_RECORDS, AER_DERIVED):
            records: dict[str, PackedRecord[Any]] = store.find(kind, batch)
            packs |= {item.digest for item in records.values()}
            missing += len(batch) - len(records)
    return packs, missing


def _attempts(
    store: Store, saved: SavedRun, stage: StageName, server_id: str
) -> tuple[Attempt, ...]:
    """Attempts that stand for the run's points, and those that it made itself."""
    named = {
        job
        for used in saved.state.each(StageUsed)
        if used.stage == stage.value
        for job in used.jobs
    }
    return tuple(
        attempt
        for attempt in read_attempts(store, stage, server_id)
        if attempt.job in named or attempt.intent.run == saved.state.id
    )


def _measured(
    store: Store, saved: SavedRun, stage: Stage, attempts: Sequence[Attempt]
) -> Iterator[str]:
    for attempt in attempts:
        for completion in attempt.completions.values():
            yield completion.records
    used = saved.used(stage.name)
    if not stage.counts_are_random and used and saved.server_id is not None:
        rows = list(server_rows(store, saved.plan, stage.name, saved.server_id, used))
        keys = {derived_key(row.sources) for row in rows if row.sources}
        yield from shot_packs(store, (row for row in rows if row.point.memory)).values()
        yield from {item.digest for item in store.find(HARDWARE_DERIVED, keys).values()}


YOUNG_SECONDS = 3600.0
"""Files that were written less than so long ago are kept."""

OBJECT = "unreferenced: no run, job or key leads to it"
LEFTOVER = "unfinished: left by a program that ended"
STALE = "stale index: its pack is missing"


@frozen(order=True)
class Item:
    """A file by its path in the folder, its size in bytes, and why it may be removed."""

    path: str
    bytes: int
    why: str


@frozen
class Garbage:
    """`items` in the order in which to remove them; `young` is the number of files kept for now."""

    items: tuple[Item, ...]
    young: int

    @property
    def bytes(self) -> int:
        """Total size."""
        return sum(item.bytes for item in self.items)


def find_garbage(store: Store, now: float) -> Garbage:
    """What may be removed at the time `now` (seconds since 1970).

    StoreCorrupt where the folder is damaged: what it needs is not known then.
    """
    if problems := verify(store).problems:
        raise StoreCorrupt(
            f"{store.root.as_posix()} is damaged ({count(len(problems), 'problem')}): what is "
            "needed is not known",
            hint="`iqm-spec verify` lists every bad file; nothing was removed",
        )
    objects = objects_in(store.root)
    saved = (load_run(store, state.id) for state in store.runs())
    needed = [digest for run in saved for digest in needs_of(store, run).objects]
    used = reached(objects, (*roots(store.root), *needed))
    unused = {digest: path for digest, path in objects.items() if digest not in used}
    young = {digest for digest, path in unused.items() if _is_young(path, now)}
    young_and_named = reached(unused, sorted(young))
    old = {digest: path for digest, path in unused.items() if digest not in young_and_named}
    items = [_item(store.root, path, OBJECT) for path in _in_order(old)]
    left = sorted(store.root / TMP / name for name in names_in(store.root / TMP))
    unfinished = [path for path in left if path.is_file() and not path.is_symlink()]
    items += [_item(store.root, path, LEFTOVER) for path in unfinished if not _is_young(path, now)]
    items += [
        _item(store.root, path, STALE) for path in _stale(store.root, objects.keys() - old.keys())
    ]
    return Garbage(
        tuple(items), len(young_and_named) + sum(_is_young(path, now) for path in unfinished)
    )


def drop(store: Store, garbage: Garbage) -> None:
    """Remove the files, each before those that it names: an interruption leaves a sound folder."""
    with translated(store.root):
        for item in garbage.items:
            store.disk.remove(store.root / item.path)


def _in_order(objects: Mapping[str, Path]) -> Iterator[Path]:
    """Objects so that none comes before one that names it."""
    named = {digest: mentioned(path) & objects.keys() for digest, path in objects.items()}
    times = dict.fromkeys(objects, 0)
    for digests in named.values():
        for digest in digests:
            times[digest] += 1
    ready = sorted((digest for digest, number in times.items() if not number), reverse=True)
    while ready:
        digest = ready.pop()
        yield objects[digest]
        for other in sorted(named[digest], reverse=True):
            times[other] -= 1
            if not times[other]:
                ready.append(other)


def _stale(root: Path, packs: Iterable[str]) -> Iterator[Path]:
    """Index files of packs that are not among `packs`."""
    there = set(packs)
    for kind in sorted(filter(KIND.fullmatch, names_in(root / INDEX))):
        folder = root / INDEX / kind
        names = sorted(os.listdir(folder)) if folder.is_dir() and not folder.is_symlink() else []
        for name in names:
            if DIGEST.fullmatch(name) and name not in there and (folder / name).is_file():
                yield folder / name


def _is_young(path: Path, now: float) -> bool:
    try:
        return path.stat().st_mtime > now - YOUNG_SECONDS
    except FileNotFoundError:  # a running process has just removed it
        return True


def _item(root: Path, path: Path, why: str) -> Item:
    try:
        size = path.stat().st_size
    except FileNotFoundError:  # another process has just removed it
        size = 0
    return Item(path.relative_to(root).as_posix(), size, why)
