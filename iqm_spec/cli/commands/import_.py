"""`iqm-spec import SPEC JOB_ID...`: import jobs of another program, checked against a spec."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import job_id_of, set_option, spec_argument, spec_at_server
from iqm_spec.cli.progress import Progress
from iqm_spec.engine.event_lines import stage_label
from iqm_spec.engine.prepare import UserSpec, prepare
from iqm_spec.engine.run import plan_of
from iqm_spec.engine.session import require_session, session_of
from iqm_spec.importing.bring_in import Imported, bring_in, known_attempts
from iqm_spec.importing.foreign import read_foreign
from iqm_spec.model import StageName
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan
from iqm_spec.stages.events import Paused
from iqm_spec.stages.server.attempts import Attempt, Phase
from iqm_spec.store import Store
from iqm_spec.store.structure import to_json


@click.command()
@spec_argument
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB_ID...")
@set_option
@spec_at_server
def command(
    spec: Path,
    job_ids: Sequence[str],
    overrides: Sequence[str],
    allowed_code: Sequence[str],
    server: str | None,
    results: Path,
    as_json: bool,
) -> int:
    """Import jobs that another program submitted, as results for the points of SPEC.

    Every circuit of a job must match a point of the spec: the same instructions on the same qubits
    of the same quantum computer, with the same shots and options. Nothing is submitted. Jobs that
    have not ended are stored (exit code 9); `iqm-spec resume` fetches their results later.
    """
    from iqm_spec.server_api.retry import READS, Retry

    unique_ids = list(dict.fromkeys(map(job_id_of, job_ids)))
    store = Store(results)
    with session_of(server, results) as maybe_session, Progress() as progress:
        session = require_session(maybe_session)

        def tell(why: str, seconds: float) -> None:
            progress.show(Paused(StageName.HARDWARE, why, seconds))

        known = known_attempts(store, session.server_id)
        new = [job_id for job_id in unique_ids if job_id not in known]
        ready = prepare(
            UserSpec(spec, overrides, allowed_code), store, session, output.say, replan=False
        )
        retry = Retry(READS, tell)
        jobs = [read_foreign(session.connection, job_id, retry) for job_id in new]
        with progress:
            plan = plan_of(ready.checked, store, report=progress.show)
        imported = bring_in(jobs, unique_ids, plan, ready.checked, session, store, tell)
    if as_json:
        return output.answer(_answer(imported, plan, session.server_id, results), imported.code)
    _show(imported, results)
    return int(imported.code)


def _answer(imported: Imported, plan: Plan, server_id: str, results: Path) -> dict[str, Any]:
    jobs = [
        {
            "id": job_id,
            "status": _status(attempt),
            "known": job_id in imported.known,
            "run": attempt.intent.run,
            "stage": attempt.intent.stage,
            "emulated": attempt.intent.emulated,
            "computer": attempt.intent.computer,
            "circuits": len(attempt.parts),
            "shots": attempt.intent.shots,
        }
        for job_id, attempt in imported.attempts.items()
    ]
    return {
        "run": imported.run,
        "spec": to_json(plan.header.spec),
        "plan": {"digest": plan.digest, "points": len(plan.points), "circuits": plan.circuits},
        "server": server_id,
        "jobs": jobs,
        "stages": [stage.to_json() for stage in imported.stages],
        "results": results.as_posix(),
    }


def _status(attempt: Attempt) -> str:
    return "waiting" if attempt.phase is Phase.SUBMITTED else attempt.phase.value


def _show(imported: Imported, results: Path) -> None:
    for job_id, attempt in imported.attempts.items():
        known = job_id in imported.known
        origin = f"stored already (run {attempt.intent.run})" if known else "imported"
        circuits = count(len(attempt.parts), "circuit")
        click.echo(f"job {job_id}: {origin}, {_status(attempt)}")
        click.echo(f"  {attempt.intent.computer}, {circuits}, {attempt.intent.shots:,} shots")
    for stage in imported.stages:
        click.echo(f"{stage_label(stage.stage, stage.emulated)}: {stage.status}")
        for reason in stage.reasons:
            click.echo(f"  {reason}")
    if imported.run:
        click.echo(f"\nrun {imported.run}, in {results.as_posix()}/")
