"""Before a machine's jobs are submitted: what they cost, whether that may be spent, what fits."""

from __future__ import annotations

from collections.abc import Sequence

from iqm_spec.cost.estimate import JobCost, credits_of
from iqm_spec.cost.ranges import Range
from iqm_spec.cost.slots import MARGIN, fitting, need
from iqm_spec.errors import Refused
from iqm_spec.model import Mode, Stage
from iqm_spec.plan.label import count
from iqm_spec.runs.request import Request
from iqm_spec.runs.server_stage import ServerStage
from iqm_spec.runs.tariff import sources_of, tariff_of
from iqm_spec.stages.server.batch import Batch
from iqm_spec.stages.server.desk import EMULATOR, computer_of
from iqm_spec.stages.server.purse import Limits, Purse
from iqm_spec.stages.server.spending import Counting
from iqm_spec.stages.server.submit import asked


def price_jobs(it: ServerStage, jobs: Sequence[Batch]) -> list[JobCost]:
    """Price the jobs of a machine, and open the purse that they are paid from."""
    computers = list(dict.fromkeys(computer_of(it.stage, job.target) for job in jobs))
    options = it.request.costs
    told = it.counter.prices(computers)
    sources = sources_of(options, it.request.budget, told, it.session)
    used = sources.given if sources.given is not None else sources.spec
    for computer, theirs in told.items():
        if used is not None and used < theirs:
            it.found.notes.append(
                f"{computer} is priced at {used:g} credits per second; the server says {theirs:g}"
            )
    it.tariff = tariff_of(computers, it.session.realm, it.store, options, sources)
    it.purse = purse_of(it)
    return [it.tariff.cost(asked(computer_of(it.stage, job.target), job)) for job in jobs]


def purse_of(it: ServerStage) -> Purse:
    """What the spec's budget and the command line let be spent."""
    return Purse(it.store, it.plan.name, it.session.realm, limits_of(it.request))


def limits_of(request: Request) -> Limits:
    """The limits of the spec's budget and of the command line."""
    budget = request.budget
    rules = {name: budget[name] for name in ("failed", "cancelled") if name in budget}
    return Limits(budget.get("credits"), request.costs.most, Counting(**rules))


def require_budget(it: ServerStage, costs: Sequence[JobCost]) -> None:
    """Refused where the budget may not cover all that is left: nothing is submitted then."""
    if it.purse is not None and costs:
        it.purse.require(credits_of(costs).high, count(len(costs), "job"))


def that_fit(it: ServerStage, jobs: Sequence[Batch], costs: Sequence[JobCost]) -> list[Batch]:
    """In timeslot mode, the first jobs that fit in the time booked; what is held back is told.

    Where the server does not tell of timeslots, and nobody names a time, all are submitted. Refused
    where it tells that none is booked.
    """
    if it.stage is Stage.MOCK or it.plan.header.mode != Mode.TIMESLOT.value:
        return list(jobs)
    kept: list[Batch] = []
    without: list[str] = []
    told: list[str] = []
    for computer in dict.fromkeys(job.target for job in jobs):
        pairs = [(j, c) for j, c in zip(jobs, costs, strict=True) if j.target == computer]
        seconds = slot_of(it.counter.slot_seconds(computer), it.request.costs.slot_seconds)
        if seconds == 0:
            without.append(computer)
            continue
        fit = len(pairs)
        if seconds is not None:
            fit = fitting([cost.seconds for _, cost in pairs], seconds)
        kept += [job for job, _ in pairs[:fit]]
        if fit < len(pairs) and seconds is not None:
            told.append(_held(computer, [cost.seconds for _, cost in pairs], fit, seconds))
    if not kept and without:
        raise _no_slot(", ".join(without), it.session.realm)
    if without:
        told.append(f"held back: no timeslot is booked on {', '.join(without)}")
    if told:
        it.found.held = "; ".join(told)
    return [job for job in jobs if job in kept]


def slot_of(told: float | None, given: float | None) -> float | None:
    """Seconds of a timeslot: what the server tells, but no more than what was given.

    Where it tells of none, or does not tell, what was given stands; None where nothing is known.
    """
    if told and given is not None:
        return min(told, given)
    return told if given is None else given


def _held(computer: str, seconds: Sequence[Range], fit: int, slot: float) -> str:
    wanted = need(seconds)
    usable = slot * (1 - MARGIN)
    return (
        f"{count(len(seconds) - fit, 'job')} of {len(seconds)} held back, from job {fit + 1} on: "
        f"all of them may take {wanted.seconds.high / 60:.1f} min on {computer}, with what lies "
        f"between jobs, and {usable / 60:.1f} of {slot / 60:.1f} min are planned with; "
        "`iqm-spec run` submits them when there is room"
    )


def _no_slot(computer: str, realm: str) -> Refused:
    hint = (
        "have the project's PI (role Scheduler) book one, or write `mode: pay-as-you-go`; --slot "
        "TIME says how long one is that the server does not tell of"
    )
    if realm == EMULATOR:
        hint = f"`iqm-spec emulator --slot {computer}:0:3600` serves one that has a timeslot"
    return Refused(f"no timeslot is booked on {computer}", hint=hint, code="refused.timeslot")
