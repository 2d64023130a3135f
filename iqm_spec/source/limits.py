"""Sizes that a spec file may have; specs come from strangers, so memory is taken afterwards."""

from __future__ import annotations

MOST_BYTES = 8 * 1024 * 1024
"""Size of a spec file in bytes."""

MOST_NODES = 2_000_000
"""Values in a spec file: mappings, lists and scalars together."""

MOST_DEPTH = 64
"""Mappings and lists inside each other."""

MOST_MISTAKES = 100
"""Mistakes reported for one file; the rest is counted only."""
