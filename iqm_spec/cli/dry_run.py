"""`run --dry-run`: the plan in a table or as JSON. Nothing is run, submitted or written."""

from __future__ import annotations

from typing import Any

from iqm_spec.cli import output, tables
from iqm_spec.cli.progress import Progress, aer_line
from iqm_spec.model import Stage
from iqm_spec.plan.plan import Plan
from iqm_spec.run.aer import AerWork, aer_work
from iqm_spec.run.loop import plan_of
from iqm_spec.run.request import Request
from iqm_spec.store import Store


def preview(request: Request, store: Store, *, as_json: bool) -> None:
    """Show what `run` would do."""
    with Progress() as progress:
        plan = plan_of(request, store, progress.show_transpiling)
    work = aer_work(plan, request, store)
    if as_json:
        output.answer(_answer(request, plan, work))
        return
    console = output.console()
    console.print(tables.plan_table(plan.points, console.width))
    rest = tables.more(len(plan.points))
    if rest:
        console.print(rest)
    console.print(f"\n{tables.totals(plan.points)}")
    for stage in request.stages:
        told = aer_line(work.started) if stage is Stage.AER else "not run by this version"
        console.print(f"{stage}: {told}")
    once = [
        c.name
        for c in request.checked.spec.circuits
        if not any(point.values for point in plan.points if point.name == c.name)
    ]
    if once and request.checked.spec.sweep:
        console.print(f"run once, as they use no axis: {', '.join(once)}")


def _answer(request: Request, plan: Plan, work: AerWork) -> dict[str, Any]:
    free = {"low": 0, "expected": 0, "high": 0}
    listed = [
        {
            "circuits": len(job),
            "executions": sum(point.shots for _, point in job.points),
            "qpu_seconds": free,
            "credits": free,
        }
        for job in work.jobs
    ]
    return {
        "spec": {"name": plan.name, "digest": request.checked.digest},
        "plan": {
            "digest": plan.digest or None,
            "points": len(plan.points),
            "circuits": plan.circuits,
            "jobs": len(work.jobs),
        },
        "stages": [
            {
                "stage": Stage.AER.value,
                "jobs": listed,
                "cached": work.started.cached,
                "shared": work.started.shared,
                "seconds": round(work.started.seconds, 3),
                "qpu_seconds": free,
                "credits": free,
            }
        ],
        "points": [point.to_json() for point in plan.points],
        "exit": 0,
    }
