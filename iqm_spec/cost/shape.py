"""What a time model looks at in a job: numbers of circuits, shots, qubits and layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import asdict, frozen

from iqm_spec.json_types import Json


@frozen
class JobShape:
    """A job as a time model sees it. `qubits`, `depth` and `volume` are sums over its circuits.

    The volume of a circuit is qubits times depth. `shots` are those of each circuit.
    """

    circuits: int
    shots: int
    qubits: float
    depth: float
    volume: float

    @property
    def executions(self) -> int:
        """Circuits times shots."""
        return self.circuits * self.shots

    def to_json(self) -> dict[str, Json]:
        """As a job's intent keeps it."""
        return dict(asdict(self))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JobShape:
        """The shape that `to_json` wrote."""
        return cls(
            **{name: data[name] for name in ("circuits", "shots", "qubits", "depth", "volume")}
        )


def job_shape(circuits: Iterable[tuple[int, int]], shots: int) -> JobShape:
    """The shape of a job of circuits that are given by their qubits and depth."""
    listed = list(circuits)
    return JobShape(
        circuits=len(listed),
        shots=shots,
        qubits=sum(qubits for qubits, _ in listed),
        depth=sum(depth for _, depth in listed),
        volume=sum(qubits * depth for qubits, depth in listed),
    )


def alike(num_qubits: float, depth: float, circuits: int, shots: int) -> JobShape:
    """The shape of a job whose circuits all have the same numbers of qubits and layers."""
    return JobShape(
        circuits=circuits,
        shots=shots,
        qubits=circuits * num_qubits,
        depth=circuits * depth,
        volume=circuits * num_qubits * depth,
    )
