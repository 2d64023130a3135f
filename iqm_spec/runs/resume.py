"""Carries an earlier run on from the folder alone: no spec file, no circuit file, no generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve

from iqm_spec.errors import UsageError
from iqm_spec.model import Stage
from iqm_spec.runs.events import Event, RunDone, StageDone
from iqm_spec.runs.inputs import read_inputs
from iqm_spec.runs.log import RunLog
from iqm_spec.runs.loop import GOES_ON, carry_on
from iqm_spec.runs.request import Request
from iqm_spec.runs.saved import SavedRun
from iqm_spec.stages.server.judge import paid_twice
from iqm_spec.stages.server.machines import MachinesAsk, kept_machines
from iqm_spec.stages.server.state import Attempt, Phase
from iqm_spec.stages.server.work import look
from iqm_spec.store import Store
from iqm_spec.store.events import StageVerdict
from iqm_spec.targets import ErrorProfile


def resume(saved: SavedRun, request: Request, store: Store) -> Iterator[Event]:
    """Go on with the stages that had not passed; `request` has them as its `wanted`.

    Where none is left nothing is written, and the run is told as it is.
    """
    if not request.stages:
        for done in passed(saved):
            yield _with_news(done, saved, store)
        code = saved.state.end.exit or 0
        yield RunDone(run=saved.state.id, again=True, exit_code=code)
        return
    log = RunLog(store, saved.plan, request, saved.state.id)
    yield from carry_on(saved.plan, request, store, log, passed(saved))


def passed(saved: SavedRun) -> list[StageDone]:
    """The stages at the beginning of a run that need no second look."""
    found = []
    for told in saved.stages:
        if told.status not in GOES_ON:
            break
        found.append(_done(told))
    return found


def left(saved: SavedRun) -> tuple[Stage, ...]:
    """The stages that a run still wants."""
    wanted = saved.state.start.wanted
    return tuple(Stage(name) for name in wanted[len(passed(saved)) :])


def pins(saved: SavedRun, store: Store) -> dict[str, str | None]:
    """The calibration sets of the run's machines, by alias."""
    if saved.realm is None:
        return {}
    ask = MachinesAsk(saved.plan.header.spec.digest, saved.realm)
    machines = kept_machines(store, ask)
    return {} if machines is None else machines.calibration_sets


def noise(saved: SavedRun, store: Store) -> Mapping[str, ErrorProfile | None] | None:
    """The error profiles of the run's targets; None for a run that did not keep them."""
    digest = saved.state.start.inputs
    return None if digest is None else read_inputs(store, digest).profiles


def budget(saved: SavedRun) -> Mapping[str, Any]:
    """The `budget` of the spec that the run was started with."""
    return saved.state.start.budget or {}


def _with_news(done: StageDone, saved: SavedRun, store: Store) -> StageDone:
    """A stored verdict with what has come to light since: folders that were united, say."""
    if done.stage is not Stage.HARDWARE or saved.realm is None:
        return done
    news = paid_twice(look(saved.plan, done.stage, saved.realm, store, write=False))
    return evolve(done, reasons=(*(n for n in news if n not in done.reasons), *done.reasons))


def since(saved: SavedRun, store: Store) -> list[str]:
    """What has come to light of a run's jobs since its verdict was written."""
    if saved.realm is None:
        return []
    found: list[str] = []
    for stage in saved.stages:
        if stage.stage == Stage.AER.value or stage.status == "skipped":
            continue
        work = look(saved.plan, Stage(stage.stage), saved.realm, store, write=False)
        if stage.stage == Stage.HARDWARE.value:
            found += [told for told in paid_twice(work) if told not in stage.verdict]
        settled = not work.attempts(Phase.UNKNOWN, Phase.INTENDED)
        if stage.status == "unknown" and settled:
            found.append(
                f"since then every job of the {stage.stage} stage is known: `iqm-spec resume "
                f"{saved.state.id}` goes on"
            )
    return found


def attempts_of(saved: SavedRun, store: Store, *, write: bool = True) -> list[Attempt]:
    """Everything that was ever asked of a server for the points of a run; `write` as in `look`."""
    if saved.realm is None:
        raise UsageError(f"run {saved.state.id} went to no server")
    stages = [stage for stage in Stage if stage is not Stage.AER]
    return [
        attempt
        for stage in stages
        for attempt in look(saved.plan, stage, saved.realm, store, write=write).all_attempts
    ]


def _done(told: StageVerdict) -> StageDone:
    return StageDone(
        stage=Stage(told.stage),
        status=told.status,
        reasons=told.verdict,
        jobs=told.jobs,
        cached=told.cached,
        points=told.points,
        emulated=told.emulated,
        submitted=told.submitted,
    )
