"""Results that a stored run lacks: those that it never made, and those that were lost."""

from __future__ import annotations

from collections.abc import Sequence, Set
from enum import Enum

from attrs import frozen

from iqm_spec.engine.saved import SavedRun
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.stages.registry import stage_named
from iqm_spec.stages.rows import Row
from iqm_spec.store import RunState, Store
from iqm_spec.store.events import RunJob
from iqm_spec.store.references import lost_of_jobs


@frozen
class Gaps:
    """Points of a run without counts, and those whose counts have no distances.

    `total` is the number of results that there should be, one for each point and stage. `lost`:
    the run had them; objects or events of the results folder are missing.
    """

    total: int
    counts: tuple[PlannedPoint, ...]
    distances: tuple[PlannedPoint, ...]
    lost: bool
    waiting: tuple[PlannedPoint, ...] = ()
    """Points whose jobs have not ended, or whose outcome is unknown: not to be resubmitted."""
    given_up: tuple[PlannedPoint, ...] = ()
    """Points whose jobs failed, were rejected, or gave no results: their stage failed."""
    several: bool = False
    """Whether a point has more than one result: of several stages or calibration sets."""
    events: tuple[int, ...] = ()
    """Numbers of the run's events that are missing."""
    jobs: tuple[tuple[str, str], ...] = ()
    """Keys of jobs whose journals lack events, each with a message of what it lacks."""
    stages: tuple[str, ...] = ()
    """Stages that the run should have, and has not begun."""

    def share(self, points: Sequence[PlannedPoint]) -> str:
        """`3 of 12 points`; of results, where points have several."""
        text = f"{len(points):,} of {count(self.total, 'result' if self.several else 'point')}"
        return f"{text} (one for each point and stage)" if self.several else text

    def __bool__(self) -> bool:
        """True where anything is missing."""
        return bool(self.counts or self.distances or self.events or self.jobs)


def gaps(saved: SavedRun, rows: Sequence[Row], store: Store) -> Gaps:
    """What is missing of a run, given its rows."""
    status = {stage.stage: stage.status for stage in saved.stages}
    absent: dict[_Kind, list[PlannedPoint]] = {kind: [] for kind in _Kind}
    for row in rows:
        if row.record is None:
            absent[_kind(row, status.get(row.stage, ""), saved.judged)].append(row.point)
    counts = (*absent[_Kind.LOST], *absent[_Kind.NOT_REACHED])
    distances = [row for row in rows if row.record and row.derived is None and _is_data(row.stage)]
    gone = bool(absent[_Kind.LOST]) or any(_was_done(row, saved.judged) for row in distances)
    if counts or distances:
        gone = gone or names_lost_objects(saved.state, store)
    events = saved.state.lost
    jobs = tuple(lost_of_jobs(store.root, saved.state).items())
    return Gaps(
        total=len(rows),
        counts=tuple(sorted(counts, key=lambda point: point.index)),
        distances=tuple(row.point for row in distances),
        lost=gone or bool(events or jobs),
        waiting=tuple(absent[_Kind.WAITING]),
        given_up=tuple(absent[_Kind.GIVEN_UP]),
        several=len({row.point.index for row in rows}) < len(rows),
        events=events,
        jobs=jobs,
        stages=tuple(s for s in saved.state.start.wanted if not saved.has_begun(stage_named(s))),
    )


class _Kind(Enum):
    """Why a row has no counts."""

    LOST = 0
    WAITING = 1
    GIVEN_UP = 2
    NOT_REACHED = 3


def _kind(row: Row, status: str, judged: Set[str]) -> _Kind:
    # a mock may pass without points that it has no gates for
    if (status == "passed" and _is_data(row.stage)) or _was_done(row, judged):
        return _Kind.LOST
    if status == "failed" and stage_named(row.stage).needs_server:
        return _Kind.GIVEN_UP
    return _Kind.WAITING if row.waiting else _Kind.NOT_REACHED


def _was_done(row: Row, judged: Set[str]) -> bool:
    """Whether all that the row should hold was there once."""
    return row.ended and (stage_named(row.stage).needs_server or row.stage in judged)


def _is_data(stage: str) -> bool:
    """Whether counts of the stage mean something."""
    return not stage_named(stage).counts_are_random


def names_lost_objects(state: RunState, store: Store) -> bool:
    """Whether a job of the run names results that are not in the folder (no bytes are read)."""
    named = [pack for job in state.each(RunJob) for pack in (job.records, job.derived)]
    return not all(store.has(pack) for pack in named if pack is not None)
