"""What a results folder can do without: objects that nothing leads to, and what is left of others.

Runs, jobs and asks are never among it, nor what any run computes with. What is young may belong to
a run that is at work, so it is kept with all that it names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import frozen

from iqm_spec.engine.saved import load_run
from iqm_spec.errors import StoreCorrupt
from iqm_spec.plan.label import count
from iqm_spec.runs.needs import needs_of
from iqm_spec.store import Store, verify
from iqm_spec.store.files import names_in, translated
from iqm_spec.store.layout import DIGEST, INDEX, KIND, TMP
from iqm_spec.store.references import mentioned, objects_in, reached, roots

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
