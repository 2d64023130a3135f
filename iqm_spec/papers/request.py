"""The request for credits: what is to be measured, what it costs, and what speaks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iqm_spec.cost.precision import standard_error
from iqm_spec.engine.run import RunPreview
from iqm_spec.model import StageName
from iqm_spec.papers.facts import (
    JobFacts,
    circuit_rows,
    fidelities,
    latest_run,
    record_digests,
    server_jobs,
)
from iqm_spec.plan.plan import Plan
from iqm_spec.runs.accounts import accounts, read_entries
from iqm_spec.stages.server.attempts import Phase
from iqm_spec.stages.server.budget import Counting
from iqm_spec.stages.server.server_info import EMULATOR
from iqm_spec.store import Store
from iqm_spec.version import __version__


def request_facts(
    plan: Plan, costs: RunPreview, store: Store, realm: str, description: str
) -> Mapping[str, Any]:
    """Everything that the template of a request looks at."""
    machine = costs.paid_stages[0]
    run = latest_run(store, plan)
    rows = run.rows(store) if run is not None else []
    # a rehearsal is no use of an allocation, but in a rehearsed request
    entries = [e for e in read_entries(store, Counting()) if not e.emulated or e.realm == realm]
    spent = accounts(entries, ["experiment", "machine", "month", "server"])
    return {
        "name": plan.name,
        "description": description,
        "version": __version__,
        "plan": plan,
        "mode": plan.header.mode,
        "realm": realm,
        "machines": sorted({point.target for point in plan.points}),
        "circuits": circuit_rows(plan.points),
        "shots": _shots(plan),
        "machine": machine,
        "costs": costs,
        "price": [one for one in costs.assumptions if one.name.startswith("price per second")],
        "run": run,
        "fidelities": [one for one in fidelities(rows) if one.stage == "aer"],
        "aer_wanted": StageName.AER.value in plan.header.stages,
        "records": record_digests(store, rows),
        "mock_jobs": _mock_jobs(store, plan, realm),
        "spent": spent,
    }


def _mock_jobs(store: Store, plan: Plan, realm: str) -> list[JobFacts]:
    """Jobs that a mock accepted: the server's, or where there is none those of a rehearsal."""
    for one in dict.fromkeys((realm, EMULATOR)):
        found = server_jobs(store, plan, StageName.MOCK, one, [Phase.COMPLETED])
        if found:
            return found
    return []


def _shots(plan: Plan) -> list[dict[str, Any]]:
    """The errors that the numbers of shots buy."""
    groups: dict[int, int] = {}
    for point in plan.points:
        groups[point.shots] = groups.get(point.shots, 0) + 1
    return [
        {
            "shots": shots,
            "points": number,
            "probability": standard_error(shots),
            "expectation": standard_error(shots, "expectation"),
        }
        for shots, number in sorted(groups.items())
    ]
