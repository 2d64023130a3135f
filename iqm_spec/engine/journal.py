"""Writes the journal of a run, which begins with the first event that there is to store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import frozen

from iqm_spec.engine.inputs import environment, keep_inputs
from iqm_spec.errors import IqmSpecError
from iqm_spec.model import StageName
from iqm_spec.plan.plan import Plan
from iqm_spec.spec.check import CheckedSpec
from iqm_spec.stages.events import StageDone
from iqm_spec.stages.keys import installed_simulator
from iqm_spec.store import Store
from iqm_spec.store.events import (
    RunEnded,
    RunError,
    RunJob,
    RunMemory,
    RunStarted,
    SpecName,
    StageUsed,
    UsedAttempt,
)
from iqm_spec.store.objects import StoredText


@frozen
class NewRun:
    """What the journal of a new run begins with."""

    checked: CheckedSpec
    plan: Plan
    stages: Sequence[StageName]
    server_id: str | None


class RunJournal:
    """Writes the events of one run, stored or new; the first of them starts a new one."""

    def __init__(self, store: Store, run: NewRun | str) -> None:
        self._store = store
        self._new = run
        self._run = run if isinstance(run, str) else None
        self._unwritten: list[StageUsed] = []

    @property
    def begun(self) -> bool:
        """Whether an event has been written."""
        return self._run is not None

    def run_id(self) -> str:
        """The run's id; starts the run where nothing was written yet."""
        if self._run is None:
            self._run = self._start()
            self._write_used()
        return self._run

    def job(self, stage: StageName, job: int, records: str, derived: str) -> None:
        """Notes the packs of a job."""
        self._store.add_event(self.run_id(), RunJob(stage.value, job, records, derived))

    def memory(self, stage: StageName, pack: str) -> None:
        """Notes a pack with the shots of some points."""
        self._store.add_event(self.run_id(), RunMemory(stage.value, pack))

    def used(
        self,
        stage: StageName,
        server_id: str,
        attempts: Sequence[UsedAttempt],
        derived: Sequence[str] = (),
        calibrations: Sequence[str] = (),
    ) -> None:
        """Notes the attempts that stand for the points of a server stage; starts no run by itself.

        `derived` are the packs with the distances of their counts, `calibrations` the objects with
        the quality metrics of their calibration sets.
        """
        event = StageUsed(
            stage.value, server_id, tuple(attempts), tuple(derived), tuple(calibrations)
        )
        self._unwritten.append(event)
        if self._run is not None:
            self._write_used()

    def _write_used(self) -> None:
        while self._unwritten:
            self._store.add_event(self.run_id(), self._unwritten.pop(0))

    def ended(self, stages: Sequence[StageDone], code: int) -> None:
        """Notes the end of the run, with every stage's verdict."""
        verdicts = tuple(done.verdict for done in stages)
        self._store.add_event(self.run_id(), RunEnded(code, _now(), verdicts))

    def failed(self, error: IqmSpecError) -> None:
        """Notes the error that ended the run, if it had begun and the folder can be written to."""
        if self._run is None:
            return
        why = RunError(error.code, error.message)
        try:
            self._store.add_event(self._run, RunEnded(int(error.exit_code), _now(), error=why))
        except IqmSpecError:
            return  # the first error is the one to report

    def _start(self) -> str:
        run = self._new
        assert isinstance(run, NewRun)  # noqa: S101 - a stored run has begun
        checked, spec = run.checked, run.checked.spec
        started = RunStarted(
            spec=SpecName(run.plan.name, checked.digest),
            text=self._store.put(StoredText(checked.text, checked.language)),
            plan=run.plan.digest,
            inputs=keep_inputs(self._store, checked),
            environment=self._store.put(environment()),
            simulator=installed_simulator(),
            wanted=tuple(stage.value for stage in run.stages),
            server=run.server_id,
            budget=spec.budget,
            analysis=spec.analysis or None,
            set=checked.source.overridden or None,
        )
        return self._store.start_run(run.plan.name, datetime.now(UTC), started)


def earlier_run(
    store: Store, plan: Plan, server_id: str | None, ended: Sequence[StageDone]
) -> str | None:
    """Newest run of the same plan, server and simulator that ended with the same stages."""
    verdicts = [(done.stage.value, done.status) for done in ended]
    for run in reversed(store.runs()):
        if run.fields.get("plan") != plan.digest or run.end.exit is None:
            continue
        stored = [(stage.stage, stage.status) for stage in run.end.stages or ()]
        same = run.start.server == server_id and run.start.simulator == installed_simulator()
        if same and stored == verdicts:
            return run.id
    return None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
