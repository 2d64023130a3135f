"""What a run's results rest on though its journal need not name it: records that it found there.

A run that finds some of its points answered names the packs of the others alone.
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
from iqm_spec.stages.keys import aer_key
from iqm_spec.stages.registry import SERVER_STAGES
from iqm_spec.stages.server.attempts import Attempt, read_attempts
from iqm_spec.stages.server.machines import MachinesAsk
from iqm_spec.stages.server.rows import server_rows
from iqm_spec.stages.shots import kept, wanted_keys
from iqm_spec.store import Found, Store, verify
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
    """Digest of the machines as the server told them, where they were kept."""
    missing: int = 0
    """Records, distances and wanted shots of the Aer stage that the folder does not have."""

    @property
    def jobs(self) -> tuple[str, ...]:
        """Keys of the jobs, sorted."""
        return tuple(sorted({one.job for some in self.attempts.values() for one in some}))

    @property
    def objects(self) -> tuple[str, ...]:
        """Digests of everything that is needed beside what journals name."""
        found = {digest for some in self.results.values() for digest in some}
        return tuple(sorted(found if self.machines is None else {*found, self.machines}))


def needs_of(store: Store, saved: SavedRun) -> Needs:
    """What a stored run needs of its folder; StoreCorrupt where that cannot be read."""
    attempts: dict[StageName, tuple[Attempt, ...]] = {}
    results: dict[StageName, tuple[str, ...]] = {}
    machines = None
    missing = 0
    if StageName.AER.value in saved.state.start.wanted:
        packs, missing = _simulated(store, saved)
        results[StageName.AER] = tuple(sorted(packs))
    if saved.realm is not None:
        machines = store.find_answer(MachinesAsk(saved.plan.header.spec.digest, saved.realm).key)
        for stage in [stage.name for stage in SERVER_STAGES]:
            attempts[stage] = _attempts(store, saved, stage, saved.realm)
            results[stage] = tuple(sorted(_measured(store, saved, stage, attempts[stage])))
    return Needs(attempts, results, machines, missing)


def _simulated(store: Store, saved: SavedRun) -> tuple[set[str], int]:
    """Packs that hold records and distances of the Aer stage, and how many of these are missing."""
    simulator = saved.simulator
    points = saved.plan.points
    named = [aer_key(saved.plan, point, simulator) for point in points]
    wanted = wanted_keys(points, named)
    shots = store.holders(AER_MEMORY, wanted)
    keys = iter(set(named))
    packs: set[str] = set(shots.values())
    missing = len(wanted) - len(shots)
    while some := list(islice(keys, _AT_ONCE)):
        for kind in (AER_RECORDS, AER_DERIVED):
            found: dict[str, Found[Any]] = store.find(kind, some)
            packs |= {item.digest for item in found.values()}
            missing += len(some) - len(found)
    return packs, missing


def _attempts(store: Store, saved: SavedRun, stage: StageName, realm: str) -> tuple[Attempt, ...]:
    """Attempts that stand for the run's points, and those that it made itself."""
    named = {
        job
        for used in saved.state.each(StageUsed)
        if used.stage == stage.value
        for job in used.jobs
    }
    return tuple(
        attempt
        for attempt in read_attempts(store, stage, realm)
        if attempt.job in named or attempt.intent.run == saved.state.id
    )


def _measured(
    store: Store, saved: SavedRun, stage: StageName, attempts: Sequence[Attempt]
) -> Iterator[str]:
    for attempt in attempts:
        for completion in attempt.completions.values():
            yield completion.records
    used = saved.used(stage)
    if stage is StageName.HARDWARE and used and saved.realm is not None:
        rows = list(server_rows(store, saved.plan, stage, saved.realm, used))
        keys = {derived_key(row.sources) for row in rows if row.sources}
        yield from kept(store, (row for row in rows if row.point.memory)).values()
        yield from {item.digest for item in store.find(HARDWARE_DERIVED, keys).values()}


YOUNG_SECONDS = 3600.0
"""Files that were written less than so long ago are kept."""

OBJECT = "no run, job or answered ask leads to it"
LEFTOVER = "a program that ended left it unfinished"
STALE = "its pack is gone"


@frozen(order=True)
class Item:
    """A file by its path in the folder, its size in bytes, and why it is not needed."""

    path: str
    bytes: int
    why: str


@frozen
class Garbage:
    """`items` in an order in which they may be dropped, and how many `young` files were kept."""

    items: tuple[Item, ...]
    young: int

    @property
    def bytes(self) -> int:
        """Size of it all."""
        return sum(item.bytes for item in self.items)


def find_garbage(store: Store, now: float) -> Garbage:
    """What may be dropped at the time `now` (seconds since 1970).

    StoreCorrupt where the folder is damaged: what is needed cannot be told then.
    """
    if problems := verify(store).problems:
        raise StoreCorrupt(
            f"{store.root.as_posix()} is damaged ({count(len(problems), 'problem')}): what is "
            "needed cannot be told",
            hint="`iqm-spec verify` names every bad file; nothing was dropped",
        )
    objects = objects_in(store.root)
    saved = (load_run(store, state.id) for state in store.runs())
    needed = [digest for run in saved for digest in needs_of(store, run).objects]
    used = reached(objects, (*roots(store.root), *needed))
    unused = {digest: path for digest, path in objects.items() if digest not in used}
    young = {digest for digest, path in unused.items() if _is_young(path, now)}
    kept = reached(unused, sorted(young))
    old = {digest: path for digest, path in unused.items() if digest not in kept}
    found = [_item(store.root, path, OBJECT) for path in _in_order(old)]
    left = sorted(store.root / TMP / name for name in names_in(store.root / TMP))
    unfinished = [path for path in left if path.is_file() and not path.is_symlink()]
    found += [_item(store.root, path, LEFTOVER) for path in unfinished if not _is_young(path, now)]
    found += [
        _item(store.root, path, STALE) for path in _stale(store.root, objects.keys() - old.keys())
    ]
    return Garbage(tuple(found), len(kept) + sum(_is_young(path, now) for path in unfinished))


def drop(store: Store, garbage: Garbage) -> None:
    """Remove the files, what names others before the others: a kill leaves a sound folder."""
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
    except FileNotFoundError:  # a run that is at work has finished with it
        return True


def _item(root: Path, path: Path, why: str) -> Item:
    try:
        size = path.stat().st_size
    except FileNotFoundError:  # another process dropped it just now
        size = 0
    return Item(path.relative_to(root).as_posix(), size, why)
