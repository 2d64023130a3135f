"""A tree without its bad parts, so that the rest of a wrong spec can be checked in the same run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from iqm_spec.diagnostics import TreePath
from iqm_spec.json_types import Json
from iqm_spec.spec.schema import SECTIONS


def prune(tree: Mapping[str, Json], bad: Iterable[TreePath]) -> dict[str, Any]:
    """A copy of `tree` without the fields that hold the `bad` paths.

    Values of a sweep go one by one; entries of `circuits` become None, so that the others keep
    their places.
    """
    pruned = dict(tree)
    for path in sorted({_whole(path) for path in bad if path}, key=_backwards, reverse=True):
        _remove(pruned, path)
    return pruned


def _whole(path: TreePath) -> TreePath:
    """The field to leave out for a mistake at `path`."""
    if path[0] == "circuits" and len(path) > 2:
        return path[:2] + _whole(path[2:])
    if path[0] in ("circuits", "sweep"):
        return path
    return path[: 2 if path[0] in SECTIONS else 1]


def _backwards(path: TreePath) -> tuple[tuple[bool, int, str], ...]:
    """Sorts list positions as numbers, so that later items go before earlier ones."""
    return tuple(
        (isinstance(step, int), step if isinstance(step, int) else 0, str(step)) for step in path
    )


def _remove(tree: dict[str, Any], path: TreePath) -> None:
    """Take `path` out of `tree`, copying the containers on the way."""
    here: Any = tree
    for step in path[:-1]:
        try:
            child = here[step]
        except (KeyError, IndexError, TypeError):
            return
        if not isinstance(child, dict | list):
            return
        here[step] = child.copy()
        here = here[step]
    last = path[-1]
    if isinstance(here, list) and isinstance(last, int) and last < len(here):
        if path[0] == "circuits" and len(path) == 2:
            here[last] = None
        else:
            del here[last]
    elif isinstance(here, dict):
        here.pop(str(last), None)
