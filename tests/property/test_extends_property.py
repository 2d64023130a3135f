"""A spec cut into two files, and its axes put into a data file, mean what one file does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iqm_spec.spec.sweep_points import all_points
from tests.specfiles import load_spec

pytestmark = pytest.mark.slow

WHOLE: dict[str, Any] = {
    "name": "x",
    "target": "garnet",
    "shots": 10,
    "seed": 3,
    "stages": ["aer"],
    "layout": ["QB1", "QB2"],
    "circuits": [{"generator": "bell"}],
    "transpile": {"seed": 5, "optimization_level": 1, "layout_method": "trivial"},
    "options": {"heralding": "zeros", "active_reset_cycles": None},
    "aer": {"noise": "ideal", "method": "statevector"},
    "require": {"aer": {"hellinger_fidelity": {"min": 0.5}}},
}
LEAVES = [
    (name, inner)
    for name, value in WHOLE.items()
    for inner in (value if isinstance(value, dict) else [None])
]
scalar = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(-1e9, 1e9).filter(lambda value: not value.is_integer()),
    st.booleans(),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Cs"]), max_size=8).filter(
        lambda text: "${" not in text  # placeholders are not allowed in values of an axis
    ),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("extends")


def put(tree: dict[str, Any], leaf: tuple[str, str | None], value: Any) -> None:
    name, inner = leaf
    if inner is None:
        tree[name] = value
    else:
        tree.setdefault(name, {})[inner] = value


def valued(leaf: tuple[str, str | None]) -> Any:
    name, inner = leaf
    return WHOLE[name] if inner is None else WHOLE[name][inner]


@settings(deadline=None, max_examples=100)
@given(where=st.lists(st.sampled_from("boO"), min_size=len(LEAVES), max_size=len(LEAVES)))
def test_cut_in_two(where: list[str], folder: Path) -> None:
    """Each field in the base alone, in the spec alone, or in both with the spec's to hold."""
    base: dict[str, Any] = {"iqm_spec": 1}
    own: dict[str, Any] = {"iqm_spec": 1, "extends": "base.yaml"}
    for leaf, place in zip(LEAVES, where, strict=True):
        if place == "b":
            put(base, leaf, valued(leaf))
        else:
            put(own, leaf, valued(leaf))
        if place == "O":
            put(base, leaf, "something else")
    (folder / "base.yaml").write_text(json.dumps(base))
    (folder / "own.yaml").write_text(json.dumps(own))
    (folder / "one.yaml").write_text(json.dumps({"iqm_spec": 1, **WHOLE}))
    own_spec, one = (load_spec(folder / name).spec for name in ("own.yaml", "one.yaml"))
    assert own_spec == one
    assert own_spec.digest == one.digest


@settings(deadline=None, max_examples=100)
@given(rows=st.lists(st.tuples(scalar, scalar), min_size=1, max_size=5, unique_by=repr))
def test_a_csv_is_its_values(rows: list[tuple[Any, Any]], folder: Path) -> None:
    def cell(value: Any) -> str:
        quoted = '"' + value.replace('"', '""') + '"' if isinstance(value, str) else ""
        return quoted or json.dumps(value)

    lines = ["a,b", *(",".join(map(cell, row)) for row in rows)]
    (folder / "d.csv").write_text("\n".join(lines))
    inline = {"a": [a for a, _ in rows], "b": [b for _, b in rows]}
    spec = {
        "iqm_spec": 1,
        "name": "x",
        "target": "garnet",
        "circuits": [{"generator": "ghz", "args": {"num_qubits": "${a}", "seed": "${b}"}}],
    }
    for name, group in (("inline", inline), ("csv", {"from": "d.csv"})):
        sweep = [{"zip": [group]}]
        (folder / f"{name}.yaml").write_text(json.dumps({**spec, "sweep": sweep}))
    one, other = (load_spec(folder / f"{name}.yaml").spec for name in ("inline", "csv"))
    assert list(all_points(other)) == list(all_points(one))
