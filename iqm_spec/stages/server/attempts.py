"""Attempts to submit jobs: their state from the journals, and which of them stand for each point.

An attempt is the join of its events, whatever order they came in. Which attempts stand for a point
is decided point by point: a sweep that has grown is batched into other jobs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from attrs import evolve, field, frozen

from iqm_spec.errors import StoreCorrupt
from iqm_spec.model import NativeCircuit, StageName
from iqm_spec.plan.plan import Plan, PlannedPoint, read_plan
from iqm_spec.stages.keys import point_key
from iqm_spec.stages.server.batch import BatchPart
from iqm_spec.stages.server.locks import is_attempt_locked
from iqm_spec.store import Event, Store
from iqm_spec.store.events import (
    JobAdopted,
    JobClaimed,
    JobCompleted,
    JobEnd,
    JobFailure,
    JobIntent,
    JobOutcome,
    JobRejected,
    JobReleased,
    JobSubmitted,
    JobUnknown,
    StageUsed,
)


class Phase(StrEnum):
    """How far an attempt has come. Of several events the phase that stands last here counts."""

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

PHASE_OF: Mapping[type[JobOutcome], Phase] = {
    JobClaimed: Phase.CLAIMED,
    JobIntent: Phase.INTENDED,
    JobRejected: Phase.REJECTED,
    JobUnknown: Phase.UNKNOWN,
    JobReleased: Phase.RELEASED,
    JobSubmitted: Phase.SUBMITTED,
    JobAdopted: Phase.SUBMITTED,
    JobFailure: Phase.FAILED,
    JobCompleted: Phase.COMPLETED,
}
"""Class of an event to how far it brings an attempt."""


@frozen
class Attempt:
    """One try to submit a job.

    `ids` are the server's ids: more than one means that the job was paid twice. `outcome` is the
    event that decided the phase.
    """

    job: str
    number: int
    phase: Phase
    ids: tuple[str, ...]
    outcome: JobOutcome
    meant: JobIntent | None = None
    """What was to be submitted; None where it has no intent, or the event is lost."""
    completions: Mapping[str, JobCompleted] = field(factory=dict)
    """Completion by the server's id."""
    failure: JobFailure | None = None
    """How it failed; kept when it is released."""

    @property
    def intent(self) -> JobIntent:
        """What was to be submitted; StoreCorrupt where that is lost."""
        if self.meant is None:
            raise StoreCorrupt(
                f"job {self.job[:12]} has lost its intent: nothing says which circuits "
                f"{', '.join(self.ids) or 'it'} was submitted for",
                hint=f"bring the files of jobs/{self.job} back, from git or a colleague's copy",
            )
        return self.meant

    def with_intent(self) -> Attempt:
        """The attempt; StoreCorrupt where its intent is lost."""
        _ = self.intent
        return self

    def as_of(self, job_id: str | None) -> Attempt:
        """The attempt with the completion of that id, where there is one."""
        if job_id is None or job_id not in self.completions:
            return self
        return evolve(self, outcome=self.completions[job_id])

    @property
    def id(self) -> str | None:
        """The server's id in the event that decided the phase."""
        outcome = self.outcome
        return outcome.id if isinstance(outcome, JobSubmitted | JobAdopted | JobEnd) else None

    @property
    def completion(self) -> JobCompleted:
        """How it was completed; ValueError where it was not."""
        if not isinstance(self.outcome, JobCompleted):
            raise ValueError(f"job {self.job[:12]} was not completed")
        return self.outcome

    @property
    def end(self) -> JobEnd | None:
        """How the server ended it, where that decided the phase."""
        return self.outcome if isinstance(self.outcome, JobEnd) else None

    @property
    def qpu_seconds(self) -> float | None:
        """Measured seconds on the quantum computer, where the server reported them."""
        return None if self.end is None else self.end.qpu_seconds

    @property
    def calibration_set_id(self) -> str | None:
        """The calibration set that the server ran it under, where that is known."""
        return None if self.end is None else self.end.calibration_set_id

    @property
    def status(self) -> str | int | None:
        """The server's word for how it ended, or the HTTP status by which it was rejected."""
        outcome = self.outcome
        return outcome.status if isinstance(outcome, JobRejected | JobEnd) else None

    @property
    def parts(self) -> Sequence[tuple[str, int]]:
        """Point key and part number of each of its circuits, in order."""
        return () if self.meant is None else self.meant.parts

    @property
    def free(self) -> bool:
        """Whether its circuits may be submitted (again)."""
        return self.phase in _FREE

    @property
    def open(self) -> bool:
        """Whether the server has it, and is not known to have ended it."""
        return self.phase is Phase.SUBMITTED

    @property
    def ended(self) -> bool:
        """Whether the server has ended it, completed or failed."""
        return self.phase in _ENDED


def attempts(job: str, events: Iterable[Event]) -> tuple[Attempt, ...]:
    """The attempts in a job's events, by number."""
    by_number: dict[int, list[JobOutcome]] = {}
    for event in events:
        if isinstance(event.data, JobClaimed):
            by_number.setdefault(event.seq, []).append(event.data)
        elif isinstance(event.data, JobOutcome):
            by_number.setdefault(event.data.attempt, []).append(event.data)
    return tuple(_attempt(job, number, by_number[number]) for number in sorted(by_number))


def _attempt(job: str, number: int, events: Sequence[JobOutcome]) -> Attempt:
    order = list(Phase)
    phases = {PHASE_OF[type(event)] for event in events}
    if {Phase.RELEASED, Phase.SUBMITTED} <= phases and Phase.FAILED not in phases:
        phases.discard(Phase.RELEASED)  # released in the belief that it was lost
    phase = max(phases, key=order.index)
    last = next(event for event in reversed(events) if PHASE_OF[type(event)] is phase)
    completions = {event.id: event for event in reversed(events) if isinstance(event, JobCompleted)}
    return Attempt(
        job=job,
        number=number,
        phase=phase,
        ids=tuple(sorted({e.id for e in events if isinstance(e, JobSubmitted | JobAdopted)})),
        # of a job that was paid twice, every run takes the same completion
        outcome=completions[min(completions)] if phase is Phase.COMPLETED else last,
        meant=next((event for event in events if isinstance(event, JobIntent)), None),
        completions=completions,
        failure=next((event for event in events if isinstance(event, JobFailure)), None),
    )


_WEIGHT = {
    Phase.FAILED: 0,
    Phase.INTENDED: 1,
    Phase.UNKNOWN: 1,
    Phase.SUBMITTED: 2,
    Phase.COMPLETED: 3,
}

AttemptId = tuple[str, int]
"""Job key and number of an attempt."""


@frozen
class Covered:
    """What was submitted for one point: one attempt per part, by part number."""

    parts: Mapping[int, Attempt]

    @property
    def shots(self) -> int:
        """Shots that were submitted so far."""
        return sum(attempt.intent.shots for attempt in self.parts.values())

    @property
    def next_part(self) -> int:
        """Number of the next part."""
        return max(self.parts, default=-1) + 1


def read_attempts(store: Store, stage: StageName, server_id: str) -> list[Attempt]:
    """Every attempt of the stage at a server that has an intent."""
    return [
        attempt
        for attempt in read_all_attempts(store)
        if (attempt.intent.stage, attempt.intent.realm) == (stage.value, server_id)
    ]


def read_all_attempts(store: Store) -> list[Attempt]:
    """Every attempt in the folder that has an intent."""
    every = []
    for key in store.job_keys():
        of_job = attempts(key, store.job(key).events())
        every += [attempt.with_intent() for attempt in of_job if attempt.phase is not Phase.CLAIMED]
    return every


def require_journals(store: Store, server_id: str) -> None:
    """StoreCorrupt where a run names jobs whose journals are gone: they might be paid again."""
    journals = set(store.job_keys())
    for state in store.runs():
        for used in state.each(StageUsed):
            lost = [job for job in used.jobs if job not in journals]
            if lost and used.realm == server_id:
                raise StoreCorrupt(
                    f"run {state.id} names job {lost[0][:12]}, and jobs/{lost[0]} is not there",
                    hint="bring it back, from git or a colleague's copy: without it the same job "
                    "might be paid twice",
                )


def covering(
    every: Collection[Attempt], *, ignored: Collection[AttemptId] = (), retry_failed: bool = False
) -> dict[str, Covered]:
    """By point key, the attempts that stand for the point: the best and newest of each part.

    `ignored` attempts do not count (`--fresh`). With `retry_failed` (for stages that cost
    nothing) neither do those that failed or whose outcome is unknown.
    """
    parts: dict[str, dict[int, Attempt]] = {}
    for attempt in every:
        if attempt.free or (attempt.job, attempt.number) in ignored:
            continue
        if retry_failed and attempt.phase in (Phase.FAILED, Phase.UNKNOWN):
            continue
        for key, number in attempt.parts:
            of_point = parts.setdefault(key, {})
            if number not in of_point or _rank(of_point[number]) < _rank(attempt):
                of_point[number] = attempt
    return {key: Covered(of_point) for key, of_point in parts.items()}


def _rank(attempt: Attempt) -> tuple[int, int, str]:
    return _WEIGHT[attempt.phase], attempt.number, attempt.job


def distinct(covered: Mapping[str, Covered], keys: Collection[str]) -> Iterator[Attempt]:
    """The attempts that stand for some points, each once, in the order of the points."""
    yielded: set[AttemptId] = set()
    for key in keys:
        for attempt in covered[key].parts.values() if key in covered else ():
            if (attempt.job, attempt.number) not in yielded:
                yielded.add((attempt.job, attempt.number))
                yield attempt


@frozen
class ServerWork:
    """A stage at a server: every point's key, and the attempts that stand for each key."""

    keys: tuple[str, ...]
    covered: Mapping[str, Covered]
    points: tuple[PlannedPoint, ...]
    all_attempts: tuple[Attempt, ...] = ()
    """All attempts of the points, superseded and released ones too."""

    def attempts(self, *phases: Phase) -> list[Attempt]:
        """The attempts that stand for the points, in their order; `phases` selects some."""
        return [a for a in distinct(self.covered, self.keys) if not phases or a.phase in phases]

    def waiting(self) -> set[str]:
        """Keys of the points whose jobs are at the server, or may be."""
        open_ones = self.attempts(Phase.SUBMITTED, Phase.INTENDED, Phase.UNKNOWN)
        return {key for attempt in open_ones for key, _ in attempt.parts}

    def has(self, index: int) -> bool:
        """Whether the results of a point are complete."""
        covered = self.covered.get(self.keys[index])
        done = covered is not None and all(
            attempt.phase is Phase.COMPLETED for attempt in covered.parts.values()
        )
        return done and covered is not None and covered.shots >= self.points[index].shots

    @property
    def cached(self) -> int:
        """Number of points whose results are complete."""
        return sum(1 for index in range(len(self.keys)) if self.has(index))

    def left(self) -> Iterator[tuple[PlannedPoint, str, int, int]]:
        """Point, key, shots that are not submitted yet, and the number of the next part."""
        yielded: set[str] = set()
        priorities: dict[
            str, float
        ] = {}  # points with the same key take the highest priority among them
        for point, key in zip(self.points, self.keys, strict=True):
            priorities[key] = max(point.priority, priorities.get(key, point.priority))
        for point, key in zip(self.points, self.keys, strict=True):
            covered = self.covered.get(key, Covered({}))
            if key not in yielded and covered.shots < point.shots:
                yielded.add(key)
                prioritized = evolve(point, priority=priorities[key])
                yield prioritized, key, point.shots - covered.shots, covered.next_part

    def parts(self, circuits: Mapping[str, NativeCircuit]) -> list[BatchPart]:
        """What is left to submit; `circuits` by the circuit keys of points."""
        return [
            BatchPart(point, key, circuits[point.circuit_key], shots, number)
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
        store.job(attempt.job).add(JobUnknown(attempt.number, why, event_time()))
    return bool(dead)


def event_time() -> str:
    """The time of an event, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def point_keys(plan: Plan, stage: StageName, server_id: str) -> tuple[str, ...]:
    """The key of every point of a plan, in order."""
    calibration, references = plan.header.calibration, plan.header.references
    return tuple(
        point_key(stage, server_id, calibration, point, reference=point.name in references)
        for point in plan.points
    )


def ended_already(store: Store, stage: StageName, server_id: str) -> frozenset[AttemptId]:
    """Attempts that have ended: those that `--fresh` ignores."""
    return frozenset(
        (attempt.job, attempt.number)
        for attempt in read_attempts(store, stage, server_id)
        if attempt.ended
    )


def circuits_of_attempts(store: Store, carrying: Iterable[Attempt]) -> dict[str, NativeCircuit]:
    """The circuits that attempts carry, by point key: from the plans that they were made of."""
    from iqm_spec.plan.circuits import circuits_of

    circuits: dict[str, NativeCircuit] = {}
    for attempt in carrying:
        keys_of_attempt = {key for key, _ in attempt.parts}
        if keys_of_attempt <= circuits.keys():
            continue
        intent = attempt.intent
        plan = read_plan(store, plan_of(attempt))
        keys = point_keys(plan, StageName(intent.stage), intent.realm)
        points = dict(zip(keys, plan.points, strict=True))
        carried = {key: point for key, point in points.items() if key in keys_of_attempt}
        native = circuits_of(store, plan, list(carried.values()))
        circuits |= {key: native[point.circuit_key] for key, point in carried.items()}
    return circuits


def plan_of(attempt: Attempt) -> str:
    """Digest of the plan that an attempt was made of; StoreCorrupt where its journal has none."""
    if attempt.intent.plan is None:
        raise StoreCorrupt(f"the intent of job {attempt.job[:12]} names no plan")
    return attempt.intent.plan
