"""Batches what is left to submit into jobs that the server takes. No clock, server or folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from attrs import evolve, frozen

from iqm_spec.cost.estimate import JobToPrice
from iqm_spec.cost.job_shape import job_shape
from iqm_spec.cost.machine_times import conditions_of
from iqm_spec.errors import Refused
from iqm_spec.json_types import Json
from iqm_spec.model import Mode, NativeCircuit
from iqm_spec.plan.label import label
from iqm_spec.plan.plan import Plan, PlannedPoint

USUAL_CIRCUITS = 500
"""Circuits in a job where the server names no limit: as in IQM's iqm-benchmarks."""

MOST_BYTES = 8 << 20
"""Bytes of a job's circuits. No limit is published; submitting costs rate units per 10 MiB."""

_BYTES_PER_OP = 90
"""Bytes of one instruction in a job's body, about."""


@frozen
class Bounds:
    """What a server takes in one job; None where it does not say."""

    circuits: int | None = None
    shots: int | None = None
    executions: int | None = None
    """Circuits times shots."""
    instructions: int | None = None
    """Of one circuit."""

    @property
    def most_shots(self) -> int | None:
        """Shots that one circuit can get in one job."""
        known = [limit for limit in (self.shots, self.executions) if limit is not None]
        return min(known, default=None)


@frozen
class BatchPart:
    """Shots of one point in one job: all of them, or what one job takes of a larger number.

    `key` is the point's, `number` counts its parts from 0.
    """

    point: PlannedPoint
    key: str
    circuit: NativeCircuit
    shots: int
    number: int = 0

    @property
    def id(self) -> str:
        """The part in the key of a job."""
        return f"{self.key}.{self.number}"


@frozen
class Batch:
    """A job to submit: circuits of one target that share shots and options."""

    target: str
    options: Mapping[str, Json]
    shots: int
    parts: tuple[BatchPart, ...]

    @property
    def executions(self) -> int:
        """Circuits times shots."""
        return len(self.parts) * self.shots


def job_to_price(computer: str, batch: Batch) -> JobToPrice:
    """A batch as the cost model takes it."""
    points = [part.point for part in batch.parts]
    return job_to_price_of(computer, points, batch.shots, batch.options)


def job_to_price_of(
    computer: str, points: Iterable[PlannedPoint], shots: int, options: Mapping[str, Json]
) -> JobToPrice:
    """A job of some points as the cost model takes it."""
    summaries = [point.summary for point in points]
    shape = job_shape(((summary.qubits, summary.depth) for summary in summaries), shots)
    return JobToPrice(computer, shape, conditions_of(options))


def batches_of(plan: Plan, parts: Iterable[BatchPart], bounds: Mapping[str, Bounds]) -> list[Batch]:
    """Jobs of `parts`, in the order and with the references of the plan."""
    header = plan.header
    split_by_priority = header.mode == Mode.TIMESLOT.value
    return batches(
        parts, bounds, header.order, header.references, split_by_priority=split_by_priority
    )


def batches(
    parts: Iterable[BatchPart],
    bounds: Mapping[str, Bounds],
    order: str,
    references: Mapping[str, int] = MappingProxyType({}),
    *,
    split_by_priority: bool = False,
) -> list[Batch]:
    """Jobs of `parts` in order; Refused where a circuit is too long for its machine.

    What has more priority comes first; with `split_by_priority` each priority gets jobs of its
    own, so that the rest can be held back (each job costs a start). `references` are names of
    circuits, each with the number of other circuits between two of its repeats.
    """
    groups: dict[Any, list[BatchPart]] = {}
    split = [p for part in parts for p in _split(part, bounds)]
    others = _ordered([p for p in split if p.point.name not in references], order)
    listed = list(_with_references(others, split, references))
    for part in sorted(listed, key=lambda part: -part.point.priority):
        options = tuple(sorted((k, str(v)) for k, v in part.point.options.items()))
        priority = part.point.priority if split_by_priority else 0
        shared = (priority, part.point.target, options, part.shots, part.number)
        groups.setdefault(shared, []).append(part)
    return [
        Batch(
            job_parts[0].point.target,
            job_parts[0].point.options,
            job_parts[0].shots,
            tuple(job_parts),
        )
        for group in groups.values()
        for job_parts in _cut(group, bounds.get(group[0].point.target, Bounds()))
    ]


def _split(part: BatchPart, bounds: Mapping[str, Bounds]) -> Iterator[BatchPart]:
    """A part as several where its target limits the shots of a job, as equal as can be."""
    point, limits = part.point, bounds.get(part.point.target, Bounds())
    if limits.instructions is not None and len(part.circuit.ops) > limits.instructions:
        raise Refused(
            f"{label(point.name, point.values)} has {len(part.circuit.ops):,} instructions; "
            f"{point.target} takes {limits.instructions:,} in a circuit",
            hint="make the circuit shorter, or raise `transpile.optimization_level`",
            code="refused.limits",
        )
    most = limits.most_shots or part.shots
    count = -(-part.shots // most)
    each, rest = divmod(part.shots, count)
    for i in range(count):
        yield evolve(part, shots=each + (i < rest), number=part.number + i)


def _ordered(parts: Sequence[BatchPart], order: str) -> list[BatchPart]:
    """Parts in the order of the spec, or `interleaved` against slow drifts.

    Interleaved, the first repeat (and the first part) of every point comes before any second one,
    and every other round runs backwards, so that a steady drift is the same for all points.
    """
    if order != "interleaved":
        return list(parts)
    rounds: dict[tuple[int, int], list[BatchPart]] = {}
    for part in parts:
        rounds.setdefault((part.point.repeat, part.number), []).append(part)
    ordered: list[BatchPart] = []
    for turn, key in enumerate(sorted(rounds)):
        ordered += reversed(rounds[key]) if turn % 2 else rounds[key]
    return ordered


def _with_references(
    others: Sequence[BatchPart], parts: Sequence[BatchPart], references: Mapping[str, int]
) -> Iterator[BatchPart]:
    """The others, with repeat r of a reference circuit before the one number r times `every`."""
    due: dict[int, list[BatchPart]] = {}
    for part in parts:
        every = references.get(part.point.name)
        if every is not None:
            due.setdefault(min(part.point.repeat * every, len(others)), []).append(part)
    for number, part in enumerate(others):
        yield from due.get(number, ())
        yield part
    yield from due.get(len(others), ())


def _cut(parts: Sequence[BatchPart], limits: Bounds) -> Iterator[list[BatchPart]]:
    """Consecutive parts within the limits on circuits, executions and bytes of a job."""
    most = min(limits.circuits or USUAL_CIRCUITS, (limits.executions or 1 << 62) // parts[0].shots)
    job_parts: list[BatchPart] = []
    size = 0
    for part in parts:
        part_bytes = _BYTES_PER_OP * (1 + len(part.circuit.ops))
        if job_parts and (len(job_parts) >= most or size + part_bytes > MOST_BYTES):
            yield job_parts
            job_parts, size = [], 0
        job_parts.append(part)
        size += part_bytes
    if job_parts:
        yield job_parts
