"""`run --dry-run`: the plan and its cost, in tables or as JSON. Nothing is submitted or written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from iqm_spec.cli import output, tables
from iqm_spec.cli.cost_tables import batching_lines, jobs_table, slot_lines
from iqm_spec.cli.progress import Progress
from iqm_spec.cost.precision import standard_error
from iqm_spec.cost.ranges import Range
from iqm_spec.cost.words import range_words
from iqm_spec.engine.run import RunPreview, SpecRun, plan_of, preview_run
from iqm_spec.plan.plan import Plan, PlannedPoint, collapsed
from iqm_spec.plan.transpiling import Crosschecked
from iqm_spec.stages.events import Event
from iqm_spec.store import Store

if TYPE_CHECKING:
    from rich.console import Console


def dry_run(run: SpecRun, store: Store, server_id: str, *, as_json: bool) -> None:
    """Show what `run` would do and cost; `server_id` is that of the server it would go to."""
    crosschecked: list[Crosschecked] = []
    with Progress() as progress:

        def hear(event: Event) -> None:
            progress.show_transpiling(event)
            if isinstance(event, Crosschecked):
                crosschecked.append(event)

        plan = plan_of(run.checked, store, replan=run.options.replan, keep=False, report=hear)
    preview = preview_run(run, plan, store, server_id)
    if as_json:
        output.answer(_answer(plan, crosschecked, preview, server_id))
    else:
        _show(run, plan, crosschecked, preview)


def _show(
    run: SpecRun,
    plan: Plan,
    crosschecked: Sequence[Crosschecked],
    preview: RunPreview,
) -> None:
    console = output.console()
    console.print(tables.plan_table(plan.points, console.width))
    rest = tables.more(len(plan.points))
    if rest:
        console.print(rest)
    console.print(f"\n{tables.totals(plan.points)}")
    for one in crosschecked:
        console.print(output.fitted(one.words, console), soft_wrap=True)
    for stage in preview.stages:
        line = f"{stage.stage}: {stage.line}"
        console.print(output.fitted(line, console), soft_wrap=True)
    for line in _once(plan):
        console.print(line)
    if preview.credits.high or preview.seconds.high:
        _show_costs(preview, console)
    for line in collapsed(plan.points):
        console.print(output.fitted(f"warning: {line}", console), soft_wrap=True)
    missing = run.session is None and preview.needs_server
    for note in (*preview.notes, *([run.why_no_server] if missing else [])):
        console.print(output.fitted(f"note: {note}", console), soft_wrap=True)


def _show_costs(costs: RunPreview, console: Console) -> None:
    jobs = [job for stage in costs.paid_stages for job in stage.jobs]
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


def _once(plan: Plan) -> Iterator[str]:
    swept = {point.name for point in plan.points if point.values}
    once = dict.fromkeys(point.name for point in plan.points if point.name not in swept)
    if swept and once:
        yield f"run once, as they use no axis: {', '.join(once)}"


def _answer(
    plan: Plan,
    crosschecked: Sequence[Crosschecked],
    costs: RunPreview,
    server_id: str,
) -> dict[str, Any]:
    stages = [stage.to_json() for stage in costs.stages]
    return {
        "spec": {"name": plan.name, "digest": plan.header.spec.digest},
        "plan": {
            "digest": plan.digest or None,
            "points": len(plan.points),
            "circuits": plan.circuits,
            "jobs": sum(len(stage["jobs"]) for stage in stages),
        },
        **({"crosscheck": crosschecked[-1].to_json()} if crosschecked else {}),
        "server": server_id if costs.needs_server else None,
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


def _both(seconds: Range, credits_: Range) -> dict[str, Any]:
    return {"qpu_seconds": seconds.to_json(), "credits": credits_.to_json()}
