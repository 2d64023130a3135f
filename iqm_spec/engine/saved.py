"""A stored run, read back: its plan, its stages and its rows, from the folder alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from iqm_spec.engine.journal import USED
from iqm_spec.errors import ExitCode, StoreCorrupt
from iqm_spec.model import StageName
from iqm_spec.plan.build import read_plan
from iqm_spec.plan.plan import Plan
from iqm_spec.stages.interface import StageResults
from iqm_spec.stages.keys import Simulator
from iqm_spec.stages.registry import STAGES
from iqm_spec.stages.rows import Row
from iqm_spec.stages.server.attempts import UsedAttempt
from iqm_spec.store import RunState, Store


@frozen
class SavedRun:
    """A run of the results folder with its plan. `state` is the join of its journal."""

    state: RunState
    plan: Plan

    @property
    def simulator(self) -> Simulator:
        """What simulated, as the journal has it."""
        told: Any = self.state.fields["simulator"]
        return Simulator(aer=told["aer"], way=told["way"])

    @property
    def status(self) -> str:
        """`done`, `unfinished` where the journal has no end, else why not every stage passed."""
        code = self.state.fields.get("exit")
        if code is None:
            return "unfinished"
        if code == ExitCode.INTERRUPTED:
            return "interrupted"
        ended = [stage["status"] for stage in self.stages if stage["status"] != "passed"]
        return "done" if code == 0 else str(ended[0] if ended else "failed")

    @property
    def about(self) -> str:
        """Its machines and noise in few words: `garnet noisy`."""
        noise: Mapping[str, Any] = self.plan.header["noise"]
        kinds = {"ideal" if digest is None else "noisy" for digest in noise.values()}
        return f"{', '.join(sorted(noise))} {'/'.join(sorted(kinds))}"

    @property
    def stages(self) -> list[Mapping[str, Any]]:
        """The verdicts of its stages; empty while it is unfinished."""
        told: Any = self.state.fields.get("stages", [])
        return [stage for stage in told if isinstance(stage, dict)]

    @property
    def judged(self) -> frozenset[str]:
        """The stages that had all their results: they passed or failed."""
        ended = ("passed", "failed")
        return frozenset(str(one["stage"]) for one in self.stages if one["status"] in ended)

    def environment(self, store: Store) -> Mapping[str, Any]:
        """`versions` and `platform` of what ran it; empty where it kept none."""
        digest = self.state.fields.get("environment")
        told: Any = {} if digest is None else store.get_json(str(digest))
        return told if isinstance(told, Mapping) else {}

    @property
    def realm(self) -> str | None:
        """Realm of the server that it went to, or None."""
        told = self.state.fields.get("server")
        return None if told is None else str(told)

    def used(self, stage: StageName) -> list[UsedAttempt] | None:
        """The attempts that stand for the points of a server stage; None while it goes on."""
        told: list[Any] = [
            event.fields["attempts"]
            for event in self.state.of_kind(USED)
            if event.fields.get("stage") == stage.value
        ]
        return [(job, number, job_id) for job, number, job_id in told[-1]] if told else None

    @property
    def calibrations(self) -> tuple[str, ...]:
        """Digests of the objects with the figures of the sets that it was measured under."""
        told = (event.fields.get("calibrations") for event in self.state.of_kind(USED))
        listed = (one for item in told if isinstance(item, list) for one in item)
        return tuple(dict.fromkeys(map(str, listed)))

    def rows(self, store: Store, *, mock: bool = False) -> list[Row]:
        """One row per point and stage, in plan order; the mock's random bits only if asked for."""
        return list(self.each_row(store, mock=mock))

    def each_row(self, store: Store, *, mock: bool = False) -> Iterator[Row]:
        """As `rows`, some of them in memory at a time."""
        for stage in STAGES.values():
            if stage.counts_are_random == mock:
                yield from stage.rows(store, self.plan, self._results(stage.name))

    def _results(self, stage: StageName) -> StageResults:
        wanted: Any = self.state.fields.get("wanted", ())
        return StageResults(
            wanted=stage.value in wanted,
            simulator=self.simulator,
            server_id=self.realm,
            attempts=self.used(stage),
            emulated=any(s["stage"] == stage.value and s["emulated"] for s in self.stages),
        )


def load_run(store: Store, selector: str) -> SavedRun:
    """The run that `selector` names (id, prefix, spec name or `latest`) with its plan."""
    state = store.resolve(selector)
    plan = state.fields.get("plan")
    if not isinstance(plan, str):
        raise StoreCorrupt(
            f"run {state.id} names no plan", hint="`iqm-spec verify` tells what else is wrong"
        )
    if lacks := [name for name in _NEEDED if name not in state.fields]:
        raise StoreCorrupt(
            f"the journal of run {state.id} does not say its {lacks[0]}",
            hint="`iqm-spec verify` tells what else is wrong",
        )
    return SavedRun(state, read_plan(store, plan))


_NEEDED = ("text", "spec", "simulator", "wanted")
"""What the first event of every run tells, beside its plan."""
