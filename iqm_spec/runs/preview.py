"""What a run would do and cost, stage by stage. Nothing is submitted or written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import field, frozen

from iqm_spec.cost.estimate import (
    Assumption,
    JobAsked,
    JobCost,
    Tariff,
    credits_of,
    seconds_of,
)
from iqm_spec.cost.prices import Quote, quotes
from iqm_spec.cost.ranges import NOTHING, Range, total
from iqm_spec.cost.slots import BETWEEN_JOBS, MARGIN, SlotNeed, fitting, need
from iqm_spec.errors import IqmSpecError, Refused
from iqm_spec.model import Mode, Stage
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.runs.afford import limits_of, slot_of
from iqm_spec.runs.request import Request
from iqm_spec.runs.server_notes import machine_notes
from iqm_spec.runs.tariff import sources_of, tariff_of
from iqm_spec.stages.server.batch import Batch, Bounds, batches_of
from iqm_spec.stages.server.counter import Counter
from iqm_spec.stages.server.desk import Session, computer_of
from iqm_spec.stages.server.purse import Purse
from iqm_spec.stages.server.submit import asked, asked_of
from iqm_spec.stages.server.work import ended_already, look
from iqm_spec.store import Store

SERVER_SECONDS = 3.0
"""How long a preview tries to ask the server; it can do without."""


@frozen
class JobPreview:
    """A job that would be submitted; `cost` is nothing for mocks."""

    computer: str
    circuits: int
    shots: int
    depth: int
    gates: Mapping[str, int]
    seconds: Range
    credits: Range

    @property
    def executions(self) -> int:
        """Circuits times shots."""
        return self.circuits * self.shots


@frozen
class StagePreview:
    """A stage at a server: what is there, what is at the server, and the jobs that are left."""

    stage: Stage
    points: int
    cached: int
    open: int
    jobs: tuple[JobPreview, ...]

    @property
    def seconds(self) -> Range:
        """QPU seconds of its jobs."""
        return total(job.seconds for job in self.jobs)

    @property
    def credits(self) -> Range:
        """Credits of its jobs."""
        return total(job.credits for job in self.jobs)


@frozen
class Batching:
    """Another way to cut the same circuits into jobs, and what it would cost."""

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
    """What the stages at a server would cost, and what that rests on."""

    stages: tuple[StagePreview, ...] = ()
    batchings: tuple[Batching, ...] = ()
    quotes: tuple[Quote, ...] = ()
    slots: tuple[Slots, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    notes: tuple[str, ...] = field(factory=tuple)

    @property
    def seconds(self) -> Range:
        """QPU seconds of all stages."""
        return total(stage.seconds for stage in self.stages)

    @property
    def credits(self) -> Range:
        """Credits of all stages."""
        return total(stage.credits for stage in self.stages)


@frozen
class Told:
    """What the server told for a preview; empty, with a note, where it could not be asked."""

    bounds: Mapping[str, Bounds] = field(factory=dict)
    prices: Mapping[str, float] = field(factory=dict)
    slot_seconds: Mapping[str, float] = field(factory=dict)
    notes: tuple[str, ...] = ()


def ask_server(session: Session | None, plan: Plan) -> Told:
    """Ask for limits, prices and booked timeslots of the plan's machines, for a few seconds."""
    if session is None:
        return Told(notes=("no credentials: limits and prices are not the server's own",))
    counter = Counter(session, seconds=SERVER_SECONDS)
    targets = list(dict.fromkeys(point.target for point in plan.points))
    try:
        listed = counter.aliases()
        known = [target for target in targets if target in listed]
        slots = {target: counter.slot_seconds(target) for target in known}
        return Told(
            bounds=counter.bounds(known),
            prices=counter.prices(known),
            slot_seconds={target: left for target, left in slots.items() if left is not None},
            notes=tuple(machine_notes(counter.offer(target) for target in known)),
        )
    except IqmSpecError as error:
        return Told(notes=(f"limits and prices are not the server's own: {error.message}",))


def preview_now(plan: Plan, request: Request, store: Store, realm: str) -> CostPreview:
    """The preview with what the server tells; it is asked only where a stage goes there."""
    if all(stage is Stage.AER for stage in request.stages):
        return CostPreview()
    return preview(plan, request, store, realm, ask_server(request.session, plan))


def preview(plan: Plan, request: Request, store: Store, realm: str, told: Told) -> CostPreview:
    """The stages at a server as `run` would carry them out now."""
    wanted = [stage for stage in request.stages if stage is not Stage.AER]
    left = {stage: _left(stage, plan, request, store, realm, told) for stage in wanted}
    machine = left.get(Stage.HARDWARE, ((), 0, 0))[0]
    computers = dict.fromkeys(job.target for job in machine)
    sources = sources_of(request.costs, request.budget, told.prices, request.session)
    tariff = tariff_of(computers, realm, store, request.costs, sources)
    jobs = [asked(job.target, job) for job in machine]
    costs = [tariff.cost(job) for job in jobs]
    stages = tuple(
        StagePreview(stage, len(plan.points), cached, open_, _jobs(stage, jobs_of, costs))
        for stage, (jobs_of, cached, open_) in left.items()
    )
    slots = tuple(_slots(plan, request, machine, costs, told))
    notes = list(told.notes)
    if costs:
        notes += _refusal(plan, request, store, realm, costs)
    return CostPreview(
        stages=stages,
        batchings=_batchings(machine, costs, tariff),
        quotes=tuple(
            quote
            for computer in computers
            for quote in quotes(computer, [job.shape for job in jobs if job.computer == computer])
        ),
        slots=slots,
        assumptions=tuple(_assumed(tariff, jobs, plan, slots)),
        notes=tuple(notes),
    )


def _refusal(
    plan: Plan, request: Request, store: Store, realm: str, costs: Sequence[JobCost]
) -> list[str]:
    """Why `run` would submit nothing now, as far as money is concerned."""
    purse = Purse(store, plan.name, realm, limits_of(request))
    try:
        purse.require(credits_of(costs).high, count(len(costs), "job"))
    except Refused as error:
        return [f"`run` would be refused: {error.message} ({error.hint})"]
    return []


def _left(
    stage: Stage, plan: Plan, request: Request, store: Store, realm: str, told: Told
) -> tuple[Sequence[Batch], int, int]:
    """Jobs to submit, points that are there, and points that are at the server."""
    ignored = ended_already(store, stage, realm) if request.fresh else frozenset()
    work = look(plan, stage, realm, store, ignored, write=False)
    points = [point for point, *_ in work.left()]
    parts = work.parts(circuits_of(store, plan, points))
    jobs = batches_of(plan, parts, told.bounds)
    waiting = work.waiting()
    return jobs, work.cached, sum(1 for key in work.keys if key in waiting)


def _jobs(stage: Stage, jobs: Sequence[Batch], costs: Sequence[JobCost]) -> tuple[JobPreview, ...]:
    free = [(NOTHING, NOTHING)] * len(jobs)
    priced = free if stage is Stage.MOCK else [(cost.seconds, cost.credits) for cost in costs]
    return tuple(
        _job(computer_of(stage, job.target), [part.point for part in job.parts], job.shots, *both)
        for job, both in zip(jobs, priced, strict=True)
    )


def _job(
    computer: str, points: Sequence[PlannedPoint], shots: int, seconds: Range, credits_: Range
) -> JobPreview:
    gates: dict[str, int] = {}
    for point in points:
        for name, number in point.summary.gates.items():
            gates[name] = gates.get(name, 0) + number
    depth = max(point.summary.depth for point in points)
    return JobPreview(computer, len(points), shots, depth, gates, seconds, credits_)


def _batchings(
    jobs: Sequence[Batch], costs: Sequence[JobCost], tariff: Tariff
) -> tuple[Batching, ...]:
    """The plan beside one job per circuit, as a script that submits each by itself has it."""
    apart = [tariff.cost(one) for job in jobs for one in _each(job)]
    if len(apart) == len(jobs):
        return ()
    return tuple(
        Batching(name, len(some), seconds_of(some), credits_of(some))
        for name, some in (("this plan", costs), ("one job per circuit", apart))
    )


def _each(job: Batch) -> list[JobAsked]:
    return [asked_of(job.target, [part.point], job.shots, job.options) for part in job.parts]


def _slots(
    plan: Plan, request: Request, jobs: Sequence[Batch], costs: Sequence[JobCost], told: Told
) -> Iterator[Slots]:
    """What a machine's jobs need of a timeslot, in timeslot mode or where a length is given."""
    given = request.costs.slot_seconds
    if plan.header.mode != Mode.TIMESLOT.value and given is None:
        return
    for machine in dict.fromkeys(job.target for job in jobs):
        pairs = zip(jobs, costs, strict=True)
        seconds = [cost.seconds for job, cost in pairs if job.target == machine]
        length = slot_of(told.slot_seconds.get(machine), given)
        fit = None if length is None else fitting(seconds, length)
        yield Slots(machine, need(seconds), None if length is None else length / 60, fit)


def _assumed(
    tariff: Tariff, jobs: Sequence[JobAsked], plan: Plan, slots: Sequence[Slots]
) -> list[Assumption]:
    found = tariff.assumed(jobs)
    if jobs and plan.header.mode == Mode.TIMESLOT.value:
        told = (
            "seconds used, at the price of the pay-as-you-go queue; the slot itself is booked whole"
        )
        source = (
            "slots are listed with a price of their own and charged at booking (IQM Server API)"
        )
        found.append(Assumption("credits in timeslot mode", told, source, "2026-08-22"))
    if slots:
        between = BETWEEN_JOBS
        told = f"{between.low:g} to {between.high:g} s, {between.expected:g} s expected"
        source = "IT4Innovations' guide for VLQ: 3 to 15 s per job, some of it hidden in the queue"
        found.append(Assumption("time of a slot beside each job", told, source, "2026-11-22"))
        found.append(Assumption("share of a slot kept free", f"{MARGIN:.0%}", "chosen", ""))
    return found
