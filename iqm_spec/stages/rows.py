"""A run's results, one row per point: what was planned beside what was got."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from iqm_spec.json_types import Json
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.store import Store

RECORDS = "aer-records"
"""Kind of the packs that hold counts of the Aer stage."""

_AT_ONCE = 4096

DERIVED = "aer-derived"
"""Kind of the packs that hold what can be computed again from counts and circuits."""


@frozen
class Row:
    """One point of one stage. `record` and `derived` are None where the point was not reached.

    A record of a machine has a `calibration_set_id`; where a point was measured under two of them
    it has two rows. `emulated`: a program stood for the machine.
    """

    point: PlannedPoint
    stage: str
    key: str
    record: Mapping[str, Any] | None
    derived: Mapping[str, Any] | None
    emulated: bool = False
    ended: bool = True
    """Whether the point's jobs have all been completed, so that a missing record is a lost one."""
    waiting: bool = False
    """Whether its job is at the server, or may be."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Bitstrings as Qiskit prints them, with how often each was seen."""
        return self.record["counts"] if self.record else {}

    @property
    def sources(self) -> list[str]:
        """Keys of the records that a machine's row is the sum of; empty for a simulation."""
        return list(self.record.get("records", ())) if self.record else []

    @property
    def comparison(self) -> Mapping[str, Any] | None:
        """Distances to the ideal distribution, or None where it is not known."""
        return self.derived["comparison"] if self.derived else None

    def to_json(self) -> dict[str, Json]:
        """The row as `export` gives it."""
        returned = self.record["shots_returned"] if self.record else None
        return {
            "point": self.point.id,
            "stage": self.stage,
            "emulated": self.emulated,
            "circuit": self.point.name,
            "values": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in self.point.values
            },
            "repeat": self.point.repeat,
            "target": self.point.target,
            "shots": self.point.shots,
            "shots_returned": returned,
            "counts": dict(self.counts),
            "method": self.record.get("method") if self.record else None,
            "calibration_set_id": self.record.get("calibration_set_id") if self.record else None,
            "comparison": None if self.comparison is None else dict(self.comparison),
            "why_no_comparison": self.derived.get("reason") if self.derived else None,
            "native_circuit": self.point.circuit,
            "gates": self.point.summary["gates"],
            "depth": self.point.summary["depth"],
            "key": self.key,
        }


def rows_of(store: Store, points: Sequence[PlannedPoint], keys: Sequence[str]) -> Iterator[Row]:
    """Rows of `points` whose records have `keys`, some at a time in memory."""
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        records = store.find(RECORDS, set(some))
        derived = store.find(DERIVED, set(some))
        for point, key in zip(points[start : start + _AT_ONCE], some, strict=True):
            record, more = records.get(key), derived.get(key)
            yield Row(
                point=point,
                stage="aer",
                key=key,
                record=record.record if record else None,
                derived=more.record if more else None,
            )
