"""Analyses of a run, computed again from its counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from iqm_spec.engine.saved import SavedRun
from iqm_spec.replay.check import Check, Mismatch, check_of, differing
from iqm_spec.spec.analysis import PLUGINS, Declared
from iqm_spec.store import Store
from iqm_spec.store.records import AnalysisRecord
from iqm_spec.study import analyse_run, analysis_records, kept_analyses
from iqm_spec.study.logical import NAME as LOGICAL_ERROR
from iqm_spec.study.logical import can_decode


def check_analyses(store: Store, saved: SavedRun) -> Check | None:
    """What the folder holds of analyses beside the same made anew; None where it holds none.

    Plugins are left out: their packages may be others by now. So is decoding where its packages
    are not installed.
    """
    left_out = {PLUGINS} if can_decode() else {PLUGINS, LOGICAL_ERROR}
    wrong: list[Mismatch] = []
    total, left = 0, 0
    for _, told, lines in kept_analyses(store, saved):
        wanted = {name: options for name, options in told.items() if name not in left_out}
        made = _made(store, saved, wanted)
        own = [line for line in lines if line.analysis in wanted]
        left += len(lines) - len(own)
        total += len(own)
        wrong += _compared({line.key: line for line in own}, made)
    if not total and not left:
        return None
    note = f"{left} of {' and '.join(sorted(left_out))} are left out" if left else ""
    return check_of("analyses", total, wrong, note)


def _made(store: Store, saved: SavedRun, wanted: Declared) -> dict[str, AnalysisRecord]:
    found = analyse_run(store, saved, wanted=wanted)
    return {line.key: line for line in analysis_records(found)}


def _compared(
    stored: Mapping[str, AnalysisRecord], made: Mapping[str, AnalysisRecord]
) -> Iterator[Mismatch]:
    for key, line in stored.items():
        what = f"{line.analysis} of {line.circuit} ({line.stage})"
        if key not in made:
            yield Mismatch(what, "the run's counts give no such analysis")
        elif wrong := differing(line, made[key]):
            yield Mismatch(what, f"{' and '.join(wrong)} came out otherwise")
