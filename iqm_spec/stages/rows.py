"""A run's results, one row per point: what was planned, and its record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from iqm_spec.json_types import Json
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.store import Store
from iqm_spec.store.records import (
    AER_DERIVED,
    AER_RECORDS,
    CountsRecord,
    DerivedRecord,
    StoredComparison,
)
from iqm_spec.store.structure import to_json

_AT_ONCE = 4096


@frozen
class Row:
    """One point of one stage. `record` and `derived` are None where the point was not reached.

    A record of a quantum computer has a `calibration_set_id`; a point that was measured under two
    of them has two rows. `emulated`: a program stood for the quantum computer.
    """

    point: PlannedPoint
    stage: str
    key: str
    record: CountsRecord | None
    derived: DerivedRecord | None
    emulated: bool = False
    ended: bool = True
    """Whether the point's jobs have all been completed, so that a missing record is a lost one."""
    waiting: bool = False
    """Whether its job is at the server, or may be."""
    sources: tuple[str, ...] = ()
    """Keys of the records that a server stage's row is the sum of; empty for a simulation."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Bitstrings as Qiskit prints them, with how often each was seen."""
        return self.record.counts if self.record else {}

    @property
    def comparison(self) -> StoredComparison | None:
        """Distances to the ideal distribution, or None where it is not known."""
        return self.derived.comparison if self.derived else None

    @property
    def calibration_set_id(self) -> str | None:
        """The calibration set that it was measured under, where that is known."""
        return self.record.calibration_set_id if self.record else None

    @property
    def ideal(self) -> Mapping[str, float] | None:
        """Ideal probabilities, where they are known."""
        return self.derived.ideal if self.derived else None

    @property
    def why_no_comparison(self) -> str | None:
        """Why there are no distances, where that is known."""
        return self.derived.reason if self.derived else None

    def to_json(self) -> dict[str, Json]:
        """The row as `export` gives it."""
        returned = self.record.shots_returned if self.record else None
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
            "method": self.record.method if self.record else None,
            "calibration_set_id": self.calibration_set_id,
            "comparison": None if self.comparison is None else to_json(self.comparison),
            "why_no_comparison": self.why_no_comparison,
            "native_circuit": self.point.circuit,
            "gates": dict(self.point.summary.gates),
            "depth": self.point.summary.depth,
            "key": self.key,
        }


def rows_of(store: Store, points: Sequence[PlannedPoint], keys: Sequence[str]) -> Iterator[Row]:
    """Rows of `points` of the Aer stage, whose records have `keys`; some at a time in memory."""
    for start in range(0, len(keys), _AT_ONCE):
        batch_keys = keys[start : start + _AT_ONCE]
        records = store.find(AER_RECORDS, set(batch_keys))
        derived = store.find(AER_DERIVED, set(batch_keys))
        for point, key in zip(points[start : start + _AT_ONCE], batch_keys, strict=True):
            record, more = records.get(key), derived.get(key)
            yield Row(
                point=point,
                stage="aer",
                key=key,
                record=record.record if record else None,
                derived=more.record if more else None,
            )
