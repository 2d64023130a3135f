"""Ctrl-C, the end of a walltime and a killed process, in the middle of a long circuit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.processes import HEAVY, PATIENCE, end, family, jobs_stored, start_run, until

pytestmark = pytest.mark.slow


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`iqm-spec run` at work on its heavy circuit."""
    process = start_run(tmp_path, HEAVY)
    until(lambda: len(family(process.pid)) >= 2 and jobs_stored(tmp_path))
    yield process
    end(process)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_at_once_and_tells(
    how: signal.Signals, running: subprocess.Popen[str], cli: Cli, tmp_path: Path
) -> None:
    os.kill(running.pid, how)
    _, told = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert "interrupted; finished results are stored" in told
    assert "Traceback" not in told
    until(lambda: not family(running.pid))
    assert "interrupted" in cli("status").stdout
    assert cli("verify").returncode == 0
    rows = json.loads(cli("export", "latest", "--format", "json").stdout)["rows"]
    assert [row["values"] for row in rows if row["counts"]] == [{"n": 2}]


def test_workers_end_with_a_killed_run(
    running: subprocess.Popen[str], cli: Cli, tmp_path: Path
) -> None:
    running.kill()
    until(lambda: not family(running.pid))
    assert "unfinished" in cli("status").stdout
    assert cli("verify").returncode == 0
