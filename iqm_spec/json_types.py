"""Types of plain JSON data, as it stands between a file and the frozen classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Scalar = str | int | float | bool
"""One value in a spec. A number that is a whole number is always an `int` (1000 = 1e3 = 1000.0)."""

Json = Scalar | None | Sequence["Json"] | Mapping[str, "Json"]
"""Any JSON value; sequences are `list` or `tuple`, mappings `dict`."""
