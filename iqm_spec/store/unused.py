"""Objects that no run, no job and no answered ask leads to.

They were left by a killed run, or by a spec that changed. None of them is a problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from iqm_spec.store.layout import ASKS, JOBS, OBJECT_NAME, OBJECTS, POINTER_NAME, RUNS
from iqm_spec.store.reading import open_regular
from iqm_spec.store.references import mentions

_PIECE = 1 << 20
_OVERLAP = 80  # more than a digest in quotes


def objects_in(root: Path) -> dict[str, Path]:
    """Digest to file of everything in objects/ that is named as an object."""
    return {
        match[1]: path
        for path in _files(root / OBJECTS)
        if (match := OBJECT_NAME.fullmatch(path.name))
    }


def reached(objects: Mapping[str, Path], start: Iterable[str]) -> set[str]:
    """Those of the objects that `start` holds, and what these lead to. Each is read once."""
    waiting = [digest for digest in dict.fromkeys(start) if digest in objects]
    found = set(waiting)
    while waiting:
        more = mentioned(objects[waiting.pop()]) & objects.keys() - found
        found |= more
        waiting += more
    return found


def roots(root: Path) -> Iterator[str]:
    """Whatever looks like a digest in runs, jobs and answered asks."""
    for path in _files(root / ASKS):
        if match := POINTER_NAME.fullmatch(path.name):
            yield match[2]
    for folder in (RUNS, JOBS):
        for path in _files(root / folder):
            yield from mentioned(path)


def mentioned(path: Path) -> set[str]:
    """What looks like a digest in a file, read in pieces."""
    found: set[bytes] = set()
    rest = b""
    with open_regular(path) as file:
        while piece := file.read(_PIECE):
            found |= mentions(rest + piece)
            rest = piece[-_OVERLAP:]
    return {digest.decode() for digest in found}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
