"""Pictures: what is in them, and that texts of strangers stay texts."""

from __future__ import annotations

from math import cos, pi, radians
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.plots.bars import Outcomes, most_frequent, outcome_bars
from iqm_spec.plots.chip import Used, chip_map, couplings, positions
from iqm_spec.plots.circuit import (
    MOST_COLUMNS,
    Gate,
    Wires,
    angles_text,
    circuit_drawing,
    native_wires,
    qiskit_wires,
)
from iqm_spec.plots.heat import cell_color, heat_map
from iqm_spec.plots.series import Mark, Series, XAxis, series_plot, y_range
from iqm_spec.plots.style import is_log, log_ticks, round_ticks, text_width, tick_label
from iqm_spec.plots.svg import picture_of
from iqm_spec.plots.timeline import JobTimes, timeline
from iqm_spec.plots.times import TimedJob, predicted_against_measured
from iqm_spec.targets import architecture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HOSTILE = '</svg><script>alert("1")</script>&\x1b[31m $\\frac{$'
SVG = "{http://www.w3.org/2000/svg}"


def tree(figure: Figure, label: str = "") -> ElementTree.Element:
    """The picture parsed as XML: it is well formed as a file."""
    return ElementTree.fromstring(picture_of(figure, label).standalone())


def texts(figure: Figure) -> list[str]:
    return ["".join(item.itertext()) for item in tree(figure).iter(f"{SVG}text")]


def tips(figure: Figure) -> list[str]:
    """The titles of marks; the first is that of the picture."""
    return [item.text or "" for item in tree(figure).iter(f"{SVG}title")][1:]


def groups(figure: Figure, css: str = "", **attributes: str) -> list[ElementTree.Element]:
    """Groups of elements of one style."""
    wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
    return [
        group
        for group in tree(figure).iter(f"{SVG}g")
        if css in ["", *group.get("class", "").split()] and wanted.items() <= group.attrib.items()
    ]


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (2, 6, [2, 3, 4, 5, 6]),
        (0.93, 1.0, [0.94, 0.96, 0.98, 1.0]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_ticks_are_round(low: float, high: float, found: list[float]) -> None:
    assert round_ticks(low, high) == pytest.approx(found)


def test_values_over_powers_of_ten_get_a_logarithmic_axis() -> None:
    assert is_log([1, 10, 100, 1000])
    assert not is_log([0, 10, 100, 1000])
    assert not is_log([1, 50, 100])
    assert log_ticks(1, 1000) == [1, 10, 100, 1000]
    assert log_ticks(1, 12) == [1, 2, 5, 10]


@pytest.mark.parametrize(("value", "told"), [(0.25, "0.25"), (1e6, "1e6"), (-0.0, "0"), (1.0, "1")])
def test_ticks_have_few_digits(value: float, told: str) -> None:
    assert tick_label(value) == told


def test_a_plot_has_marks_bars_curves_and_names() -> None:
    one = Series("aer", (Mark(1, 0.5, 0.4, 0.6, "here"), Mark(2, 0.7, 0.6, 0.8)))
    other = Series("fit", (Mark(1, 0.6), Mark(2, 0.8)), 1, 1, fit=((1, 0.6), (1.5, 0.7), (2, 0.8)))
    figure = series_plot([one, other], XAxis("n", values=(1, 2)), "fidelity")
    assert {"aer", "fit", "n", "fidelity", "1", "2"} <= set(texts(figure))
    assert len(groups(figure, "s-c0", stroke_width="1.2")) == 2  # bars and caps
    assert len(groups(figure, "s-c1", stroke_width="1.8")) == 2  # the curve, its legend key
    assert [tip for tip in tips(figure) if tip] == ["here"]


def test_figures_between_0_and_1_stay_there() -> None:
    low, high = y_range([Series("", (Mark(0, 0.999, 0.98, 1.0), Mark(1, 0.9)))])
    assert low < 0.9
    assert high == 1.0


def test_names_that_are_too_long_slant() -> None:
    names = tuple(f"QB{i},QB{i + 1},QB{i + 2}" for i in range(10))
    series = [Series("", tuple(Mark(i, i) for i in range(10)))]
    slanting = series_plot(series, XAxis("place", names), "y")
    short = series_plot(series, XAxis("place", tuple("abcdefghij")), "y")
    assert slanting.get_figheight() > short.get_figheight()
    assert "rotate(-38" in picture_of(slanting, "").body
    assert "rotate(-38" not in picture_of(short, "").body


def test_no_slanting_name_leaves_the_picture() -> None:
    names = tuple(f"a rather long name {i}" for i in range(30))
    marks = tuple(Mark(i, 0.5) for i in range(30))
    figure = series_plot([Series("", marks)], XAxis("circuit", names), "y")
    slanting = [
        item for item in tree(figure).iter(f"{SVG}text") if "-38" in item.get("transform", "")
    ]
    assert len(slanting) == 15
    for item in slanting:
        reach = text_width("".join(item.itertext())) * cos(radians(38))
        assert float(item.get("x", "")) - reach > 0


def test_many_marks_have_bands_and_stand_below_each_other() -> None:
    def dense(name: str, color: int) -> Series:
        marks = tuple(Mark(i, 0.5, 0.4, 0.6) for i in range(100))
        return Series(name, marks, color, color)

    line = Series("ideal", tuple(Mark(i, 0.6) for i in range(100)), 6, style="dash", bare=True)
    one = series_plot([dense("a", 0), line], XAxis("n"), "y")
    three = series_plot([dense("a", 0), dense("b", 1), dense("c", 2), line], XAxis("n"), "y")
    for figure, rows in ((one, 1), (three, 3)):
        assert len(figure.axes) == rows
        assert len(groups(figure, fill_opacity="0.22")) == rows
        assert groups(figure, stroke_width="1.2") == []
        dashed = groups(figure, stroke_dasharray="5 4")
        assert len(dashed) == rows + 1  # the legend has one
    assert texts(three).count("40") == 1  # one axis of numbers for all


def test_bars_show_the_most_frequent_outcomes_and_tell_the_others() -> None:
    shares = {format(i, "05b"): (32 - i) / 528 for i in range(32)}
    sets = [Outcomes("ideal", {"00000": 1.0}, 6), Outcomes("aer", shares, 0, 1000)]
    shown, rest = most_frequent(sets)
    assert shown == sorted(shown)
    assert len(shown) == 16
    assert rest == 16
    figure = outcome_bars(sets)
    assert "16 others" in texts(figure)
    left = sum(sorted(shares.values())[:16])
    told = texts(figure)
    assert told[told.index("together") :][:3] == ["together", "0.000", f"{left:.3f}"]


def test_outcomes_whose_ideal_is_not_known_are_not_called_impossible() -> None:
    sets = [Outcomes("ideal", {"00": 0.5}, 6, None, False), Outcomes("aer", {"00": 1.0}, 0, 10)]
    assert not any("ideal: 0.0" in tip for tip in tips(outcome_bars(sets)))


def test_long_bitstrings_are_cut_in_the_middle() -> None:
    bits = "01" * 27
    assert "010101010101…010101010101" in texts(outcome_bars([Outcomes("aer", {bits: 1.0}, 0, 1)]))


def test_a_map_of_colours_has_its_numbers_and_leaves_holes() -> None:
    cells = {(0, 0): 0.5, (1, 0): 0.75, (0, 1): 1.0}
    figure = heat_map(["2", "4"], ["a", "b"], cells, ("n", "name", "fidelity"), (0.5, 1.0))
    assert {".50", ".75", "1.00", "n", "name", "fidelity"} <= set(texts(figure))
    assert tips(figure) == ["n 2, name a: 0.5", "n 2, name b: 1", "n 4, name a: 0.75"]
    assert cell_color(0.5, (0.5, 1.0)) == "#00224e"
    assert cell_color(1.0, (0.5, 1.0)) == "#fee838"


@pytest.mark.parametrize("alias", ["garnet", "emerald"])
def test_a_lattice_is_drawn_as_a_lattice(alias: str) -> None:
    machine = architecture(alias)
    edges = couplings(machine)
    places = dict(zip(machine.components, positions(machine.components, tuple(edges)), strict=True))
    assert len(set(places.values())) == machine.num_qubits
    for one, other in edges:
        (x1, y1), (x2, y2) = places[one], places[other]
        assert abs(x1 - x2) + abs(y1 - y2) == 1


def test_garnet_reads_from_the_upper_left() -> None:
    machine = architecture("garnet")
    found = positions(machine.components, tuple(couplings(machine)))
    order = sorted(range(20), key=lambda i: (found[i][1], found[i][0]))
    assert order == list(range(20))


def test_a_star_has_its_resonator_in_the_middle() -> None:
    machine = architecture("deneb")
    used = Used({"QB1": "measured to bit 0"}, frozenset({("QB1", "CR1")}))
    figure = chip_map(machine, used)
    assert "QB1: measured to bit 0" in tips(figure)
    assert "QB2: not used" in tips(figure)
    assert len(groups(figure, "f-wash")) == 1
    assert len(groups(figure, "s-c1", stroke_width="4")) == 1
    places = positions(machine.components, tuple(couplings(machine)))
    assert places[-1] == (0.0, 0.0)


def test_a_map_without_couplings_can_be_drawn() -> None:
    assert len(set(positions(("QB1", "QB2", "QB3"), ()))) == 3
    assert positions(("QB1",), ()) == ((0.0, 0.0),)


def test_a_native_circuit_is_drawn_gate_by_gate() -> None:
    circuit = NativeCircuit(
        ("QB4", "QB5"),
        (("c", 2),),
        (
            Op("r", (0,), (pi / 2, -pi / 2)),
            Op("cz", (0, 1)),
            Op("barrier", (0, 1)),
            Op("measure", (0,), (), (0,)),
            Op("measure", (1,), (), (1,)),
        ),
    )
    figure = circuit_drawing(native_wires(circuit))
    assert texts(figure) == ["QB4", "QB5", "r", "π/2, -π/2"]
    assert "measure to bit 1" in tips(figure)


def test_long_circuits_tell_what_is_left_out() -> None:
    gates = tuple(Gate("x", (0,)) for _ in range(100))
    figure = circuit_drawing(Wires(("q0",), gates))
    assert f"… {100 - MOST_COLUMNS} more columns" in texts(figure)
    assert texts(figure).count("q0") == 2  # it goes on in a second line
    assert picture_of(figure, "").width < 1200
    many = circuit_drawing(Wires(tuple(f"q{i}" for i in range(50)), (Gate("h", (49,)),)))
    assert "… 26 more wires" in texts(many)


def test_a_gate_covers_no_wire_that_it_does_not_act_on() -> None:
    apart = circuit_drawing(Wires(("QB1", "QB2", "CR1"), (Gate("move", (0, 2)),)))
    assert texts(apart).count("move") == 2
    beside = circuit_drawing(Wires(("QB1", "CR1"), (Gate("move", (0, 1)),)))
    assert texts(beside).count("move") == 1


def test_logical_gates_have_their_controls() -> None:
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(3, 1)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.ccx(0, 1, 2)
    circuit.cp(pi / 4, 0, 2)
    circuit.swap(1, 2)
    circuit.rz(0.3, 1)
    circuit.measure(2, 0)
    gates = qiskit_wires(circuit).gates
    assert [(g.name, g.controls, g.targets, g.kind) for g in gates] == [
        ("h", (), (0,), "box"),
        ("x", (0,), (1,), "box"),
        ("x", (0, 1), (2,), "box"),
        ("p", (0,), (2,), "box"),
        ("swap", (), (1, 2), "swap"),
        ("rz", (), (1,), "box"),
        ("measure", (), (2,), "measure"),
    ]
    assert gates[3].detail == "π/4"


@pytest.mark.parametrize(
    ("value", "told"),
    [(pi, "π"), (-pi / 2, "-π/2"), (3 * pi / 4, "3π/4"), (0.3, "0.30"), (0.0, "0"), (1e-4, "0.00")],
)
def test_angles_are_fractions_of_pi_where_they_are_such(value: float, told: str) -> None:
    assert angles_text([value]) == told


def test_a_timeline_has_a_row_for_each_job_in_a_fitting_unit() -> None:
    jobs = [
        JobTimes("garnet", 0, 7200, 7260),
        JobTimes("garnet", 60, 7300, None),
        JobTimes("lost", 90, None, None),
    ]
    figure = timeline(jobs)
    assert "no end is known" in texts(figure)
    assert any(told.startswith("hours since 1970-01-01 00:00:00 UTC") for told in texts(figure))


def test_predicted_times_stand_against_measured_ones() -> None:
    jobs = [TimedJob(1, 1.2, False, "a job"), TimedJob(10, 0.0, True, "a wild job")]
    figure = predicted_against_measured({"one": jobs, "two": jobs[:1]})
    assert texts(figure).count("measured QPU time (s)") == 2
    assert texts(figure).count("wild") == 1
    assert tips(figure) == ["a job", "a wild job", "a job"]


def test_texts_of_strangers_stay_texts() -> None:
    series = [Series(HOSTILE, (Mark(0, 1.0, tip=HOSTILE), Mark(1, 2.0)))]
    figures = [
        series_plot(series, XAxis(HOSTILE, (HOSTILE, HOSTILE)), HOSTILE),
        outcome_bars([Outcomes(HOSTILE, {HOSTILE: 1.0}, 0, 10)]),
        heat_map([HOSTILE], [HOSTILE], {(0, 0): 1.0}, (HOSTILE, HOSTILE, HOSTILE), (0, 1)),
        circuit_drawing(Wires((HOSTILE,), (Gate(HOSTILE, (0,), detail=HOSTILE),))),
        timeline([JobTimes(HOSTILE, 0, 1, 2, HOSTILE)]),
        predicted_against_measured({HOSTILE: [TimedJob(1, 2, False, HOSTILE)]}),
    ]
    for figure in figures:
        assert {item.tag.removeprefix(SVG) for item in tree(figure, HOSTILE).iter()} <= {
            *("svg", "title", "style", "rect", "path", "text", "g")
        }
        drawn = picture_of(figure, HOSTILE).inline()
        assert "<script" not in drawn
        assert "\x1b" not in drawn
