"""What a time model knows of a job: circuits, shots, qubits, layers, and its measured time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen

from iqm_spec.json_types import Json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
    sizes = list(circuits)
    return JobShape(
        circuits=len(sizes),
        shots=shots,
        qubits=sum(qubits for qubits, _ in sizes),
        depth=sum(depth for _, depth in sizes),
        volume=sum(qubits * depth for qubits, depth in sizes),
    )


def uniform_job(num_qubits: float, depth: float, circuits: int, shots: int) -> JobShape:
    """The shape of a job whose circuits all have the same numbers of qubits and layers."""
    return JobShape(
        circuits=circuits,
        shots=shots,
        qubits=circuits * num_qubits,
        depth=circuits * depth,
        volume=circuits * num_qubits * depth,
    )


@frozen
class Timing:
    """One job, and the seconds between its `execution_started` and `execution_ended`."""

    shape: JobShape
    qpu_seconds: float


def in_order(timings: Iterable[Timing]) -> list[Timing]:
    """Timings sorted, so that a fit does not depend on their order."""
    return sorted(timings, key=lambda job: (*job.shape.to_json().values(), job.qpu_seconds))


def seconds_of(timings: Sequence[Timing]) -> NDArray[np.float64]:
    """The measured seconds: shape (jobs,)."""
    import numpy as np

    return np.array([timing.qpu_seconds for timing in timings], dtype=float)
