"""What two plans ask differently, in words: as a spec would write it, alike points together."""

from __future__ import annotations

import pytest

from iqm_spec.json_types import Json
from iqm_spec.plan.differences import Difference, Explanation, _both, flatten, in_words


def explanation(points: list[Difference], in_both: int) -> Explanation:
    return Explanation((), tuple(points), (), (), in_both)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "not given"),
        (True, "true"),
        (0.5, "0.5"),
        ("pin", "pin"),
        ("by-name, or not", '"by-name, or not"'),
        ("true", '"true"'),
        ("010", '"010"'),
        ("", '""'),
        ("a: b", '"a: b"'),
        ("profile 8f3a", "profile 8f3a"),
        (["aer", "mock"], '["aer", "mock"]'),
        ({"sabre": "é"}, '{"sabre": "é"}'),
        ("\x1b[31m", '"\\u001b[31m"'),
        ("a\u202eb", '"a\\u202eb"'),
    ],
)
def test_values_are_written_as_in_a_spec(value: Json, told: str) -> None:
    found = Explanation((Difference("it", value, 1),), (), (), (), 0)
    assert in_words(found) == [("it", told, "1")]


def test_options_differ_one_by_one() -> None:
    assert _both("options", {}, {"heralding": {}}) == []
    assert _both("options", {"a": {"b": 1}, "c": 2}, {"a": {}, "c": 3}) == [
        ("options.a.b", 1, None),
        ("options.c", 2, 3),
    ]


def test_what_is_empty_asks_nothing() -> None:
    assert flatten({"require": {}, "note": None, "list": []}) == {}
    assert flatten({"require": {"aer": {"min": 1}}, "stages": ["aer"]}) == {
        "require.aer.min": 1,
        "stages": ["aer"],
    }
    assert flatten({"blocks": [{"a": 1}, {"a": 2}]}) == {"blocks.0.a": 1, "blocks.1.a": 2}


def test_points_that_differ_alike_are_one_line() -> None:
    alike = [Difference("shots", 100, 200, f"ghz n={n}") for n in range(4)]
    assert in_words(explanation(alike, 4)) == [("shots at all 4 points", "100", "200")]
    assert in_words(explanation(alike, 9)) == [
        ("shots at 4 of 9 points (ghz n=0; ghz n=1; ghz n=2; ...)", "100", "200")
    ]
    assert in_words(explanation(alike[:2], 9)) == [("shots at ghz n=0; ghz n=1", "100", "200")]


def test_points_that_differ_each_in_its_own_way_are_counted() -> None:
    own = [Difference("transpiled circuit", f"{n}a", f"{n}b", f"p{n}") for n in range(6)]
    told = "transpiled circuit at all 6 points, each in its own way"
    assert in_words(explanation(own, 6)) == [(told, "", "")]
