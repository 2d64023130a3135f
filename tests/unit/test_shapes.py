"""What does not fit is told by its path; whatever this program writes fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from iqm_spec.errors import StoreCorrupt
from iqm_spec.store import Store, verify
from iqm_spec.store.shape import (
    Shape,
    anything,
    counted,
    digest,
    either,
    fields,
    flag,
    listed,
    maybe,
    number,
    rising,
    row,
    scalar,
    table,
    text,
    whole,
)
from iqm_spec.store.shapes import event_misfit, record_misfit

POINT = fields({"n": whole, "at": listed(row(text, number))}, {"note": maybe(text)})


@pytest.mark.parametrize(
    ("shape", "value", "wrong"),
    [
        (text, "", None),
        (text, 1, ""),
        (flag, True, None),
        (flag, 1, ""),
        (whole, 0, None),
        (whole, -1, ""),
        (whole, True, ""),
        (number, 1.5, None),
        (number, True, ""),
        (number, None, ""),
        (scalar, "x", None),
        (scalar, [], ""),
        (digest, "a" * 64, None),
        (digest, "A" * 64, ""),
        (digest, "a" * 63, ""),
        (maybe(text), None, None),
        (maybe(text), 1, ""),
        (listed(whole), [1, 2], None),
        (listed(whole), [1, -2], "[1]"),
        (listed(whole), {}, ""),
        (row(text, whole), ["a", 1], None),
        (row(text, whole), ["a"], ""),
        (row(text, whole, least=1), ["a"], None),
        (row(text, whole), ["a", "b"], "[1]"),
        (table(whole), {"a": 1}, None),
        (table(whole), {"a": "1"}, ".a"),
        (table(whole), [], ""),
        (counted, {"00 1": 3, "11 0": 0}, None),
        (counted, {}, None),
        (counted, {"0": 1, "00": 1}, ""),
        (counted, {"2": 1}, ""),
        (counted, {"0": -1}, ""),
        (counted, {"0": 1.0}, ""),
        (rising("a", "b"), {"a": 1, "b": 1}, None),
        (rising("a", "b"), {"a": 2, "b": 1}, ""),
        (rising("a", "b"), {"a": 2, "b": None}, ".b"),
        (either(text, whole), 1, None),
        (either(text, whole), None, ""),
        (POINT, {"n": 1, "at": [["a", 0.5]], "more": anything}, None),
        (POINT, {"n": 1, "at": [["a", "b"]]}, ".at[0][1]"),
        (POINT, {"n": 1}, ".at"),
        (POINT, {"n": 1, "at": [], "note": 3}, ".note"),
    ],
)
def test_the_path_of_the_first_misfit(shape: Shape, value: object, wrong: str | None) -> None:
    assert shape(value) == wrong


def test_what_is_not_known_may_be_anything() -> None:
    assert record_misfit("of-a-version-to-come", 5) == ""
    assert event_misfit("runs", "of-a-version-to-come", {"plan": 3}) == ""


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ({"key": "k", "counts": {"0": "many"}, "shots_returned": 1}, "counts"),
        ({"key": "k", "counts": {"0": 1}}, "shots_returned"),
        ({"key": "k", "counts": None, "shots_returned": 1}, "counts"),
    ],
)
def test_a_record_of_another_shape_is_told_wherever_it_is_read(
    record: dict[str, Any], what: str, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    pack = store.put_pack("aer-records", {}, [record])
    message = f"{what} is not what this program would write"
    with pytest.raises(StoreCorrupt, match=message):
        store.find("aer-records", ["k"])
    with pytest.raises(StoreCorrupt, match=message):
        list(store.read_pack(pack).records)
    (problem,) = verify(store).problems
    assert (problem.code, problem.message) == ("shape", f"line 2: {message}")


def test_an_event_and_an_object_of_another_shape_are_told(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.job("a" * 64).append("submitted", {"attempt": "one", "id": "x"})
    with pytest.raises(StoreCorrupt, match="attempt is not what this program would write"):
        store.job("a" * 64).events()
    inputs = store.put_json({"format": "iqm-spec/inputs/1", "architectures": [], "profiles": {}})
    with pytest.raises(StoreCorrupt, match="architectures is not what"):
        store.get_json(inputs)
    assert {item.code for item in verify(store).problems} == {"shape"}
