"""Applies analyses to the rows of a stored run."""

from __future__ import annotations

from collections.abc import Iterable

from iqm_spec.analysis.merit import Analysed
from iqm_spec.runs.rows import Row
from iqm_spec.runs.saved import SavedRun
from iqm_spec.store import Store
from iqm_spec.study.distances import distances


def analyse_run(
    store: Store, saved: SavedRun, rows: Iterable[Row] | None = None
) -> tuple[Analysed, ...]:
    """Every analysis of a run, for its simulated and its measured points, in plan order.

    `rows` are the run's own, where the caller has read them; the mock's are left out.
    """
    given = saved.each_row(store) if rows is None else rows
    return tuple(distances(row for row in given if row.stage != "mock"))
