"""What a run's results rest on though its journal need not name it: records that it found there.

A run that finds some of its points answered names the packs of the others alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from attrs import frozen

from iqm_spec.engine.saved import SavedRun
from iqm_spec.model import StageName
from iqm_spec.stages.derived import derived_key
from iqm_spec.stages.keys import aer_key
from iqm_spec.stages.registry import SERVER_STAGES
from iqm_spec.stages.server.attempts import Attempt, read_attempts
from iqm_spec.stages.server.machines import MachinesAsk
from iqm_spec.stages.server.rows import server_rows
from iqm_spec.stages.shots import kept, wanted_keys
from iqm_spec.store import Found, Store
from iqm_spec.store.events import StageUsed
from iqm_spec.store.records import AER_DERIVED, AER_MEMORY, AER_RECORDS, HARDWARE_DERIVED

_AT_ONCE = 4096


@frozen
class Needs:
    """Jobs by stage, each with the attempts that are the run's; packs of results by stage."""

    attempts: Mapping[StageName, tuple[Attempt, ...]]
    results: Mapping[StageName, tuple[str, ...]]
    machines: str | None
    """Digest of the machines as the server told them, where they were kept."""
    missing: int = 0
    """Records, distances and wanted shots of the Aer stage that the folder does not have."""

    @property
    def jobs(self) -> tuple[str, ...]:
        """Keys of the jobs, sorted."""
        return tuple(sorted({one.job for some in self.attempts.values() for one in some}))

    @property
    def objects(self) -> tuple[str, ...]:
        """Digests of everything that is needed beside what journals name."""
        found = {digest for some in self.results.values() for digest in some}
        return tuple(sorted(found if self.machines is None else {*found, self.machines}))


def needs_of(store: Store, saved: SavedRun) -> Needs:
    """What a stored run needs of its folder; StoreCorrupt where that cannot be read."""
    attempts: dict[StageName, tuple[Attempt, ...]] = {}
    results: dict[StageName, tuple[str, ...]] = {}
    machines = None
    missing = 0
    if StageName.AER.value in saved.state.start.wanted:
        packs, missing = _simulated(store, saved)
        results[StageName.AER] = tuple(sorted(packs))
    if saved.realm is not None:
        machines = store.find_answer(MachinesAsk(saved.plan.header.spec.digest, saved.realm).key)
        for stage in [stage.name for stage in SERVER_STAGES]:
            attempts[stage] = _attempts(store, saved, stage, saved.realm)
            results[stage] = tuple(sorted(_measured(store, saved, stage, attempts[stage])))
    return Needs(attempts, results, machines, missing)


def _simulated(store: Store, saved: SavedRun) -> tuple[set[str], int]:
    """Packs that hold records and distances of the Aer stage, and how many of these are missing."""
    simulator = saved.simulator
    points = saved.plan.points
    named = [aer_key(saved.plan, point, simulator) for point in points]
    wanted = wanted_keys(points, named)
    shots = store.holders(AER_MEMORY, wanted)
    keys = iter(set(named))
    packs: set[str] = set(shots.values())
    missing = len(wanted) - len(shots)
    while some := list(islice(keys, _AT_ONCE)):
        for kind in (AER_RECORDS, AER_DERIVED):
            found: dict[str, Found[Any]] = store.find(kind, some)
            packs |= {item.digest for item in found.values()}
            missing += len(some) - len(found)
    return packs, missing


def _attempts(store: Store, saved: SavedRun, stage: StageName, realm: str) -> tuple[Attempt, ...]:
    """Attempts that stand for the run's points, and those that it made itself."""
    named = {
        job
        for used in saved.state.each(StageUsed)
        if used.stage == stage.value
        for job in used.jobs
    }
    return tuple(
        attempt
        for attempt in read_attempts(store, stage, realm)
        if attempt.job in named or attempt.intent.run == saved.state.id
    )


def _measured(
    store: Store, saved: SavedRun, stage: StageName, attempts: Sequence[Attempt]
) -> Iterator[str]:
    for attempt in attempts:
        for completion in attempt.completions.values():
            yield completion.records
    used = saved.used(stage)
    if stage is StageName.HARDWARE and used and saved.realm is not None:
        rows = list(server_rows(store, saved.plan, stage, saved.realm, used))
        keys = {derived_key(row.sources) for row in rows if row.sources}
        yield from kept(store, (row for row in rows if row.point.memory)).values()
        yield from {item.digest for item in store.find(HARDWARE_DERIVED, keys).values()}
