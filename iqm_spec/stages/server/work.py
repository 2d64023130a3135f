"""What a server stage has, waits for and has left to ask, seen from the folder alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from attrs import evolve, frozen

from iqm_spec.errors import StoreCorrupt
from iqm_spec.model import NativeCircuit, Stage
from iqm_spec.plan.build import read_plan
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.stages.server.batch import Part
from iqm_spec.stages.server.keys import point_key
from iqm_spec.stages.server.ledger import AttemptId, Covered, covering, distinct, read_attempts
from iqm_spec.stages.server.state import Attempt, Phase
from iqm_spec.stages.server.submit import settle
from iqm_spec.store import Store


@frozen
class ServerWork:
    """A stage at a server: every point's key, and the attempts that stand for each key."""

    keys: tuple[str, ...]
    covered: Mapping[str, Covered]
    points: tuple[PlannedPoint, ...]
    all_attempts: tuple[Attempt, ...] = ()
    """Of any of the points, superseded and released ones too."""

    def attempts(self, *phases: Phase) -> list[Attempt]:
        """The attempts that stand for the points, in their order, those of some phases only."""
        return [a for a in distinct(self.covered, self.keys) if not phases or a.phase in phases]

    def waiting(self) -> set[str]:
        """Keys of the points whose jobs are at the server, or may be."""
        open_ones = self.attempts(Phase.SUBMITTED, Phase.INTENDED, Phase.UNKNOWN)
        return {key for attempt in open_ones for key, _ in attempt.parts}

    def has(self, index: int) -> bool:
        """Whether the results of a point are complete."""
        held = self.covered.get(self.keys[index])
        done = held is not None and all(
            attempt.phase is Phase.COMPLETED for attempt in held.parts.values()
        )
        return done and held is not None and held.shots >= self.points[index].shots

    @property
    def cached(self) -> int:
        """Number of points whose results are complete."""
        return sum(1 for index in range(len(self.keys)) if self.has(index))

    def left(self) -> Iterator[tuple[PlannedPoint, str, int, int]]:
        """Point, key, shots that nobody has asked for, and the number of the next part."""
        seen: set[str] = set()
        worth: dict[str, float] = {}  # of points that ask the same, the most valuable counts
        for point, key in zip(self.points, self.keys, strict=True):
            worth[key] = max(point.priority, worth.get(key, point.priority))
        for point, key in zip(self.points, self.keys, strict=True):
            held = self.covered.get(key, Covered({}))
            if key not in seen and held.shots < point.shots:
                seen.add(key)
                dearest = evolve(point, priority=worth[key])
                yield dearest, key, point.shots - held.shots, held.next_part

    def parts(self, circuits: Mapping[str, NativeCircuit]) -> list[Part]:
        """What is left to ask; `circuits` by the asks of points."""
        return [
            Part(point, key, circuits[point.circuit_key], shots, number)
            for point, key, shots, number in self.left()
        ]


def look(
    plan: Plan,
    stage: Stage,
    realm: str,
    store: Store,
    ignored: Collection[AttemptId] = (),
    *,
    write: bool = True,
) -> ServerWork:
    """The stage as the folder has it.

    With `write`, intents of processes that ended are settled as unknown.
    """
    found = read_attempts(store, stage, realm)
    if write and settle(store, found):
        found = read_attempts(store, stage, realm)
    covered = covering(found, ignored=ignored, retry_failed=stage is Stage.MOCK)
    keys = point_keys(plan, stage, realm)
    known = set(keys)
    of_points = tuple(a for a in found if any(key in known for key, _ in a.parts))
    return ServerWork(keys, covered, plan.points, of_points)


def point_keys(plan: Plan, stage: Stage, realm: str) -> tuple[str, ...]:
    """The key of every point of a plan, in order."""
    calibration, references = plan.header.calibration, plan.header.references
    return tuple(
        point_key(stage, realm, calibration, point, reference=point.name in references)
        for point in plan.points
    )


def ended_already(store: Store, stage: Stage, realm: str) -> frozenset[AttemptId]:
    """Attempts that have ended: what asking afresh leaves out."""
    return frozenset(
        (attempt.job, attempt.number)
        for attempt in read_attempts(store, stage, realm)
        if attempt.ended
    )


def circuits_of_attempts(store: Store, found: Iterable[Attempt]) -> dict[str, NativeCircuit]:
    """The circuits that attempts carry, by point key: from the plans that they were made of."""
    circuits: dict[str, NativeCircuit] = {}
    for attempt in found:
        if any(key not in circuits for key, _ in attempt.parts):
            circuits |= _circuits_of_plan(store, attempt)
    return circuits


def plan_of(attempt: Attempt) -> str:
    """Digest of the plan that an attempt was made of; StoreCorrupt where its journal has none."""
    if attempt.intent.plan is None:
        raise StoreCorrupt(f"the intent of job {attempt.job[:12]} names no plan")
    return attempt.intent.plan


def _circuits_of_plan(store: Store, attempt: Attempt) -> dict[str, NativeCircuit]:
    intent = attempt.intent
    plan = read_plan(store, plan_of(attempt))
    keys = point_keys(plan, Stage(intent.stage), intent.realm)
    points = dict(zip(keys, plan.points, strict=True))
    wanted = {key for key, _ in attempt.parts}
    held = {key: point for key, point in points.items() if key in wanted}
    native = circuits_of(store, plan, list(held.values()))
    return {key: native[point.circuit_key] for key, point in held.items()}
