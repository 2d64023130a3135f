"""`iqm-spec analyze RUN`: figures of merit from the counts of a stored run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.diagnostics import nearest, printable
from iqm_spec.engine.saved import load_run
from iqm_spec.errors import UsageError
from iqm_spec.plan.label import short
from iqm_spec.store import Store

if TYPE_CHECKING:
    from iqm_spec.analysis.merit import Analysed, Merit
    from iqm_spec.spec.schema import DeclaredAnalyses

MOST_ROWS, FEWER_ROWS = 40, 20
"""Rows of a table: of the only analysis, and of each of several."""

WIDE = 80
"""Columns from which intervals are shown, too."""


@click.command()
@click.argument("run", default="latest")
@click.option(
    "--analysis", "names", multiple=True, metavar="NAME",
    help="Do this one, with its usual options; repeatable.",
)  # fmt: skip
@click.option(
    "--spec", type=click.Path(path_type=Path, dir_okay=False), metavar="SPEC",
    help="Do what this file declares under `analysis`, in place of the run's own spec.",
)  # fmt: skip
@stored_results_option
@json_option
def command(run: str, names: Sequence[str], spec: Path | None, results: Path, as_json: bool) -> int:
    """Analyse the counts of RUN from the results folder alone, and store what comes out.

    What is done is what the spec declared under `analysis` (docs/analysis.md), else distances to
    the ideal distribution. Counts are left as they are; the mock's are never read.
    """
    from iqm_spec.analysis.run_analyses import analyze_run, declared, store_analyses
    from iqm_spec.spec.schema import PLUGINS

    store = Store(results)
    saved = load_run(store, run)
    wanted = _wanted(names, spec, declared(saved))
    found = analyze_run(store, saved, analyses=wanted)
    if not any(one.merits for one in found):
        why = next(iter(_notes(found)), "there are no counts of the circuits that are named")
        raise UsageError(
            f"nothing could be analysed: {why}", hint="docs/analysis.md tells what each needs"
        )
    for name in wanted.keys() - {one.analysis for one in found}:
        if name != PLUGINS:
            output.say(f"note: {name}: there are no counts of the circuits that it reads")
    pack = store_analyses(store, saved, wanted, found)
    if as_json:
        told = [one.to_json() for one in found]
        output.answer({"run": saved.state.id, "stored": pack, "analyses": told, "exit": 0})
    else:
        _show(found)
    return 0


def _wanted(names: Sequence[str], spec: Path | None, own: DeclaredAnalyses) -> DeclaredAnalyses:
    from iqm_spec.spec.schema import analyses_with_defaults, analysis_names

    if names and spec:
        raise UsageError("--analysis and --spec exclude each other", hint="give one of them")
    if spec is not None:
        from iqm_spec.engine.prepare import load

        found = load(spec, notify=output.say).spec.analysis
        if not found:
            raise UsageError(
                f"{printable(spec.name)} declares no `analysis`",
                hint="leave --spec out for what the run's own spec declares",
            )
        return found
    for name in names:
        if name not in analysis_names():
            hint = nearest(name, analysis_names()) or f"there are {', '.join(analysis_names())}"
            raise UsageError(f"no analysis is called {printable(name)}", hint=hint)
        if name == "expectation" and name not in own:
            raise UsageError(
                "expectation needs observables",
                hint="declare it under `analysis` in a spec, and give that with --spec",
            )
    return analyses_with_defaults({name: own.get(name, {}) for name in names}) if names else own


def _show(found: Sequence[Analysed]) -> None:
    """A table for each analysis; distances, which every point has, come last."""
    groups: dict[str, list[Analysed]] = {}
    for one in sorted(found, key=lambda one: one.analysis == "distances"):
        groups.setdefault(one.analysis, []).append(one)
    for number, (name, some) in enumerate(groups.items()):
        if len(groups) > 1:
            click.echo(f"{chr(10) if number else ''}{printable(name)}")
        _table(some, FEWER_ROWS if len(groups) > 1 else MOST_ROWS)
    for note in _notes(found):
        click.echo(f"note: {note}")


def _table(found: Sequence[Analysed], most: int) -> None:
    from rich.table import Table

    console = output.console()
    wide = console.width >= WIDE
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("circuit", "at", "stage", "figure"):
        table.add_column(column)
    for column in ("value", "95 % interval")[: 1 + wide]:
        table.add_column(column, justify="right", no_wrap=True)
    rows = [(one, merit) for one in found for merit in one.merits]
    for one, merit in rows[:most]:
        stage = "emulated" if one.emulated else one.stage
        name = printable(merit.name).replace("_", " ")
        figures = _figures(merit)[: 1 + wide]
        table.add_row(printable(one.circuit), _at(one), stage, name, *figures)
    if rows:
        console.print(table)
    if len(rows) > most:
        click.echo(f"... and {len(rows) - most:,} more: --json has all")


def _at(one: Analysed) -> str:
    told = [f"{axis}={short(value)}" for axis, value in one.values.items()]
    told += [f"#{one.details['repeat']}"] if "repeat" in one.details else []
    return printable(" ".join(told))


def _figures(merit: Merit) -> tuple[str, str]:
    if merit.error is None:
        return f"{merit.value:.4g}", ""
    value = f"{merit.value:.4f}±{merit.error:.4f}"
    if merit.low is None or merit.high is None:
        return value, ""
    return value, f"{merit.low:.4f} to {merit.high:.4f}"


def _notes(found: Iterable[Analysed]) -> list[str]:
    """Each note once, with how often it holds."""
    times: dict[str, int] = {}
    for one in found:
        for note in one.notes:
            text = printable(f"{one.analysis}: {note}")
            times[text] = times.get(text, 0) + 1
    return [text if number == 1 else f"{text} ({number} times)" for text, number in times.items()]
