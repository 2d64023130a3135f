"""Applies the analyses that a spec declares to a stored run, and stores their results.

Results stand beside the counts they were made of, never in their place. Besides the built-in
analyses there are those of installed packages: entry points `iqm_spec.analyses`, loaded when they
are named. A plugin is a function `(rows, options) -> Iterable[Analysed]`: `rows` are those of one
run with counts (`iqm_spec.stages.rows.Row`), `options` what the spec says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve

from iqm_spec.analysis import (
    coherence,
    distances,
    expectation,
    ghz_fidelity,
    logical_error,
    mirror_polarization,
    volume,
)
from iqm_spec.analysis.groups import Options
from iqm_spec.analysis.merit import QUBIT, Analysed, qubit_of
from iqm_spec.analysis.readout_mitigation import Readout, readout_of
from iqm_spec.canonical import digest
from iqm_spec.diagnostics import nearest
from iqm_spec.engine.saved import SavedRun
from iqm_spec.errors import JobFailed, UsageError
from iqm_spec.plan.readout import is_calibration
from iqm_spec.spec.schema import PLUGINS, DeclaredAnalyses
from iqm_spec.stages.registry import stage_named
from iqm_spec.stages.rows import Row
from iqm_spec.store import Store
from iqm_spec.store.events import RunAnalysed
from iqm_spec.store.records import ANALYSES as ANALYSES_PACK
from iqm_spec.store.records import AnalysesHeader, AnalysisRecord
from iqm_spec.store.structure import structure

ANALYSES: Mapping[str, Callable[[Iterable[Row], Options, Readout], Iterator[Analysed]]] = {
    distances.NAME: distances.distances,
    expectation.NAME: expectation.expectations,
    ghz_fidelity.NAME: ghz_fidelity.ghz_fidelity,
    mirror_polarization.NAME: mirror_polarization.mirror_polarization,
    volume.NAME: volume.quantum_volume,
}

DEFAULT_ANALYSES: DeclaredAnalyses = {distances.NAME: {}}
"""The analyses of a run whose spec declares none."""

GROUP = "iqm_spec.analyses"
"""Entry points of plugins."""


def declared(saved: SavedRun) -> DeclaredAnalyses:
    """The analyses that a run's spec declared, or `DEFAULT_ANALYSES`."""
    return saved.state.start.analysis or DEFAULT_ANALYSES


def analyze_run(
    store: Store,
    saved: SavedRun,
    rows: Iterable[Row] | None = None,
    analyses: DeclaredAnalyses | None = None,
) -> tuple[Analysed, ...]:
    """The results of a run's analyses, for its simulated and measured points, sorted by name.

    `rows` are the run's own, where the caller has read them; the mock's are left out. `analyses`
    take the place of those that the spec declared. Points without a single shot are left out.
    """
    stored = saved.each_row(store) if rows is None else rows
    counted = [
        row
        for row in stored
        if not stage_named(row.stage).counts_are_random and any(row.counts.values())
    ]
    readout = readout_of(store, saved.plan, counted)
    counted = [row for row in counted if not is_calibration(row.point)]
    results: list[Analysed] = []
    for name, options in sorted((declared(saved) if analyses is None else analyses).items()):
        if name == PLUGINS:
            for plugin, plugin_options in sorted(options.items()):
                results += run_plugin(plugin, counted, plugin_options)
        elif name == logical_error.NAME:
            results += logical_error.logical_error(store, saved, counted, options)
        elif name == coherence.NAME:
            results += coherence.coherence(store, saved, counted, options)
        else:
            results += ANALYSES[name](counted, options, readout)
    return tuple(results)


def store_analyses(
    store: Store, saved: SavedRun, analyses: DeclaredAnalyses, results: Iterable[Analysed]
) -> str:
    """Stores results and appends an event that names them to the run's journal.

    Returns the pack's digest. The same results are the same pack, which gets one event only.
    """
    header = AnalysesHeader(saved.plan.digest, analyses)
    pack = store.put_pack(ANALYSES_PACK, header, analysis_records(results))
    if pack not in [event.analyses for event in saved.state.each(RunAnalysed)]:
        store.add_event(saved.state.id, RunAnalysed(pack))
    return pack


def analysis_records(results: Iterable[Analysed]) -> Iterator[AnalysisRecord]:
    """The records of the pack that results are stored in."""
    for result in results:
        line = _rounded(result.to_json())
        name = {key: line[key] for key in ("analysis", "stage", "emulated", "circuit", "points")}
        if (qubit := qubit_of(result)) is not None:
            name[QUBIT] = qubit
        key = digest({"format": "iqm-spec/analysed/1", **name})
        yield structure({"key": key, **line}, AnalysisRecord)


def stored_analyses(
    store: Store, saved: SavedRun
) -> Iterator[tuple[str, DeclaredAnalyses, list[AnalysisRecord]]]:
    """Digest, declared analyses and records of each pack that a run's journal names."""
    for event in saved.state.each(RunAnalysed):
        pack = store.read_pack(event.analyses, ANALYSES_PACK)
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


def run_plugin(name: str, rows: Sequence[Row], options: Any) -> list[Analysed]:
    """The results of a plugin, with its package and version in the details.

    UsageError where none of that name is installed, JobFailed where it fails.
    """
    analyze, package = _load(name)
    try:
        return [
            evolve(result, details={**result.details, "plugin": package})
            for result in analyze(rows, options)
        ]
    except Exception as error:  # anything may go wrong in somebody else's code
        raise JobFailed(
            f"the analysis plugin {name} ({package}) failed: {type(error).__name__}: {error}",
            hint="tell its authors, or take it out of `analysis.plugins`",
        ) from error


def _load(name: str) -> tuple[Callable[[Sequence[Row], Any], Iterable[Analysed]], str]:
    """The function of a plugin, and its package with the version."""
    from importlib.metadata import entry_points

    installed = {point.name: point for point in entry_points(group=GROUP)}
    if name not in installed:
        hint = nearest(name, list(installed)) or (
            f"installed are {', '.join(sorted(installed))}" if installed else "none is installed"
        )
        raise UsageError(f"no analysis plugin is called {name}", hint=hint)
    dist = installed[name].dist
    package = "" if dist is None else f"{dist.name} {dist.version}"
    try:
        return installed[name].load(), package
    except Exception as error:  # anything may go wrong in somebody else's code
        raise JobFailed(
            f"the analysis plugin {name} ({package}) cannot be loaded: {error}",
            hint="reinstall its package",
        ) from error
