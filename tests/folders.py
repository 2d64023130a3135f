"""Results folders for tests, and what is in them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

KEPT = ("objects", "asks", "runs", "jobs")
_DIGEST = re.compile(rb'"([0-9a-f]{64})"')


def paths(root: Path, *folders: str) -> list[Path]:
    """Files in the folders that git keeps (or in some of them), sorted."""
    return sorted(
        path for name in folders or KEPT for path in (root / name).rglob("*") if path.is_file()
    )


def digests(root: Path) -> dict[str, Path]:
    """Objects by digest."""
    return {path.stem: path for path in paths(root, "objects")}


def named(root: Path) -> set[Path]:
    """Files that another file of the folder names: by digest, or by its number in a journal.

    What completed a job of a stage that passed is named by the run; so all runs must have passed.
    """
    objects = digests(root)
    found = {
        objects[digest.decode()]
        for path in paths(root, "objects", "runs", "jobs")
        for digest in _DIGEST.findall(path.read_bytes())
        if digest.decode() in objects
    }
    found |= {objects[path.name.partition("-")[2]] for path in paths(root, "asks")}
    for path in paths(root, "runs", "jobs"):
        last = max(int(other.name[:4]) for other in path.parent.iterdir())
        alone = sum(other.name[:4] == path.name[:4] for other in path.parent.iterdir()) == 1
        completed = "-completed-" in path.name
        if alone and (completed or int(path.name[:4]) < last):
            found.add(path)
    return found


def copied(source: Path, target: Path, *, derived: bool = True) -> Path:
    """A copy of a folder that may be changed; without what is `derived`, as git has it."""
    left = () if derived else ("index", "tmp")
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*left))
    return target
