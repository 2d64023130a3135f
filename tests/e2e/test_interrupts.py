"""Ctrl-C, the end of a walltime and a killed process, in the middle of a long circuit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Cli

pytestmark = pytest.mark.slow

PATIENCE = 60.0
"""Seconds that a loaded machine may take for what needs a moment."""

HEAVY = """\
iqm_spec: 1
name: heavy
target: garnet
shots: 200000
circuits:
  - {generator: ghz, args: {num_qubits: "${n}"}}
sweep: [{grid: {n: [2, 18]}}]
"""
"""Stores a small job at once, then simulates for an hour or so."""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`iqm-spec run` at work on its heavy circuit."""
    (tmp_path / "heavy.yaml").write_text(HEAVY)
    process = subprocess.Popen(
        [sys.executable, "-m", "iqm_spec", "run", "heavy.yaml"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    # a background job of a shell ignores SIGINT; a process of Python's does not
    _until(lambda: len(_family(process.pid)) >= 2 and list(tmp_path.glob("results/runs/*/*-job-*")))
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def _until(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def _family(group: int) -> list[str]:
    """Processes of a group that still run."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pgid=,stat=,pid="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [pid for pgid, stat, pid in rows if pgid == str(group) and not stat.startswith("Z")]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_at_once_and_tells(
    how: signal.Signals, running: subprocess.Popen[str], cli: Cli, tmp_path: Path
) -> None:
    os.kill(running.pid, how)
    _, told = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert "interrupted; what was finished is stored" in told
    assert "Traceback" not in told
    _until(lambda: not _family(running.pid))
    assert "interrupted" in cli("status").stdout
    assert cli("verify").returncode == 0
    rows = json.loads(cli("export", "latest", "--format", "json").stdout)["rows"]
    assert [row["values"] for row in rows if row["counts"]] == [{"n": 2}]


def test_workers_end_with_a_killed_run(
    running: subprocess.Popen[str], cli: Cli, tmp_path: Path
) -> None:
    running.kill()
    _until(lambda: not _family(running.pid))
    assert "unfinished" in cli("status").stdout
    assert cli("verify").returncode == 0
