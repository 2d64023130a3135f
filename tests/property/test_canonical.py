"""Canonical JSON: RFC 8785's bytes on either path, one digest per meaning."""

from __future__ import annotations

import json
import math

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec.canonical import LARGEST_INTEGER, canonical, digest

integers = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
floats = st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda x: not x.is_integer() or abs(x) <= LARGEST_INTEGER
)
scalars = st.none() | st.booleans() | integers | floats | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(values)
@pytest.mark.slow
def test_both_paths_give_the_bytes_of_rfc_8785(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(values)
def test_reading_and_writing_again_changes_nothing(value: object) -> None:
    assert canonical(json.loads(canonical(value))) == canonical(value)


@given(st.dictionaries(st.text(), integers, min_size=2))
def test_key_order_does_not_matter(value: dict[str, int]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, [1.5, math.nan], 2**53, {"a": -(2**60)}, 1e20]
)
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        canonical(value)


def test_whole_floats_and_integers_are_one() -> None:
    assert digest([1000, 0]) == digest([1e3, -0.0])


@pytest.mark.parametrize(
    "value",
    [
        {"a": "\0000", "b": 1e-7},
        {"\0000": 1e-7, "z": [1.0, 1e-5, 0.5]},
        ["\0", 5e-324, {"ü": -0.0, "a": 1e-6}],
        {"p": {"00": 1e-9, "01": 0.25, "10": 2.0, "11": 123456789012345.6}},
    ],
)
def test_marks_for_numbers_never_show(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)
