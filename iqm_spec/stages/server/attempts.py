"""Attempts to submit jobs: what their journals say, and what that means for each point.

An attempt is the join of its events, whatever order they came in. Which attempts stand for a point
is decided point by point: jobs may be cut anew when a sweep has grown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from attrs import evolve, field, frozen

from iqm_spec.errors import StoreCorrupt
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, StageName
from iqm_spec.plan.build import read_plan
from iqm_spec.plan.keep import circuits_of
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.stages.keys import point_key
from iqm_spec.stages.server.batch import Part
from iqm_spec.stages.server.locks import is_attempt_locked
from iqm_spec.store import Store
from iqm_spec.store.journal import Event
from iqm_spec.store.references import named_jobs


class Phase(StrEnum):
    """How far an attempt has come. The order is that of knowledge: later ones overrule."""

    CLAIMED = "claimed"
    INTENDED = "intended"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    SUBMITTED = "submitted"
    FAILED = "failed"
    RELEASED = "released"
    COMPLETED = "completed"


_FREE = {Phase.CLAIMED, Phase.REJECTED, Phase.RELEASED}
_ENDED = {Phase.FAILED, Phase.COMPLETED}

KIND_OF = {
    "claimed": Phase.CLAIMED,
    "intent": Phase.INTENDED,
    "rejected": Phase.REJECTED,
    "unknown": Phase.UNKNOWN,
    "released": Phase.RELEASED,
    "submitted": Phase.SUBMITTED,
    "adopted": Phase.SUBMITTED,
    "failed": Phase.FAILED,
    "completed": Phase.COMPLETED,
}
"""Kind of an event to what it tells."""


@frozen
class Attempt:
    """One submission of a job, or the try of one.

    `intent` holds what was to be submitted: run, stage, realm, target, queue, shots, calibration
    set, `body` (digest of the payload) and `parts` (`[point key, part number]` per circuit). `ids`
    are the server's ids: more than one means that the job was paid twice. `fields` are those of the
    event that decided the phase.
    """

    job: str
    number: int
    phase: Phase
    intent: Mapping[str, Any]
    ids: tuple[str, ...]
    fields: Mapping[str, Json]
    completions: Mapping[str, Mapping[str, Json]] = field(factory=dict)
    """What each of the server's ids brought: the fields of its `completed` event."""
    failure: Mapping[str, Json] | None = None
    """The fields of its `failed` event; they stay when it is released."""

    def as_of(self, job_id: str | None) -> Attempt:
        """The attempt as that id has it, where it was completed under it."""
        if job_id is None or job_id not in self.completions:
            return self
        return evolve(self, fields=self.completions[job_id])

    @property
    def id(self) -> str | None:
        """The server's id in the event that decided the phase."""
        told = self.fields.get("id")
        return None if told is None else str(told)

    @property
    def parts(self) -> Sequence[tuple[str, int]]:
        """Point key and part number of each of its circuits, in order."""
        return [(key, number) for key, number in self.intent.get("parts", ())]

    @property
    def free(self) -> bool:
        """Whether its circuits may be submitted (again)."""
        return self.phase in _FREE

    @property
    def open(self) -> bool:
        """Whether the server has it and has not been heard to have ended it."""
        return self.phase is Phase.SUBMITTED

    @property
    def ended(self) -> bool:
        """Whether the server has ended it, well or not."""
        return self.phase in _ENDED


def attempts(job: str, events: Iterable[Event]) -> tuple[Attempt, ...]:
    """The attempts that a job's events tell of, by number."""
    by_number: dict[int, list[Event]] = {}
    for event in events:
        if event.kind in KIND_OF:
            number = event.seq if event.kind == "claimed" else event.fields.get("attempt")
            by_number.setdefault(int(str(number)), []).append(event)
    return tuple(_attempt(job, number, by_number[number]) for number in sorted(by_number))


def _attempt(job: str, number: int, events: Sequence[Event]) -> Attempt:
    order = list(Phase)
    told = {KIND_OF[event.kind] for event in events}
    if {Phase.RELEASED, Phase.SUBMITTED} <= told and Phase.FAILED not in told:
        told.discard(Phase.RELEASED)  # released in the belief that it was lost, then found
    phase = max(told, key=order.index)
    last = next(event for event in reversed(events) if KIND_OF[event.kind] is phase)
    completions = {
        str(event.fields["id"]): event.fields
        for event in reversed(events)
        if event.kind == "completed"
    }
    # of a job that was paid twice everybody takes the same one, whoever fetched it first
    fields = completions[min(completions)] if phase is Phase.COMPLETED else last.fields
    intent = next((event.fields for event in events if event.kind == "intent"), {})
    ids = {str(event.fields["id"]) for event in events if event.kind in ("submitted", "adopted")}
    failure = next((event.fields for event in events if event.kind == "failed"), None)
    return Attempt(job, number, phase, intent, tuple(sorted(ids)), fields, completions, failure)


_WEIGHT = {
    Phase.FAILED: 0,
    Phase.INTENDED: 1,
    Phase.UNKNOWN: 1,
    Phase.SUBMITTED: 2,
    Phase.COMPLETED: 3,
}

UsedAttempt = tuple[str, int, str | None]
"""Job key, number of the attempt, and the server's id of the job whose results a run has."""

AttemptId = tuple[str, int]
"""Job key and number of an attempt."""


@frozen
class Covered:
    """What has been asked of a server for one point: one attempt per part, by part number."""

    parts: Mapping[int, Attempt]

    @property
    def shots(self) -> int:
        """Shots that were asked for so far."""
        return sum(attempt.intent["shots"] for attempt in self.parts.values())

    @property
    def next_part(self) -> int:
        """Number of the next part."""
        return max(self.parts, default=-1) + 1


def read_attempts(store: Store, stage: StageName, realm: str) -> list[Attempt]:
    """Every attempt of the stage and realm that has come as far as an intent."""
    return [
        attempt
        for attempt in read_all_attempts(store)
        if (attempt.intent.get("stage"), attempt.intent.get("realm")) == (stage.value, realm)
    ]


def read_all_attempts(store: Store) -> list[Attempt]:
    """Every attempt in the folder that has come as far as an intent."""
    found = []
    for key in store.job_keys():
        for attempt in attempts(key, store.job(key).events()):
            if attempt.intent:
                found.append(attempt)
            elif attempt.phase is not Phase.CLAIMED:
                raise StoreCorrupt(
                    f"job {key[:12]} has lost its intent: what {', '.join(attempt.ids) or 'it'} "
                    "was submitted for cannot be told",
                    hint=f"bring the files of jobs/{key} back, from git or a colleague's copy",
                )
    return found


def require_journals(store: Store, realm: str) -> None:
    """StoreCorrupt where a run names jobs whose journals are gone: they might be paid again."""
    held = set(store.job_keys())
    for state in store.runs():
        for event in state.of_kind("used"):
            lost = [job for job in named_jobs(event.fields) if job not in held]
            if lost and event.fields.get("realm") == realm:
                raise StoreCorrupt(
                    f"run {state.id} names job {lost[0][:12]}, and jobs/{lost[0]} is not there",
                    hint="bring it back, from git or a colleague's copy: without it the same job "
                    "might be paid twice",
                )


def covering(
    found: Collection[Attempt], *, ignored: Collection[AttemptId] = (), retry_failed: bool = False
) -> dict[str, Covered]:
    """By point key, the attempts that stand for the point: the best and newest of each part.

    `ignored` attempts do not count (they are to be asked afresh). With `retry_failed` (where
    asking costs nothing) neither do those that failed or whose outcome is unknown.
    """
    parts: dict[str, dict[int, Attempt]] = {}
    for attempt in found:
        if (attempt.job, attempt.number) in ignored or not _counts(attempt, retry_failed):
            continue
        for key, number in attempt.parts:
            held = parts.setdefault(key, {})
            if number not in held or _rank(held[number]) < _rank(attempt):
                held[number] = attempt
    return {key: Covered(held) for key, held in parts.items()}


def _counts(attempt: Attempt, retry_failed: bool) -> bool:
    if attempt.free:
        return False
    return not (retry_failed and attempt.phase in (Phase.FAILED, Phase.UNKNOWN))


def _rank(attempt: Attempt) -> tuple[int, int, str]:
    return _WEIGHT[attempt.phase], attempt.number, attempt.job


def distinct(covered: Mapping[str, Covered], keys: Collection[str]) -> Iterator[Attempt]:
    """The attempts that stand for some points, each once, in the order of the points."""
    seen: set[AttemptId] = set()
    for key in keys:
        for attempt in covered[key].parts.values() if key in covered else ():
            if (attempt.job, attempt.number) not in seen:
                seen.add((attempt.job, attempt.number))
                yield attempt


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
            Part(point, key, circuits[point.ask], shots, number)
            for point, key, shots, number in self.left()
        ]


def read_work(
    plan: Plan,
    stage: StageName,
    server_id: str,
    store: Store,
    ignored: Collection[AttemptId] = (),
) -> ServerWork:
    """The stage as the folder has it, without the attempts in `ignored`. Reads only."""
    return _work_of(read_attempts(store, stage, server_id), plan, stage, server_id, ignored)


def settled_work(
    plan: Plan,
    stage: StageName,
    server_id: str,
    store: Store,
    ignored: Collection[AttemptId] = (),
) -> ServerWork:
    """As `read_work`, once intents of processes that ended have been marked as unknown."""
    every = read_attempts(store, stage, server_id)
    if settle(store, every):
        every = read_attempts(store, stage, server_id)
    return _work_of(every, plan, stage, server_id, ignored)


def _work_of(
    every: Sequence[Attempt],
    plan: Plan,
    stage: StageName,
    server_id: str,
    ignored: Collection[AttemptId],
) -> ServerWork:
    covered = covering(every, ignored=ignored, retry_failed=stage is StageName.MOCK)
    keys = point_keys(plan, stage, server_id)
    known = set(keys)
    of_points = tuple(a for a in every if any(key in known for key, _ in a.parts))
    return ServerWork(keys, covered, plan.points, of_points)


def settle(store: Store, every: Iterable[Attempt]) -> bool:
    """Mark intents as unknown whose process ended before an outcome; whether there were any."""
    dead = [
        attempt
        for attempt in every
        if attempt.phase is Phase.INTENDED
        and not is_attempt_locked(store, attempt.job, attempt.number)
    ]
    for attempt in dead:
        why = "the program ended between the intent and the server's answer"
        store.job(attempt.job).append(
            "unknown", {"attempt": attempt.number, "why": why, **event_time()}
        )
    return bool(dead)


def event_time() -> dict[str, Json]:
    """The time of an event, UTC."""
    return {"at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def point_keys(plan: Plan, stage: StageName, realm: str) -> tuple[str, ...]:
    """The key of every point of a plan, in order."""
    calibration, references = plan.header["calibration"], plan.header["references"]
    return tuple(
        point_key(stage, realm, calibration, point, reference=point.name in references)
        for point in plan.points
    )


def ended_already(store: Store, stage: StageName, realm: str) -> frozenset[AttemptId]:
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


def _circuits_of_plan(store: Store, attempt: Attempt) -> dict[str, NativeCircuit]:
    intent = attempt.intent
    plan = read_plan(store, intent["plan"])
    keys = point_keys(plan, StageName(intent["stage"]), intent["realm"])
    points = dict(zip(keys, plan.points, strict=True))
    wanted = {key for key, _ in attempt.parts}
    held = {key: point for key, point in points.items() if key in wanted}
    native = circuits_of(store, plan, list(held.values()))
    return {key: native[point.ask] for key, point in held.items()}
