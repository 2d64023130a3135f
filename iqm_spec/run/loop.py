"""Carries a plan out, stage by stage, and tells of it in events."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

from iqm_spec.errors import ExitCode, Interrupted, IqmSpecError
from iqm_spec.model import Stage
from iqm_spec.plan.build import find_plan, make_plan
from iqm_spec.plan.plan import Plan
from iqm_spec.run.aer import run_aer
from iqm_spec.run.events import Event, Planned, RunDone, StageDone, Transpiling
from iqm_spec.run.log import RunLog, earlier_run
from iqm_spec.run.request import Request
from iqm_spec.store import Store

PASSED = "passed"


def carry_out(request: Request, store: Store) -> Iterator[Event]:
    """Make or find the plan, then run its stages in order until one does not pass.

    Where an earlier run asked the same and got everything, nothing is written and that run is named
    instead of a new one. Errors pass through, noted in the run's journal where it has begun.
    """
    for event in planned(request, store):
        yield event
        if isinstance(event, Planned):
            plan = event.plan
    log = RunLog(store, plan, request)
    ended: list[StageDone] = []
    try:
        for stage in request.stages:
            done = yield from _run_stage(stage, ended, plan, request, store, log)
            ended.append(done)
            yield done
    except IqmSpecError as error:
        log.failed(error)
        raise
    except KeyboardInterrupt:
        log.failed(Interrupted("interrupted"))
        raise
    code = exit_code(ended)
    earlier = None if log.begun else earlier_run(store, plan, ended)
    if earlier is None:
        log.ended(ended, code)
    yield RunDone(run=earlier or log.run_id(), again=earlier is not None, exit_code=code)


def planned(request: Request, store: Store, *, keep: bool = True) -> Iterator[Event]:
    """The stored plan of this question or a new one; the last event is `Planned`.

    `keep=False` writes nothing into the folder: the digest of a new plan is empty.
    """
    stored = None if request.replan else find_plan(request.checked, store)
    if stored is not None:
        yield Planned(stored, stored=True)
        return
    for step in make_plan(request.checked, store, replan=request.replan, keep=keep):
        yield Planned(step, stored=False) if isinstance(step, Plan) else Transpiling(*step)


def plan_of(request: Request, store: Store, tell: Callable[[Event], None] = lambda _: None) -> Plan:
    """The plan of a request, without writing anything; `tell` hears how it goes on."""
    for event in planned(request, store, keep=False):
        tell(event)
        if isinstance(event, Planned):
            plan = event.plan
    return plan


def exit_code(ended: Sequence[StageDone]) -> int:
    """0 where every stage passed; a requirement that was missed or a refusal is 4."""
    fine = all(done.status == PASSED for done in ended)
    return int(ExitCode.DONE if fine else ExitCode.REFUSED)


def _run_stage(
    stage: Stage,
    before: Sequence[StageDone],
    plan: Plan,
    request: Request,
    store: Store,
    log: RunLog,
) -> Generator[Event, None, StageDone]:
    if any(done.status != PASSED for done in before):
        return _not_run(stage, "skipped", f"the {before[-1].stage} stage did not pass")
    if stage is Stage.AER:
        return (yield from run_aer(plan, request, store, log))
    return _not_run(
        stage,
        "refused",
        "this version of iqm-spec simulates; it submits nothing to a server (use --until aer)",
    )


def _not_run(stage: Stage, status: str, reason: str) -> StageDone:
    return StageDone(stage=stage, status=status, reasons=(reason,), jobs=0, cached=0, points=0)
