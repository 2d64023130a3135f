"""What a check of a stored run found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isclose
from typing import Any

from attrs import frozen

from iqm_spec.json_types import Json
from iqm_spec.plan.label import label
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.store.records import Record
from iqm_spec.store.structure import to_json

TOLERANCE = 1e-9
"""Derived figures may differ by so much: other platforms add in another order."""


@frozen
class Mismatch:
    """One thing that came out otherwise: `what` it is, and `why` it is not as it was."""

    what: str
    why: str


@frozen
class ReplayCheck:
    """`total` things were looked at, and all but `mismatches` came out as they were.

    `note` says what a reader must know: other versions, things that cannot be checked.
    """

    name: str
    total: int
    mismatches: tuple[Mismatch, ...] = ()
    note: str = ""
    loose: int = 0
    """How many came out otherwise in a way that proves nothing: under other versions."""

    @property
    def same(self) -> int:
        """How many came out as they were."""
        return self.total - len(self.mismatches) - self.loose

    def to_json(self) -> dict[str, Json]:
        """The check as `reproduce --json` tells it."""
        return {
            "name": self.name,
            "total": self.total,
            "same": self.same,
            "mismatches": [{"what": one.what, "why": one.why} for one in self.mismatches],
            "note": self.note,
            "loose": self.loose,
        }


def check_of(
    name: str, total: int, found: Iterable[Mismatch], note: str = "", loose: int = 0
) -> ReplayCheck:
    """The outcome of one sort of check."""
    return ReplayCheck(name, total, tuple(found), note, loose)


def named(point: PlannedPoint, stage: str) -> str:
    """A point as people read it, with its stage."""
    return f"{label(point.name, point.values, point.repeat)} ({stage})"


def differing(stored_record: Record, made_record: Record) -> list[str]:
    """The fields that differ between two records, numbers beyond `TOLERANCE`."""
    stored, made = to_json(stored_record), to_json(made_record)
    return [
        name
        for name in sorted({*stored, *made})
        if not _alike(stored.get(name, ...), made.get(name, ...))
    ]


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, float) or isinstance(other, float):
        numbers = isinstance(one, int | float) and isinstance(other, int | float)
        return numbers and isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other)
