"""A spec in several files: run, reproduced and archived; a verbatim circuit on the emulator."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli

pytestmark = pytest.mark.slow

BASE = """\
iqm_spec: 1
target: garnet
shots: 50
transpile: {verbatim: true}
circuits: [{qasm: circuits/sequence.qasm, parameters: by-name}]
aer: {noise: ideal}
"""
SPEC = """\
iqm_spec: 1
extends: lab/base.yaml
name: sequence
stages: [aer, mock, hardware]
sweep: [{zip: [{from: angles.csv, columns: {tilt: t_col}}]}]
"""
QASM = """\
OPENQASM 3.0;
include "stdgates.inc";
gate prx(theta, phi) a { U(theta, phi - pi/2, pi/2 - phi) a; }
input float tilt;
bit[2] c;
prx(pi, 0) $3;
prx(pi, 0) $3;
prx(0, 0) $3;
prx(tilt, 0.5) $4;
cz $3, $4;
cz $3, $4;
barrier $3, $4;
c[0] = measure $3;
c[1] = measure $4;
"""
WRITTEN = ["prx", "prx", "prx", "prx", "cz", "cz", "barrier", "measure", "measure"]


def sent(results: Path) -> list[Any]:
    """The circuits of every job, as the folder keeps what was posted."""
    found: list[Any] = []
    for path in sorted(results.glob("jobs/*/*-intent-*.json")):
        digest = json.loads(path.read_text())["fields"]["body"]
        body = json.loads((results / f"objects/{digest[:2]}/{digest}.json").read_text())
        found += body["circuits"]
    return found


def test_a_spec_in_several_files(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "lab/circuits").mkdir(parents=True)
    (tmp_path / "lab/base.yaml").write_text(BASE)
    (tmp_path / "lab/circuits/sequence.qasm").write_text(QASM)
    (tmp_path / "angles.csv").write_text("t_col,note\n0.25,a\n7,b\n")
    (tmp_path / "x.yaml").write_text(SPEC)
    done = cli("run", "x.yaml", "--server", "emulator", "--yes")
    assert done.returncode == 0, done.stderr
    assert "as written" not in done.stderr
    payloads = sent(tmp_path / "results")
    assert len(payloads) == 4  # two points at the mock and the machine
    for circuit in payloads:
        assert [op["name"] for op in circuit["instructions"]] == WRITTEN
    for name in ("lab/base.yaml", "lab/circuits/sequence.qasm", "angles.csv", "x.yaml"):
        (tmp_path / name).unlink()
    again = cli("reproduce", "latest")
    assert again.returncode == 0, again.stdout + again.stderr
    made = cli("archive", "latest", "--license", "CC-BY-4.0", "--anonymous", "-o", "a.zip")
    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "unpacked")
    kept = {"sequence.yaml", "lab/base.yaml", "lab/circuits/sequence.qasm", "angles.csv"}
    assert {f"experiment/{name}" for name in kept} <= {n.partition("/")[2] for n in names} | names
