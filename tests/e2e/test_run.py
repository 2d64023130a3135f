"""A spec becomes results: the whole pipeline through the command line, on real Aer."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Cli = Callable[..., subprocess.CompletedProcess[str]]
Ask = Callable[..., Any]

GHZ = """\
iqm_spec: 1
name: ghz
target: garnet
seed: 7
shots: 300
circuits:
  - generator: ghz
    args: {num_qubits: "${n}"}
sweep:
  - grid: {n: [2, 3, 4]}
"""


@pytest.fixture
def ghz(tmp_path: Path) -> Path:
    path = tmp_path / "ghz.yaml"
    path.write_text(GHZ)
    return path


def objects(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "objects").rglob("*.json*")}


def records(folder: Path) -> dict[str, bytes]:
    """Lines of all packs of counts, by their key."""
    found = {}
    for name, data in objects(folder).items():
        head, *lines = data.splitlines()
        if name.endswith(".jsonl") and json.loads(head)["format"] == "iqm-spec/aer-records/1":
            found.update({json.loads(line)["key"]: line for line in lines})
    return found


def test_noisy_ghz(ghz: Path, answer: Ask) -> None:
    done = answer("run", ghz)
    assert done["spec"]["name"] == "ghz"
    assert done["plan"]["points"] == done["plan"]["circuits"] == 3
    (stage,) = done["stages"]
    assert (stage["stage"], stage["status"], stage["cached"], stage["emulated"]) == (
        "aer", "passed", 0, False,
    )  # fmt: skip
    rows = answer_rows(answer, ghz.parent)
    assert [row["values"] for row in rows] == [{"n": 2}, {"n": 3}, {"n": 4}]
    for row in rows:
        n = row["values"]["n"]
        assert row["circuit"] == "ghz"
        assert sum(row["counts"].values()) == row["shots"] == row["shots_returned"] == 300
        right = row["counts"]["0" * n] + row["counts"]["1" * n]
        assert 0.6 < right / 300 < 1
        assert 0.6 < row["comparison"]["hellinger_fidelity"] < 1


def answer_rows(answer: Ask, folder: Path) -> list[dict[str, Any]]:
    target = folder / "rows.json"
    from subprocess import run

    run(
        [sys.executable, "-m", "iqm_spec", "export", "latest", "--format", "json", "-o", target],
        cwd=folder,
        check=True,
    )
    rows: list[dict[str, Any]] = json.loads(target.read_text())["rows"]
    return rows


BELL = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\ncreg c[1];\nh q[0];\nmeasure q -> c;\n'


@pytest.mark.parametrize("file", [False, True], ids=["generator", "qasm"])
def test_a_second_run_does_no_work_loads_no_qiskit_and_writes_nothing(
    ghz: Path, answer: Ask, tmp_path: Path, file: bool
) -> None:
    if file:
        (tmp_path / "c.qasm").write_text(BELL)
        ghz.write_text("iqm_spec: 1\nname: ghz\ntarget: garnet\ncircuits: [{qasm: c.qasm}]\n")
    first = answer("run", ghz)
    before = sorted(path for path in (tmp_path / "results").rglob("*"))
    code = (
        "import sys\n"
        "from iqm_spec.cli.app import run\n"
        "code = run(['run', 'ghz.yaml'])\n"
        "heavy = {'qiskit', 'qiskit_aer', 'iqm', 'scipy', 'pandas'} & set(sys.modules)\n"
        "assert code == 0 and not heavy, (code, heavy)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"nothing to do: run {first['run']} is complete" in done.stdout
    again = answer("run", ghz)
    assert again["again"]
    assert again["run"] == first["run"]
    assert again["stages"][0]["cached"] == again["stages"][0]["points"]
    assert sorted(path for path in (tmp_path / "results").rglob("*")) == before


def test_a_sweep_that_grew_computes_the_new_points_only(
    ghz: Path, answer: Ask, tmp_path: Path
) -> None:
    answer("run", ghz)
    before = records(tmp_path / "results")
    ghz.write_text(GHZ.replace("[2, 3, 4]", "[2, 3, 4, 5]"))
    (stage,) = answer("run", ghz)["stages"]
    assert (stage["cached"], stage["points"]) == (3, 4)
    after = records(tmp_path / "results")
    assert len(after) == 4
    assert before.items() <= after.items()


def test_counts_do_not_depend_on_workers_batch_or_order(tmp_path: Path, answer: Ask) -> None:
    found = []
    for values, workers in (("[2, 3, 4]", 1), ("[4, 3, 2]", 2), ("[3]", 1)):
        folder = tmp_path / f"results{len(found)}"
        spec = tmp_path / "ghz.yaml"
        spec.write_text(GHZ.replace("[2, 3, 4]", values))
        answer("run", spec, "--results", folder, "-j", workers)
        found.append(records(folder))
    assert found[0] == found[1]
    assert found[2].items() <= found[0].items()


def test_meaningless_changes_of_the_file_are_the_same_question(
    ghz: Path, answer: Ask, tmp_path: Path
) -> None:
    answer("run", ghz)
    ghz.write_text(
        "# a comment\nshots: 3e2\nname: ghz\niqm_spec: 1\nseed: 7.0\ntarget: garnet\n"
        "description: other words\ncircuits: [{args: {num_qubits: '${n}'}, generator: ghz}]\n"
        "sweep: [{grid: {n: {range: [2, 5, 1]}}}]\n"
    )
    again = answer("run", ghz)
    (stage,) = again["stages"]
    assert stage["cached"] == 3


def test_another_seed_gives_other_counts_of_the_same_circuits(
    ghz: Path, answer: Ask, tmp_path: Path
) -> None:
    answer("run", ghz)
    first = records(tmp_path / "results")
    answer("run", ghz, "--set", "seed=8")
    second = {k: v for k, v in records(tmp_path / "results").items() if k not in first}
    assert len(second) == 3
    assert {json.dumps(json.loads(v)["counts"]) for v in second.values()}.isdisjoint(
        json.dumps(json.loads(v)["counts"]) for v in first.values()
    )


def test_repeats_are_independent_records(ghz: Path, answer: Ask, tmp_path: Path) -> None:
    answer("run", ghz, "--set", "repeat=4", "--set", "shots=1000")
    rows = answer_rows(answer, tmp_path)
    assert [row["repeat"] for row in rows] == [1, 2, 3, 4] * 3
    assert len({json.dumps(row["counts"]) for row in rows}) == 12


def test_a_missed_requirement_stops_the_stages_after_it(ghz: Path, answer: Ask) -> None:
    done = answer(
        "run", ghz, "--set", "require.aer.hellinger_fidelity.min=0.999",
        "--set", "stages=[aer, mock]", exit_code=4,
    )  # fmt: skip
    assert [stage["status"] for stage in done["stages"]] == ["failed", "skipped"]
    assert "n=4" in " ".join(done["stages"][0]["verdict"]) or done["stages"][0]["verdict"]


def test_server_stages_are_refused_after_aer(ghz: Path, answer: Ask, cli: Cli) -> None:
    done = answer("run", ghz, "--set", "stages=[aer, mock, hardware]", exit_code=4)
    assert [stage["status"] for stage in done["stages"]] == ["passed", "refused", "skipped"]
    warnings = cli("export", "latest", "--format", "csv").stderr
    for stage in ("mock", "hardware"):
        assert f"the {stage} stage has not begun" in warnings
    assert "the aer stage has not begun" not in warnings
    assert answer("run", ghz, "--set", "stages=[aer, mock, hardware]", "--until", "aer")


def test_dry_run_writes_nothing(ghz: Path, answer: Ask, tmp_path: Path) -> None:
    told = answer("run", ghz, "--dry-run")
    assert told["plan"]["points"] == 3
    assert [point["summary"]["gates"]["cz"] for point in told["points"]] == [1, 2, 3]
    assert not (tmp_path / "results").exists()


def test_two_runs_at_once_do_no_harm(ghz: Path, tmp_path: Path, answer: Ask) -> None:
    command = [sys.executable, "-m", "iqm_spec", "run", "ghz.yaml", "--json"]
    both = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in both:
        out, _ = process.communicate(timeout=200)
        assert process.returncode == 0
        assert json.loads(out)["stages"][0]["status"] == "passed"
    assert answer("verify")["problems"] == []
    assert len(records(tmp_path / "results")) == 3


def test_a_kill_at_any_moment_leaves_a_folder_that_the_next_run_completes(
    tmp_path: Path, answer: Ask
) -> None:
    seed = int(os.environ.get("IQM_SPEC_TEST_SEED", random.SystemRandom().randrange(10**6)))
    print(f"IQM_SPEC_TEST_SEED={seed}")
    moments = random.Random(seed)
    spec = tmp_path / "many.yaml"
    spec.write_text(
        GHZ.replace("n: [2, 3, 4]", "n: [2, 3], shots: {range: [100, 400]}").replace(
            "shots: 300", 'shots: "${shots}"'
        )
    )
    command = [sys.executable, "-m", "iqm_spec", "run", spec, "--json"]
    for _ in range(4):
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
        time.sleep(moments.uniform(1.0, 4.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (tmp_path / "results").exists():
            assert answer("verify")["problems"] == []
    done = answer("run", spec)
    assert done["stages"][0]["status"] == "passed"
    assert len(records(tmp_path / "results")) == 600
    assert answer("verify")["problems"] == []


def test_a_flipped_bit_is_found_and_never_served(ghz: Path, answer: Ask, tmp_path: Path) -> None:
    answer("run", ghz)
    victim = next(
        path
        for path in sorted((tmp_path / "results" / "objects").rglob("*.jsonl"))
        if b"aer-records" in path.read_bytes()[:100]
    )
    data = bytearray(victim.read_bytes())
    data[-20] ^= 1
    victim.chmod(0o644)
    victim.write_bytes(data)
    found = answer("verify", exit_code=7)
    assert [Path(item["path"]).name for item in found["problems"]] == [victim.name]
    told = answer("run", ghz, exit_code=7)
    assert victim.name in told["error"]["message"]


def test_nothing_of_this_machine_is_in_the_folder(ghz: Path, answer: Ask, tmp_path: Path) -> None:
    import getpass
    import socket

    answer("run", ghz, env={"IQM_TOKEN": "s3cr3t-t0k3n-value"})
    words = [str(tmp_path), str(Path.home()), socket.gethostname(), "s3cr3t-t0k3n-value"]
    if getpass.getuser() != "root":
        words.append(getpass.getuser())
    for path in (tmp_path / "results").rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not [word for word in words if word in text], path


def test_options_that_simulation_does_not_know_are_told(ghz: Path, answer: Ask) -> None:
    (stage,) = answer("run", ghz, "--set", "options.heralding=zeros")["stages"]
    assert stage["status"] == "passed"
    assert stage["verdict"] == ["not simulated: heralding"]


def test_points_that_ask_the_same_share_a_record_and_this_is_told(
    cli: Cli, answer: Ask, tmp_path: Path
) -> None:
    spec = tmp_path / "same.yaml"
    spec.write_text(
        "iqm_spec: 1\nname: same\ntarget: garnet\ncircuits:\n"
        "  - {generator: ghz, args: {num_qubits: 2}}\n"
        "  - {name: bell, generator: ghz, args: {num_qubits: 2}}\n"
    )
    previewed = answer("run", spec, "--dry-run")["stages"][0]
    assert (previewed["cached"], previewed["shared"]) == (0, 1)
    told = cli("run", spec).stderr
    assert "2 points: 2 to simulate" in told
    assert "1 with the key of another point" in told
    assert len({row["key"] for row in answer_rows(answer, tmp_path)}) == 1


def test_a_stage_that_the_spec_lacks_cannot_be_the_last(ghz: Path, cli: Cli) -> None:
    done = cli("run", ghz, "--set", "stages=[aer]", "--until", "mock")
    assert done.returncode == 2
    assert "its stages are aer" in done.stderr
