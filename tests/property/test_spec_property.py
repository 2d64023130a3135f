"""Specs of any content: mistakes or a spec, nothing else; and what does not move a digest."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from iqm_spec.spec.codes import CODES
from iqm_spec.spec.load import read_and_build
from iqm_spec.spec.schema import spec_schema
from iqm_spec.spec.schema_problems import schema_problems
from iqm_spec.spec.sweep_values import split_sweeps
from tests.specfiles import load_spec

pytestmark = pytest.mark.slow


EVERYTHING = Path(__file__).parents[1] / "specs" / "valid" / "everything.yaml"
WHOLE = json.loads(json.dumps(yaml.safe_load(EVERYTHING.read_text().replace("1e3", "1000"))))

names = st.sampled_from(["n", "shots", "theta", "${n}", "grid", "qasm", "generator", "1a", "é", ""])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**9),
    st.floats(-10, 10).filter(lambda value: not value.is_integer()),
    names,
    st.sampled_from(["aer", "by-name", "a ${n} b", "${", "$${x}", "QB1", "garnet:mock", "a.qasm"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


def paths(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found = []
    for key, value in items:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += paths(value, (*path, key))
    return found


PATHS = paths(WHOLE)
edits = st.tuples(st.sampled_from(PATHS), values, st.booleans())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("specs")


def write(folder: Path, text: str, name: str = "x.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@settings(deadline=None, max_examples=250)
@given(changes=st.lists(edits, min_size=1, max_size=4))
def test_a_spec_with_anything_anywhere(
    folder: Path, changes: list[tuple[tuple[Any, ...], Any, bool]]
) -> None:
    tree = copy.deepcopy(WHOLE)
    for path, value, remove in changes:
        put(tree, path, value, remove=remove)
    text = json.dumps(tree, indent=1, ensure_ascii=False)
    source, spec, diagnostics, _ = read_and_build(write(folder, text))
    assert source is not None
    assert spec is not None or diagnostics
    assert diagnostics == sorted(diagnostics)
    lines = text.split("\n")
    for item in diagnostics:
        assert item.code in CODES
        assert 1 <= item.span.line <= len(lines)
        assert item.span.end_column <= len(lines[item.span.line - 1]) + 1
    if spec is not None:
        assert len(spec.digest) == 64


def put(tree: Any, path: tuple[Any, ...], value: Any, *, remove: bool) -> None:
    """Put `value` at `path`, or take away what is there; nothing where an earlier change was."""
    try:
        for step in path[:-1]:
            tree = tree[step]
        if remove:
            del tree[path[-1]]
        else:
            tree[path[-1]] = value
    except (KeyError, IndexError, TypeError):
        return


axes = st.dictionaries(names, st.one_of(st.lists(values, max_size=3), values), max_size=3)
assignments = st.one_of(st.lists(st.dictionaries(names, values, max_size=2), max_size=3), values)
blocks = st.fixed_dictionaries(
    {},
    optional={
        "grid": st.one_of(axes, values),
        "zip": st.one_of(st.lists(axes, max_size=2), values),
        "points": assignments,
        "exclude": assignments,
        "include": assignments,
    },
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.one_of(blocks, values), max_size=2), st.booleans())
def test_axis_values_are_checked_as_the_schema_says(sweep: Any, own: bool) -> None:
    circuit: dict[str, Any] = {"generator": "bell"}
    tree: dict[str, Any] = {"iqm_spec": 1, "name": "x", "target": "garnet", "circuits": [circuit]}
    (circuit if own else tree)["sweep"] = sweep
    valid = Draft202012Validator(spec_schema()).is_valid(tree)
    light, problems = split_sweeps(tree)
    assert valid == (not problems and not schema_problems(light))


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return (
            f"{{{', '.join(f'{json.dumps(key)} = {toml(item)}' for key, item in value.items())}}}"
        )
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def shuffled(value: Any, draw: Any) -> Any:
    """`value` with the keys of every mapping in another order."""
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: shuffled(value[key], draw) for key in keys}
    if isinstance(value, list):
        return [shuffled(item, draw) for item in value]
    return value


def styled(value: Any, draw: Any) -> str:
    """JSON text of `value` with whole numbers in any style, comments and blanks anywhere."""
    blank = draw(st.sampled_from(["", " ", "\n", " # a comment, [with] {brackets}\n"]))
    if isinstance(value, dict):
        items = (f"{json.dumps(key)}: {styled(item, draw)}" for key, item in value.items())
        return f"{{{blank}{', '.join(items)}{blank}}}"
    if isinstance(value, list):
        return f"[{blank}{', '.join(styled(item, draw) for item in value)}{blank}]"
    if isinstance(value, int) and not isinstance(value, bool):
        forms = [str(value), f"{value}.0", f"{value}e0", f"+{value}" if value >= 0 else str(value)]
        return f"{draw(st.sampled_from(forms))} "
    return json.dumps(value, ensure_ascii=False)


specs = st.fixed_dictionaries(
    {
        "iqm_spec": st.just(1),
        "name": st.sampled_from(["x", "ghz-2"]),
        "target": st.sampled_from(["garnet", "deneb"]),
        "circuits": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["a", "b", "c"]), "generator": st.sampled_from(["ghz"])},
                optional={
                    "args": st.dictionaries(
                        st.sampled_from(["num_qubits", "seed", "angles"]),
                        st.one_of(st.integers(0, 9), st.lists(st.floats(0.1, 0.9), max_size=3)),
                    ),
                    "shots": st.integers(1, 10**6),
                    "layout": st.just(["QB1", "QB2"]),
                },
            ),
            min_size=1,
            max_size=3,
            unique_by=lambda entry: entry["name"],
        ),
    },
    optional={
        "shots": st.integers(1, 10**6),
        "seed": st.integers(0, 2**53 - 1),
        "sweep": st.just([{"grid": {"n": [1, 2], "m": [0.5, "x"]}}]),
        "transpile": st.just({"optimization_level": 3}),
        "require": st.just({"aer": {"hellinger_fidelity": {"min": 0.5}}}),
    },
)


@settings(deadline=None, max_examples=100)
@given(tree=specs, data=st.data())
def test_style_does_not_move_the_digest(
    folder: Path, tree: dict[str, Any], data: st.DataObject
) -> None:
    tree = json.loads(json.dumps(tree))  # nothing shared, or PyYAML writes anchors
    digest = load_spec(write(folder, json.dumps(tree))).spec.digest
    lines = (f"{json.dumps(key)} = {toml(value)}" for key, value in tree.items())
    assert load_spec(write(folder, "\n".join(lines), "x.toml")).spec.digest == digest
    block = yaml.safe_dump(tree, sort_keys=False)
    assert load_spec(write(folder, block)).spec.digest == digest
    other = styled(shuffled(tree, data.draw), data.draw)
    assert load_spec(write(folder, other)).spec.digest == digest
    assert (
        load_spec(write(folder, json.dumps({**tree, "description": "else"}))).spec.digest == digest
    )
    assert (
        load_spec(write(folder, json.dumps({**tree, "order": "interleaved"}))).spec.digest != digest
    )
