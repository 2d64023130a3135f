"""QPU time of machines that nobody has measured yet: wide ranges from their published sisters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen

from iqm_spec.cost.ranges import Range
from iqm_spec.cost.shape import JobShape

_DATA = Path(__file__).parent / "data" / "published.json"


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
        found = (
            self.job
            + self.circuit * shape.circuits
            + self.execution * shape.executions
            + self.layer * shape.shots * shape.depth
        )
        return max(found, self.least)


@frozen
class PublishedTimes:
    """What is expected of a machine: its sister's law; the range holds all of them, and more."""

    machine: str
    sister: SisterLaw
    laws: tuple[SisterLaw, ...]
    margin: float

    def predict(self, shapes: Sequence[JobShape]) -> list[Range]:
        """QPU seconds of each job."""
        return [self._one(shape) for shape in shapes]

    def _one(self, shape: JobShape) -> Range:
        parts = [
            sorted(values)
            for values in zip(
                *((law.job, law.circuit, law.execution, law.layer) for law in self.laws),
                strict=True,
            )
        ]
        sizes = (1, shape.circuits, shape.executions, shape.shots * shape.depth)
        low = sum(part[0] * size for part, size in zip(parts, sizes, strict=True))
        high = sum(part[-1] * size for part, size in zip(parts, sizes, strict=True))
        least = max(law.least for law in self.laws)
        expected = self.sister.seconds(shape)
        return Range(
            min(low / self.margin, expected), expected, max(high, least, expected) * self.margin
        )


def published_times(machine: str) -> PublishedTimes:
    """The published range for a machine; of one that is not built in, the 54-qubit sister's."""
    data = _read()
    laws = {name: _law(name, told) for name, told in data["laws"].items()}
    sister = data["sisters"].get(machine, "vtt-q50")
    return PublishedTimes(machine, laws[sister], tuple(laws.values()), data["margin"])


def _law(name: str, told: Mapping[str, Any]) -> SisterLaw:
    return SisterLaw(name=name, **told)


@cache
def _read() -> Any:
    return json.loads(_DATA.read_text(encoding="utf-8"))
