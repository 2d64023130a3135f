"""`run --dry-run`: the plan in a table or as JSON. Nothing is run, submitted or written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from iqm_spec.cli import output, tables
from iqm_spec.cli.progress import Progress
from iqm_spec.model import Stage
from iqm_spec.plan.build import find_plan, make_plan
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan
from iqm_spec.run.aer import AerJob, missing_jobs
from iqm_spec.run.events import Transpiling
from iqm_spec.run.keys import installed_simulator
from iqm_spec.run.request import Request
from iqm_spec.store import Store


def preview(request: Request, store: Store, *, as_json: bool) -> None:
    """Show what `run` would do."""
    plan = _plan(request, store)
    jobs = missing_jobs(plan, store, installed_simulator(), fresh=request.fresh)
    missing = sum(len(job) for job in jobs)
    if as_json:
        output.answer(_answer(request, plan, jobs))
        return
    console = output.console()
    console.print(tables.plan_table(plan.points, console.width))
    rest = tables.more(len(plan.points))
    if rest:
        console.print(rest)
    console.print(f"\n{tables.totals(plan.points)}")
    for stage in request.stages:
        if stage is Stage.AER:
            cached = len(plan.points) - missing
            batched = count(len(jobs), "job")
            told = f"{missing:,} to simulate in {batched}, {cached:,} in the results folder"
        else:
            told = "not run by this version"
        console.print(f"{stage}: {told}")
    once = [
        c.name
        for c in request.checked.spec.circuits
        if not any(point.values for point in plan.points if point.name == c.name)
    ]
    if once and request.checked.spec.sweep:
        console.print(f"run once, as they use no axis: {', '.join(once)}")


def _plan(request: Request, store: Store) -> Plan:
    stored = None if request.replan else find_plan(request.checked, store)
    if stored is not None:
        return stored
    steps = make_plan(request.checked, store, replan=request.replan, keep=False)
    with Progress() as progress:
        while True:
            try:
                progress.show(Transpiling(*next(steps)))
            except StopIteration as stop:
                plan: Plan = stop.value
                return plan


def _answer(request: Request, plan: Plan, jobs: Sequence[AerJob]) -> dict[str, Any]:
    free = {"low": 0, "expected": 0, "high": 0}
    listed = [
        {
            "circuits": len(job),
            "executions": sum(point.shots for _, point in job.points),
            "qpu_seconds": free,
            "credits": free,
        }
        for job in jobs
    ]
    return {
        "spec": {"name": plan.name, "digest": request.checked.digest},
        "plan": {
            "digest": plan.digest or None,
            "points": len(plan.points),
            "circuits": plan.circuits,
            "jobs": len(jobs),
        },
        "stages": [
            {
                "stage": Stage.AER.value,
                "jobs": listed,
                "cached": len(plan.points) - sum(map(len, jobs)),
                "qpu_seconds": free,
                "credits": free,
            }
        ],
        "points": [point.to_json() for point in plan.points],
        "exit": 0,
    }
