"""Objects that no run, no job and no answered ask leads to.

They were left by a killed run, or by a spec that changed. None of them is a problem.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from iqm_spec.store.layout import ASKS, JOBS, OBJECT_NAME, OBJECTS, POINTER_NAME, RUNS
from iqm_spec.store.reading import open_regular
from iqm_spec.store.references import mentions

_PIECE = 1 << 20
_OVERLAP = 80  # more than a digest in quotes


def unused_objects(root: Path) -> tuple[Path, ...]:
    """Their files, sorted. An object is in use where anything in use mentions its digest."""
    objects = {
        match[1].encode(): path
        for path in _files(root / OBJECTS)
        if (match := OBJECT_NAME.fullmatch(path.name))
    }
    waiting = [digest for digest in _roots(root) if digest in objects]
    reached = set(waiting)
    while waiting:
        found = _mentioned(objects[waiting.pop()]) & objects.keys() - reached
        reached |= found
        waiting += found
    return tuple(sorted(objects[digest] for digest in objects.keys() - reached))


def _roots(root: Path) -> Iterator[bytes]:
    for path in _files(root / ASKS):
        if match := POINTER_NAME.fullmatch(path.name):
            yield match[2].encode()
    for folder in (RUNS, JOBS):
        for path in _files(root / folder):
            yield from _mentioned(path)


def _mentioned(path: Path) -> set[bytes]:
    """What looks like a digest in a file, read in pieces."""
    found: set[bytes] = set()
    rest = b""
    with open_regular(path) as file:
        while piece := file.read(_PIECE):
            found |= mentions(rest + piece)
            rest = piece[-_OVERLAP:]
    return found


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
