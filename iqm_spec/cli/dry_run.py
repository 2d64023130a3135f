"""`run --dry-run`: the plan and its cost, in tables or as JSON. Nothing is submitted or written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from iqm_spec.analysis.predicted import simulated_figures
from iqm_spec.cli import output, tables
from iqm_spec.cli.progress import Progress
from iqm_spec.cli.tables import MOST_ROWS, WIDE
from iqm_spec.cost.precision import standard_error
from iqm_spec.cost.ranges import Range, amount, range_text
from iqm_spec.engine.run import (
    RunPreview,
    SpecRun,
    plan_of,
    preview_run,
    spends_credits,
    too_little_success,
)
from iqm_spec.native import Native, Template
from iqm_spec.plan.circuits import natives_of
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan, collapsed, records
from iqm_spec.plan.prediction import predicted_successes
from iqm_spec.plan.transpiling import Crosschecked
from iqm_spec.stages.events import Event, Transpiling
from iqm_spec.stages.server.preview import ServerPreview
from iqm_spec.store import Store
from iqm_spec.store.structure import to_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from iqm_spec.stages.server.preview import JobPreview


def dry_run(run: SpecRun, store: Store, server_id: str, *, as_json: bool) -> None:
    """Show what `run` would do and cost; `server_id` is that of the server it would go to."""
    crosschecked: list[Crosschecked] = []
    with Progress() as progress:

        def report(event: Event) -> None:
            if isinstance(event, Transpiling):
                progress.show(event)
            elif isinstance(event, Crosschecked):
                crosschecked.append(event)

        plan = plan_of(run.checked, store, replan=run.options.replan, keep=False, report=report)
    preview = preview_run(run, plan, store, server_id)
    successes = predicted_successes(store, plan)
    qubits = qubits_of(natives_of(store, plan, plan.points))
    figures = simulated_figures(store, plan, run.checked.spec.analysis) if plan.digest else []
    if as_json:
        warnings = _warnings(run, plan, successes)
        document = _answer(plan, crosschecked, preview, server_id, successes, qubits, warnings)
        if figures:
            document["predicted_figures"] = [item.to_json() for item in figures]
        output.answer(document)
        return
    _show(run, plan, crosschecked, preview, successes, qubits)
    if figures:
        click.echo("\npredicted figures, from the stored simulation:")
        tables.show_figures(figures)


def _show(
    run: SpecRun,
    plan: Plan,
    crosschecked: Sequence[Crosschecked],
    preview: RunPreview,
    successes: Mapping[str, float],
    qubits: Mapping[str, Sequence[str]],
) -> None:
    console = output.console()
    console.print(tables.plan_table(plan.points, console.width, successes, qubits))
    tables.print_more(len(plan.points), console)
    console.print(f"\n{tables.totals(plan.points)}")
    output.print_fitted((event.words for event in crosschecked), console)
    output.print_fitted((f"{stage.stage}: {stage.line}" for stage in preview.stages), console)
    swept = {point.name for point in plan.points if point.values}
    once = dict.fromkeys(point.name for point in plan.points if point.name not in swept)
    if swept and once:
        console.print(f"run once, as they use no axis: {', '.join(once)}")
    if preview.credits.high or preview.seconds.high:
        _show_costs(preview, console)
    output.print_fitted(_prediction_lines(run, successes), console)
    output.print_fitted((f"warning: {line}" for line in _warnings(run, plan, successes)), console)
    missing = run.session is None and preview.needs_server
    notes = (*preview.notes, *([run.why_no_server] if missing else []))
    output.print_fitted((f"note: {note}" for note in notes), console)


def _warnings(run: SpecRun, plan: Plan, successes: Mapping[str, float]) -> list[str]:
    """Circuits that collapsed, and a predicted success for which the run would be refused."""
    too_low = too_little_success(plan, successes) if spends_credits(run.stages) else ""
    return [*collapsed(plan.points), *([f"{too_low}: the run is refused"] if too_low else [])]


def _prediction_lines(run: SpecRun, successes: Mapping[str, float]) -> Iterator[str]:
    """By whose errors the success is predicted."""
    if successes:
        profiles = {profile.source: None for profile in run.checked.calibrated.values() if profile}
        yield f"success is predicted by: {'; '.join(profiles)}"


def _show_costs(costs: RunPreview, console: Console) -> None:
    jobs = [job for stage in costs.paid_stages for job in stage.jobs]
    console.print()
    console.print(jobs_table(jobs, console.width))
    credits_, seconds = range_text(costs.credits, "credits"), range_text(costs.seconds, "s")
    lines = [f"\ntotal: {credits_}, {seconds} of QPU time"]
    for batching in costs.batchings:
        if batching.name != "this plan":
            jobs_text, price = count(batching.jobs, "job"), range_text(batching.credits, "credits")
            lines.append(f"{batching.name} instead: {jobs_text}, {price}")
    lines += [
        f"{quote.machine} at {quote.seller}: {quote.amount:,.2f} {quote.currency} "
        f"({quote.formula}; {quote.source}, {quote.date})"
        for quote in costs.quotes
    ]
    for slot in costs.slots:
        needed = slot.need.seconds
        in_minutes = needed.high >= 120
        time = range_text(needed.times(1 / 60), "min") if in_minutes else range_text(needed, "s")
        lines.append(
            f"timeslot on {slot.machine}: {time}; ask the PI (role Scheduler) for one of "
            f"{slot.need.minutes} min"
        )
        if slot.minutes is not None and slot.fit is not None:
            left = slot.need.jobs - slot.fit
            fits = "all jobs fit" if not left else f"{count(left, 'job')} would be held back"
            lines.append(f"in {slot.minutes:,.0f} min on {slot.machine} {fits}")
    lines.append("assumed:")
    for assumption in costs.assumptions:
        date = f", {assumption.date}" if assumption.date else ""
        lines.append(f"  {assumption.name}: {assumption.value} [{assumption.source}{date}]")
    output.print_fitted(lines, console)


def _answer(
    plan: Plan,
    crosschecked: Sequence[Crosschecked],
    costs: RunPreview,
    server_id: str,
    successes: Mapping[str, float],
    qubits: Mapping[str, Sequence[str]],
    warnings: Sequence[str],
) -> dict[str, Any]:
    stages = [stage.to_json() for stage in costs.stages]
    for stage, entry in zip(costs.stages, stages, strict=True):
        jobs = stage.jobs if isinstance(stage, ServerPreview) else ()
        for job, job_entry in zip(jobs, entry["jobs"], strict=False):
            job_entry["predicted_success"] = [successes.get(key) for key in job.circuit_keys]
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
            {
                "name": batching.name,
                "jobs": batching.jobs,
                **_both(batching.seconds, batching.credits),
            }
            for batching in costs.batchings
        ],
        "sellers": [quote.to_json() for quote in costs.quotes],
        "timeslots": [
            {
                "machine": slot.machine,
                **slot.need.to_json(),
                "slot_minutes": slot.minutes,
                "jobs_that_fit": slot.fit,
            }
            for slot in costs.slots
        ],
        "assumptions": [assumption.to_json() for assumption in costs.assumptions],
        "notes": list(costs.notes),
        "warnings": list(warnings),
        "points": [
            # `standard_error`: of an outcome's probability, at most, at the point's shots
            {
                **to_json(record),
                "standard_error": standard_error(record.shots),
                "predicted_success": successes.get(record.ask),
                "qubits": list(qubits[record.ask]),
            }
            for record in records(plan.points)
        ],
    }


def qubits_of(natives: Mapping[str, Native]) -> dict[str, list[str]]:
    """The physical qubits that each circuit uses, by circuit key; no resonators."""
    by_template: dict[Template, list[str]] = {}
    for template in {native.template for native in natives.values()}:
        circuit = template.structure
        resonators = {op.qubits[1] for op in circuit.ops if op.name == "move"}
        by_template[template] = [
            name for q, name in enumerate(circuit.components) if q not in resonators
        ]
    return {key: by_template[native.template] for key, native in natives.items()}


def _both(seconds: Range, credits_: Range) -> dict[str, Any]:
    return {"qpu_seconds": seconds.to_json(), "credits": credits_.to_json()}


def range_cell(values: Range, digits: int) -> str:
    """`0.53 (0.31-1.2)`: expected, low and high."""
    low, high = amount(values.low, digits), amount(values.high, digits)
    return f"{amount(values.expected, digits)} ({low}-{high})"


def jobs_table(jobs: Sequence[JobPreview], width: int) -> Table:
    """One line per job of a machine: size, QPU seconds and credits with their ranges."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    wide, several = width >= WIDE, len({job.computer for job in jobs}) > 1
    left = ["machine"] if several and not wide else ["job", *(["machine"] if wide else [])]
    titles = [*left, "circuits" if wide else "circ.", "shots"]
    titles += ["depth", "2q", "1q"] if wide else []
    for title in titles:
        table.add_column(title, justify="left" if title == "machine" else "right", no_wrap=True)
    table.add_column("QPU s", no_wrap=True)
    table.add_column("credits", no_wrap=True)
    digits = 3 if wide else 2
    for number, job in enumerate(jobs[:MOST_ROWS], start=1):
        named = {"job": str(number), "machine": job.computer}
        cells = [*(named[title] for title in left), f"{job.circuits:,}", f"{job.shots:,}"]
        if wide:
            pairs = job.gates.get("cz", 0) + job.gates.get("move", 0)
            cells += [f"{job.depth:,}", f"{pairs:,}", f"{job.gates.get('r', 0):,}"]
        table.add_row(*cells, range_cell(job.seconds, digits), range_cell(job.credits, digits))
    if len(jobs) > MOST_ROWS:
        table.add_row("...", f"and {len(jobs) - MOST_ROWS:,} more")
    return table
