"""`--set PATH=VALUE`: what it reaches, and how its mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from iqm_spec.diagnostics import Diagnostic
from iqm_spec.model import Spec
from iqm_spec.spec.load import read_and_build
from tests.specfiles import load_spec

SPEC = """\
iqm_spec: 1
name: x
target: garnet
circuits:
  - {generator: ghz, args: {num_qubits: 2}}
  - {generator: bell, name: v1.2, layout: [QB1, QB2]}
sweep:
  - grid: {shots: [1, 2]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.yaml"
    path.write_text(SPEC)
    return path


def with_set(path: Path, *overrides: str) -> Spec:
    return load_spec(path, overrides).spec


def mistake(path: Path, override: str) -> Diagnostic:
    _, _, diagnostics, _ = read_and_build(path, ["seed=1", override])
    (told,) = diagnostics
    assert (told.file, told.span.line) == ("--set", 2)
    assert 1 <= told.span.column <= told.span.end_column <= len(override) + 1
    return told


def test_overrides_reach_every_kind_of_place(path: Path) -> None:
    spec = with_set(
        path,
        "shots=1e4",
        "aer.noise=ideal",
        "circuits.0.args.num_qubits=5",
        "circuits.ghz.shots=${shots}",
        "circuits.v1.2.layout=[QB5, QB6]",
        "circuits.1.layout.0=QB7",
        "sweep.0.grid.shots={range: [1, 4]}",
        "require.aer.hellinger_fidelity.min=0.5",
        "name=z",
        "options.active_reset_cycles=null",
    )
    ghz, bell = spec.circuits
    assert (spec.name, spec.aer.noise) == ("z", "ideal")
    assert (ghz.args["num_qubits"], ghz.shots, bell.shots) == (5, "${shots}", 10000)
    assert bell.layout == ["QB7", "QB6"]
    assert [row for row, *_ in spec.sweep[0].columns[0][1]] == [1, 2, 3]
    assert spec.require["aer"] == {"hellinger_fidelity": {"min": 0.5}}


def test_the_last_override_of_a_field_wins(path: Path) -> None:
    assert with_set(path, "shots=1", "shots=2").circuits[0].shots == 2


def test_an_override_mends_the_file(path: Path) -> None:
    path.write_text(SPEC.replace("garnet", "3"))
    assert with_set(path, "target=garnet").target == "garnet"


def test_an_override_is_part_of_the_digest(path: Path) -> None:
    digest = with_set(path).digest
    assert with_set(path, "shots=1000").digest == digest
    assert with_set(path, "shots=1001").digest != digest
    path.write_text(SPEC + "shots: 1001\n")
    assert with_set(path).digest == with_set(path, "shots=1001").digest


@pytest.mark.parametrize(
    ("override", "code", "column", "words"),
    [
        ("shots=2k", "S203", 7, "whole number"),
        ("shots=0", "S205", 7, "whole number"),
        ("shotz=1", "S201", 1, "no field `shotz`"),
        ("aer.nois=ideal", "S201", 5, "no field `nois`"),
        ("aer.noise.x=1", "S203", 13, "`noise` must be a text"),
        ("circuits.5.shots=1", "S201", 1, "has 2 items"),
        ("circuits.gzh.shots=1", "S201", 1, "ghz, v1.2"),
        ("name.x=1", "S201", 1, "`name` has no fields"),
        ("shots", "S102", 1, "not PATH=VALUE"),
        ("=1", "S102", 1, "not PATH=VALUE"),
        ("shots=", "S202", 1, "no value"),
        ("circuits.0.args.secret=010", "S104", 24, "leading zeros"),
        ("layout=[QB1, on]", "S104", 14, "true or false"),
        ("layout=[QB1", "S102", 8, "not YAML"),
        ("name=\x07", "S102", 6, "U+0007"),
        ("seed=9007199254740993", "S106", 6, "2^53"),
        ("iqm_spec=2", "S208", 10, "version 1"),
        ("sweep.0.grid.shots=[1, null]", "S203", 20, "item 2 of `shots`"),
    ],
)
def test_mistakes_stand_in_the_override(
    path: Path, override: str, code: str, column: int, words: str
) -> None:
    told = mistake(path, override)
    assert (told.code, told.span.column) == (code, column)
    assert words in told.message


def test_bytes_that_are_no_text_are_refused(path: Path) -> None:
    _, _, diagnostics, _ = read_and_build(path, ["name=\udcff"])
    assert [item.code for item in diagnostics] == ["S204"]


def test_what_is_never_closed_is_told_without_a_second_line(path: Path) -> None:
    told = mistake(path, "shots=[")
    assert (told.code, told.span.column) == ("S102", 7)
    assert "line" not in told.message
    assert "closed" in told.hint
