"""A data file that has been read: its columns, and where their values stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from iqm_spec.diagnostics import NOWHERE, Span
from iqm_spec.json_types import Json

MOST_CELLS = 2_000_000
"""Values of a data file."""


@frozen
class Column:
    """Values of one column in order; `header` is the place of its name, `places` of its values.

    Where places are missing the file has no lines.
    """

    values: list[Json] = field(repr=False)
    header: Span = NOWHERE
    places: Sequence[Span] = field(default=(), repr=False)

    def span(self, row: int | None) -> Span:
        """Place of a value, or of the column's name."""
        return self.header if row is None or row >= len(self.places) else self.places[row]


Table = Mapping[str, Column]
"""Columns of a data file by name, in its order."""
