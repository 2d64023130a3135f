"""`iqm-spec analyze RUN`: figures of merit from the counts of a stored run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.cli.tables import show_figures
from iqm_spec.diagnostics import nearest, printable
from iqm_spec.engine.saved import load_run
from iqm_spec.errors import UsageError
from iqm_spec.store import Store

if TYPE_CHECKING:
    from iqm_spec.analysis.merit import Analysed
    from iqm_spec.analysis.predicted import Agreement
    from iqm_spec.spec.schema import DeclaredAnalyses

MOST_ROWS, FEWER_ROWS = 40, 20
"""Rows of a table, if there is one analysis, and if there are several."""


@click.command()
@click.argument("run", default="latest")
@click.option(
    "--analysis", "names", multiple=True, metavar="NAME",
    help="Compute only this analysis, with its usual options; repeatable.",
)  # fmt: skip
@click.option(
    "--spec", type=click.Path(path_type=Path, dir_okay=False), metavar="SPEC",
    help="Read `analysis` from this spec instead of the run's own.",
)  # fmt: skip
@stored_results_option
@json_option
def command(run: str, names: Sequence[str], spec: Path | None, results: Path, as_json: bool) -> int:
    """Compute figures of merit from the counts of RUN, and store them.

    Reads only the results folder. Computes what the spec declares under `analysis`
    (docs/analysis.md), by default distances to the ideal distribution. Counts stay unchanged; the
    mock's counts are never read.
    """
    from iqm_spec.analysis.predicted import agreements, predictions
    from iqm_spec.analysis.run_analyses import analyze_run, declared, store_analyses
    from iqm_spec.spec.schema import PLUGINS

    store = Store(results)
    saved = load_run(store, run)
    analyses = _chosen_analyses(names, spec, declared(saved))
    outcomes = analyze_run(store, saved, analyses=analyses)
    if not any(outcome.merits for outcome in outcomes):
        why = next(iter(_notes(outcomes)), "the run has no counts of these circuits")
        raise UsageError(
            f"no analysis has a result: {why}", hint="docs/analysis.md says what each needs"
        )
    for name in analyses.keys() - {outcome.analysis for outcome in outcomes}:
        if name != PLUGINS:
            output.say(f"note: {name}: the run has no counts of the circuits that it reads")
    pack = store_analyses(store, saved, analyses, outcomes)
    is_noisy = any(noise is not None for noise in saved.plan.header.noise.values())
    predicted = predictions(outcomes) if is_noisy else []
    if as_json:
        listed = [outcome.to_json() for outcome in outcomes]
        document: dict[str, Any] = {"run": saved.state.id, "stored": pack, "analyses": listed}
        if predicted:
            document["predictions"] = [item.to_json() for item in predicted]
        output.answer(document)
    else:
        _show(outcomes)
        for agreement in agreements(predicted):
            click.echo(_agreement_line(agreement))
    return 0


def _agreement_line(agreement: Agreement) -> str:
    """`predicted and measured: hellinger fidelity of 4 circuits: ...`."""
    line = (
        f"measured less predicted {printable(agreement.figure).replace('_', ' ')}: "
        f"{agreement.mean_difference:+.3g} (mean of {agreement.number})"
    )
    if agreement.typical_deviation is not None:
        line += f", typically {agreement.typical_deviation:.1f} standard errors"
    return line


def _chosen_analyses(
    names: Sequence[str], spec: Path | None, own: DeclaredAnalyses
) -> DeclaredAnalyses:
    from iqm_spec.spec.schema import analyses_with_defaults, analysis_names

    if names and spec:
        raise UsageError("--analysis and --spec exclude each other", hint="give only one of them")
    if spec is not None:
        from iqm_spec.engine.prepare import load

        chosen = load(spec, notify=output.say).spec.analysis
        if not chosen:
            raise UsageError(
                f"{printable(spec.name)} declares no `analysis`",
                hint="without --spec, the run's own spec is used",
            )
        return chosen
    for name in names:
        if name not in analysis_names():
            hint = nearest(name, analysis_names()) or f"choose from {', '.join(analysis_names())}"
            raise UsageError(f"unknown analysis {printable(name)}", hint=hint)
        if name == "expectation" and name not in own:
            raise UsageError(
                "expectation needs observables",
                hint="declare them under `analysis` in a spec, and name that spec with --spec",
            )
    return analyses_with_defaults({name: own.get(name, {}) for name in names}) if names else own


def _show(outcomes: Sequence[Analysed]) -> None:
    """A table for each analysis; distances, which every point has, come last."""
    groups: dict[str, list[Analysed]] = {}
    for outcome in sorted(outcomes, key=lambda outcome: outcome.analysis == "distances"):
        groups.setdefault(outcome.analysis, []).append(outcome)
    for number, (name, group) in enumerate(groups.items()):
        if len(groups) > 1:
            click.echo(f"{chr(10) if number else ''}{printable(name)}")
        show_figures(group, FEWER_ROWS if len(groups) > 1 else MOST_ROWS)
    for note in _notes(outcomes):
        click.echo(f"note: {note}")


def _notes(outcomes: Iterable[Analysed]) -> list[str]:
    """Each note once, with how often it occurs."""
    times = Counter(
        printable(f"{outcome.analysis}: {note}") for outcome in outcomes for note in outcome.notes
    )
    return [text if number == 1 else f"{text} ({number} times)" for text, number in times.items()]
