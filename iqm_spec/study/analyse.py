"""Applies analyses to the rows of a stored run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from iqm_spec.analysis.merit import Analysed
from iqm_spec.engine.saved import SavedRun
from iqm_spec.plan.readout import is_calibration
from iqm_spec.spec.analysis import PLUGINS, Declared
from iqm_spec.stages.registry import stage_named
from iqm_spec.stages.rows import Row
from iqm_spec.store import Store
from iqm_spec.study import distances, expectation, ghz, logical, mirror, volume
from iqm_spec.study.groups import Options
from iqm_spec.study.plugins import run_plugin
from iqm_spec.study.readout import Readout, readout_of

ANALYSES: Mapping[str, Callable[[Iterable[Row], Options, Readout], Iterator[Analysed]]] = {
    distances.NAME: distances.distances,
    expectation.NAME: expectation.expectations,
    ghz.NAME: ghz.ghz_fidelity,
    mirror.NAME: mirror.mirror_polarization,
    volume.NAME: volume.quantum_volume,
}

USUAL: Declared = {distances.NAME: {}}
"""What is done where nothing is declared."""


def declared(saved: SavedRun) -> Declared:
    """The analyses that a run's spec declared, or the usual one."""
    return saved.state.start.analysis or USUAL


def analyse_run(
    store: Store,
    saved: SavedRun,
    rows: Iterable[Row] | None = None,
    wanted: Declared | None = None,
) -> tuple[Analysed, ...]:
    """The analyses of a run, for its simulated and its measured points, sorted by their names.

    `rows` are the run's own, where the caller has read them; the mock's are left out. `wanted`
    takes the place of what the spec declared. Points without a single shot are left out.
    """
    given = saved.each_row(store) if rows is None else rows
    counted = [
        row
        for row in given
        if not stage_named(row.stage).counts_are_random and any(row.counts.values())
    ]
    readout = readout_of(store, saved.plan, counted)
    counted = [row for row in counted if not is_calibration(row.point)]
    outcome: list[Analysed] = []
    for name, options in sorted((declared(saved) if wanted is None else wanted).items()):
        if name == PLUGINS:
            for plugin, more in sorted(options.items()):
                outcome += run_plugin(plugin, counted, more)
        elif name == logical.NAME:
            outcome += logical.logical_error(store, saved, counted, options)
        else:
            outcome += ANALYSES[name](counted, options, readout)
    return tuple(outcome)
