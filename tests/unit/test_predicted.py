"""Predictions beside measurements, and what today's calibration means for a plan."""

from __future__ import annotations

import pytest

from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.analysis.predicted import agreements, predictions


def analysed(
    stage: str, value: float, error: float | None = 0.01, point: str = "a", figure: str = "fidelity"
) -> Analysed:
    merit = Merit(figure, value, error)
    return Analysed("distances", stage, False, "ghz", {"n": 3}, (point,), (merit,))


def test_figures_of_both_stages_are_paired() -> None:
    found = predictions(
        [
            analysed("aer", 0.9),
            analysed("hardware", 0.86),
            analysed("aer", 0.5, point="b"),
            analysed("hardware", 0.7, point="c"),
            analysed("hardware", 0.1, figure="other"),
        ]
    )
    assert [(item.predicted, item.measured) for item in found] == [(0.9, 0.86)]
    assert found[0].deviation == pytest.approx(-0.04 / (0.01 * 2**0.5))
    assert found[0].to_json()["deviation"] == found[0].deviation


@pytest.mark.parametrize("error", [None, 0.0])
def test_without_errors_there_is_no_deviation(error: float | None) -> None:
    (found,) = predictions([analysed("aer", 0.9, error), analysed("hardware", 0.8, error)])
    assert found.deviation is None
    (agreement,) = agreements([found])
    assert (agreement.typical_deviation, agreement.beyond_two) == (None, 0)
    assert agreement.mean_difference == pytest.approx(-0.1)


def test_agreement_sums_a_figure_up() -> None:
    results = []
    for point, value in (("a", 0.90), ("b", 0.86), ("c", 0.94)):
        results += [analysed("aer", 0.9, point=point), analysed("hardware", value, point=point)]
    (agreement,) = agreements(predictions(results))
    assert (agreement.figure, agreement.number, agreement.beyond_two) == ("fidelity", 3, 2)
    assert agreement.mean_difference == pytest.approx(0, abs=1e-12)
    assert agreement.typical_deviation == pytest.approx((2 / 3) ** 0.5 * 0.04 / 0.01 / 2**0.5)
