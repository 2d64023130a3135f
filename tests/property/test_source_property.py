"""Any bytes give a Source or a SpecError; whatever was read stands where the Source says."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from iqm_spec.diagnostics import Diagnostic, Problem, TreePath
from iqm_spec.errors import SpecError
from iqm_spec.source import parse_source
from iqm_spec.source.scalars import ScalarError, resolve, written
from iqm_spec.source.toml_places import locate_toml

pytestmark = pytest.mark.slow


def pieces(told: str) -> list[str]:
    """Pieces to be joined at random, given with blanks between them; `_` is a blank, `/` a line."""
    return [piece.replace("_", " ").replace("/", "\n") for piece in told.split(" ")]


YAML_PIECES = pieces(
    "a:_ b / __ -_ [ ] { } ,_ :_ ? ?_ #_c &x_ *x_ !t_ ' \" |/ >-/ 010 1e3 ${n} <<:_ ---/ .../ "
    "%YAML_1.2/ \\ ~ null on = @ ` \ufeff é😀 <<<<<<<_x/ 1 - .inf \t \r/ \x85"
)
TOML_PIECES = pieces(
    "a b _=_ / 1 1.5 [a]/ [[a]]/ [a.b]/ [ ] { } , . \" ' \"\"\" ''' #_c/ \\ \\/ nan true \t \r/ "
    '1979-05-27_07:32:00 "x" \'y\' é 0x1F + - a.b_=_1/ "a_b"_=_[1,_2]/ c_=_{d_=_1}/'
)


def check(data: bytes, name: str) -> None:
    try:
        source = parse_source(data, Path(name))
    except SpecError as error:
        check_mistakes(error.diagnostics, data)
        return
    assert isinstance(source.tree, dict)
    for path, _ in leaves(source.tree):
        assert source.span(path).line >= 1


def check_mistakes(diagnostics: tuple[Diagnostic, ...], data: bytes) -> None:
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    assert diagnostics
    assert list(diagnostics) == sorted(diagnostics)
    for item in diagnostics:
        assert item.message
        assert 1 <= item.span.line <= len(lines)
        assert 1 <= item.span.column <= item.span.end_column


def leaves(value: Any, path: TreePath = ()) -> Iterator[tuple[TreePath, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=80), st.sampled_from(["x.yaml", "x.toml"]))
def test_any_bytes(data: bytes, name: str) -> None:
    check(data, name)


@settings(deadline=None, max_examples=600)
@given(st.lists(st.sampled_from(YAML_PIECES), max_size=25))
def test_any_pieces_of_yaml(pieces: list[str]) -> None:
    check("".join(pieces).encode(), "x.yaml")


@settings(deadline=None, max_examples=600)
@given(st.lists(st.sampled_from(TOML_PIECES), max_size=25))
def test_any_pieces_of_toml(pieces: list[str]) -> None:
    check("".join(pieces).encode(), "x.toml")
    locate_toml("".join(pieces))  # ends, and raises nothing, on text that is no TOML too


INVISIBLE = "\u2028\u2029\ufeff\ufffe\uffff"
visible = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=INVISIBLE)
texts = st.text(visible, max_size=8)
scalars = st.one_of(
    texts,
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(-1e15, 1e15).filter(lambda value: not value.is_integer()),
)
trees = st.dictionaries(
    texts,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=12,
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=200)
@given(trees, st.sampled_from([None, 1]))
def test_json_is_yaml_and_every_value_stands_where_it_is_said(
    tree: Any, indent: int | None
) -> None:
    text = json.dumps(tree, ensure_ascii=False, indent=indent)
    source = parse_source(text.encode(), Path("x.yaml"))
    assert source.tree == tree
    lines = text.split("\n")
    for path, value in leaves(tree):
        span = source.span(path)
        assert json.loads(lines[span.line - 1][span.column - 1 : span.end_column - 1]) == value
        if isinstance(path[-1], str):
            key = source.diagnose(Problem(path, "S201", "", "", on_key=True)).span
            assert json.loads(lines[key.line - 1][key.column - 1 : key.end_column - 1]) == path[-1]


@settings(deadline=None, max_examples=200)
@given(trees, st.booleans())
def test_every_value_of_a_toml_file_stands_where_it_is_said(tree: Any, spread: bool) -> None:
    text = "\n".join(f"{quoted(key)} = {toml(value, spread)}" for key, value in tree.items())
    source = parse_source(text.encode(), Path("x.toml"))
    assert source.tree == tree
    lines = text.split("\n")
    for path, value in leaves(tree):
        span = source.span(path)
        told = lines[span.line - 1][span.column - 1 : span.end_column - 1]
        assert tomllib.loads(f"x = {told}")["x"] == value
        if isinstance(path[-1], str):
            key = source.diagnose(Problem(path, "S201", "", "", on_key=True)).span
            told = lines[key.line - 1][key.column - 1 : key.end_column - 1]
            assert list(tomllib.loads(f"{told} = 1")) == [path[-1]]


def toml(value: Any, spread: bool) -> str:
    """`value` in TOML, lists over several lines where `spread`."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{quoted(k)} = {toml(v, spread)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        comma = ", # ] x\n  " if spread else ", "
        return f"[{comma.join(toml(item, spread) for item in value)}]"
    if isinstance(value, float):
        return repr(value)
    return quoted(value)


def quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# --- a value written as in a spec ----------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
WRITABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-1e6, 1e6).filter(lambda x: not x.is_integer())
    | TEXTS
    | st.lists(st.sampled_from(YAML_PIECES), max_size=5).map("".join),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@given(WRITABLE)
def test_what_is_written_as_in_a_spec_is_read_as_the_same(value: Any) -> None:
    line = written(value)
    assert len(line.split("\n")) == 1
    assert parse_source(f"a: {line}\n".encode(), Path("x.yaml")).tree == {"a": value}


_GO_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)\Z")
_GO_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")


@given(st.text("0123456789__+-..::eExobXOBaf", min_size=1, max_size=8))
@settings(max_examples=2000)
@example(".7_")
@example("7_0:1")
@example("+_664")
@example("-_2")
def test_what_another_reader_takes_for_a_number_is_no_text(text: str) -> None:
    """PyYAML reads YAML 1.1; Go's readers leave out underscores before they look."""
    try:
        value = resolve(text)
    except ScalarError:
        return
    if isinstance(value, str):
        plain = text.replace("_", "")
        signed = text[0] in "0123456789+-."
        assert not (signed and (_GO_INTEGER.match(plain) or _GO_FLOAT.match(plain)))
        assert not isinstance(_as_yaml_1_1(text), int | float)
    elif isinstance(other := _as_yaml_1_1(text), int | float):
        assert value == other


def _as_yaml_1_1(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None
