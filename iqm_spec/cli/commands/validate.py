"""`iqm-spec validate SPEC...`: every mistake of every file, in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import allow_code_option, json_option, set_option
from iqm_spec.diagnostics import Diagnostic
from iqm_spec.engine.prepare import examine
from iqm_spec.errors import SpecError
from iqm_spec.plan.label import count


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
    """Check specs: syntax, schema, sweep, circuits and machine. Nothing is run or written."""
    from iqm_spec.spec.sweep_points import circuit_points

    mistakes: list[Diagnostic] = []
    told = []
    for path in specs:
        checked, diagnostics, notices = examine(path, overrides, allowed_code)
        mistakes += diagnostics
        if checked is None or diagnostics:
            continue
        points = sum(
            1
            for circuit in checked.spec.circuits
            for _ in circuit_points(circuit, checked.spec.sweep).points()
        )
        told.append(
            {
                "file": path.as_posix(),
                "name": checked.spec.name,
                "digest": checked.digest,
                "points": points,
                "notices": list(notices),
            }
        )
    if mistakes:
        if not as_json:
            _tell(told)
        raise SpecError(tuple(mistakes), tuple(overrides))
    if as_json:
        output.answer({"specs": told, "exit": 0})
        return
    _tell(told)


def _tell(fine: Sequence[Mapping[str, Any]]) -> None:
    for entry in fine:
        for notice in entry["notices"]:
            output.say(f"note: {notice}")
        click.echo(f"{entry['file']}: fine, {count(entry['points'], 'point')}")
