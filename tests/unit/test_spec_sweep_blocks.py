"""Blocks and points: order, projection, exceptions, and every S3xx mistake of a block."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec.diagnostics import Problem
from iqm_spec.model import Block, CircuitSpec, SourceKind
from iqm_spec.spec import sweep_blocks
from iqm_spec.spec.sweep_blocks import axis_value, parse_blocks
from iqm_spec.spec.sweep_points import circuit_points


def parsed(raw: list[object]) -> tuple[tuple[Block, ...], list[Problem]]:
    problems: list[Problem] = []
    return parse_blocks(raw, ("sweep",), problems.append), problems  # type: ignore[arg-type]


def rows(raw: dict[str, object]) -> list[tuple[object, ...]]:
    (block,), problems = parsed([raw])
    assert not problems
    return list(sweep_blocks.block_rows(block))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"grid": {"a": [1, 2], "b": ["x", "y"]}}, [(1, "x"), (1, "y"), (2, "x"), (2, "y")]),
        ({"zip": [{"a": [1, 2], "b": [3, 4]}]}, [(1, 3), (2, 4)]),
        (
            {"grid": {"a": [1, 2]}, "zip": [{"b": [3, 4], "c": [5, 6]}]},
            [(1, 3, 5), (1, 4, 6), (2, 3, 5), (2, 4, 6)],
        ),
        ({"points": [{"a": 1, "b": 2}, {"b": 4, "a": 3}]}, [(1, 2), (3, 4)]),
        (
            {"grid": {"a": [1, 2], "b": [3, 4]}, "exclude": [{"a": 1, "b": 4}]},
            [(1, 3), (2, 3), (2, 4)],
        ),
        ({"grid": {"a": [1, 2], "b": [3, 4]}, "exclude": [{"a": 1}]}, [(2, 3), (2, 4)]),
        ({"grid": {"a": [1]}, "include": [{"a": 7}]}, [(1,), (7,)]),
        (
            {"grid": {"lay": [["QB1", "QB2"], ["QB3", "QB4"]]}},
            [(("QB1", "QB2"),), (("QB3", "QB4"),)],
        ),
        ({"zip": [{"a": [1, 1], "b": [1, 2]}]}, [(1, 1), (1, 2)]),
    ],
)
def test_rows(raw: dict[str, object], expected: list[tuple[object, ...]]) -> None:
    assert rows(raw) == expected


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        ([], "S304", "the sweep is empty"),
        ([{"grid": {}}], "S304", "no axes"),
        ([{"grid": {"a": []}}], "S304", "no values"),
        ([{"points": []}], "S304", "empty"),
        ([{"grid": {"a": [1, 2, 1]}}], "S303", "values 1 and 3"),
        ([{"zip": [{"a": [1, 1], "b": [2, 2]}]}], "S303", "points 1 and 2"),
        ([{"points": [{"a": 1}, {"a": 1}]}], "S303", "points 1 and 2"),
        ([{"grid": {"a": [1]}, "include": [{"a": 1}]}], "S303", "already"),
        ([{"grid": {"a": [1, 2]}}, {"grid": {"a": [2, 3]}}], "S303", "blocks 1 and 2"),
        ([{"zip": [{"a": [1, 2], "b": [3]}]}], "S305", "`a` has 2, `b` has 1"),
        ([{"grid": {"a": {"range": [0, 1, 0]}}}], "S306", "step"),
        ([{"grid": {"a": {"linspace": [1, 1, 3]}}}], "S303", "twice"),
        ([{"grid": {x: {"range": [0, 1000]} for x in "abc"}}], "S307", "1,000,000,000"),
        ([{"grid": {"a": [1]}, "zip": [{"a": [2]}]}], "S308", "more than once"),
        ([{"points": [{"a": 1}, {"b": 1}]}], "S308", "`a`, `b`"),
        ([{"grid": {"a": [1]}, "include": [{}]}], "S308", "missing: `a`"),
        ([{"grid": {"a": [1]}, "exclude": [{"b": 1}]}], "S302", "no axis `b`"),
        ([{"grid": {"a": [1]}, "include": [{"a": 2, "b": 1}]}], "S302", "no axis `b`"),
        ([{"grid": {"a": [1, 2]}, "exclude": [{"a": 3}]}], "S309", "a = 3"),
        ([{"grid": {"a": [1, 2]}, "exclude": [{"a": 1}, {"a": 2}]}], "S304", "no point"),
    ],
)
def test_mistakes(raw: list[object], code: str, words: str) -> None:
    _, problems = parsed(raw)
    assert [problem.code for problem in problems] == [code]
    assert words in problems[0].message


circuit = CircuitSpec(index=0, name="c", kind=SourceKind.GENERATOR, ref="ghz", target="garnet")


def values(circuit: CircuitSpec, raw: list[object]) -> list[dict[str, object]]:
    found, problems = parsed(raw)
    assert not problems
    return [dict(point.values) for point in circuit_points(circuit, found).points()]


def test_a_circuit_runs_once_per_distinct_value_of_the_axes_it_uses() -> None:
    raw: list[object] = [{"grid": {"n": [2, 3], "t": [0, 1]}}]
    assert values(circuit, raw) == [{}]
    assert values(evolve(circuit, args={"num_qubits": "${n}"}), raw) == [{"n": 2}, {"n": 3}]
    assert values(evolve(circuit, args={"t": "${t}"}, shots="${n}"), raw) == [
        {"n": 2, "t": 0},
        {"n": 2, "t": 1},
        {"n": 3, "t": 0},
        {"n": 3, "t": 1},
    ]


def test_blocks_that_do_not_name_its_axes_leave_a_circuit_alone() -> None:
    raw: list[object] = [{"grid": {"n": [2]}}, {"grid": {"t": [5, 6]}}]
    assert values(evolve(circuit, args={"t": "${t}"}), raw) == [{"t": 5}, {"t": 6}]


def test_a_circuits_own_sweep_multiplies_with_the_common_one() -> None:
    own, _ = parsed([{"grid": {"d": [1, 2]}}])
    both = evolve(circuit, args={"n": "${n}", "d": "${d}"}, sweep=own)
    assert values(both, [{"grid": {"n": [3, 4]}}]) == [
        {"n": 3, "d": 1},
        {"n": 3, "d": 2},
        {"n": 4, "d": 1},
        {"n": 4, "d": 2},
    ]


def test_repeats_are_points_of_their_own_with_ids_of_their_own() -> None:
    found = list(circuit_points(evolve(circuit, repeat=3), ()).points())
    assert [point.repeat for point in found] == [0, 1, 2]
    assert len({point.id for point in found}) == 3


axes = st.dictionaries(
    st.sampled_from("abcd"), st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True),
    min_size=1,
)  # fmt: skip


@given(axes, st.data())
def test_laws_of_expansion(grid: dict[str, list[int]], data: st.DataObject) -> None:
    """Size is the product less what is excluded, rows are distinct, membership agrees."""
    used = data.draw(st.lists(st.sampled_from(sorted(grid)), unique=True))
    drop = {axis: data.draw(st.sampled_from(grid[axis])) for axis in used[:2]}
    total = 1
    for axis_values in grid.values():
        total *= len(axis_values)
    dropped = total
    for axis in drop:
        dropped //= len(grid[axis])
    if drop and dropped == total:
        drop = {}
    found, problems = parsed([{"grid": grid, **({"exclude": [drop]} if drop else {})}])
    assert not problems
    every = list(sweep_blocks.block_rows(found[0]))
    assert len(every) == len(set(every))
    assert len(every) == total - (dropped if drop else 0)
    held = sweep_blocks.membership(found[0])
    assert all(held(dict(zip(found[0].axes, row, strict=True))) for row in every)
    projected = list(sweep_blocks.projected_rows(found[0], used))
    most = sweep_blocks.projected_size(found[0], used)
    assert most == len(projected) if not drop else most >= len(projected)
    places = [found[0].axes.index(axis) for axis in used]
    assert projected == list(dict.fromkeys(tuple(row[p] for p in places) for row in every))


def test_large_blocks_that_share_nothing_are_compared_by_their_axes() -> None:
    m = {"range": [1, 250]}
    raw: list[Any] = [{"grid": {"n": {"range": [a, a + 4000]}, "m": m}} for a in (0, 4000)]
    assert parsed(raw)[1] == []
    raw[1]["include"] = [{"n": 0, "m": 1}]
    assert [item.code for item in parsed(raw)[1]] == ["S303"]
    raw[1]["include"] = [{"n": -1, "m": 1}]
    assert parsed(raw)[1] == []
    raw[1]["grid"]["n"] = {"range": [3999, 7999]}
    assert "n = 3999, m = 1" in parsed(raw)[1][0].message


def test_sizes_are_told_without_expanding() -> None:
    """A zip group seen by one of its axes, an included point, two blocks, a circuit's own sweep."""
    (first, second), problems = parsed(
        [
            {"grid": {"a": [1, 2, 3]}, "zip": [{"b": [1, 1, 2], "c": [1, 2, 3]}]},
            {
                "grid": {"a": [7]},
                "zip": [{"b": [5], "c": [5]}],
                "include": [{"a": 8, "b": 9, "c": 9}],
            },
        ]
    )
    assert not problems
    assert sweep_blocks.projected_size(first, ["a", "b"]) == 3 * 2
    assert sweep_blocks.projected_size(second, ["b"]) == 1 + 1
    (own,), _ = parsed([{"grid": {"d": {"linspace": [0, 1, 1_000_000]}}}])
    circuit = CircuitSpec(
        0, "x", SourceKind.GENERATOR, "x", {"a": "${a}", "b": "${b}", "d": "${d}"}, sweep=(own,)
    )
    assert circuit_points(circuit, (first, second)).count() == (3 * 2 + 1 + 1) * 1_000_000


_alike = st.sampled_from([True, False, 0, 1, "1", "true", [1], [True], [0, True], [False, 1]])
_columns = st.lists(_alike, min_size=1, max_size=4, unique_by=repr)


@given(
    _columns,
    _columns,
    st.lists(st.fixed_dictionaries({"a": _alike}, optional={"b": _alike}), max_size=2),
)
def test_true_is_not_one(a: list[object], b: list[object], excluded: list[Any]) -> None:
    """Beside the same rows as texts of JSON, in which nothing is equal but what is the same."""
    raw = {"grid": {"a": a, "b": b}, "exclude": excluded}
    found_blocks, problems = parsed([raw])
    as_text = [(json.dumps(x), json.dumps(y)) for x in a for y in b]
    dropped = [{axis: json.dumps(value) for axis, value in entry.items()} for entry in excluded]
    kept = [
        (x, y)
        for x, y in as_text
        if not any(all({"a": x, "b": y}[axis] == v for axis, v in d.items()) for d in dropped)
    ]
    matched = all(
        any(all({"a": x, "b": y}[axis] == v for axis, v in d.items()) for x, y in as_text)
        for d in dropped
    )
    assert (not problems) is (matched and bool(kept))
    if problems:
        return
    (block,) = found_blocks
    found = [tuple(json.dumps(value) for value in row) for row in sweep_blocks.block_rows(block)]
    assert found == kept
    alone = [json.dumps(row[0]) for row in sweep_blocks.projected_rows(block, ["a"])]
    assert alone == list(dict.fromkeys(x for x, _ in kept))
    holds = sweep_blocks.membership(block)
    for x in a:
        for y in b:
            entry = {"a": axis_value(x), "b": axis_value(y)}  # type: ignore[arg-type]
            assert holds(entry) is ((json.dumps(x), json.dumps(y)) in kept)
