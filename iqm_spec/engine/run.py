"""Makes or loads the plan, then runs its stages in order; yields what happens as events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import evolve, frozen

from iqm_spec.cost.estimate import Assumption
from iqm_spec.cost.prices import Quote
from iqm_spec.cost.ranges import Range, total
from iqm_spec.engine.journal import NewRun, RunJournal, earlier_run
from iqm_spec.errors import MOST_URGENT_FIRST, ExitCode, Interrupted, IqmSpecError, Refused
from iqm_spec.model import StageName
from iqm_spec.plan.build import find_plan, make_plan
from iqm_spec.plan.label import count, label
from iqm_spec.plan.plan import Plan
from iqm_spec.plan.prediction import predicted_successes
from iqm_spec.plan.readout import is_calibration
from iqm_spec.plan.transpiling import Crosschecked
from iqm_spec.spec.check import CheckedSpec
from iqm_spec.stages.events import Event, Paused, Planned, RunDone, StageDone, Transpiling
from iqm_spec.stages.interface import (
    PreviewContext,
    RunInputs,
    RunOptions,
    StageContext,
    StagePreview,
)
from iqm_spec.stages.registry import STAGES, any_needs_server
from iqm_spec.stages.server.preview import (
    Batching,
    ServerLimits,
    ServerPreview,
    Slots,
    ask_limits,
)
from iqm_spec.stages.server.server_info import ServerInfo, Session
from iqm_spec.store import Store

PASSED = ("passed", "waived")
"""Verdicts after which the next stage begins."""


@frozen
class SpecRun:
    """A checked spec, and how to run it.

    Args:
        stages: the spec's stages that are to be run.
        inputs: what the stages need beside the plan.
        session: the server; None without credentials (`why_no_server` says more).
    """

    checked: CheckedSpec
    stages: tuple[StageName, ...]
    inputs: RunInputs
    options: RunOptions
    session: Session | None = None
    why_no_server: str = ""

    @property
    def server_id(self) -> str | None:
        """The id of the server that its stages go to; None where none of them needs one."""
        is_used = self.session is not None and any_needs_server(self.stages)
        return self.session.server_id if self.session is not None and is_used else None


def run_spec(run: SpecRun, store: Store) -> Iterator[Event]:
    """Make or load the plan, then run its stages in order until one does not pass.

    Where an earlier run of the same plan has all results, nothing is written and that run is named
    instead of a new one. Errors are raised, and noted in the run's journal where it has begun.
    """
    for event in plan_spec(run.checked, store, replan=run.options.replan):
        yield event
        if isinstance(event, Planned):
            plan = event.plan
    if spends_credits(run.stages):
        require_success(store, plan)
    journal = RunJournal(store, NewRun(run.checked, plan, run.stages, run.server_id))
    context = StageContext(
        plan=plan,
        inputs=run.inputs,
        options=run.options,
        store=store,
        journal=journal,
        server=server_info(run.session, run.options),
        why_no_server=run.why_no_server,
    )
    yield from run_stages(run.stages, context, journal, run.server_id)


def spends_credits(stages: Iterable[StageName]) -> bool:
    """Whether one of the stages spends credits."""
    return any(STAGES[stage].spends_credits for stage in stages)


def require_success(store: Store, plan: Plan) -> None:
    """Refused where a circuit's predicted success is below what the spec requires."""
    if too_low := too_little_success(plan, predicted_successes(store, plan)):
        raise Refused(
            too_low,
            hint="use fewer qubits or gates, `transpile: {trials: 16}`, or another machine; `run "
            "--dry-run` shows every circuit's",
            code="refused.success",
        )


def too_little_success(plan: Plan, successes: Mapping[str, float]) -> str:
    """What `require` asks for and circuits lack; empty where they meet it, or it asks nothing.

    `successes` are predicted, by circuit key.
    """
    least = plan.header.require.get("predicted_success", {}).get("min")
    below = [
        point
        for point in plan.points
        if least is not None
        and not is_calibration(point)
        and successes.get(point.circuit_key, 1.0) < least
    ]
    if not below:
        return ""
    worst = min(below, key=lambda point: successes[point.circuit_key])
    name, success = label(worst.name, worst.values), successes[worst.circuit_key]
    return (
        f"`require` asks for a predicted success of {least:g}: {len(below)} of "
        f"{count(len(plan.points), 'circuit')} have less; the least is {success:.2g}, of {name}"
    )


def server_info(session: Session | None, options: RunOptions) -> ServerInfo | None:
    """The server info of a run, each answer read once; pauses are reported."""
    if session is None:
        return None
    return ServerInfo(session, lambda why, seconds: options.report(Paused(None, why, seconds)))


def run_stages(
    stages: Sequence[StageName],
    context: StageContext,
    journal: RunJournal,
    server_id: str | None,
    before: Sequence[StageDone] = (),
) -> Iterator[Event]:
    """Run the stages of a plan after those of `before`, and note how they ended."""
    ended = list(before)
    yield from ended
    try:
        for number, name in enumerate(stages):
            is_last = number == len(stages) - 1
            stage_context = evolve(context, before=tuple(ended), is_last=is_last)
            if any(done.status not in PASSED for done in ended):
                reasons = (f"the {ended[-1].stage} stage did not pass",)
                done = StageDone(name, "skipped", reasons, jobs=0, cached=0, points=0)
            else:
                done = yield from STAGES[name].run(stage_context)
            ended.append(done)
            yield done
    except IqmSpecError as error:
        journal.failed(error)
        raise
    except KeyboardInterrupt:
        journal.failed(Interrupted("interrupted"))
        raise
    code = exit_code(ended)
    earlier = None if journal.begun else earlier_run(context.store, context.plan, server_id, ended)
    if earlier is None:
        journal.ended(ended, code)
    yield RunDone(run=earlier or journal.run_id(), again=earlier is not None, exit_code=code)


def exit_code(ended: Sequence[StageDone]) -> int:
    """The exit code of a run: the most urgent of its stages' codes."""
    codes = {done.code for done in ended}
    return int(
        next(code for code in (*MOST_URGENT_FIRST, ExitCode.DONE) if code in codes or not code)
    )


# --- the plan ------------------------------------------------------------------------------------


def plan_spec(
    checked: CheckedSpec, store: Store, *, replan: bool = False, keep: bool = True
) -> Iterator[Event]:
    """The stored plan of a spec or a new one; the last event is `Planned`.

    `keep=False` writes nothing into the folder: the digest of a new plan is empty.
    """
    stored = None if replan else find_plan(checked, store)
    if stored is not None:
        yield Planned(stored, stored=True)
        return
    for step in make_plan(checked, store, replan=replan, keep=keep):
        match step:
            case Plan():
                yield Planned(step, stored=False)
            case Crosschecked():
                yield step
            case _:
                yield Transpiling(*step)


def plan_of(
    checked: CheckedSpec,
    store: Store,
    *,
    replan: bool = False,
    keep: bool = True,
    report: Callable[[Event], None] = lambda _: None,
) -> Plan:
    """The plan of a spec; `report` receives the events of `plan_spec`, `keep` is as there."""
    for event in plan_spec(checked, store, replan=replan, keep=keep):
        report(event)
        if isinstance(event, Planned):
            plan = event.plan
    return plan


# --- previews ------------------------------------------------------------------------------------


@frozen
class RunPreview:
    """What a run would do and cost, stage by stage, with the assumptions behind the costs."""

    stages: tuple[StagePreview, ...] = ()
    batchings: tuple[Batching, ...] = ()
    quotes: tuple[Quote, ...] = ()
    slots: tuple[Slots, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def needs_server(self) -> bool:
        """Whether one of the stages goes to a server."""
        return any_needs_server([stage.stage for stage in self.stages])

    @property
    def paid_stages(self) -> list[ServerPreview]:
        """The stages that spend credits."""
        return [
            stage for stage in self.stages if isinstance(stage, ServerPreview) and not stage.free
        ]

    @property
    def seconds(self) -> Range:
        """QPU seconds of all stages."""
        return total(stage.seconds for stage in self.stages)

    @property
    def credits(self) -> Range:
        """Credits of all stages."""
        return total(stage.credits for stage in self.stages)


def preview_run(
    run: SpecRun, plan: Plan, store: Store, server_id: str, limits: ServerLimits | None = None
) -> RunPreview:
    """The stages as `run` would run them now. Nothing is submitted or written.

    `server_id` is that of the server that a run would use. Without `limits` the server is asked for
    them, where a stage needs it.
    """
    if limits is None:
        is_asked = any_needs_server(run.stages)
        limits = ask_limits(run.session, plan) if is_asked else ServerLimits()
    context = PreviewContext(
        plan, run.inputs, run.options, store, server_id, limits, session=run.session
    )
    stages = tuple(STAGES[name].preview(context) for name in run.stages)
    costs = [stage.costs for stage in stages if stage.costs is not None]
    return RunPreview(
        stages=stages,
        batchings=tuple(item for cost in costs for item in cost.batchings),
        quotes=tuple(item for cost in costs for item in cost.quotes),
        slots=tuple(item for cost in costs for item in cost.slots),
        assumptions=tuple(item for cost in costs for item in cost.assumptions),
        notes=(*limits.notes, *(note for cost in costs for note in cost.notes)),
    )
