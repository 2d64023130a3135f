"""`iqm-spec validate SPEC...`: report all errors of specs, with line and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from iqm_spec.cli import output
from iqm_spec.cli.options import allow_code_option, json_option, set_option
from iqm_spec.diagnostics import Diagnostic
from iqm_spec.errors import SpecError
from iqm_spec.plan.label import count
from iqm_spec.spec.examine import examine

if TYPE_CHECKING:
    from iqm_spec.plan.plan import PlannedPoint
    from iqm_spec.spec.check import CheckedSpec


@click.command()
@click.argument(
    "specs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SPEC..."
)
@click.option(
    "--explain",
    is_flag=True,
    help="Also transpile, and show each circuit's size, qubits and predicted success.",
)
@set_option
@allow_code_option
@json_option
def command(
    specs: Sequence[Path],
    explain: bool,
    overrides: Sequence[str],
    allowed_code: Sequence[str],
    as_json: bool,
) -> None:
    """Check specs: syntax, schema, sweep, circuits and machine. Runs and writes nothing.

    No server is asked: with `--explain`, success is predicted by the built-in error profiles.
    """
    from iqm_spec.spec.sweep_points import circuit_points

    errors: list[Diagnostic] = []
    valid: list[dict[str, Any]] = []
    plans: list[ExplainedPlan] = []
    for path in specs:
        checked, diagnostics, notices = examine(path, overrides, allowed_code)
        errors += diagnostics
        if checked is None or diagnostics:
            continue
        points = sum(
            1
            for circuit in checked.spec.circuits
            for _ in circuit_points(circuit, checked.spec.sweep).points()
        )
        valid.append(
            {
                "file": path.as_posix(),
                "name": checked.spec.name,
                "digest": checked.digest,
                "points": points,
                "notices": list(notices),
            }
        )
        if explain:
            plans.append(_explained(checked))
            valid[-1]["circuits"] = plans[-1].to_json()
    if errors:
        if not as_json:
            _show(valid)
        raise SpecError(tuple(errors), tuple(overrides))
    if as_json:
        output.answer({"specs": valid})
        return
    _show(valid)
    for plan in plans:
        from iqm_spec.cli import tables  # it takes longer to import than most specs to check

        console = output.console()
        console.print(tables.plan_table(plan.points, console.width, plan.successes, plan.qubits))
        tables.print_more(len(plan.points), console)


@frozen
class ExplainedPlan:
    """A plan that is not stored: its points, and by circuit key what is predicted, and where."""

    points: tuple[PlannedPoint, ...]
    successes: Mapping[str, float]
    qubits: Mapping[str, Sequence[str]]

    def to_json(self) -> list[dict[str, Any]]:
        """An entry for each point."""
        return [
            {
                "circuit": point.name,
                "values": dict(point.values),
                "target": point.target,
                "depth": point.summary.depth,
                "gates": dict(point.summary.gates),
                "qubits": list(self.qubits[point.circuit_key]),
                "predicted_success": self.successes.get(point.circuit_key),
            }
            for point in self.points
        ]


def _explained(checked: CheckedSpec) -> ExplainedPlan:
    from iqm_spec.cli.dry_run import qubits_of
    from iqm_spec.engine.run import plan_of
    from iqm_spec.plan.circuits import natives_of
    from iqm_spec.plan.prediction import predicted_successes
    from iqm_spec.store import Store

    with TemporaryDirectory() as nowhere:
        store = Store(Path(nowhere))
        plan = plan_of(checked, store, keep=False)
        qubits = qubits_of(natives_of(store, plan, plan.points))
        return ExplainedPlan(plan.points, predicted_successes(store, plan), qubits)


def _show(valid: Sequence[Mapping[str, Any]]) -> None:
    for entry in valid:
        for notice in entry["notices"]:
            output.say(f"note: {notice}")
        click.echo(f"{entry['file']}: valid, {count(entry['points'], 'point')}")
