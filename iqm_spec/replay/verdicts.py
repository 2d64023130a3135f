"""Judges a run's Aer stage again, from the distances that the folder has."""

from __future__ import annotations

from typing import Any

from iqm_spec.analysis import judge
from iqm_spec.plan.label import label
from iqm_spec.replay.check import Check, Mismatch, check_of
from iqm_spec.runs.aer import comparison_of
from iqm_spec.runs.saved import SavedRun
from iqm_spec.store import Store


def check_verdict(store: Store, saved: SavedRun) -> Check | None:
    """The Aer stage's verdict beside the one in the journal; None where it had none."""
    told = next((one for one in saved.stages if one["stage"] == "aer"), None)
    if told is None or told["status"] not in ("passed", "failed"):
        return None
    require: Any = saved.plan.header["require"].get("aer", {})
    rows = (row for row in saved.each_row(store) if row.stage == "aer")
    named = (
        (label(row.point.name, row.point.values, row.point.repeat), comparison_of(row))
        for row in rows
    )
    verdict = judge(require, named)
    wrong = []
    if verdict.status != told["status"]:
        wrong.append(Mismatch("aer", f"the journal says {told['status']}, it is {verdict.status}"))
    return check_of("verdicts", 1, wrong)
