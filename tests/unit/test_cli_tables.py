"""Tables and messages take names and values from strangers as what they are: text."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from iqm_spec.cli import output
from iqm_spec.cli.tables import plan_table, results_table, top_outcomes
from iqm_spec.diagnostics import Diagnostic, Span, render
from iqm_spec.native import CircuitSummary
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.stages.rows import Row
from iqm_spec.store.records import DerivedRecord, SimulatedRecord, StoredComparison


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
        circuit_key="0",
        circuit="0",
        summary=CircuitSummary(1, 1, {"r": 1}),
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


LONG: dict[str, Any] = {
    "machine": "emerald",
    "place": ("QB1", "QB2", "QB3", "QB4", "QB5", "QB6", "QB7", "QB8"),
    "a_long_name_of_an_axis": 0.123456789,
    "n": 20,
    "state": "10101010101010101010",
}


def row(axes: int, outcome: str = "1" * 20, shots: int = 10**7, reason: str = "") -> Row:
    """A point with the first few of the axes above, and large numbers."""
    planned = PlannedPoint(
        index=0, id="0", name="a-circuit-with-a-long-name", values=tuple(LONG.items())[:axes],
        repeat=11, shots=shots, target="emerald", options={}, circuit_key="0", circuit="0",
        summary=CircuitSummary(54, 123456, {"r": 123456, "cz": 98765}),
    )  # fmt: skip
    counts = {outcome: shots - 1, outcome[::-1].replace("1", "0"): 1}
    compared = StoredComparison(0.5, 0.01, 0.5, 0.01, 1.0, 0.01, 0.0, 0.01)
    derived = DerivedRecord("0", None if reason else compared, reason=reason or None)
    return Row(planned, "aer", "0", SimulatedRecord("0", counts, shots), derived)


def shown(what: RenderableType, width: int) -> list[str]:
    """The lines of a table at more columns than it may take."""
    out = io.StringIO()
    Console(file=out, width=3 * width, markup=False, emoji=False).print(what)
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("axes", range(len(LONG) + 1))
@pytest.mark.parametrize("width", [output.NARROWEST, 70, 80, 90, 140])
@pytest.mark.parametrize("shots", [1, 10**7])
def test_tables_fit_and_cut_no_number(axes: int, width: int, shots: int) -> None:
    results = shown(results_table([row(axes, shots=shots)], width), width)
    plan = shown(plan_table([row(axes, shots=shots).point], width), width)
    for lines in (results, plan):
        assert max(map(len, lines)) <= width
        assert len(lines) == 2
    assert str(shots) in results[1].split()
    assert "0.500±0.010" in results[1].split()
    numbers = ["54", "123456", "98765", "123456", str(shots), f"{0.5 / shots**0.5:.2g}"]
    assert plan[1].split()[-6:] == numbers


def test_a_table_of_nothing() -> None:
    assert len(shown(plan_table([], 60), 60)) == 1
    assert len(shown(results_table([], 60), 60)) == 1


def test_points_can_be_told_apart_where_axes_are_cut() -> None:
    lines = shown(plan_table([row(3).point], 87), 87)
    assert "0.1235" in lines[1]
    assert "…" in lines[0]


def test_each_reason_for_no_fidelity_stands_once_below_the_table() -> None:
    rows = [row(0, reason="too entangled"), row(0, reason="too wide"), row(0, reason="too wide")]
    assert shown(results_table(rows, 100), 100)[4:] == [
        "fidelity -: too entangled",
        "fidelity -: too wide",
    ]


@pytest.mark.parametrize(
    ("bits", "room", "told"),
    [
        ("101", 8, "101 100%"),
        ("10101010", 10, "10…10 100%"),
        ("1" * 54, 100, "11111111…1111111 100%"),
        ("10 01", 20, "10|01 100%"),
    ],
)
def test_outcomes_are_cut_in_the_middle_and_keep_their_share(
    bits: str, room: int, told: str
) -> None:
    assert top_outcomes({bits: 5}, 2, room) == told


@pytest.mark.parametrize(("no_color", "styled"), [("", True), ("1", False)])
def test_no_color_drops_every_style(
    no_color: str, styled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"NO_COLOR": no_color, "FORCE_COLOR": "1", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    console = output.console()
    with console.capture() as captured:
        console.print("x", style="bold dim red")
    assert ("\x1b" in captured.get()) == styled
