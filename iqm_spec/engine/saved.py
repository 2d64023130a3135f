"""A stored run, read back: its plan, its stages and its rows, from the folder alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from iqm_spec.errors import ExitCode
from iqm_spec.model import StageName
from iqm_spec.plan.plan import Plan, read_plan
from iqm_spec.stages.interface import Stage, StageResults
from iqm_spec.stages.registry import STAGES
from iqm_spec.stages.rows import Row
from iqm_spec.store import RunState, Store
from iqm_spec.store.events import SimulatorVersion, StageUsed, StoredVerdict, UsedAttempt
from iqm_spec.store.objects import Environment


@frozen
class SavedRun:
    """A run of the results folder with its plan. `state` is the join of its journal."""

    state: RunState
    plan: Plan

    @property
    def simulator(self) -> SimulatorVersion:
        """What simulated, as the journal has it."""
        return self.state.start.simulator

    @property
    def status(self) -> str:
        """`done`, `unfinished` where the journal has no end, else why not every stage passed."""
        code = self.state.end.exit
        if code is None:
            return "unfinished"
        if code == ExitCode.INTERRUPTED:
            return "interrupted"
        ended = [stage.status for stage in self.stages if stage.status != "passed"]
        return "done" if code == 0 else ended[0] if ended else "failed"

    @property
    def about(self) -> str:
        """Its targets and kinds of noise: `garnet noisy`."""
        noise = self.plan.header.noise
        kinds = {"ideal" if digest is None else "noisy" for digest in noise.values()}
        return f"{', '.join(sorted(noise))} {'/'.join(sorted(kinds))}"

    @property
    def stages(self) -> tuple[StoredVerdict, ...]:
        """The verdicts of its stages; empty while it is unfinished."""
        return self.state.end.stages or ()

    @property
    def judged(self) -> frozenset[str]:
        """The stages that had all their results: they passed or failed."""
        ended = ("passed", "failed")
        return frozenset(verdict.stage for verdict in self.stages if verdict.status in ended)

    def environment(self, store: Store) -> Environment | None:
        """Versions and platform of the program that ran it; None where not stored."""
        digest = self.state.start.environment
        return None if digest is None else store.get(digest, Environment)

    def versions(self, store: Store) -> Mapping[str, str | None]:
        """Versions of the program that ran it, by package; empty where not stored."""
        environment = self.environment(store)
        return {} if environment is None else environment.versions

    @property
    def server_id(self) -> str | None:
        """Id of the server that it went to, or None."""
        return self.state.start.server

    def used(self, stage: StageName) -> tuple[UsedAttempt, ...] | None:
        """The attempts that stand for the points of a server stage; None while it goes on."""
        used = [event for event in self.state.each(StageUsed) if event.stage == stage.value]
        return used[-1].attempts if used else None

    @property
    def calibrations(self) -> tuple[str, ...]:
        """Digests of the objects with the quality metrics of its calibration sets."""
        used = self.state.each(StageUsed)
        return tuple(dict.fromkeys(digest for event in used for digest in event.calibrations))

    def rows(self, store: Store, *, mock: bool = False) -> list[Row]:
        """One row per point and stage, in plan order; the mock's random counts only with `mock`."""
        return list(self.each_row(store, mock=mock))

    def each_row(self, store: Store, *, mock: bool = False) -> Iterator[Row]:
        """As `rows`, some of them in memory at a time."""
        for stage in STAGES.values():
            if stage.counts_are_random == mock:
                yield from self.rows_of_stage(store, stage)

    def rows_of_stage(self, store: Store, stage: Stage) -> Iterator[Row]:
        """The rows of one stage; those of other stages are not read."""
        return stage.rows(store, self.plan, self._results(stage.name))

    def has_begun(self, stage: Stage) -> bool:
        """Whether the run has come to a stage that it includes: it has rows, or its verdict."""
        status = next((s.status for s in self.stages if s.stage == stage.name.value), "")
        return status in ("passed", "waived") or stage.has_begun(self._results(stage.name))

    def _results(self, stage: StageName) -> StageResults:
        return StageResults(
            requested=stage.value in self.state.start.wanted,
            simulator=self.simulator,
            server_id=self.server_id,
            attempts=self.used(stage),
            emulated=any(s.stage == stage.value and s.emulated for s in self.stages),
        )


def load_run(store: Store, selector: str) -> SavedRun:
    """The run that `selector` names (id, prefix, spec name or `latest`) with its plan."""
    state = store.resolve(selector)
    return SavedRun(state, read_plan(store, state.start.plan))
