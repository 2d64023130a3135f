"""Analyses in the results folder: beside the counts they were made of, never in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from iqm_spec.analysis.merit import Analysed
from iqm_spec.canonical import digest
from iqm_spec.engine.saved import SavedRun
from iqm_spec.spec.analysis import Declared
from iqm_spec.store import Store
from iqm_spec.store.events import RunAnalysed
from iqm_spec.store.records import ANALYSES, AnalysesHeader, AnalysisRecord
from iqm_spec.store.structure import structure


def keep_analyses(
    store: Store, saved: SavedRun, wanted: Declared, found: Iterable[Analysed]
) -> str:
    """Stores outcomes and notes them in the run's journal; returns the pack's digest.

    The same outcomes are the same object: nothing is noted a second time.
    """
    header = AnalysesHeader(saved.plan.digest, wanted)
    pack = store.put_pack(ANALYSES, header, analysis_records(found))
    if pack not in [event.analyses for event in saved.state.each(RunAnalysed)]:
        store.add_event(saved.state.id, RunAnalysed(pack))
    return pack


def analysis_records(found: Iterable[Analysed]) -> Iterator[AnalysisRecord]:
    """What the pack keeps."""
    for one in found:
        told = _rounded(one.to_json())
        name = {key: told[key] for key in ("analysis", "stage", "emulated", "circuit", "points")}
        key = digest({"format": "iqm-spec/analysed/1", **name})
        yield structure({"key": key, **told}, AnalysisRecord)


def kept_analyses(
    store: Store, saved: SavedRun
) -> Iterator[tuple[str, Declared, list[AnalysisRecord]]]:
    """Digest, what was declared and the records of each pack that a run's journal names."""
    for event in saved.state.each(RunAnalysed):
        pack = store.read_pack(event.analyses, ANALYSES)
        yield pack.digest, pack.header.analysis, list(pack.records)


def _rounded(value: Any) -> Any:
    """Numbers to twelve digits, so that the last bits of a platform's libm are not in them."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
