"""A run's journal in the folder: begun at the first thing worth keeping, never rewritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from iqm_spec.check import Checked
from iqm_spec.engine.inputs import environment, keep_inputs
from iqm_spec.errors import IqmSpecError
from iqm_spec.json_types import Json
from iqm_spec.model import StageName
from iqm_spec.plan.plan import Plan
from iqm_spec.stages.events import StageDone
from iqm_spec.stages.keys import installed_simulator
from iqm_spec.stages.server.attempts import UsedAttempt
from iqm_spec.store import Store

JOB = "job"
ENDED = "ended"
USED = "used"
MEMORY = "memory"


@frozen
class NewRun:
    """What the journal of a new run begins with."""

    checked: Checked
    plan: Plan
    stages: Sequence[StageName]
    server_id: str | None


class RunJournal:
    """Writes the events of one run, stored or new; the first of them starts a new one."""

    def __init__(self, store: Store, run: NewRun | str) -> None:
        self._store = store
        self._new = run
        self._run = run if isinstance(run, str) else None
        self._used: list[dict[str, Json]] = []

    @property
    def begun(self) -> bool:
        """Whether anything has been written."""
        return self._run is not None

    def run_id(self) -> str:
        """The run's id; starts the run where nothing was written yet."""
        if self._run is None:
            self._run = self._start()
            self._tell_used()
        return self._run

    def job(self, stage: str, job: int, packs: Mapping[str, Json]) -> None:
        """A job's packs are stored."""
        self._store.append_event(self.run_id(), JOB, {"stage": stage, "job": job, **packs})

    def memory(self, stage: StageName, pack: str) -> None:
        """A pack with the shots of some points is stored."""
        self._store.append_event(self.run_id(), MEMORY, {"stage": stage.value, "memory": pack})

    def used(
        self,
        stage: StageName,
        server_id: str,
        attempts: Sequence[UsedAttempt],
        derived: Sequence[str] = (),
        calibrations: Sequence[str] = (),
    ) -> None:
        """These attempts stand for the points of a server stage; starts no run by itself.

        `derived` are the packs that hold the distances of their counts, `calibrations` the objects
        with the figures of the sets they were measured under.
        """
        named: list[Json] = [list(attempt) for attempt in attempts]
        packs: dict[str, Json] = {"derived": list(derived)} if derived else {}
        if calibrations:
            packs["calibrations"] = list(calibrations)
        self._used.append({"stage": stage.value, "realm": server_id, "attempts": named, **packs})
        if self._run is not None:
            self._tell_used()

    def _tell_used(self) -> None:
        while self._used:
            self._store.append_event(self.run_id(), USED, self._used.pop(0))

    def ended(self, stages: Sequence[StageDone], code: int) -> None:
        """The run is over, with every stage's verdict."""
        told: list[Json] = [done.to_json() for done in stages]
        self._store.append_event(self.run_id(), ENDED, {"stages": told, "exit": code, **_now()})

    def failed(self, error: IqmSpecError) -> None:
        """The run broke off; told only where it had begun, and where the folder still takes it."""
        if self._run is None:
            return
        fields: dict[str, Json] = {"error": {"code": error.code, "message": error.message}}
        try:
            code = int(error.exit_code)
            self._store.append_event(self._run, ENDED, {**fields, "exit": code, **_now()})
        except IqmSpecError:
            return  # the first error is the one to tell

    def _start(self) -> str:
        run = self._new
        assert isinstance(run, NewRun)  # noqa: S101 - a stored run has begun
        checked, spec = run.checked, run.checked.spec
        fields: dict[str, Json] = {
            "spec": {"name": run.plan.name, "digest": checked.digest},
            "text": self._store.put_json(
                {"format": "iqm-spec/text/1", "text": checked.text, "language": checked.language}
            ),
            "plan": run.plan.digest,
            "inputs": keep_inputs(self._store, checked),
            "environment": self._store.put_json(environment()),
            "simulator": installed_simulator().to_json(),
            "wanted": [stage.value for stage in run.stages],
            "server": run.server_id,
            "budget": dict(spec.budget),
        }
        if spec.analysis:
            fields["analysis"] = {k: dict(v) for k, v in spec.analysis.items()}
        if checked.source.overridden:
            fields["set"] = checked.source.overridden
        return self._store.start_run(run.plan.name, datetime.now(UTC), fields)


def earlier_run(
    store: Store, plan: Plan, server_id: str | None, ended: Sequence[StageDone]
) -> str | None:
    """Newest run of the same plan, server and simulator that ended with the same stages."""
    wanted = [(done.stage.value, done.status) for done in ended]
    for run in reversed(store.runs()):
        stages: Any = run.fields.get("stages", [])
        same = (run.fields.get("plan"), run.fields.get("server")) == (plan.digest, server_id)
        same = same and "exit" in run.fields
        if same and run.fields.get("simulator") == installed_simulator().to_json():
            got = [(item["stage"], item["status"]) for item in stages]
            if got == wanted:
                return run.id
    return None


def _now() -> dict[str, Json]:
    return {"at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
