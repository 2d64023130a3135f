"""The parts that a job's QPU time can be made of. Each grows with the job or stays, none shrinks.

A job starts (`job`, and more for more qubits), loads each circuit, and executes each circuit so
often: a wait for reset, the gates and the readout. What a machine really spends on each is fitted
as a coefficient that is not negative, so that no prediction is negative or falls with more shots,
circuits, qubits or layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iqm_spec.cost.shape import JobShape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TERMS: dict[str, str] = {
    "job": "per job",
    "job qubits": "per job and qubit",
    "circuit": "per circuit",
    "circuit qubits": "per circuit and qubit",
    "circuit depth": "per circuit and layer",
    "circuit volume": "per circuit, qubit and layer",
    "shot": "per shot, however many circuits",
    "batch": "per shot and square root of the circuits: what gets cheaper in large batches",
    "execution": "per execution of a circuit",
    "execution qubits": "per execution and qubit",
    "execution depth": "per execution and layer",
    "execution volume": "per execution, qubit and layer",
}
"""Name to what a coefficient, in seconds, is multiplied by."""


def matrix(shapes: Sequence[JobShape]) -> NDArray[np.float64]:
    """The terms of some jobs: shape (jobs, terms), columns in the order of `TERMS`."""
    import numpy as np

    told = np.array(
        [(s.circuits, s.shots, s.qubits, s.depth, s.volume) for s in shapes], dtype=float
    ).reshape(len(shapes), 5)
    circuits, shots, qubits, depth, volume = told.T
    one = np.ones_like(circuits)
    columns = [
        one,
        qubits / np.maximum(circuits, 1),
        circuits,
        qubits,
        depth,
        volume,
        shots,
        shots * np.sqrt(circuits),
        shots * circuits,
        shots * qubits,
        shots * depth,
        shots * volume,
    ]
    return np.column_stack(columns)
