"""From an ask to what answers it: empty write-once files named `<n>-<digest of the answer>`.

The highest n wins, then the smallest digest, so two people's answers unite without a conflict.
"""

from __future__ import annotations

from pathlib import Path

from iqm_spec.store.folder import Folder
from iqm_spec.store.layout import ASKS, DIGEST, POINTER_NAME
from iqm_spec.store.objects import check_object
from iqm_spec.store.reading import names_in


def link_answer(folder: Folder, ask: str, answer: str, *, replan: bool = False) -> None:
    """Makes an object the answer to `ask`; with `replan` it comes before all others."""
    path = _folder_of(folder.root, ask)
    check_object(folder.root, answer)
    known = _pointers(path)
    newest = max((number for number, _ in known), default=0)
    number = newest + 1 if replan or not known else newest
    if (number, answer) not in known and not (replan and _winner(known) == answer):
        folder.write(path / f"{number}-{answer}", b"", exclusive=True)


def find_answer(root: Path, ask: str) -> str | None:
    """Digest of the object that answers `ask`."""
    return _winner(_pointers(_folder_of(root, ask)))


def _folder_of(root: Path, ask: str) -> Path:
    if not DIGEST.fullmatch(ask):
        raise ValueError(f"an ask key is a sha256 in lower-case hex, got {ask!r}")
    return root / ASKS / ask


def _pointers(path: Path) -> set[tuple[int, str]]:
    found = (POINTER_NAME.fullmatch(name) for name in names_in(path))
    return {(int(match[1]), match[2]) for match in found if match}


def _winner(pointers: set[tuple[int, str]]) -> str | None:
    if not pointers:
        return None
    newest = max(number for number, _ in pointers)
    return min(plan for number, plan in pointers if number == newest)
