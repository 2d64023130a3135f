"""`run --dry-run`: the plan in a table or as JSON. Nothing is run, submitted or written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from iqm_spec.cli import output, tables
from iqm_spec.cli.progress import Progress, aer_line, server_line
from iqm_spec.model import Stage
from iqm_spec.plan.build import circuits_of
from iqm_spec.plan.plan import Plan
from iqm_spec.run.aer import AerWork, aer_work
from iqm_spec.run.events import StageStarted
from iqm_spec.run.loop import plan_of
from iqm_spec.run.request import Request
from iqm_spec.stages.server.batch import Batch, batches
from iqm_spec.stages.server.desk import Session
from iqm_spec.stages.server.work import look
from iqm_spec.store import Store


def preview(request: Request, store: Store, *, as_json: bool) -> None:
    """Show what `run` would do."""
    with Progress() as progress:
        plan = plan_of(request, store, progress.show_transpiling)
    work = aer_work(plan, request, store)
    if as_json:
        output.answer(_answer(request, plan, work, store))
        return
    console = output.console()
    console.print(tables.plan_table(plan.points, console.width))
    rest = tables.more(len(plan.points))
    if rest:
        console.print(rest)
    console.print(f"\n{tables.totals(plan.points)}")
    for stage in request.stages:
        if stage is Stage.AER:
            console.print(f"{stage}: {aer_line(work.started)}")
        elif request.session is None:
            console.print(f"{stage}: {request.why_no_session}")
        else:
            console.print(
                f"{stage}: {server_line(_server(stage, plan, request.session, store)[0])}"
            )
    swept = {point.name for point in plan.points if point.values}
    once = dict.fromkeys(point.name for point in plan.points if point.name not in swept)
    if swept and once:
        console.print(f"run once, as they use no axis: {', '.join(once)}")


def _server(
    stage: Stage, plan: Plan, session: Session, store: Store
) -> tuple[StageStarted, list[Batch]]:
    """What a server stage would do, its jobs cut without asking the server for its limits."""
    work = look(plan, stage, session.realm, store, write=False)
    left = [point for point, *_ in work.left()]
    parts = work.parts(circuits_of(store, plan, left))
    jobs = batches(parts, {}, plan.header["order"], plan.header["references"])
    return StageStarted(stage, len(work.keys), work.cached, len(jobs)), jobs


def _answer(request: Request, plan: Plan, work: AerWork, store: Store) -> dict[str, Any]:
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
        "spec": {"name": plan.name, "digest": plan.header["spec"]["digest"]},
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
            },
            *_server_entries(request, plan, store),
        ],
        "points": [point.to_json() for point in plan.points],
        "exit": 0,
    }


def _server_entries(request: Request, plan: Plan, store: Store) -> Iterator[dict[str, Any]]:
    """The stages at a server. What machines cost is not known here; mocks are free."""
    for stage in request.stages:
        if stage is Stage.AER or request.session is None:
            continue
        price = {"low": 0, "expected": 0, "high": 0} if stage is Stage.MOCK else None
        started, jobs = _server(stage, plan, request.session, store)
        listed = [
            {
                "circuits": len(job.parts),
                "shots": job.shots,
                "executions": job.executions,
                "qpu_seconds": price,
                "credits": price,
            }
            for job in jobs
        ]
        yield {
            "stage": stage.value,
            "jobs": listed,
            "cached": started.cached,
            "qpu_seconds": price,
            "credits": price,
        }
