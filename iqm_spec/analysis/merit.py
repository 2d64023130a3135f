"""Figures of merit: what an analysis says of counts, with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import asdict, field, frozen

from iqm_spec.json_types import Json

if TYPE_CHECKING:
    from iqm_spec.store.records import AnalysisRecord

QUBIT = "qubit"
"""The axis that physical qubits are in values, and the detail that names one, of a single qubit."""


@frozen
class Merit:
    """One figure: its value, its standard error, and a 95 % interval; None where unknown."""

    name: str
    value: float
    error: float | None = None
    low: float | None = None
    high: float | None = None

    def to_json(self) -> dict[str, Json]:
        """The fields by name."""
        return asdict(self)


@frozen
class Curve:
    """Points that a figure was fitted to, and the fit on a finer grid: drawn, never read again."""

    axis: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    errors: tuple[float, ...] = ()
    fit_x: tuple[float, ...] = ()
    fit_y: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The fields by name."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


@frozen
class Analysed:
    """The result of one analysis for one group of points of a stage.

    `analysis` is its name in the spec, `values` are the axes on which the group's points agree
    (one point: all of its axes), `points` their ids. `notes` say what a reader must know: what was
    assumed, left out or failed. `details` are numbers behind the merits.
    """

    analysis: str
    stage: str
    emulated: bool
    circuit: str
    values: Mapping[str, Json]
    points: tuple[str, ...]
    merits: tuple[Merit, ...]
    curve: Curve | None = None
    notes: tuple[str, ...] = ()
    details: Mapping[str, Json] = field(factory=dict)

    def to_json(self) -> dict[str, Json]:
        """The fields by name."""
        return {
            "analysis": self.analysis,
            "stage": self.stage,
            "emulated": self.emulated,
            "circuit": self.circuit,
            "values": dict(self.values),
            "points": list(self.points),
            "merits": [merit.to_json() for merit in self.merits],
            "curve": None if self.curve is None else self.curve.to_json(),
            "notes": list(self.notes),
            "details": dict(self.details),
        }


def qubit_of(result: Analysed | AnalysisRecord) -> Json:
    """The physical qubit of a result, where the same points have a result for each; else None."""
    return (result.details or {}).get(QUBIT)
