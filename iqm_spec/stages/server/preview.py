"""What a run would do and cost, stage by stage. Nothing is submitted or written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen

from iqm_spec.cost.estimate import (
    Assumption,
    JobCost,
    JobToPrice,
    Tariff,
    total_credits,
    total_seconds,
)
from iqm_spec.cost.prices import Quote, quotes
from iqm_spec.cost.ranges import ZERO, Range, total
from iqm_spec.cost.timeslots import (
    BETWEEN_JOBS,
    MARGIN,
    SlotNeed,
    jobs_fitting_timeslot,
    timeslot_for_jobs,
)
from iqm_spec.errors import IqmSpecError, Refused
from iqm_spec.model import Mode, StageName
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan
from iqm_spec.stages.interface import PreviewContext, StagePreview
from iqm_spec.stages.server.attempts import ended_already, read_work
from iqm_spec.stages.server.batch import Batch, Bounds, batches_of, job_to_price, job_to_price_of
from iqm_spec.stages.server.budget import BudgetGuard, Limits
from iqm_spec.stages.server.server_info import ServerInfo, Session, computer_of, machine_notes
from iqm_spec.stages.server.tariff import slot_of, sources_of, tariff_of


@frozen
class JobPreview:
    """A job that would be submitted. `circuit_keys` are those of its circuits, in order."""

    computer: str
    circuit_keys: tuple[str, ...]
    shots: int
    depth: int
    gates: Mapping[str, int]
    seconds: Range
    credits: Range

    @property
    def circuits(self) -> int:
        """Number of circuits."""
        return len(self.circuit_keys)

    @property
    def executions(self) -> int:
        """Circuits times shots."""
        return self.circuits * self.shots


@frozen
class Batching:
    """A way to batch the circuits into jobs, and what it would cost."""

    name: str
    jobs: int
    seconds: Range
    credits: Range


@frozen
class Slots:
    """A machine's jobs in a timeslot of `minutes`, None where no length is known."""

    machine: str
    need: SlotNeed
    minutes: float | None
    fit: int | None


@frozen
class CostPreview:
    """The assumptions behind the costs of a stage, and alternatives."""

    batchings: tuple[Batching, ...] = ()
    quotes: tuple[Quote, ...] = ()
    slots: tuple[Slots, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    notes: tuple[str, ...] = ()


@frozen
class ServerPreview(StagePreview):
    """A stage at a server: `cached` points, points that are `at_server`, and the jobs to submit."""

    stage: StageName
    points: int
    cached: int
    at_server: int
    jobs: tuple[JobPreview, ...]
    free: bool
    costs: CostPreview | None = None

    @property
    def seconds(self) -> Range:
        """QPU seconds of its jobs."""
        return total(job.seconds for job in self.jobs)

    @property
    def credits(self) -> Range:
        """Credits of its jobs."""
        return total(job.credits for job in self.jobs)

    @property
    def line(self) -> str:
        """`24 points: 20 in the results folder, 1 job to submit`."""
        parts = [f"{self.cached:,} in the results folder, at no cost"] if self.cached else []
        if self.at_server:
            parts.append(f"{self.at_server:,} at the server already")
        if self.jobs:
            parts.append(f"{count(len(self.jobs), 'job')} to submit{', free' if self.free else ''}")
        return f"{count(self.points, 'point')}{': ' if parts else ''}{', '.join(parts)}"

    def to_json(self) -> dict[str, Any]:
        """As in `StagePreview`."""
        return {
            "stage": self.stage.value,
            "jobs": [
                {
                    "computer": job.computer,
                    "circuits": job.circuits,
                    "shots": job.shots,
                    "executions": job.executions,
                    "depth": job.depth,
                    "gates": dict(job.gates),
                    "qpu_seconds": job.seconds.to_json(),
                    "credits": job.credits.to_json(),
                }
                for job in self.jobs
            ],
            "cached": self.cached,
            "at_server": self.at_server,
            "qpu_seconds": self.seconds.to_json(),
            "credits": self.credits.to_json(),
        }


@frozen
class ServerLimits:
    """Limits and prices of a server; empty, with a note, where it could not be reached."""

    bounds: Mapping[str, Bounds] = field(factory=dict)
    prices: Mapping[str, float] = field(factory=dict)
    slot_seconds: Mapping[str, float] = field(factory=dict)
    notes: tuple[str, ...] = ()


def ask_limits(session: Session | None, plan: Plan) -> ServerLimits:
    """Ask for limits, prices and booked timeslots of the plan's machines, for a few seconds."""
    from iqm_spec.server_api.retry import PREVIEW_READS

    if session is None:
        return ServerLimits(notes=("no credentials: limits and prices are not the server's own",))
    server = ServerInfo(session, policy=PREVIEW_READS)
    targets = list(dict.fromkeys(point.target for point in plan.points))
    try:
        listed = server.aliases()
        known = [target for target in targets if target in listed]
        slots = {target: server.slot_seconds(target) for target in known}
        return ServerLimits(
            bounds=server.bounds(known),
            prices=server.prices(known),
            slot_seconds={target: left for target, left in slots.items() if left is not None},
            notes=tuple(machine_notes(server.computer_info(target) for target in known)),
        )
    except IqmSpecError as error:
        return ServerLimits(notes=(f"limits and prices are not the server's own: {error.message}",))


def preview_jobs(name: StageName, context: PreviewContext) -> tuple[ServerPreview, list[Batch]]:
    """What is left of a stage that costs nothing, and its jobs."""
    plan, store, server_id = context.plan, context.store, context.server_id
    ignored = ended_already(store, name, server_id) if context.options.fresh else frozenset()
    work = read_work(plan, name, server_id, store, ignored)
    points = [point for point, *_ in work.left()]
    parts = work.parts(circuits_of(store, plan, points))
    jobs = batches_of(plan, parts, context.limits.bounds)
    waiting = work.waiting()
    at_server = sum(1 for key in work.keys if key in waiting)
    listed = tuple(_job(name, job, ZERO, ZERO) for job in jobs)
    return ServerPreview(name, len(plan.points), work.cached, at_server, listed, free=True), jobs


def preview_paid(name: StageName, context: PreviewContext, limits: Limits) -> ServerPreview:
    """What is left of a stage that spends credits, and what it would cost."""
    preview, jobs = preview_jobs(name, context)
    plan, store, options, server = context.plan, context.store, context.options, context.limits
    computers = dict.fromkeys(job.target for job in jobs)
    sources = sources_of(options.costs, context.inputs.budget, server.prices, context.session)
    tariff = tariff_of(computers, context.server_id, store, options.costs, sources)
    jobs_to_price = [job_to_price(job.target, job) for job in jobs]
    costs = [tariff.cost(job) for job in jobs_to_price]
    notes: tuple[str, ...] = ()
    if costs:
        budget = BudgetGuard(context.store, context.plan.name, context.server_id, limits)
        try:
            budget.require(total_credits(costs).high, count(len(costs), "job"))
        except Refused as error:
            notes = (f"`run` would be refused: {error.message} ({error.hint})",)
    slots = tuple(_slots(plan, options.costs.slot_seconds, jobs, costs, server))
    return evolve(
        preview,
        jobs=tuple(
            _job(name, job, cost.seconds, cost.credits)
            for job, cost in zip(jobs, costs, strict=True)
        ),
        free=False,
        costs=CostPreview(
            batchings=_batchings(jobs, costs, tariff),
            quotes=tuple(
                quote
                for computer in computers
                for quote in quotes(
                    computer, [j.shape for j in jobs_to_price if j.computer == computer]
                )
            ),
            slots=slots,
            assumptions=tuple(_assumed(tariff, jobs_to_price, plan, slots)),
            notes=notes,
        ),
    )


def _job(stage: StageName, job: Batch, seconds: Range, credits_: Range) -> JobPreview:
    gates: dict[str, int] = {}
    for part in job.parts:
        for name, number in part.point.summary.gates.items():
            gates[name] = gates.get(name, 0) + number
    depth = max(part.point.summary.depth for part in job.parts)
    computer = computer_of(stage, job.target)
    keys = tuple(part.point.circuit_key for part in job.parts)
    return JobPreview(computer, keys, job.shots, depth, gates, seconds, credits_)


def _batchings(
    jobs: Sequence[Batch], costs: Sequence[JobCost], tariff: Tariff
) -> tuple[Batching, ...]:
    """The costs of the plan's jobs and of one job per circuit; nothing where these are the same."""
    separate_costs = [
        tariff.cost(job_to_price_of(job.target, [part.point], job.shots, job.options))
        for job in jobs
        for part in job.parts
    ]
    if len(separate_costs) == len(jobs):
        return ()
    return tuple(
        Batching(name, len(job_costs), total_seconds(job_costs), total_credits(job_costs))
        for name, job_costs in (("this plan", costs), ("one job per circuit", separate_costs))
    )


def _slots(
    plan: Plan,
    slot_seconds: float | None,
    jobs: Sequence[Batch],
    costs: Sequence[JobCost],
    limits: ServerLimits,
) -> Iterator[Slots]:
    """What a machine's jobs need of a timeslot, in timeslot mode or where a length is given."""
    if plan.header.mode != Mode.TIMESLOT.value and slot_seconds is None:
        return
    for machine in dict.fromkeys(job.target for job in jobs):
        pairs = zip(jobs, costs, strict=True)
        seconds = [cost.seconds for job, cost in pairs if job.target == machine]
        length = slot_of(limits.slot_seconds.get(machine), slot_seconds)
        fit = None if length is None else jobs_fitting_timeslot(seconds, length)
        yield Slots(
            machine, timeslot_for_jobs(seconds), None if length is None else length / 60, fit
        )


def _assumed(
    tariff: Tariff, jobs: Sequence[JobToPrice], plan: Plan, slots: Sequence[Slots]
) -> list[Assumption]:
    assumptions = tariff.assumptions_of(jobs)
    if jobs and plan.header.mode == Mode.TIMESLOT.value:
        value = (
            "seconds used, at the price of the pay-as-you-go queue; the slot itself is booked whole"
        )
        source = (
            "slots are listed with a price of their own and charged at booking (IQM Server API)"
        )
        assumptions.append(Assumption("credits in timeslot mode", value, source, "2026-08-22"))
    if slots:
        between = BETWEEN_JOBS
        value = f"{between.low:g} to {between.high:g} s, {between.expected:g} s expected"
        source = "IT4Innovations' guide for VLQ: 3 to 15 s per job, some of it hidden in the queue"
        assumptions.append(
            Assumption("time of a slot beside each job", value, source, "2026-11-22")
        )
        assumptions.append(Assumption("share of a slot kept free", f"{MARGIN:.0%}", "chosen", ""))
    return assumptions
