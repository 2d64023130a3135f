"""The `executor` block, what it and the options come to, and the process beside a worker."""

from __future__ import annotations

import os
import pickle
import signal
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.errors import Refused, SpecError, UsageError
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.stages.aer import AerTask, DaskCluster, Setup, chosen_cluster, simulate_chunk
from iqm_spec.stages.aer.dask_cluster import Slurm
from iqm_spec.stages.aer.dask_jobs import answer_chunk, library_versions
from iqm_spec.stages.aer.local import Answer, ChildProcess, Chunk
from tests.specfiles import load_spec

HEAD = "iqm_spec: 1\nname: x\ntarget: garnet\ncircuits: [{generator: bell}]\n"
BLOCK = {"kind": "slurm", "cores": 8, "memory": "16GB", "walltime": "00:30:00"}


def load(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "spec.yaml"
    path.write_text(HEAD + text)
    return load_spec(path).spec


def block(**fields: object) -> str:
    import json

    return f"executor: {json.dumps({**BLOCK, **fields})}\n"


def test_a_block_moves_no_digest(tmp_path: Path) -> None:
    with_block = load(tmp_path, block(queue="batch", account="ABC123", jobs=4, interface="ib0"))
    assert with_block.digest == load(tmp_path, "").digest
    assert with_block.executor["jobs"] == 4
    assert load(tmp_path, block()).executor == {**BLOCK, "jobs": 1}
    assert load(tmp_path, "").executor == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("queue", "batch\n#SBATCH --uid=0"),
        ("queue", "batch\n"),
        ("queue", "-p"),
        ("account", "$(id)"),
        ("account", "a b"),
        ("memory", "16 GB"),
        ("memory", "16GB; id"),
        ("walltime", "30"),
        ("walltime", "00:30:00\n"),
        ("walltime", "`id`"),
        ("interface", "ib0 --x"),
        ("kind", "shell"),
        ("cores", 0),
        ("jobs", 100_000),
        ("python", "/bin/sh"),
        ("prologue", ["module load python"]),
    ],
)
def test_nothing_in_a_block_can_be_read_as_more(field: str, value: object, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load(tmp_path, block(**{field: value}))
    assert field in caught.value.diagnostics[0].message


def test_what_options_and_block_come_to() -> None:
    slurm = Slurm(cores=8, memory="16GB", walltime="00:30:00")
    assert chosen_cluster(None, None, BLOCK) is None
    assert chosen_cluster("local", None, BLOCK) is None
    assert chosen_cluster("dask", None, {}) == DaskCluster()
    assert chosen_cluster("dask", None, BLOCK) == DaskCluster(slurm=slurm)
    assert chosen_cluster(None, "tcp://h:1", BLOCK) == DaskCluster(scheduler="tcp://h:1")
    assert chosen_cluster("dask", "tls://h:1", {}) == DaskCluster(scheduler="tls://h:1")
    with pytest.raises(UsageError):
        chosen_cluster("local", "tcp://h:1", {})
    with pytest.raises(UsageError):
        chosen_cluster("dask", "inproc://1", {})


def chunk(*, noise: None = None, qubits: int = 1) -> Chunk:
    components = tuple(f"QB{i + 1}" for i in range(qubits))
    ops = (Op("r", (0,), (1.0, 0.0)), Op("measure", (0,), clbits=(0,)))
    task = AerTask("k" * 64, NativeCircuit(components, (("c", 1),), ops), shots=100, seed=7)
    return Chunk((task,), Setup(noise=noise))


@pytest.fixture
def child() -> Any:
    process = ChildProcess()
    yield process
    process.close()


@pytest.mark.slow
def test_a_child_answers_as_this_process_would(child: ChildProcess) -> None:
    asked = pickle.dumps(chunk())
    for _ in range(2):
        answer = child.ask(asked, lambda: True)
        assert list(answer.outcomes) == simulate_chunk(chunk())
    too_much = Chunk(chunk(qubits=50).tasks, Setup(method="statevector"))
    error = child.ask(pickle.dumps(too_much), lambda: True).error
    assert isinstance(error, Refused)
    assert error.code == "refused.memory"
    assert child.alive


@pytest.mark.slow
def test_a_child_that_is_killed_is_told_of(child: ChildProcess) -> None:
    os.kill(child.pid, signal.SIGKILL)
    assert child.ask(pickle.dumps(chunk()), lambda: True) == Answer(ended="signal 9")
    assert not child.alive


@pytest.mark.parametrize("package", ["python", "qiskit-aer", "numpy"])
def test_other_versions_are_refused_before_anything_is_simulated(package: str) -> None:
    asked = {**library_versions(), package: "0.0.1"}
    error = pickle.loads(answer_chunk(pickle.dumps(chunk()), asked)).error
    assert isinstance(error, Refused)
    assert f"{package} {library_versions()[package]} instead of 0.0.1" in error.message
