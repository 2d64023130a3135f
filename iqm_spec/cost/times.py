"""Which time model speaks for a job: one that was given, this folder's measurements, or sisters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import field, frozen

from iqm_spec.cost.conditions import PLAIN, from_plain
from iqm_spec.cost.ranges import Range
from iqm_spec.cost.shape import JobShape

LEAST_MEASURED = 5
"""Measured jobs of a machine from which on they are asked before its published sisters."""


class Predicts(Protocol):
    """A time model."""

    def predict(self, shapes: Sequence[JobShape]) -> list[Range]:
        """QPU seconds of each job."""


@frozen
class Predicted:
    """QPU seconds of a job, and which model said so: `given`, `measured` or `published`."""

    seconds: Range
    basis: str


@frozen
class MachineTimes:
    """The time models of one machine; `measured` are those of this folder, by conditions."""

    published: Predicts
    given: Predicts | None = None
    measured: Mapping[str, Predicts] = field(factory=dict)

    def predict(self, shape: JobShape, conditions: str = PLAIN) -> Predicted:
        """QPU seconds of a job under some conditions."""
        if self.given is not None:
            return Predicted(self._adapted(self.given, shape, conditions), "given")
        if conditions in self.measured:
            own, apart = self.measured[conditions], self._adapted(self.published, shape, conditions)
            return _better(own.predict([shape])[0], apart)
        if PLAIN in self.measured:
            apart = self._adapted(self.published, shape, conditions)
            return _better(self._adapted(self.measured[PLAIN], shape, conditions), apart)
        return Predicted(self._adapted(self.published, shape, conditions), "published")

    def _adapted(self, model: Predicts, shape: JobShape, conditions: str) -> Range:
        if conditions == PLAIN:
            return model.predict([shape])[0]
        bare = JobShape(shape.circuits, 0, shape.qubits, shape.depth, shape.volume)
        plain, overhead = model.predict([shape, bare])
        return from_plain(plain, overhead, conditions)


def _better(measured: Range, published: Range) -> Predicted:
    """Measurements speak, unless they say little of this job and what they say holds the other.

    Few jobs, or jobs all alike, tell little of a job that is much larger.
    """
    says_less = measured.high * published.low > published.high * measured.low
    holds = measured.low <= published.expected <= measured.high
    if says_less and holds:
        return Predicted(published, "published")
    return Predicted(measured, "measured")
