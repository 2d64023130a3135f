"""A body read element by element is what reading it whole gives, or the same mistake."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec.server_api.errors import Unreadable
from iqm_spec.server_api.reply import Reply

values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def read(body: bytes) -> Any:
    found = Reply(200, {}, body).elements()
    return list(found) if isinstance(found, Iterator) else found


@given(values, st.sampled_from([None, 1]), st.sampled_from([b"", b" ", b"\n\t "]))
def test_elements_are_the_whole(value: Any, indent: int | None, blank: bytes) -> None:
    body = blank + json.dumps(value, indent=indent).encode() + blank
    assert read(body) == json.loads(body)


@given(st.lists(values, min_size=1, max_size=3), st.data())
def test_what_is_cut_off_is_unreadable(value: list[Any], data: st.DataObject) -> None:
    body = json.dumps(value).encode()
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    with pytest.raises(Unreadable, match="is not JSON"):
        read(cut)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b"[1]]",
        b"[1],",
        b"[NaN]",
        b"[1e999]",
        b"[\xff]",
        b"[" * 9999,
    ],
)
def test_what_is_not_json(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(body)
    assert gc.isenabled()


def test_figures_that_are_no_numbers_are_null() -> None:
    body = b'{"a": NaN, "b": [1e999, -Infinity, 1.5]}'
    assert Reply(200, {}, body).json_with_gaps() == {"a": None, "b": [None, None, 1.5]}
    for wrong in (b"", b"{", b"[" * 500 + b"]" * 500):
        with pytest.raises(Unreadable):
            Reply(200, {}, wrong).json_with_gaps()
