"""Sound circuit files are remembered by their bytes and the versions that parsed them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from iqm_spec.model import CircuitFacts, Feature
from iqm_spec.spec.circuit_files import recall_facts, remember_facts

Cli = Callable[..., subprocess.CompletedProcess[str]]

FACTS = CircuitFacts(3, 2, 2, ("theta",), (Feature("if_else", 4), Feature("reset")))
SPEC = """\
iqm_spec: 1
name: file
target: garnet
circuits: [{qasm: c.qasm}]
"""
QASM = """\
OPENQASM 2.0;
include "qelib1.inc";
qreg q[2]; creg c[2];
h q[0]; cx q[0],q[1];
measure q -> c;
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IQM_SPEC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_is_remembered_comes_back(folder: Path) -> None:
    assert recall_facts("qasm", b"x") is None
    remember_facts("qasm", b"x", FACTS)
    assert recall_facts("qasm", b"x") == FACTS
    assert recall_facts("qasm", b"y") is None
    assert recall_facts("qpy", b"x") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"num_qubits": "many"}'])
def test_a_damaged_memory_is_no_memory(folder: Path, text: str) -> None:
    remember_facts("qasm", b"x", FACTS)
    (path,) = folder.rglob("*.json")
    path.write_text(text)
    assert recall_facts("qasm", b"x") is None


def test_without_a_place_nothing_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("IQM_SPEC_CACHE", str(tmp_path / "file"))
    remember_facts("qasm", b"x", FACTS)
    assert recall_facts("qasm", b"x") is None


@pytest.mark.slow
def test_a_file_that_was_seen_needs_no_qiskit(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "s.yaml").write_text(SPEC)
    (tmp_path / "c.qasm").write_text(QASM)
    seen = {"IQM_SPEC_CACHE": str(tmp_path / "cache")}
    code = (
        "import sys; from iqm_spec.cli.app import run; code = run(['validate', 's.yaml']); "
        "print('qiskit' in sys.modules); sys.exit(code)"
    )
    for loaded in ("True", "False"):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
            env={"PATH": "", **seen}, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout.split()[-1]) == (0, loaded), done.stderr
    (tmp_path / "c.qasm").write_text(QASM.replace("h q[0];", "hh q[0];"))
    for _ in range(2):  # what is wrong is told every time
        done = cli("validate", "s.yaml", env=seen)
        assert done.returncode == 3
        assert "c.qasm:4" in done.stderr
