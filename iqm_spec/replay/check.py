"""Results of the checks of `reproduce`."""

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
"""Allowed difference of derived figures: other platforms add in another order."""


@frozen
class Mismatch:
    """A difference: `what` differs, and `why`."""

    what: str
    why: str


@frozen
class ReplayCheck:
    """The result of one check: `total` items were compared, and `mismatches` differ.

    `note` says what a reader must know: other versions, items that cannot be checked.
    """

    name: str
    total: int
    mismatches: tuple[Mismatch, ...] = ()
    note: str = ""
    loose: int = 0
    """Number of items that differ in bits, but agree statistically, with other versions."""

    @property
    def same(self) -> int:
        """Number of items that agree."""
        return self.total - len(self.mismatches) - self.loose

    def to_json(self) -> dict[str, Json]:
        """The entry in the answer of `reproduce --json`."""
        return {
            "name": self.name,
            "total": self.total,
            "same": self.same,
            "mismatches": [
                {"what": mismatch.what, "why": mismatch.why} for mismatch in self.mismatches
            ],
            "note": self.note,
            "loose": self.loose,
        }


def check_of(
    name: str, total: int, mismatches: Iterable[Mismatch], note: str = "", loose: int = 0
) -> ReplayCheck:
    """The result of one check."""
    return ReplayCheck(name, total, tuple(mismatches), note, loose)


def mismatch_of(what: str, fields: Iterable[str]) -> Mismatch:
    """The mismatch of something whose `fields` differ."""
    return Mismatch(what, f"differs in {' and '.join(fields)}")


def named(point: PlannedPoint, stage: str) -> str:
    """A point's name with its stage."""
    return f"{label(point.name, point.values, point.repeat)} ({stage})"


def differing(stored_record: Record, made_record: Record) -> list[str]:
    """The fields that differ between two records; numbers within `TOLERANCE` are equal."""
    stored, made = to_json(stored_record), to_json(made_record)
    return [
        name
        for name in sorted({*stored, *made})
        if not _alike(stored.get(name, ...), made.get(name, ...))
    ]


def _alike(left: Any, right: Any) -> bool:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_alike(left[key], right[key]) for key in left)
    if isinstance(left, float) or isinstance(right, float):
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        return numbers and isclose(left, right, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_alike, left, right))
    return bool(left == right)
