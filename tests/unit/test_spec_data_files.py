"""Data files to columns: values, places, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest

from iqm_spec.diagnostics import Span
from iqm_spec.spec.data_files import read_data_file


def values(data: bytes, ref: str) -> dict[str, Any]:
    table, mistakes = read_data_file(data, ref)
    assert mistakes == []
    return {name: column.values for name, column in table.items()}


def codes(data: bytes, ref: str) -> list[str]:
    return [mistake.code for mistake in read_data_file(data, ref)[1]]


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


SAME = {"n": [2, 3], "on": [True, False], "name": ["a, b", "0.50"], "x": [0.5, -1]}
CSV = b'n, on ,name,x\r\n2,true,"a, b",0.5\r\n3,false,"0.50",-1.0\r\n\r\n'


def test_three_kinds_say_the_same() -> None:
    rows = [dict(zip(SAME, row, strict=True)) for row in zip(*SAME.values(), strict=True)]
    assert values(CSV, "a.csv") == SAME
    assert values(json.dumps(SAME, indent="\t").encode(), "a.json") == SAME
    assert values(json.dumps(rows).encode(), "a.json") == SAME
    assert values(npz(**{k: np.array(v) for k, v in SAME.items()}), "a.npz") == SAME


def test_rows_of_a_matrix_are_lists() -> None:
    assert values(npz(a=np.arange(4.0).reshape(2, 2)), "a.npz") == {"a": [[0, 1], [2, 3]]}


def test_places() -> None:
    table, _ = read_data_file(b'a, b\n1,  "x"\n', "a.csv")
    assert (table["b"].span(None), table["b"].span(0)) == (Span(1, 4, 5), Span(2, 5, 8))
    table, _ = read_data_file(b'{"a": [10,\n  20]}', "a.json")
    assert (table["a"].span(None), table["a"].span(1)) == (Span(1, 2, 5), Span(2, 3, 5))
    table, _ = read_data_file(b'[{"a": 10},\n {"a": 20}]', "a.json")
    assert (table["a"].span(None).column, table["a"].span(1)) == (3, Span(2, 8, 10))


REFUSED = [
    ("a.csv", b"", ["S313"]),
    ("a.csv", b"a,a\n1,2\n", ["S103"]),
    ("a.csv", b"a,\n1,2\n", ["S313"]),
    ("a.csv", b"a,b\n1\n1,2,3\n", ["S313", "S313"]),
    ("a.csv", b"a,b\n,null\n", ["S203", "S203"]),
    ("a.csv", b"a,b\n010,1_0\n", ["S104", "S104"]),
    ("a.csv", b"a\nnan\n1e999\n", ["S106", "S106"]),
    ("a.csv", b'a\n"x\n', ["S313"]),
    ("a.csv", b"a\n\xff\n", ["S102"]),
    ("a.json", b"[1, 2]", ["S313"]),
    ("a.json", b"{", ["S313"]),
    ("a.json", b"{}", ["S313"]),
    ("a.json", b'{"a": 1}', ["S313"]),
    ("a.json", b'{"a": [1], "b": [1, 2]}', ["S305"]),
    ("a.json", b'{"a": [1], "a": [2]}', ["S103"]),
    ("a.json", b'[{"a": 1}, {"b": 1}]', ["S313"]),
    ("a.json", b"[" * 5000, ["S109"]),
    ("a.npz", b"no archive", ["S313"]),
    ("a.npz", npz(a=np.array([1, None])), ["S313"]),
    ("a.npz", npz(a=np.zeros((1, 1, 1))), ["S313"]),
    ("a.npz", npz(a=np.array([1.0, np.nan])), ["S313"]),
    ("a.npz", npz(a=np.array([2**60])), ["S313"]),
    ("a.npz", npz(a=np.zeros(1), b=np.zeros(2)), ["S305"]),
    ("a.txt", b"a\n1\n", ["S313"]),
]


@pytest.mark.parametrize(("ref", "data", "told"), REFUSED)
def test_refused(ref: str, data: bytes, told: list[str]) -> None:
    assert codes(data, ref) == told


def test_sizes_are_looked_at_before_memory_is_taken() -> None:
    """A packed gigabyte, and a header that claims more than is there."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(65 * 2**20))
    assert codes(bomb.getvalue(), "a.npz") == ["S109"]
    array = io.BytesIO()
    np.save(array, np.zeros(3))
    lie = io.BytesIO()
    with zipfile.ZipFile(lie, "w") as archive:
        archive.writestr("a.npy", array.getvalue().replace(b"(3,), }", b"(9999999999,), }"))
    assert codes(lie.getvalue(), "a.npz") == ["S313"]


def test_columns_that_are_not_taken_may_hold_anything() -> None:
    data = b"a,note\n0.5,on\n1,010\n"
    table, mistakes = read_data_file(data, "x.csv", {"a"})
    assert mistakes == []
    assert list(table["a"].values) == [0.5, 1]
    assert len(read_data_file(data, "x.csv")[1]) == 2
