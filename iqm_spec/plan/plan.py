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

    def to_json(self) -> dict[str, Json]:
        """The point's line in the plan's pack; the key keeps the order of points."""
        return {
            "key": f"{self.index:08d}",
            "point": self.id,
            "circuit": self.name,
            "values": [
                [name, list(value) if isinstance(value, tuple) else value]
                for name, value in self.values
            ],
            "repeat": self.repeat,
            "shots": self.shots,
            "target": self.target,
            "options": dict(self.options),
            "ask": self.circuit_key,
            "native": self.circuit,
            "summary": self.summary.to_json(),
            **({"priority": self.priority} if self.priority else {}),
            **({"memory": True} if self.memory else {}),
        }

    @classmethod
    def of_record(cls, record: PlanRecord) -> PlannedPoint:
        """The point that `to_json` wrote."""
        return cls(
            index=int(record.key),
            id=record.point,
            name=record.circuit,
            values=record.values,
            repeat=record.repeat,
            shots=record.shots,
            target=record.target,
            options=record.options,
            circuit_key=record.ask,
            circuit=record.native,
            summary=record.summary,
            priority=record.priority,
            memory=record.memory,
        )


@frozen
class Plan:
    """Points in order with what they share. `digest` is the sha256 of the plan's pack.

    `unkept` are circuits by their keys that no folder holds: those of a plan that was made for a
    dry run.
    """

    digest: str
    header: PlanHeader
    points: tuple[PlannedPoint, ...]
    unkept: Mapping[str, Native] = field(factory=dict, repr=False)

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


def lines(points: Iterable[PlannedPoint]) -> Iterator[Mapping[str, Json]]:
    """The pack's lines of `points`."""
    return (point.to_json() for point in points)


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
