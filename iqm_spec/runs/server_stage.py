"""One server stage of one run: what it works with, and what it asks for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from attrs import define, field

from iqm_spec.cost.estimate import Tariff
from iqm_spec.model import Mode, Stage
from iqm_spec.plan.plan import Plan
from iqm_spec.runs.events import Paused
from iqm_spec.runs.log import RunLog
from iqm_spec.runs.request import Request
from iqm_spec.stages.server.batch import Batch
from iqm_spec.stages.server.counter import Counter
from iqm_spec.stages.server.desk import Desk, Session, computer_of
from iqm_spec.stages.server.judge import Findings
from iqm_spec.stages.server.ledger import AttemptId
from iqm_spec.stages.server.purse import Purse
from iqm_spec.stages.server.work import ServerWork, look
from iqm_spec.store import Store

DETACHED_SECONDS = 60.0
"""How long a detached run waits for the mock, so that the machine's jobs can be submitted."""


@define
class ServerStage:
    """One server stage of one run, with what it finds out on the way."""

    stage: Stage
    plan: Plan
    request: Request
    session: Session
    store: Store
    log: RunLog
    ignored: frozenset[tuple[str, int]] = frozenset()
    found: Findings = field(factory=Findings)
    submitted: int = 0
    heard: bool = False
    """Whether this run asked the server for jobs' results."""
    lacking: dict[AttemptId, str] = field(factory=dict)
    """Jobs whose shots were wanted and could not be had, with the reason."""
    emulated: bool = False
    tariff: Tariff | None = None
    purse: Purse | None = None

    @property
    def counter(self) -> Counter:
        """What the server told so far."""
        return self.request.counter

    def look(self) -> ServerWork:
        """The stage as the folder has it."""
        return look(self.plan, self.stage, self.session.realm, self.store, self.ignored)

    def tell(self, why: str, seconds: float) -> None:
        """Hear of a pause in between."""
        self.request.tell(Paused(self.stage, why, seconds))


def desk_of(it: ServerStage, sets: Mapping[str, str | None]) -> Desk:
    """The desk of the stage, under its run; `sets` as in `Desk`."""
    return Desk(
        stage=it.stage,
        session=it.session,
        store=it.store,
        run=it.log.run_id(),
        plan=it.plan.digest,
        mode=Mode(it.plan.header.mode),
        sets=sets,
        tariff=it.tariff,
        purse=it.purse,
        fresh=it.request.fresh,
    )


def calibration_sets(it: ServerStage, jobs: Sequence[Batch]) -> dict[str, str | None]:
    """The calibration set to ask for, by target; mocks have sets of their own."""
    found: dict[str, str | None] = {}
    policy = it.plan.header.calibration
    for target in dict.fromkeys(batch.target for batch in jobs):
        if it.stage is Stage.MOCK:
            alias = computer_of(it.stage, target)
            found[target] = it.counter.architecture(alias).calibration_set_id
        elif policy == "pin":
            found[target] = _pinned(it, target)
        else:
            found[target] = None if policy == "latest" else policy
    return found


def _pinned(it: ServerStage, target: str) -> str | None:
    """The set that the plan's machine was read under; a moved default is told."""
    pinned = it.request.pins.get(target)
    current = it.counter.architecture(target).calibration_set_id
    if pinned is not None and pinned != current:
        it.counter.architecture(target, pinned)  # Refused where the server no longer takes it
        it.found.notes.append(
            f"{target}: the default calibration set moved to {current}; the pinned {pinned} is used"
        )
    return pinned or current


def deadline_of(it: ServerStage) -> float | None:
    """When to stop waiting. Detached, a stage that others wait for gets a minute, the last none."""
    known = it.request.deadline
    if not it.request.detach:
        return known
    last = it.stage is it.request.stages[-1]
    own = time.monotonic() + (0 if last else DETACHED_SECONDS)
    return own if known is None else min(own, known)
