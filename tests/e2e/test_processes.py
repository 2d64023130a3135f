"""Every command in a process as a shell makes it, and whether a forked one answers alike.

Most tests fork their commands (tests/forks), which is sound as long as this holds.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from iqm_spec.cli.app import COMMANDS
from iqm_spec.emulator import Emulator
from tests.conftest import Cli
from tests.forks import Forked, forks, may_fork
from tests.processes import contents

pytestmark = pytest.mark.slow

forking = pytest.mark.skipif(not may_fork(), reason="nothing is forked here")

NOBODY = "3f2c9c6e-0b4d-4f4e-9a0e-0d6d1a3f5b7c"
SPEC = """\
iqm_spec: 1
name: pair
target: garnet
stages: [aer, mock, hardware]
seed: 3
shots: "${shots}"
circuits:
  - {generator: ghz, args: {num_qubits: 2}}
sweep: [{grid: {shots: [100, 200, 500, 1000]}}]
"""
CHANGES = [
    (0, "init mine.yaml"),
    (0, "run pair.yaml --server URL --yes"),
    (0, "resume latest --yes"),
    (0, "cost fit results -o model.json"),
]
"""Exit codes and command lines of what is done once."""
READS = [
    (0, "validate pair.yaml mine.yaml"),
    (0, "run pair.yaml --server URL --yes"),
    (3, "run pair.yaml --set shotz=3"),
    (0, "cancel latest"),
    (5, "adopt latest NOBODY"),
    (2, "release latest 0123abcd"),
    (5, "import pair.yaml NOBODY --server URL"),
    (0, "status latest"),
    (0, "export"),
    (0, "analyze"),
    (0, "verify"),
    (0, "reproduce"),
    (2, "archive"),
    (0, "archive -o pair.zip --force --license CC0-1.0 --anonymous"),
    (0, "gc"),
    (0, "report latest -o report.html"),
    (0, "justify pair.yaml"),
    (0, "cost show model.json"),
    (0, "ledger"),
    (0, "diff latest latest"),
    (0, "explain latest latest"),
    (0, "calibration garnet --server URL"),
    (0, "doctor pair.yaml --server URL"),
    (2, "emulator --speed 0"),
    (0, "schema"),
    (0, "--help"),
    (2, "frobnicate"),
]
"""The same of what changes nothing, so that it can be asked twice."""


def test_every_command_in_a_process_of_its_own_and_forked(
    tmp_path: Path, cli: Cli, spawned: Cli, emulator: Emulator
) -> None:
    (tmp_path / "pair.yaml").write_text(SPEC)

    def ask(how: Cli, line: str) -> tuple[int, str, str]:
        words = line.replace("URL", emulator.url).replace("NOBODY", NOBODY).split()
        done = how(*words, env={"IQM_TOKEN": "any"})
        return done.returncode, done.stdout, done.stderr

    for code, line in CHANGES:
        told = ask(spawned, line)
        assert told[0] == code, (line, told)
    for code, line in READS:
        told = ask(spawned, line)
        assert told[0] == code, (line, told)
        assert ask(cli, line) == told, line
    assert {line.split()[0] for _, line in (*CHANGES, *READS)} >= set(COMMANDS)


def test_what_is_stored_does_not_depend_on_the_order_of_sets(
    tmp_path: Path, spawned: Cli, root: Path
) -> None:
    """Forked processes have one hash seed, so that two of them would not show it."""
    spec = root / "experiments" / "qft.yaml"
    for seed in ("1", "2"):
        asked = ("run", spec, "--set", "stages=[aer]", "--set", "require={}", "--results", seed)
        done = spawned(*asked, env={"PYTHONHASHSEED": seed, "IQM_SPEC_CACHE": f"cache{seed}"})
        assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def serving(folder: Path) -> Forked:
    """A forked command that goes on until it is told to end."""
    out, into = os.pipe()
    asked = ["emulator", "--json", "--state", "state"]
    with open(out, "rb") as lines, (folder / "told").open("wb") as told:
        fds = (None, into, told.fileno())
        process = forks().start("iqm_spec", asked, cwd=folder, env=os.environ, fds=fds)
        os.close(into)
        assert b"url" in lines.readline()
    return process


@forking
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_a_forked_process_is_one(tmp_path: Path, number: int, code: int) -> None:
    process = serving(tmp_path)
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0)
    os.kill(process.pid, number)
    assert process.wait(60) == code
    assert process.poll() == code
    assert (tmp_path / "state" / "emulator.json").exists()  # in its own folder


@forking
def test_what_the_interpreter_reads_when_it_starts_is_not_for_forks() -> None:
    assert not may_fork({"PYTHONPATH": "here"})
    assert may_fork({"IQM_TOKEN": "any"})
