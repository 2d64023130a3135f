"""Every command through the command line: answers, exit codes, and what people read."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]
Cli = Callable[..., Any]

SPEC = """\
iqm_spec: 1
name: pair
target: garnet
seed: 3
shots: 200
circuits:
  - generator: ghz
    args: {num_qubits: "${n}"}
    layout: "${place}"
  - generator: bell
sweep:
  - zip: [{n: [2, 3], place: [[QB1, QB2], [QB3, QB4, QB5]]}]
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "pair.yaml"
    path.write_text(SPEC)
    return path


def steady(text: str) -> str:
    """Text without what changes from run to run: the run's id and the plan's digest."""
    text = re.sub(r"pair-\d{8}-\d{6}-[0-9a-f]{8}", "pair-DATE-TIME-RANDOM", text)
    return re.sub(r"plan [0-9a-f]{12}", "plan DIGEST", text)


@pytest.mark.parametrize("columns", [60, 80, 130])
def test_what_a_person_sees(
    spec: Path, cli: Cli, columns: int, snapshot: SnapshotAssertion
) -> None:
    preview = cli("run", spec.name, "--dry-run", columns=columns)
    first = cli("run", spec.name, columns=columns)
    second = cli("run", spec.name, columns=columns)
    for done in (preview, first, second):
        assert done.returncode == 0, done.stderr
        assert max(map(len, done.stdout.splitlines())) <= columns or "run pair" in done.stdout
        assert "\x1b" not in done.stdout + done.stderr
    shown = [steady(done.stdout) for done in (preview, first, second)]
    assert "\n=====\n".join([*shown, steady(first.stderr)]) == snapshot


def test_export_csv_has_a_row_per_outcome(spec: Path, cli: Cli, answer: Ask) -> None:
    answer("run", spec)
    rows = list(csv.DictReader(io.StringIO(cli("export", "latest").stdout)))
    assert {row["circuit"] for row in rows} == {"ghz", "bell"}
    assert {row["place"] for row in rows} == {"QB1 QB2", "QB3 QB4 QB5", ""}
    bell = [row for row in rows if row["circuit"] == "bell"]
    assert sum(int(row["count"]) for row in bell) == 200
    assert all(row["stage"] == "aer" for row in rows)


def test_export_json_has_the_keys_that_scripts_rely_on(spec: Path, cli: Cli, answer: Ask) -> None:
    answer("run", spec)
    rows = json.loads(cli("export", "pair", "--format", "json").stdout)["rows"]
    wanted = {"point", "stage", "emulated", "circuit", "values", "shots", "shots_returned"}
    assert all(row.keys() >= wanted | {"counts"} for row in rows)
    assert len({row["point"] for row in rows}) == 3
    assert rows[1]["values"] == {"n": 3, "place": ["QB3", "QB4", "QB5"]}


def test_status_lists_runs_and_shows_one(spec: Path, cli: Cli, answer: Ask) -> None:
    assert answer("status")["runs"] == []
    run = answer("run", spec)["run"]
    (told,) = answer("status")["runs"]
    assert (told["run"], told["status"], told["spec"]["name"]) == (run, "done", "pair")
    assert answer("status", run[:8])["run"]["measured"] == 3
    assert "3 of 3 points have results" in cli("status", "latest").stdout


def test_explain_and_diff(spec: Path, cli: Cli, answer: Ask, tmp_path: Path) -> None:
    first = answer("run", spec)["run"]
    assert answer("explain", spec, first)["same"]
    second = answer("run", spec, "--set", "seed=4", "--set", "circuits.bell.shots=100")["run"]
    told = answer("explain", first, second)
    assert [item["what"] for item in told["settings"]] == ["seed"]
    assert [item["what"] for item in told["points"]] == ["bell: shots"]
    found = answer("diff", first, second)
    assert len(found["points"]) == 3
    assert all(not item["same_record"] for item in found["points"])
    assert all(item["p_value_corrected"] > 0.01 for item in found["points"])
    third = answer("run", spec, "--set", "aer.noise=ideal", "--set", "shots=5000")["run"]
    strong = answer("diff", first, third)["points"]
    assert min(item["p_value_corrected"] for item in strong) < 0.01
    assert "differ significantly" in cli("diff", first, third).stdout


def test_init_writes_a_sound_spec_and_never_over_one(cli: Cli, answer: Ask, tmp_path: Path) -> None:
    assert cli("init", "My Own!.yaml").returncode == 0
    assert answer("validate", "My Own!.yaml")["specs"][0]["points"] == 3
    assert cli("init", "My Own!.yaml").returncode == 4


def test_schema_is_the_file_of_the_repository(cli: Cli, root: Path) -> None:
    kept = json.loads((root / "schemas" / "experiment-v1.schema.json").read_text())
    assert json.loads(cli("schema").stdout) == kept


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["frobnicate"], 2, "no command `frobnicate`"),
        (["runn", "x.yaml"], 2, "did you mean run"),
        (["run"], 2, "Missing argument"),
        (["run", "pair.yaml", "--until", "moon"], 2, "moon"),
        (["run", "pair.yaml", "-j", "0"], 2, "0"),
        (["status", "nothing"], 2, "nothing"),
        (["export", "nothing"], 2, "nothing"),
        (["verify", "nowhere"], 2, "no results folder"),
        (["verify", ""], 2, "empty"),
        (["status", "--results", ""], 2, "empty"),
        (["run", "pair.yaml", "--results", "a" * 300], 2, "too long"),
        (["validate", "gone.yaml"], 3, "gone.yaml"),
        (["validate", "."], 3, ""),
        (["run", "pair.yaml", "--set", "shotz=3"], 3, "did you mean shots"),
        (["run", "pair.yaml", "--set", "shots"], 3, ""),
        (["run", "pair.yaml", "--set", "stages=[mock]"], 4, "submits nothing"),
    ],
)  # fmt: skip
def test_mistakes_on_the_command_line(
    spec: Path, cli: Cli, args: list[str], code: int, words: str
) -> None:
    done = cli(*args)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    told = cli(*args, "--json")
    document = json.loads(told.stdout)
    assert (told.returncode, document["exit"]) == (code, code)


def test_no_room_on_the_disk_is_told_and_harms_nothing(
    spec: Path, cli: Cli, answer: Ask, tmp_path: Path
) -> None:
    answer("run", spec)
    results = tmp_path / "results"
    (results / "objects").rename(tmp_path / "objects")
    (results / "objects").write_text("a file where a folder should be")
    done = answer("run", spec, "--set", "seed=9", exit_code=5)
    assert done["error"]["code"] == "disk"
    (results / "objects").unlink()
    (tmp_path / "objects").rename(results / "objects")
    assert answer("verify")["problems"] == []


def test_python_generators_run_only_where_they_are_allowed(
    tmp_path: Path, cli: Cli, answer: Ask
) -> None:
    (tmp_path / "mine.py").write_text(
        "from pathlib import Path\nfrom qiskit import QuantumCircuit\n"
        "Path('ran').write_text('')\n"
        "def flip(n: int = 1):\n    c = QuantumCircuit(n)\n    c.x(range(n))\n"
        "    c.measure_all()\n    return c\n"
    )
    spec = tmp_path / "mine.yaml"
    spec.write_text(
        "iqm_spec: 1\nname: mine\ntarget: garnet\naer: {noise: ideal}\n"
        "circuits: [{generator: 'python:mine:flip', args: {n: 2}}]\n"
    )
    env = {"PYTHONPATH": str(tmp_path)}
    refused = answer("run", spec, exit_code=3, env=env)
    assert [item["code"] for item in refused["error"]["diagnostics"]] == ["S409"]
    assert not (tmp_path / "ran").exists()
    answer("run", spec, "--allow-code", "mine", env=env)
    rows = json.loads(cli("export", "--format", "json", env=env).stdout)["rows"]
    assert rows[0]["counts"] == {"11": 1000}


@pytest.mark.parametrize("place", ["runs", "asks", "objects"])
def test_a_pipe_or_a_file_in_the_folder_is_found_and_waited_for_by_no_command(
    spec: Path, cli: Cli, answer: Ask, tmp_path: Path, place: str
) -> None:
    answer("run", spec)
    folder = tmp_path / "results" / place
    if place == "asks":
        for path in folder.rglob("*"):
            if path.is_file():
                path.unlink()
                os.mkfifo(path)
    else:
        for path in [path for path in folder.rglob("*") if path.is_file()]:
            path.unlink()
            os.mkfifo(path)
        answer("verify", exit_code=7)
        answer("status", "latest", exit_code=7)
    for path in (tmp_path / "results" / "index").rglob("*"):
        if path.is_file():
            path.unlink()
            os.mkfifo(path)
    cli("run", spec)
    shutil.rmtree(folder)
    folder.write_text("a file where a folder should be")
    answer("verify", exit_code=7)


def test_names_of_strangers_are_printed_without_their_escapes(
    spec: Path, cli: Cli, answer: Ask, tmp_path: Path
) -> None:
    answer("run", spec)
    (tmp_path / "results" / "objects" / "\x1b[31mEVIL").write_text("")
    done = cli("verify")
    assert done.returncode == 7
    assert "objects/?[31mEVIL: stray" in done.stdout


@pytest.mark.parametrize("angle", ["10^400", "1e308*10", "(-1)^0.5"])
def test_an_angle_that_is_no_number_is_a_mistake_of_the_file(
    tmp_path: Path, answer: Ask, angle: str
) -> None:
    (tmp_path / "c.qasm").write_text(
        'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\ncreg c[1];\n'
        f"rx({angle}) q[0];\nmeasure q -> c;\n"
    )
    spec = tmp_path / "x.yaml"
    spec.write_text("iqm_spec: 1\nname: x\ntarget: garnet\ncircuits: [{qasm: c.qasm}]\n")
    (item,) = answer("run", spec, exit_code=3)["error"]["diagnostics"]
    assert (item["code"], item["line"]) == ("S402", 5)
