"""Carries a plan out, stage by stage, and tells of it in events."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

from iqm_spec.errors import TOLD_FIRST, ExitCode, Interrupted, IqmSpecError, Refused
from iqm_spec.model import Stage
from iqm_spec.plan.build import find_plan, make_plan
from iqm_spec.plan.plan import Plan
from iqm_spec.plan.transpiling import Crosschecked
from iqm_spec.runs.aer import run_aer
from iqm_spec.runs.events import Event, Planned, RunDone, StageDone, Transpiling
from iqm_spec.runs.log import RunLog, earlier_run
from iqm_spec.runs.request import Request
from iqm_spec.runs.server import refused, run_server
from iqm_spec.store import Store

GOES_ON = ("passed", "waived")
"""Verdicts after which the next stage begins."""


def carry_out(request: Request, store: Store) -> Iterator[Event]:
    """Make or find the plan, then run its stages in order until one does not pass.

    Where an earlier run asked the same and got everything, nothing is written and that run is named
    instead of a new one. Errors pass through, noted in the run's journal where it has begun.
    """
    for event in planned(request, store):
        yield event
        if isinstance(event, Planned):
            plan = event.plan
    yield from carry_on(plan, request, store, RunLog(store, plan, request))


def carry_on(
    plan: Plan, request: Request, store: Store, log: RunLog, before: Sequence[StageDone] = ()
) -> Iterator[Event]:
    """Run the stages of a plan, in a new run or in the one of `log`, after those of `before`."""
    ended = list(before)
    yield from ended
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
    earlier = None if log.begun else earlier_run(store, plan, request.realm, ended)
    if earlier is None:
        log.ended(ended, code)
    yield RunDone(run=earlier or log.run_id(), again=earlier is not None, exit_code=code)


def planned(request: Request, store: Store, *, keep: bool = True) -> Iterator[Event]:
    """The stored plan of this question or a new one; the last event is `Planned`.

    `keep=False` writes nothing into the folder: the digest of a new plan is empty.
    """
    checked = request.checked
    assert checked is not None  # noqa: S101 - a plan is made of a spec
    stored = None if request.replan else find_plan(checked, store)
    if stored is not None:
        yield Planned(stored, stored=True)
        return
    for step in make_plan(checked, store, replan=request.replan, keep=keep):
        match step:
            case Plan():
                yield Planned(step, stored=False)
            case Crosschecked():
                yield step
            case _:
                yield Transpiling(*step)


def plan_of(request: Request, store: Store, tell: Callable[[Event], None] = lambda _: None) -> Plan:
    """The plan of a request, without writing anything; `tell` hears how it goes on."""
    for event in planned(request, store, keep=False):
        tell(event)
        if isinstance(event, Planned):
            plan = event.plan
    return plan


def exit_code(ended: Sequence[StageDone]) -> int:
    """Of all that the stages ended with, what is told first."""
    codes = {done.code for done in ended}
    return int(next(code for code in (*TOLD_FIRST, ExitCode.DONE) if code in codes or not code))


def _run_stage(
    stage: Stage,
    before: Sequence[StageDone],
    plan: Plan,
    request: Request,
    store: Store,
    log: RunLog,
) -> Generator[Event, None, StageDone]:
    if any(done.status not in GOES_ON for done in before):
        told = f"the {before[-1].stage} stage did not pass"
        return StageDone(stage=stage, status="skipped", reasons=(told,), jobs=0, cached=0, points=0)
    if stage is Stage.AER:
        return (yield from run_aer(plan, request, store, log))
    try:
        return (yield from run_server(stage, before, plan, request, store, log))
    except Refused as error:
        why = f"{error.message} ({error.hint})" if error.hint else error.message
        return refused(stage, why, request)
