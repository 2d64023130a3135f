"""A Dask cluster instead of local processes, with real schedulers and workers on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import Cli
from tests.processes import HEAVY, PATIENCE, contents, end, family, jobs_stored, start_run, until

pytestmark = pytest.mark.slow

MANY = """\
iqm_spec: 1
name: many
target: garnet
shots: 300
circuits:
  - {generator: ghz, args: {num_qubits: "${n}"}, repeat: 60}
sweep: [{grid: {n: [2, 3, 4, 5, 6]}}]
"""
"""Two jobs in five chunks."""

LONG = """\
iqm_spec: 1
name: long
target: garnet
shots: 300
circuits:
  - {generator: ghz, args: {num_qubits: "${n}"}}
  - {generator: ghz, name: wide, args: {num_qubits: 12}, shots: 300, repeat: 10}
sweep: [{grid: {n: [2, 3]}}]
"""
"""Some seconds of work, shot by shot, in chunks that can be lost one by one."""


class Cluster:
    """A scheduler and the nannies of its workers, started as a user starts them."""

    def __init__(self, folder: Path, workers: int) -> None:
        file = folder / "scheduler.json"
        common = ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
        where = ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file)]
        self.scheduler = _dask("scheduler", [*common, *where], folder)
        until(file.exists)
        self.address: str = json.loads(file.read_text())["address"]
        options = [*common, "--nthreads", "1", "--local-directory", str(folder)]
        self.nannies = [_dask("worker", [self.address, *options], folder) for _ in range(workers)]

    def workers(self) -> list[psutil.Process]:
        """Worker processes: children of the nannies that have no other job."""
        return [
            child
            for nanny in self.nannies
            for child in _children(nanny.pid)
            if "resource_tracker" not in _command(child)
        ]

    def simulating(self) -> list[psutil.Process]:
        """Processes that simulate for the workers."""
        found = [inner for worker in self.workers() for inner in _children(worker.pid)]
        return [process for process in found if "aer.local" in _command(process)]

    def close(self) -> None:
        for process in (*self.nannies, self.scheduler):
            for child in psutil.Process(process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers of one thread each."""
    started = Cluster(tmp_path_factory.mktemp("cluster"), workers=2)
    yield started
    started.close()


def _dask(kind: str, options: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / f"{kind}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options],
            stdout=log,
            stderr=log,
            cwd=folder,
        )


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts runs in the test's folder; ends those that are left."""
    runs: list[subprocess.Popen[str]] = []

    def run(spec: str, *options: str) -> subprocess.Popen[str]:
        runs.append(start_run(tmp_path, spec, *options))
        return runs[-1]

    yield run
    for one in runs:
        end(one)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, bytes]]:
    """What a run without Dask stores."""

    @cache
    def run(spec: str) -> dict[str, bytes]:
        folder = tmp_path_factory.mktemp("alone")
        process = start_run(folder, spec, "-j", "2")
        told = process.communicate(timeout=2 * PATIENCE)[1]
        assert process.returncode == 0, told
        return contents(folder / "results")

    return run


def test_a_local_cluster_stores_the_same_and_tells_the_same(
    cli: Cli, tmp_path: Path, expected: Callable[[str], dict[str, bytes]]
) -> None:
    (tmp_path / "spec.yaml").write_text(MANY)
    done = cli("run", "spec.yaml", "--executor", "dask", "-j", "2")
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "results") == expected(MANY)
    told = [
        line
        for line in done.stderr.splitlines()
        if "points, " not in line and " transpiled; " not in line
    ]
    assert [line.split(":")[0].split()[0] for line in told] == ["plan", "aer", "aer"], done.stderr


def test_killed_workers_and_simulations_change_nothing(
    start: Callable[..., subprocess.Popen[str]],
    cluster: Cluster,
    tmp_path: Path,
    expected: Callable[[str], dict[str, bytes]],
) -> None:
    run = start(LONG, "--scheduler", cluster.address)
    until(lambda: len(cluster.simulating()) == 2)
    cluster.simulating()[0].kill()
    time.sleep(1)
    victim = cluster.workers()[1]
    victim.kill()
    told = run.communicate(timeout=2 * PATIENCE)[1]
    assert run.returncode == 0, told
    assert victim.pid not in [worker.pid for worker in cluster.workers()]
    assert contents(tmp_path / "results") == expected(LONG)


def test_a_scheduler_that_vanishes_leaves_a_folder_to_go_on_from(
    start: Callable[..., subprocess.Popen[str]],
    cluster: Cluster,
    cli: Cli,
    tmp_path: Path,
    expected: Callable[[str], dict[str, bytes]],
) -> None:
    run = start(LONG, "--scheduler", cluster.address)
    until(lambda: cluster.simulating())
    cluster.scheduler.kill()
    told = run.communicate(timeout=PATIENCE)[1]
    assert run.returncode == 6, told
    assert f"the Dask scheduler at {cluster.address} has vanished" in told
    assert "the same command goes on from there" in told
    assert "Traceback" not in told
    assert cli("verify").returncode == 0
    assert cli("run", "spec.yaml").returncode == 0
    assert contents(tmp_path / "results") == expected(LONG)


def test_work_that_kills_its_processes_ends_with_its_name(
    start: Callable[..., subprocess.Popen[str]], cluster: Cluster, tmp_path: Path
) -> None:
    run = start(HEAVY, "--scheduler", cluster.address)
    until(lambda: jobs_stored(tmp_path))
    deadline = time.monotonic() + PATIENCE
    while run.poll() is None:
        assert time.monotonic() < deadline
        for process in cluster.simulating():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.1)
    told = run.communicate()[1]
    assert run.returncode == 5, told
    assert "the process that simulated a circuit on 18 components" in told
    assert "ended 3 times (signal 9)" in told


def test_an_interrupted_run_stops_the_work_at_a_cluster_that_goes_on(
    start: Callable[..., subprocess.Popen[str]], cluster: Cluster, tmp_path: Path
) -> None:
    run = start(HEAVY, "--scheduler", cluster.address)
    until(lambda: jobs_stored(tmp_path))
    until(lambda: any(p.cpu_times().user > 4 for p in cluster.simulating()))
    run.send_signal(signal.SIGTERM)
    told = run.communicate(timeout=PATIENCE)[1]
    assert run.returncode == 130, told
    until(lambda: all(p.cpu_percent(0.5) < 10 for p in cluster.simulating()))
    assert len(cluster.workers()) == 2


@pytest.mark.parametrize("how", ["ctrl-c", "kill"])
def test_no_process_of_a_local_cluster_outlives_its_run(
    start: Callable[..., subprocess.Popen[str]], how: str, cli: Cli, tmp_path: Path
) -> None:
    run = start(HEAVY, "--executor", "dask", "-j", "2")
    until(lambda: jobs_stored(tmp_path))
    if how == "ctrl-c":
        os.killpg(run.pid, signal.SIGINT)  # what a terminal does
    else:
        run.kill()
    _, told = run.communicate(timeout=PATIENCE)
    if how == "ctrl-c":
        assert run.returncode == 130
        assert "interrupted; finished results are stored" in told
        assert "Traceback" not in told
    until(lambda: not family(run.pid), 10)
    assert cli("verify").returncode == 0


def test_slurm_jobs_hold_the_workers(
    cli: Cli, tmp_path: Path, expected: Callable[[str], dict[str, bytes]]
) -> None:
    """With an `sbatch` that starts the script at once, as Slurm does on a free node."""
    block = "executor: {kind: slurm, cores: 2, memory: 2GB, walltime: '00:10:00', queue: batch, "
    spec = f"{MANY}{block}account: ABC123, interface: lo}}\n"
    (tmp_path / "spec.yaml").write_text(spec)
    tools, log = tmp_path / "tools", tmp_path / "slurm.log"
    tools.mkdir()
    # as Slurm does, it keeps a copy: the script is gone soon
    _tool(tools / "sbatch", f'cat "$1" >> {log}\nsetsid bash {log} >/dev/null 2>&1 &\n'
          'echo "Submitted batch job $!"')  # fmt: skip
    _tool(tools / "scancel", f'echo cancelled >> {log}\nkill -9 -- "-$1"')
    path = {"PATH": f"{tools}:{os.environ['PATH']}"}
    done = cli("run", "spec.yaml", "--executor", "dask", env=path)
    assert done.returncode == 0, done.stderr
    assert "asking Slurm for 1 job of 2 cores, 2GB and 00:10:00" in done.stderr
    assert contents(tmp_path / "results") == expected(spec)
    script = log.read_text()
    for line in ("#SBATCH -p batch", "#SBATCH -A ABC123", "#SBATCH -t 00:10:00", "--tls-key"):
        assert line in script
    assert "cancelled" in script
    assert not list(tmp_path.glob(".iqm-spec-dask-*"))


def _tool(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)


def test_a_scheduler_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(MANY)
    done = cli("run", "spec.yaml", "--scheduler", "tcp://127.0.0.1:9")
    assert done.returncode == 6
    assert "the Dask scheduler at tcp://127.0.0.1:9 does not answer" in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--executor", "local", "--scheduler", "tcp://h:1"], 2, "--scheduler goes with"),
        (["--scheduler", "h:1"], 2, "no address of a Dask scheduler"),
        (["--executor", "slurm"], 2, "is not one of 'local', 'dask'"),
    ],
)
def test_options_that_cannot_be(
    options: list[str], code: int, words: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "spec.yaml").write_text(MANY)
    done = cli("run", "spec.yaml", *options)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


@pytest.mark.parametrize("missing", ["distributed", "dask_jobqueue"])
def test_without_the_extra(missing: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(MANY)
    code = f"import sys; sys.modules[{missing!r}] = None\nfrom iqm_spec.cli import main; main()"
    command: list[Any] = [sys.executable, "-c", code, "run", "spec.yaml", "--executor", "dask"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "pip install 'iqm-spec[dask]'" in done.stderr
    assert not (tmp_path / "results").exists()


def test_the_batch_script_of_the_docs(
    tmp_path: Path, expected: Callable[[str], dict[str, bytes]]
) -> None:
    """As it stands in docs/executors.md, with an `srun` that starts its command here."""
    page = (Path(__file__).parents[2] / "docs" / "executors.md").read_text()
    script = page.partition("```bash\n")[2].partition("```")[0]
    (tmp_path / "job.sh").write_text(script.replace("PER_NODE=32", "PER_NODE=2"))
    tools = tmp_path / "tools"
    tools.mkdir()
    _tool(tools / "srun", 'while [ "$1" != dask ]; do shift; done\nexec "$@"')
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "spec.yaml").write_text(MANY)
    given = {"SLURM_SUBMIT_DIR": str(tmp_path), "SLURM_JOB_ID": "1", "SLURM_NNODES": "1"}
    job = subprocess.Popen(
        ["bash", "job.sh", "spec.yaml"],
        cwd=tmp_path,
        env={**os.environ, **given, "PATH": f"{tools}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    _, told = job.communicate(timeout=PATIENCE)
    assert job.returncode == 0, told
    assert "tls://" in told
    assert contents(tmp_path / "results") == expected(MANY)
    until(lambda: not family(job.pid), 20)
    assert not list(tmp_path.glob(".dask-*"))
