"""`run --dry-run`: the plan and its cost, in tables or as JSON. Nothing is submitted or written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from iqm_spec.cli import output, tables
from iqm_spec.cli.cost_tables import batching_lines, jobs_table, slot_lines
from iqm_spec.cli.progress import Progress
from iqm_spec.cost.precision import standard_error
from iqm_spec.cost.ranges import NOTHING, Range
from iqm_spec.cost.words import range_words
from iqm_spec.model import Stage
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan, PlannedPoint, collapsed
from iqm_spec.plan.transpiling import Crosschecked
from iqm_spec.runs.aer import AerWork, aer_work
from iqm_spec.runs.events import Event
from iqm_spec.runs.loop import plan_of
from iqm_spec.runs.preview import CostPreview, StagePreview, preview_now
from iqm_spec.runs.request import Request
from iqm_spec.runs.words import aer_line
from iqm_spec.store import Store

if TYPE_CHECKING:
    from rich.console import Console


def dry_run(request: Request, store: Store, realm: str, *, as_json: bool) -> None:
    """Show what `run` would do and cost; `realm` is that of the server it would go to."""
    crosschecked: list[Crosschecked] = []
    with Progress() as progress:

        def hear(event: Event) -> None:
            progress.show_transpiling(event)
            if isinstance(event, Crosschecked):
                crosschecked.append(event)

        plan = plan_of(request, store, hear)
    work = aer_work(plan, request, store) if Stage.AER in request.stages else None
    costs = preview_now(plan, request, store, realm)
    if as_json:
        output.answer(_answer(request, plan, crosschecked, work, costs, realm))
    else:
        _show(request, plan, crosschecked, work, costs)


def _show(
    request: Request,
    plan: Plan,
    crosschecked: Sequence[Crosschecked],
    work: AerWork | None,
    costs: CostPreview,
) -> None:
    console = output.console()
    console.print(tables.plan_table(plan.points, console.width))
    rest = tables.more(len(plan.points))
    if rest:
        console.print(rest)
    console.print(f"\n{tables.totals(plan.points)}")
    for one in crosschecked:
        console.print(output.fitted(one.words, console), soft_wrap=True)
    if work is not None:
        console.print(f"aer: {aer_line(work.started)}")
    for stage in costs.stages:
        console.print(output.fitted(_stage_line(stage), console), soft_wrap=True)
    for line in _once(plan):
        console.print(line)
    if costs.credits.high or costs.seconds.high:
        _show_costs(costs, console)
    for line in collapsed(plan.points):
        console.print(output.fitted(f"warning: {line}", console), soft_wrap=True)
    missing = request.session is None and costs.stages
    for note in (*costs.notes, *([request.why_no_session] if missing else [])):
        console.print(output.fitted(f"note: {note}", console), soft_wrap=True)


def _show_costs(costs: CostPreview, console: Console) -> None:
    jobs = [job for stage in costs.stages if stage.stage is Stage.HARDWARE for job in stage.jobs]
    console.print()
    console.print(jobs_table(jobs, console.width))
    credits_, seconds = range_words(costs.credits, "credits"), range_words(costs.seconds, "s")
    told = [f"\ntotal: {credits_}, {seconds} of QPU time"]
    told += batching_lines(costs.batchings)
    told += [
        f"{quote.machine} at {quote.seller}: {quote.amount:,.2f} {quote.currency} "
        f"({quote.formula}; {quote.source}, {quote.date})"
        for quote in costs.quotes
    ]
    told += slot_lines(costs.slots)
    told.append("assumed:")
    for one in costs.assumptions:
        date = f", {one.date}" if one.date else ""
        told.append(f"  {one.name}: {one.value} [{one.source}{date}]")
    for line in told:
        console.print(output.fitted(line, console), soft_wrap=True)


def _stage_line(stage: StagePreview) -> str:
    """`hardware: 24 points: 20 in the results folder, 1 job to submit`."""
    told = [f"{stage.cached:,} in the results folder, at no cost"] if stage.cached else []
    if stage.open:
        told.append(f"{stage.open:,} at the server already")
    if stage.jobs:
        free = ", free" if stage.stage is Stage.MOCK else ""
        told.append(f"{count(len(stage.jobs), 'job')} to submit{free}")
    return f"{stage.stage}: {count(stage.points, 'point')}{': ' if told else ''}{', '.join(told)}"


def _once(plan: Plan) -> Iterator[str]:
    swept = {point.name for point in plan.points if point.values}
    once = dict.fromkeys(point.name for point in plan.points if point.name not in swept)
    if swept and once:
        yield f"run once, as they use no axis: {', '.join(once)}"


def _answer(
    request: Request,
    plan: Plan,
    crosschecked: Sequence[Crosschecked],
    work: AerWork | None,
    costs: CostPreview,
    realm: str,
) -> dict[str, Any]:
    stages = [_aer_entry(work)] if work is not None else []
    stages += [_server_entry(stage) for stage in costs.stages]
    return {
        "spec": {"name": plan.name, "digest": plan.header.spec.digest},
        "plan": {
            "digest": plan.digest or None,
            "points": len(plan.points),
            "circuits": plan.circuits,
            "jobs": sum(len(stage["jobs"]) for stage in stages),
        },
        **({"crosscheck": crosschecked[-1].to_json()} if crosschecked else {}),
        "server": realm if costs.stages else None,
        "stages": stages,
        "total": _both(costs.seconds, costs.credits),
        "batchings": [
            {"name": one.name, "jobs": one.jobs, **_both(one.seconds, one.credits)}
            for one in costs.batchings
        ],
        "sellers": [quote.to_json() for quote in costs.quotes],
        "timeslots": [
            {
                "machine": one.machine,
                **one.need.to_json(),
                "slot_minutes": one.minutes,
                "jobs_that_fit": one.fit,
            }
            for one in costs.slots
        ],
        "assumptions": [one.to_json() for one in costs.assumptions],
        "notes": list(costs.notes),
        "warnings": collapsed(plan.points),
        "points": [_point(point) for point in plan.points],
        "exit": 0,
    }


def _point(point: PlannedPoint) -> dict[str, Any]:
    """`standard_error` is that of an outcome's probability, at most, at the point's shots."""
    return {**point.to_json(), "standard_error": standard_error(point.shots)}


def _aer_entry(work: AerWork) -> dict[str, Any]:
    listed = [
        {
            "circuits": len(job),
            "shots": sum(point.shots for _, point in job.points) // max(1, len(job)),
            "executions": sum(point.shots for _, point in job.points),
            **_both(NOTHING, NOTHING),
        }
        for job in work.jobs
    ]
    return {
        "stage": Stage.AER.value,
        "jobs": listed,
        "cached": work.started.cached,
        "shared": work.started.shared,
        "seconds": round(work.started.seconds, 3),
        "seconds_at_most": work.started.at_most,
        **_both(NOTHING, NOTHING),
    }


def _server_entry(stage: StagePreview) -> dict[str, Any]:
    return {
        "stage": stage.stage.value,
        "jobs": [
            {
                "computer": job.computer,
                "circuits": job.circuits,
                "shots": job.shots,
                "executions": job.executions,
                "depth": job.depth,
                "gates": dict(job.gates),
                **_both(job.seconds, job.credits),
            }
            for job in stage.jobs
        ],
        "cached": stage.cached,
        "at_server": stage.open,
        **_both(stage.seconds, stage.credits),
    }


def _both(seconds: Range, credits_: Range) -> dict[str, Any]:
    return {"qpu_seconds": seconds.to_json(), "credits": credits_.to_json()}
