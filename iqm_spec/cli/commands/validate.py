"""`iqm-spec validate SPEC...`: report all errors of specs, with line and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import allow_code_option, json_option, set_option
from iqm_spec.diagnostics import Diagnostic
from iqm_spec.errors import SpecError
from iqm_spec.plan.label import count
from iqm_spec.spec.examine import examine


@click.command()
@click.argument(
    "specs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SPEC..."
)
@set_option
@allow_code_option
@json_option
def command(
    specs: Sequence[Path], overrides: Sequence[str], allowed_code: Sequence[str], as_json: bool
) -> None:
    """Check specs: syntax, schema, sweep, circuits and machine. Runs and writes nothing."""
    from iqm_spec.spec.sweep_points import circuit_points

    errors: list[Diagnostic] = []
    valid = []
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
    if errors:
        if not as_json:
            _show(valid)
        raise SpecError(tuple(errors), tuple(overrides))
    if as_json:
        output.answer({"specs": valid})
        return
    _show(valid)


def _show(valid: Sequence[Mapping[str, Any]]) -> None:
    for entry in valid:
        for notice in entry["notices"]:
            output.say(f"note: {notice}")
        click.echo(f"{entry['file']}: valid, {count(entry['points'], 'point')}")
