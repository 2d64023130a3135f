"""Which time model predicts a job: a given one, this folder's measurements, or published laws.

Machines that nobody has measured yet get wide ranges from the published laws of their sisters.
Options of a job (heralding, active reset) change how long a shot takes: its conditions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from attrs import evolve, field, frozen

from iqm_spec.cost.job_shape import JobShape
from iqm_spec.cost.ranges import Range
from iqm_spec.json_types import Json

PLAIN = "plain"
"""The conditions of a job without such options."""

HERALDING = "heralding"

HERALDING_MOST = 1.1
"""A heralding measurement adds a readout to each shot. How long that takes is published nowhere;
readouts take some microseconds, and the wait for reset before it takes hundreds."""

LEAST_MEASURED = 5
"""Measured jobs of a machine from which on they go before its published sisters."""

_DATA = Path(__file__).parent / "data" / "published.json"


class TimePredictor(Protocol):
    """A time model."""

    def predict(self, shapes: Sequence[JobShape]) -> list[Range]:
        """QPU seconds of each job."""


@frozen
class PredictedTime:
    """QPU seconds of a job, and which model predicts them: `given`, `measured`, `published`."""

    seconds: Range
    basis: str


@frozen
class MachineTimes:
    """The time models of one machine; `measured` are those of this folder, by conditions."""

    published: TimePredictor
    user_model: TimePredictor | None = None
    measured: Mapping[str, TimePredictor] = field(factory=dict)

    def predict(self, shape: JobShape, conditions: str = PLAIN) -> PredictedTime:
        """QPU seconds of a job under some conditions."""
        if self.user_model is not None:
            return PredictedTime(self._adapted(self.user_model, shape, conditions), "given")
        if conditions in self.measured:
            measured = self.measured[conditions].predict([shape])[0]
            return _better(measured, self._adapted(self.published, shape, conditions))
        published = self._adapted(self.published, shape, conditions)
        if PLAIN in self.measured:
            return _better(self._adapted(self.measured[PLAIN], shape, conditions), published)
        return PredictedTime(published, "published")

    def _adapted(self, model: TimePredictor, shape: JobShape, conditions: str) -> Range:
        if conditions == PLAIN:
            return model.predict([shape])[0]
        bare = JobShape(shape.circuits, 0, shape.qubits, shape.depth, shape.volume)
        plain, overhead = model.predict([shape, bare])
        return under_conditions(plain, overhead, conditions)


def _better(measured: Range, published: Range) -> PredictedTime:
    """The measured range, unless it is the wider one and holds what is published.

    Few jobs, or jobs all alike, say little about a job that is much larger.
    """
    wider = measured.high * published.low > published.high * measured.low
    holds_published = measured.low <= published.expected <= measured.high
    if wider and holds_published:
        return PredictedTime(published, "published")
    return PredictedTime(measured, "measured")


def conditions_of(options: Mapping[str, Json]) -> str:
    """`plain`, `heralding`, `active reset 2`, or the last two joined by a comma."""
    conditions = []
    if options.get("heralding", "none") != "none":
        conditions.append(HERALDING)
    if options.get("active_reset_cycles") is not None:
        conditions.append(f"active reset {options['active_reset_cycles']}")
    return ", ".join(conditions) or PLAIN


def under_conditions(plain: Range, overhead: Range, conditions: str) -> Range:
    """QPU seconds under some conditions, where only plain jobs were measured.

    `overhead` is the job's without any shot. Active reset replaces the wait that takes most of a
    shot: what plain jobs took is then an upper bound, and as good a guess as there is.
    """
    seconds = plain
    if HERALDING in conditions:
        seconds = evolve(seconds, high=seconds.high * HERALDING_MOST)
    if "active reset" in conditions:
        seconds = evolve(seconds, low=min(overhead.low, seconds.low))
    return seconds


def condition_notes(conditions: str) -> list[str]:
    """What to know of a prediction under some conditions, made from plain jobs."""
    notes = []
    if HERALDING in conditions:
        notes.append(
            f"heralding adds a readout to each shot: up to {HERALDING_MOST - 1:.0%} more is assumed"
        )
    if "active reset" in conditions:
        notes.append(
            "active reset replaces the wait that takes most of a shot, so the time model does not "
            "apply: its figure is kept as an upper bound"
        )
    return notes


@frozen
class SisterLaw:
    """Seconds per job, circuit, execution and layer of an execution; `least` is a job's least."""

    name: str
    job: float
    circuit: float
    execution: float
    layer: float
    least: float
    source: str
    date: str

    def seconds(self, shape: JobShape) -> float:
        """QPU seconds of a job; `depth` is that of the transpiled circuits."""
        seconds = (
            self.job
            + self.circuit * shape.circuits
            + self.execution * shape.executions
            + self.layer * shape.shots * shape.depth
        )
        return max(seconds, self.least)


@frozen
class PublishedTimes:
    """What is expected of a machine: its sister's law; the range holds all of them, and more."""

    machine: str
    sister: SisterLaw
    laws: tuple[SisterLaw, ...]
    margin: float

    def predict(self, shapes: Sequence[JobShape]) -> list[Range]:
        """QPU seconds of each job."""
        coefficients = [
            sorted(values)
            for values in zip(
                *((law.job, law.circuit, law.execution, law.layer) for law in self.laws),
                strict=True,
            )
        ]
        least = max(law.least for law in self.laws)
        ranges = []
        for shape in shapes:
            sizes = (1, shape.circuits, shape.executions, shape.shots * shape.depth)
            low = sum(c[0] * size for c, size in zip(coefficients, sizes, strict=True))
            high = sum(c[-1] * size for c, size in zip(coefficients, sizes, strict=True))
            expected = self.sister.seconds(shape)
            high = max(high, least, expected)
            ranges.append(Range(min(low / self.margin, expected), expected, high * self.margin))
        return ranges


def published_times(machine: str) -> PublishedTimes:
    """The published range for a machine; of one that is not built in, the 54-qubit sister's."""
    data = _read()
    laws = {name: SisterLaw(name=name, **law) for name, law in data["laws"].items()}
    sister = data["sisters"].get(machine, "vtt-q50")
    return PublishedTimes(machine, laws[sister], tuple(laws.values()), data["margin"])


@cache
def _read() -> Any:
    return json.loads(_DATA.read_text(encoding="utf-8"))
