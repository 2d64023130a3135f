"""Processes that tests start, watch and end: `iqm-spec run` as a shell starts it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

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


def until(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for something to come about."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def start_run(folder: Path, spec: str, *options: str) -> subprocess.Popen[str]:
    """`iqm-spec run` in a process group of its own.

    A background job of a shell would ignore SIGINT; a process of Python's does not.
    """
    (folder / "spec.yaml").write_text(spec)
    return subprocess.Popen(
        [sys.executable, "-m", "iqm_spec", "run", "spec.yaml", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def end(process: subprocess.Popen[str]) -> None:
    """Kill it if it still runs."""
    if process.poll() is None:
        process.kill()
    process.communicate()


def family(group: int) -> list[str]:
    """Processes of a group that still run."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pgid=,stat=,pid="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [pid for pgid, stat, pid in rows if pgid == str(group) and not stat.startswith("Z")]


def jobs_stored(folder: Path) -> list[Path]:
    """Events of runs that tell of a job stored."""
    return list(folder.glob("results/runs/*/*-job-*"))


def contents(results: Path) -> dict[str, bytes]:
    """The files of a results folder but for the runs' journals, which hold times, by name."""
    return {
        path.relative_to(results).as_posix(): path.read_bytes()
        for path in results.rglob("*")
        if path.is_file() and path.relative_to(results).parts[0] not in ("runs", ".cache")
    }
