"""Lines of files for excerpts below a mistake: of specs, of circuit files, and of `--set` texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from iqm_spec.source.places import Mistake
from iqm_spec.source.read import read_bytes
from iqm_spec.source.secrets import conceal

OVERRIDES = "--set"
"""Stands for the file of mistakes in overrides; their line counts the overrides from 1."""


def line_reader(
    overrides: Sequence[str] = (), texts: Mapping[str, str] | None = None
) -> Callable[[str, int], str | None]:
    """`line_of(file, number)` for `diagnostics.render`: None where there is no such line.

    `texts` are those of files that were never on the disk. What looks like a secret is masked,
    whatever the mistake on its line is. A file that could hold no spec (a pipe, a device, more than
    8 MiB, no text) has no lines.
    """
    given = texts or {}

    @cache
    def lines(file: str) -> Sequence[str]:
        return given[file].split("\n") if file in given else _lines(file)

    def line_of(file: str, number: int) -> str | None:
        found = overrides if file == OVERRIDES else lines(file)
        return conceal(found[number - 1]) if 0 < number <= len(found) else None

    return line_of


def _lines(file: str) -> Sequence[str]:
    data = read_bytes(Path(file))
    if isinstance(data, Mistake) or b"\0" in data:  # QPY and NPZ have no lines to show
        return ()
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return text.replace("\r", "\n").split("\n")
