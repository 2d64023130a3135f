"""What a stored run should hold and does not: results that it never made, or that were lost."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from iqm_spec.errors import StoreCorrupt
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.runs.log import JOB, USED
from iqm_spec.runs.rows import Row
from iqm_spec.runs.saved import SavedRun
from iqm_spec.store import RunState, Store
from iqm_spec.store.layout import DIGEST
from iqm_spec.store.references import named_jobs

_PACKS = ("records", "derived")
"""Fields of a job's event that name its results."""

_ENDED = ("passed", "failed")
"""Verdicts of a stage that had all its results."""


@frozen
class Gaps:
    """Points of a run without counts, and those whose counts lack the distances made of them.

    `total` is the number of results that there should be, one for each point and stage. `lost`:
    the run had them; objects or events of the results folder are gone.
    """

    total: int
    counts: tuple[PlannedPoint, ...]
    distances: tuple[PlannedPoint, ...]
    lost: bool
    waiting: tuple[PlannedPoint, ...] = ()
    """Points whose jobs have not ended, or whose outcome is unknown: nothing to ask again."""
    given_up: tuple[PlannedPoint, ...] = ()
    """Points whose jobs the server took and gave no results of: their stage failed by that."""

    several: bool = False
    """Whether a point has more than one result: of several stages or calibration sets."""

    def share(self, points: Sequence[PlannedPoint]) -> str:
        """`3 of 12 points`; of results, where points have several."""
        told = f"{len(points):,} of {count(self.total, 'result' if self.several else 'point')}"
        return f"{told} (one for each point and stage)" if self.several else told

    events: tuple[int, ...] = ()
    """Numbers of the run's events that are gone; what they told is not known."""

    def __bool__(self) -> bool:
        """True where anything is missing."""
        return bool(self.counts or self.distances or self.events)


def gaps(saved: SavedRun, rows: Sequence[Row], store: Store) -> Gaps:
    """What is missing of a run, given its rows."""
    failed = {stage["stage"] for stage in saved.stages if stage["status"] == "failed"}
    open_ones = [row for row in rows if row.record is None and row.waiting]
    waiting = tuple(row.point for row in open_ones if row.stage not in failed)
    given_up = tuple(row.point for row in open_ones if row.stage in failed)
    counts = tuple(row.point for row in rows if row.record is None and not row.waiting)
    distances = tuple(
        row.point for row in rows if row.record and row.derived is None and row.stage != "mock"
    )
    ended = {stage["stage"] for stage in saved.stages if stage["status"] in _ENDED}
    gone = any(
        row.ended and (row.stage != "aer" or "aer" in ended)
        for row in rows
        if row.record is None or row.derived is None
    )
    lost = bool(counts or distances) and (gone or names_lost_objects(saved.state, store))
    events = saved.state.lost
    several = len({row.point.index for row in rows}) < len(rows)
    lost = lost or bool(events)
    return Gaps(len(rows), counts, distances, lost, waiting, given_up, several, events)


def require_journals(store: Store, realm: str) -> None:
    """StoreCorrupt where a run names jobs whose journals are gone: they might be paid again."""
    held = set(store.job_keys())
    for state in store.runs():
        for event in state.of_kind(USED):
            lost = [job for job in named_jobs(event.fields) if job not in held]
            if lost and event.fields.get("realm") == realm:
                raise StoreCorrupt(
                    f"run {state.id} names job {lost[0][:12]}, and jobs/{lost[0]} is not there",
                    hint="bring it back, from git or a colleague's copy: without it the same job "
                    "might be paid twice",
                )


def names_lost_objects(state: RunState, store: Store) -> bool:
    """Whether a job of the run names results that are not in the folder (no bytes are read)."""
    named = [event.fields.get(pack) for event in state.of_kind(JOB) for pack in _PACKS]
    return not all(store.has(str(name)) for name in named if DIGEST.fullmatch(str(name)))
