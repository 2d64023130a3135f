"""Bytes of a data file to its columns, or every mistake in it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath

from iqm_spec.data.columns import Table
from iqm_spec.data.csv_table import csv_table
from iqm_spec.data.json_table import json_table
from iqm_spec.data.npz_table import npz_table
from iqm_spec.diagnostics import NOWHERE
from iqm_spec.source.limits import MOST_MISTAKES
from iqm_spec.source.places import Mistake
from iqm_spec.source.text import decode

ENDINGS = (".csv", ".json", ".npz")
"""Names of data files end so."""


def read_table(
    data: bytes, ref: str, only: Collection[str] | None = None
) -> tuple[Table, list[Mistake]]:
    """Columns of the file whose path is `ref`; of use where there are no mistakes.

    Texts of columns that `only` lacks are not looked at: they may be notes.
    """
    ending = PurePosixPath(ref).suffix.lower()
    if ending == ".npz":
        table, mistakes = npz_table(data)
    elif ending in ENDINGS:
        text, mistakes = decode(data)
        if mistakes:
            return {}, mistakes
        table, mistakes = csv_table(text, only) if ending == ".csv" else json_table(text)
    else:
        hint = "a data file is .csv, .json or .npz"
        return {}, [Mistake(NOWHERE, "S313", f"`{ref}` is no data file by its name", hint)]
    if not table and not mistakes:
        mistakes = [Mistake(NOWHERE, "S313", "the file has no columns")]
    return table, mistakes[:MOST_MISTAKES]
