"""The server jobs of a stored run: as the folder has them and, where there is one, the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from iqm_spec.cli import output
from iqm_spec.engine.resume import attempts_of
from iqm_spec.engine.saved import SavedRun
from iqm_spec.engine.session import server_of_run, session_of
from iqm_spec.errors import IqmSpecError
from iqm_spec.stages.server.attempts import Attempt
from iqm_spec.stages.server.judge import short_job_key
from iqm_spec.stages.server.server_info import Session
from iqm_spec.store import Store


def server_jobs(
    saved: SavedRun, store: Store, results: Path, server: str | None
) -> list[dict[str, Any]]:
    """Every job that stands for points of the run; those that go on with the server's own word.

    Works without a server: then a job's `status` is the folder's.
    """
    if saved.realm is None:
        return []
    found = attempts_of(saved, store)
    jobs = [_told(attempt) for attempt in found]
    if any(attempt.open for attempt in found):
        try:
            with session_of(server_of_run(saved.realm, server), results) as session:
                _update(jobs, found, session)
        except IqmSpecError as error:
            output.say(f"note: the server was not asked: {error.message}")
    return jobs


def line(job: dict[str, Any]) -> str:
    """`garnet 5e12dc5a-...: waiting, 3 jobs before it`."""
    place = f", {job['queue_position']} before it" if job["queue_position"] else ""
    return f"{job['computer']} {', '.join(job['ids']) or job['job']}: {job['status']}{place}"


def _told(attempt: Attempt) -> dict[str, Any]:
    end = attempt.end
    return {
        "job": short_job_key(attempt),
        "attempt": attempt.number,
        "stage": attempt.intent.stage,
        "computer": attempt.intent.computer,
        "ids": list(attempt.ids),
        "circuits": len(attempt.parts),
        "shots": attempt.intent.shots,
        "status": attempt.phase.value,
        "queue_position": None,
        "measured_seconds": attempt.qpu_seconds,
        "server_estimate_seconds": end.server_estimate_seconds if end else None,
    }


def _update(jobs: list[dict[str, Any]], found: list[Attempt], session: Session | None) -> None:
    from iqm_spec.server_api.jobs import read_job
    from iqm_spec.server_api.retry import SHORT_READS, Retry

    for job, attempt in zip(jobs, found, strict=True):
        if session is not None and attempt.open:
            report = read_job(session.connection, attempt.ids[0], Retry(SHORT_READS))
            job |= {
                "status": report.status,
                "queue_position": report.queue_position,
                "server_estimate_seconds": report.estimate_seconds,
            }
