"""`extends` and data files: what is meant, and where mistakes are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.spec.check import CheckedSpec
from iqm_spec.spec.examine import examine
from iqm_spec.spec.sweep_points import all_points

QASM = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\ncreg c[1];\nmeasure q -> c;\n'
WHOLE: dict[str, Any] = {
    "iqm_spec": 1,
    "name": "x",
    "target": "garnet",
    "shots": 10,
    "circuits": [{"generator": "ghz", "args": {"num_qubits": "${n}"}}],
    "sweep": [{"zip": [{"n": [2, 3], "m": [1, 1]}]}],
    "transpile": {"seed": "${m}", "optimization_level": 1},
    "aer": {"noise": "ideal"},
}


def write(path: Path, data: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def sound(path: Path, *overrides: str) -> CheckedSpec:
    checked, diagnostics, _ = examine(path, overrides)
    assert diagnostics == []
    assert checked is not None
    return checked


def told(path: Path, *overrides: str) -> list[tuple[str, int, int, str]]:
    _, diagnostics, _ = examine(path, overrides)
    return [(Path(d.file).name, d.span.line, d.span.column, d.code) for d in diagnostics]


SPLITS = [
    ({"shots": 10}, {}),
    ({"shots": 999, "target": "emerald"}, {"target": "garnet", "shots": 10}),
    ({"transpile": {"seed": 3}}, {}),
    ({"transpile": {"optimization_level": 1, "seed": 5}}, {"transpile": {"seed": "${m}"}}),
    ({"circuits": [{"generator": "bell"}], "sweep": []}, {}),
    ({"name": "base", "description": "of the base"}, {}),
]


@pytest.mark.parametrize(("base", "own"), SPLITS)
def test_an_extended_spec_means_what_it_means_alone(
    tmp_path: Path, base: dict[str, Any], own: dict[str, Any]
) -> None:
    rest = {**WHOLE, **own}
    alone = sound(write(tmp_path / "alone.yaml", WHOLE))
    write(tmp_path / "base.yaml", {"iqm_spec": 1, **base})
    split = sound(write(tmp_path / "split.yaml", {**rest, "extends": "base.yaml"}))
    assert split.digest == alone.digest
    assert list(all_points(split.spec)) == list(all_points(alone.spec))
    assert list(split.files) == ["base.yaml"]


@pytest.mark.parametrize("field", [name for name in WHOLE if name not in ("iqm_spec", "name")])
def test_any_field_may_stand_in_the_base(tmp_path: Path, field: str) -> None:
    alone = sound(write(tmp_path / "alone.yaml", WHOLE))
    write(tmp_path / "base.yaml", {"iqm_spec": 1, field: WHOLE[field]})
    own = {name: value for name, value in WHOLE.items() if name != field}
    split = sound(write(tmp_path / "split.yaml", {**own, "extends": "base.yaml"}))
    assert split.digest == alone.digest


def test_paths_of_a_base_are_relative_to_it(tmp_path: Path) -> None:
    write(tmp_path / "sub/q/one.qasm", QASM)
    write(tmp_path / "two.qasm", QASM)
    circuits = [{"qasm": "q/one.qasm"}, {"qasm": "../two.qasm"}]
    write(tmp_path / "sub/base.yaml", {"iqm_spec": 1, "circuits": circuits, "target": "garnet"})
    spec = write(tmp_path / "x.yaml", {"iqm_spec": 1, "name": "x", "extends": "sub/base.yaml"})
    assert set(sound(spec).files) == {"sub/base.yaml", "sub/q/one.qasm", "two.qasm"}


def test_mistakes_stand_in_the_file_that_has_them(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", "iqm_spec: 1\nshots: x\ntranspile:\n  sed: 3\n  seed: z\n")
    own = "extends: base.yaml\niqm_spec: 1\nname: x\ntarget: garnet\ntranspile:\n  lavel: 3\n"
    spec = write(tmp_path / "x.yaml", own + "circuits: [{generator: bell}]\n")
    assert told(spec) == [
        ("base.yaml", 2, 8, "S203"),
        ("base.yaml", 4, 3, "S201"),
        ("base.yaml", 5, 9, "S203"),
        ("x.yaml", 6, 3, "S201"),
    ]
    assert told(spec, "shots=0")[0] == ("--set", 1, 7, "S205")


@pytest.mark.parametrize(
    ("base", "code"),
    [
        ("iqm_spec: 1\nextends: x.yaml\n", "S111"),
        ("shots: 3\n", "S202"),
        ("iqm_spec: 2\n", "S208"),
        ("- 1\n", "S110"),
        ("a: [\n", "S102"),
    ],
)
def test_a_base_that_is_none(tmp_path: Path, base: str, code: str) -> None:
    write(tmp_path / "base.yaml", base)
    spec = write(tmp_path / "x.yaml", {**WHOLE, "extends": "base.yaml"})
    assert [(name, got) for name, _, _, got in told(spec)] == [("base.yaml", code)]


@pytest.mark.parametrize(("ref", "code"), [("none.yaml", "S401"), ("../x.yaml", "S408")])
def test_a_base_that_cannot_be_read(tmp_path: Path, ref: str, code: str) -> None:
    spec = write(tmp_path / "x.yaml", {**WHOLE, "extends": ref})
    assert [got for _, _, _, got in told(spec)] == [code]


def test_a_base_is_not_set(tmp_path: Path) -> None:
    spec = write(tmp_path / "x.yaml", WHOLE)
    assert [got for *_, got in told(spec, "extends=base.yaml")] == ["S111"]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("n,m\n2,1\n3,1\n", None),
        ("n,more,m\n2,0,1\n3,0,1\n", ["n", "m"]),
        ("a,b\n1,2\n1,3\n", {"n": "b", "m": "a"}),
    ],
)
def test_a_data_file_gives_the_points_of_its_values(
    tmp_path: Path, text: str, columns: Any
) -> None:
    inline = sound(write(tmp_path / "inline.yaml", WHOLE))
    write(tmp_path / "d.csv", text)
    group = {"from": "d.csv", **({} if columns is None else {"columns": columns})}
    spec = write(tmp_path / "x.yaml", {**WHOLE, "sweep": [{"zip": [group]}]})
    found = sound(spec)
    assert {p.id for p in all_points(found.spec)} == {p.id for p in all_points(inline.spec)}
    assert found.digest != inline.digest
    write(tmp_path / "sub/e.csv", text)
    moved = {**WHOLE, "sweep": [{"zip": [{**group, "from": "sub/e.csv"}]}]}
    assert sound(write(tmp_path / "y.yaml", moved)).digest == found.digest
    write(tmp_path / "d.csv", text + "\n")
    assert sound(spec).digest != found.digest


def test_mistakes_of_values_stand_in_the_data_file(tmp_path: Path) -> None:
    write(tmp_path / "d.csv", "n,1m\n2,1\n,3\n")
    spec = write(tmp_path / "x.yaml", {**WHOLE, "sweep": [{"zip": [{"from": "d.csv"}]}]})
    assert ("d.csv", 3, 1, "S203") in told(spec)
    write(tmp_path / "d.csv", "n,1m\n2,1\n4,3\n")
    assert ("d.csv", 1, 3, "S204") in told(spec)
