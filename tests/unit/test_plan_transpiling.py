"""No circuit is kept that an independent reading of its source contradicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import iqm_spec.transpile
from iqm_spec.cli.app import run
from iqm_spec.errors import ExitCode, WrongCircuit
from iqm_spec.model import NativeCircuit
from iqm_spec.native import Native
from iqm_spec.plan.build import make_plan
from iqm_spec.plan.transpiling import ANGLES_ALONE, PER_ROUTING, Crosschecked
from iqm_spec.spec.check import CheckedSpec
from iqm_spec.spec.examine import examine
from iqm_spec.store import Store
from iqm_spec.transpile.family import Family

BELL = """\
OPENQASM 2.0;
include "qelib1.inc";
qreg q[2]; creg c[2];
h q[0]; cx q[0], q[1];
measure q -> c;
"""
FILE = """\
iqm_spec: 1
name: bell
target: garnet
circuits: [{qasm: bell.qasm}]
"""
RABI = """\
OPENQASM 3.0;
include "stdgates.inc";
input float[64] theta;
qubit[2] q; bit[2] c;
rx(theta) q[0]; cx q[0], q[1]; ry(theta / 2) q[1];
c = measure q;
"""
SWEEP = """\
iqm_spec: 1
name: rabi
target: garnet
circuits: [{qasm: rabi.qasm, parameters: by-name}]
sweep: [{grid: {theta: {linspace: [0.1, 1.2, 40]}}}]
"""
WIDE = """\
iqm_spec: 1
name: wide
target: garnet
circuits: [{generator: ghz, args: {num_qubits: 20}}, {generator: qft, args: {num_qubits: 20}}]
"""


@pytest.fixture
def examined(tmp_path: Path) -> Callable[[str], CheckedSpec]:
    def examined(text: str) -> CheckedSpec:
        (tmp_path / "bell.qasm").write_text(BELL)
        (tmp_path / "rabi.qasm").write_text(RABI)
        (tmp_path / "spec.yaml").write_text(text)
        found, diagnostics, _ = examine(tmp_path / "spec.yaml")
        assert diagnostics == []
        assert found is not None
        return found

    return examined


def reach(checked: CheckedSpec, folder: Path) -> Crosschecked:
    steps = list(make_plan(checked, Store(folder / "results")))
    (found,) = (step for step in steps if isinstance(step, Crosschecked))
    return found


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transpiling that loses the last rotation."""
    real = iqm_spec.transpile.transpile_many

    def lossy(*args: Any) -> Sequence[NativeCircuit]:
        made = []
        for native in real(*args):
            last = max(i for i, op in enumerate(native.ops) if op.name == "r")
            made.append(evolve(native, ops=native.ops[:last] + native.ops[last + 1 :]))
        return made

    monkeypatch.setattr(iqm_spec.transpile, "transpile_many", lossy)


@pytest.mark.usefixtures("forgetful")
def test_a_wrong_circuit_is_a_bug_and_nothing_is_stored(
    examined: Callable[[str], CheckedSpec], tmp_path: Path
) -> None:
    with pytest.raises(WrongCircuit, match=r"`bell`.*for garnet.*`bell.qasm`.*outcome ") as told:
        reach(examined(FILE), tmp_path)
    assert told.value.exit_code == ExitCode.BUG
    assert "report" in told.value.hint
    assert not (tmp_path / "results").exists()


@pytest.mark.usefixtures("examined", "forgetful")
@pytest.mark.parametrize("flag", ["--dry-run", "--until=aer"])
def test_the_command_line_tells_of_it(
    examined: Callable[[str], CheckedSpec],
    tmp_path: Path,
    flag: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    examined(FILE)
    spec, results = str(tmp_path / "spec.yaml"), str(tmp_path / "results")
    assert run(["run", spec, flag, "--json", "--results", results]) == 70
    told = json.loads(capsys.readouterr().out)
    assert told["exit"] == 70
    assert told["error"]["code"] == "bug.circuit"


def test_a_wrong_angle_of_a_sweep_is_found(
    examined: Callable[[str], CheckedSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Family.natives

    def turned(self: Family, values: Any) -> list[Native]:
        return [
            Native(native.template, (native.angles[0] + 0.01, *native.angles[1:]))
            for native in real(self, values)
        ]

    checked = examined(SWEEP)
    monkeypatch.setattr(Family, "natives", turned)
    with pytest.raises(WrongCircuit, match=r"theta = \d"):
        reach(checked, tmp_path)


def test_of_a_sweep_that_is_routed_once_some_are_checked(
    examined: Callable[[str], CheckedSpec], tmp_path: Path
) -> None:
    found = reach(examined(SWEEP), tmp_path)
    rest = found.not_checked[ANGLES_ALONE]
    assert found.agreed + rest == 40
    assert found.agreed <= PER_ROUTING + 4  # and those near multiples of pi/4
    assert f"{rest} differ from a checked one in angles" in found.words


def test_what_is_beyond_reach_is_told(
    examined: Callable[[str], CheckedSpec], tmp_path: Path
) -> None:
    found = reach(examined(WIDE), tmp_path)
    assert found.agreed == 1
    assert found.not_checked == {"neither narrow nor made of Clifford gates": 1}


def test_runs_tell_how_far_the_check_reached(
    examined: Callable[[str], CheckedSpec], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examined(FILE)
    spec, results = str(tmp_path / "spec.yaml"), str(tmp_path / "results")
    assert run(["run", spec, "--dry-run", "--results", results]) == 0
    assert "1 circuit transpiled; 1 agrees with an independent reading" in capsys.readouterr().out
    assert run(["run", spec, "--json", "--results", results]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["crosscheck"] == {"agreed": 1, "not_checked": {}}
    assert "1 circuit transpiled; 1 agrees with an independent reading\n" in told.err
    assert run(["run", spec, "--json", "--results", results]) == 0
    assert "crosscheck" not in json.loads(capsys.readouterr().out)
