"""The usage report: what a run used of an allocation, and how well that was predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iqm_spec.engine.saved import SavedRun
from iqm_spec.model import StageName
from iqm_spec.papers.facts import circuit_rows, fidelities, server_jobs
from iqm_spec.runs.accounts import accounts, read_entries
from iqm_spec.stages.server.budget import Counting
from iqm_spec.store import Store
from iqm_spec.version import __version__


def closeout_facts(saved: SavedRun, store: Store, description: str) -> Mapping[str, Any]:
    """Everything that the template of a usage report looks at."""
    realm = saved.realm
    jobs = [] if realm is None else server_jobs(store, saved.plan, StageName.HARDWARE, realm, ())
    entries = [e for e in read_entries(store, Counting()) if e.experiment == saved.plan.name]
    known = [job for job in jobs if job.seconds is not None]
    return {
        "name": saved.plan.name,
        "description": description,
        "version": __version__,
        "plan": saved.plan,
        "run": saved,
        "mode": saved.plan.header.mode,
        "realm": realm,
        "stages": saved.stages,
        "circuits": circuit_rows(saved.plan.points),
        "fidelities": fidelities(saved.rows(store)),
        "jobs": jobs,
        "seconds": sum(job.seconds or 0.0 for job in known),
        "credits": sum(job.credits or 0.0 for job in known),
        "unmeasured": len(jobs) - len(known),
        "spent": accounts(entries, ["machine", "mode", "month", "server"]),
    }
