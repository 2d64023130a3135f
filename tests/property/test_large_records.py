"""Records of many outcomes are written and read in pieces: the same bytes, the same values."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec import canonical as module
from iqm_spec.canonical import canonical
from iqm_spec.store import json_text
from iqm_spec.store.json_text import read_json

SEED = 20_261_128
OUTCOMES = 50_000

numbers = st.one_of(
    st.integers(0, 10**6),
    st.floats(0, 1),
    st.floats(1e-8, 1e-3),
    st.floats(5e-324, 1e-300),
    st.sampled_from([0.0, 1.0, 1e-4, 1e-5, 1.5e-5, 1e-6, 9.5e-7, 1e-7, 2.0]),
)
names = st.text("01 ", max_size=4) | st.text('a,"}{:\\é', max_size=3)
tables = st.dictionaries(names, numbers, max_size=12)
values = st.one_of(tables, numbers, st.text('x,"}{:\\é\0', max_size=4), st.lists(st.booleans()))
records = st.dictionaries(names, values | st.dictionaries(names, tables, max_size=2), max_size=5)


@given(records, st.integers(1, 5))
def test_pieces_have_the_bytes_of_the_whole(record: dict[str, Any], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_AT_ONCE", at_once)
        assert canonical(record) == rfc8785.dumps(record)


@given(records, st.integers(2, 40), st.sampled_from(["", "\n", " ", "x", "}"]))
def test_pieces_are_read_as_the_whole(record: dict[str, Any], piece: int, after: str) -> None:
    for data in (canonical(record), json.dumps(record).encode()):
        text = data + after.encode()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(json_text, "LONG", 0)
            patch.setattr(json_text, "_PIECE", piece)
            try:
                expected = json.loads(text)
            except ValueError:
                with pytest.raises(ValueError):
                    read_json(text)
                continue
            got = read_json(text)
        assert got == expected
        assert list(got) == list(expected)


@given(st.binary(max_size=30) | st.text('{"a":1,}[] ', max_size=14).map(str.encode))
def test_what_is_no_json_is_refused_alike(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "LONG", 0)
        try:
            expected = json.loads(data)
        except ValueError:
            with pytest.raises(ValueError):
                read_json(data)
        else:
            assert read_json(data) == expected


def test_a_table_of_many_is_read_and_written_beside_little_else() -> None:
    draw = np.random.default_rng(SEED)
    ideal = {
        format(outcome, "020b"): float(p)
        for outcome, p in enumerate(draw.exponential(size=OUTCOMES) / 2**20)
    }
    record: dict[str, Any] = {"ideal": ideal, "key": "0" * 64}
    tracemalloc.start()
    try:
        data = canonical(record)
        written = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        again = read_json(data)
        read = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert again == record
    assert written < len(data) + 60 * OUTCOMES
    assert read < 280 * OUTCOMES  # a name takes 80, a float 24, and the table's growth the rest
