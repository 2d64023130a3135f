"""The plan: what is to be run, point by point. No time, host or user in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from iqm_spec.json_types import Json
from iqm_spec.model import Values
from iqm_spec.native import CircuitSummary, Native
from iqm_spec.plan.label import label

if TYPE_CHECKING:  # the classes of what is stored take milliseconds to make
    from iqm_spec.store import Store
    from iqm_spec.store.records import PlanHeader, PlanRecord
    from iqm_spec.targets import ErrorProfile


@frozen
class PlannedPoint:
    """One circuit to measure: which stored circuit, how often, under which options.

    `circuit_key` leads to the stored circuit; `circuit` is that circuit's own digest.
    """

    index: int
    id: str
    name: str
    values: Values
    repeat: int
    shots: int
    target: str
    options: Mapping[str, Json]
    circuit_key: str
    circuit: str
    summary: CircuitSummary
    """Of the transpiled circuit."""
    priority: float = 0
    memory: bool = False
    """Whether the bits of every shot are kept; no part of any key."""

    @classmethod
    def of_record(cls, record: PlanRecord) -> PlannedPoint:
        """The point of a stored record, which has the same fields in the same order."""
        return cls(
            int(record.key),
            record.point,
            record.circuit,
            record.values,
            record.repeat,
            record.shots,
            record.target,
            record.options,
            record.ask,
            record.native,
            record.summary,
            record.priority,
            record.memory,
        )


@frozen
class Plan:
    """Points in order with what they share. `digest` is the sha256 of the plan's pack.

    `unkept` are circuits by their keys that no folder holds: those of a plan that was made for a
    dry run. `profiles` are then the errors by which they were placed, by target.
    """

    digest: str
    header: PlanHeader
    points: tuple[PlannedPoint, ...]
    unkept: Mapping[str, Native] = field(factory=dict, repr=False)
    profiles: Mapping[str, ErrorProfile] = field(factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The spec's name."""
        return self.header.spec.name

    @property
    def circuits(self) -> int:
        """Number of different transpiled circuits."""
        return len({point.circuit for point in self.points})


def read_plan(store: Store, digest: str) -> Plan:
    """The plan stored under `digest`."""
    from iqm_spec.store.records import PLAN

    pack = store.read_pack(digest, PLAN)
    return Plan(digest, pack.header, tuple(map(PlannedPoint.of_record, pack.records)))


def records(points: Iterable[PlannedPoint]) -> Iterator[PlanRecord]:
    """The records of points in the plan's pack; their keys keep the order of points."""
    from iqm_spec.store.records import PlanRecord

    for point in points:
        yield PlanRecord(
            f"{point.index:08d}",
            point.id,
            point.name,
            point.values,
            point.repeat,
            point.shots,
            point.target,
            point.options,
            point.circuit_key,
            point.circuit,
            point.summary,
            point.priority or 0,
            point.memory,
        )


def collapsed(points: Iterable[PlannedPoint]) -> list[str]:
    """One line for each circuit that collapsed, at its first such point."""
    first: dict[str, PlannedPoint] = {}
    for point in points:
        if point.summary.written is not None:
            first.setdefault(point.name, point)
    described = []
    for point in first.values():
        several, single = point.summary.written or (0, 0)
        gates = point.summary.gates
        described.append(
            f"{label(point.name, point.values)} is written with {several:,} gates on several "
            f"qubits and {single:,} on one; transpiled it has {gates.get('cz', 0):,} cz and "
            f"{gates.get('r', 0):,} r. Barriers, or `transpile: {{verbatim: true}}`, keep gates "
            "apart"
        )
    return described
