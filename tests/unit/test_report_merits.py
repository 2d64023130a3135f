"""What analyses found, as charts: which axes, which lines, which fits."""

from __future__ import annotations

from itertools import product
from math import exp

from iqm_spec.analysis.merit import Analysed, Curve, Merit
from iqm_spec.report.axes import axes_of
from iqm_spec.report.merits import charts, curves, merits_by_point, topics
from iqm_spec.report.names import thinned


def analysed(values: dict[str, object], value: float, **more: object) -> Analysed:
    told = {"analysis": "distances", "stage": "aer", "emulated": False, "circuit": "ghz"} | more
    point = "-".join(map(str, values.values()))
    merit = Merit("hellinger_fidelity", value, 0.01, value - 0.02, value + 0.02)
    return Analysed(values=values, points=(point,), merits=(merit,), **told)  # type: ignore[arg-type]


def names(found: list[Analysed]) -> list[str]:
    return [figure.name for topic in topics(found) for figure in charts(topic, noisy=True)]


def captions(found: list[Analysed]) -> list[str]:
    return [figure.caption for topic in topics(found) for figure in charts(topic, noisy=True)]


def test_one_axis_gives_one_chart_with_all_stages() -> None:
    found = [
        analysed({"n": n}, 1 - n / 10, stage=stage, emulated=stage == "hardware")
        for n in (2, 3, 4)
        for stage in ("aer", "hardware")
    ]
    assert names(found) == ["distances-hellinger_fidelity-n-aer-hardware"]
    assert captions(found) == [
        (
            "Hellinger fidelity against n; aer, with noise and hardware (emulated). "
            "Bars are 95 % intervals."
        )
    ]


def test_axes_that_move_together_are_one() -> None:
    places = [{"n": n, "time": n / 4, "state": "1" * n} for n in (1, 2, 3)]
    (axis,) = axes_of(places)
    assert axis.name == "n"
    assert axis.title == "n (with time, state)"


def test_two_axes_give_a_map_and_a_chart_for_each() -> None:
    found = [analysed({"a": a, "b": b}, a * b / 100) for a, b in product(range(1, 8), range(1, 9))]
    assert names(found) == [
        "distances-hellinger_fidelity-map-aer",
        "distances-hellinger_fidelity-a-aer",
        "distances-hellinger_fidelity-b-aer",
    ]
    assert "Marks are medians, bars the range over b, small dots" in captions(found)[1]


def test_lines_are_of_the_axis_that_tells_most() -> None:
    found = [
        analysed({"depth": d, "width": w, "seed": s}, 1 - 0.1 * w - 0.01 * d + 0.001 * s)
        for d, w, s in product((2, 4, 8), (2, 4), (1, 2, 3))
    ]
    (topic,) = topics(found)
    chart = next(f for f in charts(topic, noisy=True) if f.name.endswith("-depth-aer"))
    assert "width = 2" in chart.picture.body
    assert "seed = " not in chart.picture.body
    assert "over seed" in chart.caption


def test_circuits_of_one_analysis_are_an_axis_of_names() -> None:
    found = [analysed({}, 0.9, circuit="one"), analysed({}, 0.8, circuit="two")]
    assert names(found) == ["distances-hellinger_fidelity-circuit-aer"]


def test_one_point_needs_no_chart() -> None:
    assert names([analysed({"n": 2}, 0.9)]) == []


def test_figures_that_are_no_numbers_are_not_drawn() -> None:
    found = [analysed({"n": n}, v) for n, v in ((1, 0.5), (2, float("nan")), (3, float("inf")))]
    (topic,) = topics(found)
    assert len(topic.dots) == 1


def test_thousands_of_values_stay_bounded() -> None:
    found = [analysed({"x": x / 10}, 0.5) for x in range(5000)]
    (figure,) = (f for topic in topics(found) for f in charts(topic, noisy=True))
    assert len(figure.picture.body) < 100_000


def test_fitted_curves_share_a_chart_and_are_named_by_what_differs() -> None:
    depths = (1.0, 2.0, 4.0, 8.0)

    def fitted(width: int) -> Analysed:
        rate = 0.9**width
        curve = Curve(
            axis="depth",
            x=depths,
            y=tuple(rate**d for d in depths),
            errors=(0.01,) * 4,
            fit_x=tuple(d / 10 for d in range(10, 81)),
            fit_y=tuple(exp(-d / 10) for d in range(10, 81)),
        )
        merits = (Merit("polarization", rate, 0.01, rate - 0.02, rate + 0.02),)
        return Analysed(
            analysis="mirror_decay",
            stage="hardware",
            emulated=True,
            circuit="mirror",
            values={"width": width, "kind": "random"},
            points=("a", "b"),
            merits=merits,
            curve=curve,
        )

    (figure,) = curves([fitted(2), fitted(4)], noisy=True)
    assert figure.caption == (
        "Mirror decay against depth; hardware (emulated). Bars are standard errors. Lines are fits."
    )
    assert "width = 2" in figure.picture.body
    assert "kind" not in figure.picture.body
    many = list(curves([fitted(width) for width in range(14)], noisy=True))
    assert [f.name for f in many] == [f"mirror_decay-curve-depth-hardware-{i}" for i in (1, 2, 3)]


def test_figures_of_single_points_are_found_by_stage_and_point() -> None:
    found = merits_by_point([analysed({"n": 2}, 0.9), analysed({"n": 2}, 0.8, stage="hardware")])
    assert found["aer", "2"]["hellinger_fidelity"].value == 0.9
    assert found["hardware", "2"]["hellinger_fidelity"].value == 0.8


def test_some_of_many_are_chosen_evenly() -> None:
    assert thinned(3, 10) == [0, 1, 2]
    assert thinned(101, 5) == [0, 25, 50, 75, 100]
    assert thinned(10, 1) == [0]


def test_ideal_and_mitigated_figures_stand_beside_the_raw_ones() -> None:
    found = [
        Analysed(
            analysis="expectation",
            stage="aer",
            emulated=False,
            circuit="chain",
            values={"t": t},
            points=(f"p{t}",),
            merits=(
                Merit("energy", 0.8 * t, 0.01, 0.8 * t - 0.02, 0.8 * t + 0.02),
                Merit("energy_ideal", float(t)),
                Merit("energy_mitigated", 0.95 * t, 0.01, 0.9 * t, t),
            ),
        )
        for t in (1, 2, 3)
    ]
    (topic,) = topics(found)
    (chart,) = charts(topic, noisy=True)
    for name in ("aer, with noise", "aer, with noise, mitigated", "ideal"):
        assert f">{name}<" in chart.picture.body


def test_what_a_perfect_device_shows_is_drawn_where_it_is_known() -> None:
    found = [analysed({"n": n}, 0.9) for n in (2, 3)]
    perfect = {"hellinger_fidelity": {"2": 0.99, "3": 0.98}}
    (topic,) = topics(found, perfect)
    (chart,) = charts(topic, noisy=True)
    assert ">perfect device<" in chart.picture.body
    (partly,) = topics(found, {"hellinger_fidelity": {"2": 0.99}})
    (chart,) = charts(partly, noisy=True)
    assert ">perfect device<" not in chart.picture.body


def test_distances_come_last() -> None:
    found = [analysed({"n": 2}, 0.9), analysed({"n": 2}, 0.9, analysis="ghz_fidelity")]
    assert [topic.analysis for topic in topics(found)] == ["ghz_fidelity", "distances"]


def test_the_ideal_landscape_stands_beside_the_measured_one() -> None:
    found = [
        Analysed(
            analysis="expectation",
            stage="aer",
            emulated=False,
            circuit="qaoa",
            values={"beta": b, "gamma": g},
            points=(f"{b}-{g}",),
            merits=(Merit("cut", 0.9 * b * g, 0.01), Merit("cut_ideal", float(b * g))),
        )
        for b, g in product((1, 2, 3), (1, 2, 3))
    ]
    assert names(found)[:2] == ["expectation-cut-map-ideal", "expectation-cut-map-aer"]
    assert captions(found)[0] == "Cut (expectation) over beta and gamma; ideal."
