"""Options of a job that change how long a shot takes."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from iqm_spec.cost.ranges import Range
from iqm_spec.json_types import Json

PLAIN = "plain"
HERALDING = "heralding"

HERALDING_MOST = 1.1
"""A heralding measurement adds a readout to each shot. How long that takes is published nowhere;
readouts take some microseconds, and the wait for reset before it takes hundreds."""


def conditions_of(options: Mapping[str, Json]) -> str:
    """`plain`, `heralding`, `active reset 2` or both: jobs of other conditions tell little."""
    found = []
    if options.get("heralding", "none") != "none":
        found.append(HERALDING)
    if options.get("active_reset_cycles") is not None:
        found.append(f"active reset {options['active_reset_cycles']}")
    return ", ".join(found) or PLAIN


def from_plain(plain: Range, overhead: Range, conditions: str) -> Range:
    """QPU seconds under some conditions, where only plain jobs were measured.

    `overhead` is the job's without any shot. Active reset replaces the wait that takes most of a
    shot: what plain jobs took is then an upper bound, and as good a guess as there is.
    """
    found = plain
    if HERALDING in conditions:
        found = evolve(found, high=found.high * HERALDING_MOST)
    if "active reset" in conditions:
        found = evolve(found, low=min(overhead.low, found.low))
    return found


def notes(conditions: str) -> list[str]:
    """What to know of a prediction under some conditions, made from plain jobs."""
    found = []
    if HERALDING in conditions:
        found.append(
            f"heralding adds a readout to each shot: up to {HERALDING_MOST - 1:.0%} more is assumed"
        )
    if "active reset" in conditions:
        found.append(
            "active reset replaces the wait that takes most of a shot, so the time model does not "
            "apply: its figure is kept as an upper bound"
        )
    return found
