"""Judges a run's stages again, from what the folder has."""

from __future__ import annotations

from collections.abc import Iterator

from iqm_spec.analysis import judge
from iqm_spec.engine.saved import SavedRun
from iqm_spec.plan.label import count, label
from iqm_spec.replay.check import Check, Mismatch, check_of
from iqm_spec.stages.aer.stage import comparison_of
from iqm_spec.store import Store


def check_verdict(store: Store, saved: SavedRun) -> Check | None:
    """The verdicts of Aer and machine beside those in the journal; None where there are none."""
    wrong: list[Mismatch] = []
    total = 0
    for told in saved.stages:
        if told.stage != "mock" and told.stage in saved.judged:
            total += 1
            of = _aer if told.stage == "aer" else _hardware
            wrong += of(store, saved, told.status)
    return check_of("verdicts", total, wrong) if total else None


def _hardware(store: Store, saved: SavedRun, status: str) -> Iterator[Mismatch]:
    """It passes where every point was measured."""
    rows = [row for row in saved.each_row(store) if row.stage == "hardware"]
    without = sum(1 for row in rows if row.record is None)
    if status == "passed" and (without or not rows):
        told = f"{without:,} of {count(len(rows), 'point')}" if rows else "all points"
        yield Mismatch("hardware", f"the journal says passed, and the counts of {told} are gone")


def _aer(store: Store, saved: SavedRun, status: str) -> Iterator[Mismatch]:
    require = saved.plan.header.require.get("aer", {})
    rows = (row for row in saved.each_row(store) if row.stage == "aer")
    named = (
        (label(row.point.name, row.point.values, row.point.repeat), comparison_of(row))
        for row in rows
    )
    verdict = judge(require, named)
    if verdict.status != status:
        yield Mismatch("aer", f"the journal says {status}, it is {verdict.status}")
