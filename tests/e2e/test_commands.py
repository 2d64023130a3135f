"""Every command through the command line: answers, exit codes, and what people read."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
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
    assert [(item["point"], item["what"]) for item in told["points"]] == [("bell", "shots")]
    shown = cli("explain", first, second).stdout
    assert shown == "seed: 3 -> 4\nshots at bell: 200 -> 100\n"
    found = answer("diff", first, second)
    assert len(found["points"]) == 3
    assert all(not item["same_record"] for item in found["points"])
    assert all(item["p_value_corrected"] > 0.01 for item in found["points"])
    third = answer("run", spec, "--set", "aer.noise=ideal", "--set", "shots=5000")["run"]
    strong = answer("diff", first, third)["points"]
    assert min(item["p_value_corrected"] for item in strong) < 0.01
    assert "with a significant difference" in cli("diff", first, third).stdout


@pytest.mark.parametrize("name", ["My Own!.yaml", "2.yml", "y.yaml", "é.toml"])
def test_init_writes_a_sound_spec_and_never_over_one(cli: Cli, answer: Ask, name: str) -> None:
    assert cli("init", name).returncode == 0
    assert answer("validate", name)["specs"][0]["points"] == 3
    assert cli("init", name).returncode == 4


@pytest.mark.parametrize("name", ["foo.txt", "foo", ".yaml", "foo.yaml.orig"])
def test_init_writes_nothing_that_no_command_reads(cli: Cli, tmp_path: Path, name: str) -> None:
    done = cli("init", name)
    assert done.returncode == 2
    assert ".toml" in done.stderr
    assert not (tmp_path / name).exists()


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
        (["verify", "."], 2, "not a results folder"),
        (["verify", ""], 2, "empty"),
        (["status", "--results", "typo"], 2, "no results folder"),
        (["export", "--results", "typo"], 2, "no results folder"),
        (["diff", "a", "b", "--results", "typo"], 2, "no results folder"),
        (["explain", "a", "b", "--results", "typo"], 2, "no results folder"),
        (["status", "--results", ""], 2, "empty"),
        (["run", "pair.yaml", "--results", "a" * 300], 2, "too long"),
        (["validate", "gone.yaml"], 3, "gone.yaml"),
        (["validate", "."], 3, ""),
        (["run", "pair.yaml", "--set", "shotz=3"], 3, "did you mean shots"),
        (["run", "pair.yaml", "--set", "shots"], 3, ""),
        (["run", "pair.yaml", "--set", "stages=[mock]"], 4, "there are no credentials"),
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


def packs(folder: Path, kind: str) -> list[Path]:
    """The packs of one kind in a results folder."""
    head = f'"iqm-spec/{kind}/1"'.encode()
    return [
        p for p in (folder / "objects").rglob("*.jsonl") if head in p.read_bytes().split(b"\n")[0]
    ]


def lose(folder: Path, kind: str) -> None:
    """Remove what one kind of packs hold."""
    found = packs(folder, kind)
    assert found
    for path in found:
        path.unlink()


def test_lost_counts_are_told_and_never_called_done(
    spec: Path, cli: Cli, answer: Ask, tmp_path: Path
) -> None:
    first = answer("run", spec)["run"]
    grown = answer("run", spec, "--set", "circuits.bell.shots=300")["run"]
    results = tmp_path / "results"
    (last,) = [p for p in packs(results, "aer-records") if len(p.read_bytes().splitlines()) == 2]
    last.unlink()

    done = cli("export", grown)
    assert done.returncode == 7
    assert "the counts of 1 of 3 points are lost: bell" in done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {(row["circuit"], row["n"]) for row in rows} == {("ghz", "2"), ("ghz", "3")}
    done = cli("export", grown, "--json")
    exported = json.loads(done.stdout)
    assert (done.returncode, len(exported["rows"]), len(exported["missing"])) == (7, 2, 1)
    assert cli("export", first).returncode == 0

    told = answer("status", exit_code=7)["runs"]
    assert [run["status"] for run in told] == ["done", "damaged"]
    one = answer("status", grown, exit_code=7)["run"]
    assert (one["status"], one["measured"]) == ("damaged", 2)
    shown = cli("status", grown)
    assert shown.returncode == 7
    assert "done" not in shown.stdout
    assert "2 of 3 points have results" in shown.stdout
    (line,) = [line for line in shown.stdout.splitlines() if line.startswith("bell")]
    assert line.split() == ["bell", "-", "-", "-", "-"]
    assert len(answer("diff", first, grown, exit_code=7)["points"]) == 2

    answer("run", spec, "--set", "circuits.bell.shots=300")
    assert cli("export", grown).returncode == 0
    assert [run["status"] for run in answer("status")["runs"]][:2] == ["done", "done"]


def test_lost_distances_are_told(spec: Path, cli: Cli, answer: Ask, tmp_path: Path) -> None:
    answer("run", spec)
    lose(tmp_path / "results", "aer-derived")
    done = cli("export")
    assert done.returncode == 7
    assert "the distances to the ideal of 3 of 3 points are lost" in done.stderr
    assert sum(int(row["count"]) for row in csv.DictReader(io.StringIO(done.stdout))) == 600
    assert answer("status", "latest", exit_code=7)["run"]["status"] == "damaged"


def test_a_run_that_broke_off_exports_what_it_has(
    spec: Path, cli: Cli, answer: Ask, tmp_path: Path
) -> None:
    """The journal of a run that was killed before its first job was stored."""
    run = answer("run", spec)["run"]
    journal = tmp_path / "results" / "runs" / run
    for path in journal.iterdir():
        if not path.name.startswith("0001"):
            path.unlink()
    lose(tmp_path / "results", "aer-records")
    done = cli("export")
    assert done.returncode == 0
    assert "the counts of 3 of 3 points are missing: the run did not reach them" in done.stderr
    shown = cli("status", run)
    assert shown.returncode == 0
    assert f"run {run}: unfinished" in shown.stdout
    assert "run its spec again" in shown.stderr


@pytest.mark.parametrize("kind", ["plan", "circuits", "aer-records", "aer-derived"])
@pytest.mark.parametrize("damaged", [False, True], ids=["lost", "damaged"])
def test_the_hint_for_a_bad_object_mends_it(
    spec: Path, cli: Cli, answer: Ask, tmp_path: Path, kind: str, damaged: bool
) -> None:
    answer("run", spec)
    (pack,) = packs(tmp_path / "results", kind)
    kept = pack.read_bytes()
    pack.chmod(0o644)
    pack.write_bytes(kept[:-20])
    answer("verify", exit_code=7)
    if kind == "plan":
        for command in (
            ["status", "latest"],
            ["export"],
            ["run", spec],
            ["run", spec, "--dry-run"],
        ):
            done = cli(*command)
            assert done.returncode == 7
            assert "move it away, and `iqm-spec run SPEC --replan`" in done.stderr
        assert [run["status"] for run in answer("status", exit_code=7)["runs"]] == ["damaged"]
    if damaged:
        told = answer("run", spec, "--replan", "--fresh", exit_code=7)
        assert pack.name in told["error"]["message"]
    pack.unlink()
    answer("run", spec, "--replan")
    assert pack.read_bytes() == kept
    assert answer("verify")["problems"] == []
    assert answer("status", "latest")["run"]["status"] == "done"


FULL = Path("/dev/full")


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """`bash -c` with `$iqm` for the command; what it prints itself comes back."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env={**os.environ, "iqm": f"{sys.executable} -m iqm_spec"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")
def test_an_answer_that_finds_no_room_is_one_line_of_error(
    spec: Path, answer: Ask, tmp_path: Path
) -> None:
    answer("run", spec)
    commands = [
        "status latest", "status --json", "export", "verify", "schema", "--help",
        "validate pair.yaml", "run pair.yaml", "run pair.yaml --dry-run --json",
    ]  # fmt: skip
    for command in commands:
        done = shell(tmp_path, f"$iqm {command} > /dev/full")
        assert done.returncode == 5, (command, done.stderr)
        assert "Traceback" not in done.stderr
        last = done.stderr.splitlines()[-1]
        assert last == "error: the answer cannot be written: No space left on device"
    done = shell(tmp_path, "$iqm export -o /dev/full")
    assert done.returncode == 5
    assert done.stderr == "error: /dev/full cannot be written: No space left on device\n"
    assert shell(tmp_path, "$iqm status nothing > /dev/full").returncode == 2


@pytest.mark.parametrize(
    "line",
    [
        "$iqm run pair.yaml --set seed=1 | head -1; exit ${PIPESTATUS[0]}",
        "$iqm run pair.yaml --set seed=1 | true; exit ${PIPESTATUS[0]}",
        "$iqm run pair.yaml --set seed=1 2>&1 | true; exit ${PIPESTATUS[0]}",
        "$iqm run pair.yaml --set seed=1 2> >(true)",
        "$iqm run pair.yaml --set seed=1 2> /dev/full",
        "$iqm run pair.yaml --set seed=1 >&- 2>&-",
    ],
)
def test_a_run_goes_on_when_nobody_reads_along(
    spec: Path, answer: Ask, tmp_path: Path, line: str
) -> None:
    done = shell(tmp_path, line)
    assert done.returncode == 0
    assert "error" not in done.stderr
    assert "Traceback" not in done.stderr
    assert answer("status", "latest")["run"]["status"] == "done"
    assert shell(tmp_path, line.replace("seed=1", "stages=[mock]")).returncode == 4


def test_run_ids_of_other_lengths_are_read(
    spec: Path, cli: Cli, answer: Ask, tmp_path: Path
) -> None:
    from datetime import UTC, datetime

    from iqm_spec.store import Store
    from iqm_spec.store.files import Folder
    from iqm_spec.store.journals import Journal

    run = answer("run", spec)["run"]
    store = Store(tmp_path / "results")
    old = "pair-20260101-120000-abc123"
    journal = Journal(Folder(store.root, store.disk), store.root / "runs" / old)
    for event in store.load_run(run).events:
        journal.append(event.kind, event.fields)
    assert answer("verify")["problems"] == []
    assert [item["run"] for item in answer("status")["runs"]] == [old, run]
    assert answer("status", old)["run"]["status"] == "done"
    assert store.resolve(old).started == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_repeats_count_from_one_wherever_they_are_told(spec: Path, cli: Cli, answer: Ask) -> None:
    answer("run", spec, "--set", "repeat=2", "--set", "shots=10")
    rows = json.loads(cli("export", "--format", "json").stdout)["rows"]
    assert [row["repeat"] for row in rows] == [1, 2] * 3
    lines = csv.DictReader(io.StringIO(cli("export").stdout))
    assert {row["repeat"] for row in lines} == {"1", "2"}
    shown = cli("status", "latest").stdout
    assert "bell #2" in shown
    assert "#1" not in shown


def test_the_default_folder_need_not_be_there(cli: Cli, answer: Ask) -> None:
    assert answer("status")["runs"] == []
    assert "no runs in results/ yet" in cli("status").stderr


def test_a_folder_just_begun_is_a_results_folder(cli: Cli, answer: Ask, tmp_path: Path) -> None:
    from iqm_spec.store.layout import README

    (tmp_path / "results").mkdir()
    assert cli("verify").returncode == 2
    (tmp_path / "results" / "README.md").write_text("# Mine\n")
    assert cli("verify").returncode == 2
    (tmp_path / "results" / "README.md").write_text(README)
    assert answer("verify")["checked"] == 0


def test_why_there_is_no_fidelity_is_told_once(tmp_path: Path, cli: Cli, answer: Ask) -> None:
    (tmp_path / "midway.qasm").write_text(
        'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\ncreg c[2];\n'
        "h q[0];\nmeasure q[0] -> c[0];\nh q[0];\nmeasure q[0] -> c[1];\n"
    )
    spec = tmp_path / "midway.yaml"
    spec.write_text(
        "iqm_spec: 1\nname: midway\ntarget: garnet\nrepeat: 2\ncircuits: [{qasm: midway.qasm}]\n"
    )
    ran = cli("run", spec)
    assert ran.returncode == 0, ran.stderr
    for shown in (ran, cli("status", "latest")):
        assert shown.stdout.count("fidelity -: measured or reset midway") == 1
