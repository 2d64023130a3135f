"""Whatever a model was fitted to: never negative, ordered, and never less for more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iqm_spec.cost.job_shape import JobShape, Timing, uniform_job
from iqm_spec.cost.time_model import TimeModel, fit

pytestmark = pytest.mark.slow

few = settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])

sizes = st.fixed_dictionaries(
    {
        "num_qubits": st.integers(1, 54),
        "depth": st.integers(0, 1000),
        "circuits": st.integers(1, 500),
        "shots": st.integers(1, 100_000),
    }
)
timings = st.builds(
    lambda size, seconds: Timing(uniform_job(**size), seconds),
    sizes,
    st.floats(1e-3, 1e5, allow_nan=False),
)
models = st.lists(timings, min_size=3, max_size=25).map(fit)


@few
@given(models, sizes)
def test_predictions_are_ordered_and_above_zero(model: TimeModel, size: dict[str, int]) -> None:
    (found,) = model.predict([uniform_job(**size)])
    assert 0 < found.low <= found.expected <= found.high < float("inf")


@few
@given(models, sizes, st.sampled_from(["num_qubits", "depth", "circuits", "shots"]), st.data())
def test_more_never_takes_less(
    model: TimeModel, size: dict[str, int], grows: str, data: st.DataObject
) -> None:
    more: dict[str, Any] = {**size, grows: size[grows] + data.draw(st.integers(1, 100_000))}
    first, second = model.predict([uniform_job(**size), uniform_job(**more)])
    slack = 1 + 1e-9
    assert second.low * slack >= first.low
    assert second.expected * slack >= first.expected
    assert second.high * slack >= first.high


@few
@given(models, st.lists(sizes, min_size=1, max_size=6))
def test_a_job_is_predicted_alike_in_any_company(
    model: TimeModel, several: list[dict[str, int]]
) -> None:
    shapes: list[JobShape] = [uniform_job(**size) for size in several]
    together = model.predict(shapes)
    for shape, one in zip(shapes, together, strict=True):
        (alone,) = model.predict([shape])
        assert abs(alone.expected - one.expected) <= 1e-9 * one.expected
        assert abs(alone.high - one.high) <= 1e-9 * one.high
