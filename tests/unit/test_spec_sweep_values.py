"""Value functions: their values, exactly, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec.spec.sweep_values import MAX_AXIS_VALUES, ValueFunctionError, evaluate_function


@pytest.mark.parametrize(
    ("name", "arguments", "values"),
    [
        ("range", [0, 5], (0, 1, 2, 3, 4)),
        ("range", [100, 1100, 200], (100, 300, 500, 700, 900)),
        ("range", [5, 0, -2], (5, 3, 1)),
        ("range", [0, 1, 0.1], (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)),
        ("linspace", [0, 1, 11], (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)),
        ("linspace", [1, 0, 3], (1, 0.5, 0)),
        ("linspace", [2, 9, 1], (2,)),
        ("logspace", [0, 3, 4], (1, 10, 100, 1000)),
        ("logspace", [-2, 0, 3], (0.01, 0.1, 1)),
        ("geomspace", [1, 1000, 4], (1, 10, 100, 1000)),
        ("geomspace", [-8, -1, 4], (-8, -4, -2, -1)),
        ("geomspace", [0.1, 0.1, 1], (0.1,)),
    ],
)
def test_values(name: str, arguments: list[float], values: tuple[float, ...]) -> None:
    found = evaluate_function(name, arguments)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("range", [0], "takes [start, stop, step]"),
        ("range", [0, 1, 0], "step"),
        ("range", [1, 0], "holds no values"),
        ("range", [0, 10**9], "at most"),
        ("linspace", [0, 1], "takes [start, stop, num]"),
        ("linspace", [0, 1, 0], "whole number >= 1"),
        ("linspace", [0, 1, 2.5], "whole number >= 1"),
        ("linspace", [0, 1, MAX_AXIS_VALUES + 1], "at most"),
        ("logspace", [0, 400, 3], "exponents"),
        ("geomspace", [0, 1, 3], "one sign"),
        ("logspace", [0, 20, 3], "beyond 2^53"),
        ("geomspace", [-1, 1, 3], "one sign"),
        ("range", "abc", "list of numbers"),
        ("range", [0, True], "list of numbers"),
        ("linspace", [0, "1", 3], "list of numbers"),
    ],
)
def test_refused(name: str, arguments: object, words: str) -> None:
    with pytest.raises(ValueFunctionError) as caught:
        evaluate_function(name, arguments)  # type: ignore[arg-type]
    assert words in str(caught.value)


finite = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)


@given(finite, finite, st.integers(1, 200))
def test_linspace_agrees_with_numpy(start: float, stop: float, num: int) -> None:
    ours = evaluate_function("linspace", [start, stop, num])
    assert np.allclose(ours, np.linspace(start, stop, num), rtol=1e-9, atol=1e-9)
    assert ours[0] == start
    assert num == 1 or ours[-1] == stop


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 50))
def test_geomspace_agrees_with_numpy(start: float, stop: float, num: int) -> None:
    ours = evaluate_function("geomspace", [start, stop, num])
    assert np.allclose(ours, np.geomspace(start, stop, num), rtol=1e-9)
    assert (ours[0], ours[-1]) == (start, stop)
