"""Tables and messages take names and values from strangers as what they are: text."""

from __future__ import annotations

import io

from rich.console import Console

from iqm_spec.cli.tables import plan_table
from iqm_spec.diagnostics import Diagnostic, Span, render
from iqm_spec.plan.plan import PlannedPoint


def point(value: object) -> PlannedPoint:
    return PlannedPoint(
        index=0,
        id="0",
        name="[/]",
        values=(("axis", value),),  # type: ignore[arg-type]
        repeat=0,
        shots=1,
        target="garnet",
        options={},
        ask="0",
        circuit="0",
        summary={"qubits": 1, "depth": 1, "gates": {"r": 1}},
    )


def test_markup_and_escapes_are_shown_not_obeyed() -> None:
    out = io.StringIO()
    console = Console(file=out, width=100, markup=False, emoji=False)
    console.print(plan_table([point("[red]:smile:\x1b[31m")], 100))
    assert "[/]" in out.getvalue()
    assert "[red]:smile:?[31m" in out.getvalue()


def test_diagnostics_hold_no_escapes() -> None:
    found = Diagnostic("x.yaml", Span(1, 1, 2), "S999", "got \x1b[2J", "try \x07")
    text = render([found], lambda _file, _line: "a\x1b[2J")
    assert "\x1b" not in text
    assert "\x07" not in text
