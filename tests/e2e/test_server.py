"""Mock and hardware stages through the command line, against the emulator in a process of its own.

The emulator's ledger tells what reached the server: its lines are what a provider would bill.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.emulator import Emulator, Options, TimeWindow
from iqm_spec.engine.saved import load_run
from iqm_spec.stages.server.stored_machines import read_calibrations
from iqm_spec.store import Store
from tests.emulators import start

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]
Cli = Callable[..., subprocess.CompletedProcess[str]]

TOKEN = "token-that-must-not-leak"
ENV = {"IQM_TOKEN": TOKEN}
SPEC = """\
iqm_spec: 1
name: pair
target: garnet
stages: [mock, hardware]
shots: 200
circuits:
  - generator: ghz
    args: {num_qubits: "${n}"}
sweep: [{grid: {n: [2, 3]}}]
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "pair.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def run(spec: Path, emulator: Emulator, answer: Ask) -> Ask:
    def go(*args: object, server: str = emulator.url, **kwargs: Any) -> Any:
        return answer("run", spec, "--server", server, *args, env=ENV, **kwargs)

    return go


def accepted(emulator: Emulator, alias: str = "garnet") -> list[dict[str, Any]]:
    return [line for line in emulator.submissions() if line["alias"] == alias and line["job"]]


def body(folder: Path, stage: str) -> Any:
    """The payload of the only job of a stage, as the folder has it."""
    (intent,) = [
        event["fields"]
        for path in folder.glob("results/jobs/*/*-intent-*.json")
        if (event := json.loads(path.read_text()))["fields"]["stage"] == stage
    ]
    digest = intent["body"]
    return json.loads((folder / f"results/objects/{digest[:2]}/{digest}.json").read_text())


def test_mock_then_hardware_and_nothing_twice(
    run: Ask, emulator: Emulator, answer: Ask, cli: Cli, tmp_path: Path
) -> None:
    first = run("--yes")
    assert [(s["stage"], s["status"], s["submitted"]) for s in first["stages"]] == [
        ("mock", "passed", 1), ("hardware", "passed", 1),
    ]  # fmt: skip
    assert all(stage["emulated"] for stage in first["stages"])
    assert [line["alias"] for line in emulator.submissions()] == ["garnet:mock", "garnet"]
    mock, machine = body(tmp_path, "mock"), body(tmp_path, "hardware")
    assert mock.pop("calibration_set_id") != machine.pop("calibration_set_id")
    assert mock == machine

    again = run("--yes")
    assert (again["again"], again["run"], len(emulator.submissions())) == (True, first["run"], 2)

    grown = run("--yes", "--set", "sweep=[{grid: {n: [2, 3, 4]}}]")
    assert [(s["cached"], s["submitted"]) for s in grown["stages"]] == [(2, 1), (2, 1)]

    rows = json.loads(cli("export", grown["run"], "--format", "json").stdout)["rows"]
    assert [(row["stage"], row["emulated"], row["values"]["n"]) for row in rows] == [
        ("hardware", True, 2), ("hardware", True, 3), ("hardware", True, 4),
    ]  # fmt: skip
    assert all(sum(row["counts"].values()) == 200 == row["shots_returned"] for row in rows)
    assert all(row["comparison"]["hellinger_fidelity"] > 0.5 for row in rows)
    random = json.loads(cli("export", "--mock", "--format", "json").stdout)["rows"]
    assert {(row["stage"], row["random"]) for row in random} == {("mock", True)}
    assert cli("verify").returncode == 0
    everything = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert TOKEN.encode() not in everything


def test_nobody_agrees_without_a_terminal(run: Ask, emulator: Emulator) -> None:
    done = run(exit_code=4)
    assert [stage["status"] for stage in done["stages"]] == ["passed", "refused"]
    assert not accepted(emulator)


def test_hardware_needs_a_mock_that_accepted_the_same(run: Ask, emulator: Emulator) -> None:
    done = run("--yes", "--set", "stages=[hardware]", exit_code=4)
    assert "the mock has not accepted 2 points" in done["stages"][0]["verdict"][0]
    assert not emulator.submissions()
    done = run(
        "--yes", "--set", "stages=[hardware]", "--set", "require={mock: {waived: seen elsewhere}}"
    )
    assert done["stages"][0]["status"] == "passed"
    assert any("seen elsewhere" in reason for reason in done["stages"][0]["verdict"])


def test_a_mock_that_rejects_stops_the_run(run: Ask, emulator: Emulator) -> None:
    emulator.faults([{"on": "submit", "qc": "garnet:mock", "fault": "job-failed", "times": 1}])
    done = run("--yes", exit_code=5)
    assert [stage["status"] for stage in done["stages"]] == ["failed", "skipped"]
    assert not accepted(emulator)
    # asking a mock again costs nothing
    assert run("--yes")["exit"] == 0


def test_a_failed_machine_job_is_kept_and_not_paid_again(
    run: Ask, emulator: Emulator, cli: Cli, answer: Ask
) -> None:
    emulator.faults([{"on": "submit", "qc": "garnet", "fault": "job-failed", "times": 1}])
    done = run("--yes", exit_code=5)
    assert "failed" in done["stages"][1]["verdict"][0]
    assert run("--yes", exit_code=5)["stages"][1]["submitted"] == 0
    (job,) = accepted(emulator)
    answer("release", done["run"], job["job"][:8])
    assert run("--yes")["stages"][1]["submitted"] == 1
    assert len(accepted(emulator)) == 2


def test_an_answer_that_was_lost_is_unknown_until_adopted(
    run: Ask, emulator: Emulator, cli: Cli, answer: Ask
) -> None:
    emulator.faults([{"on": "submit", "qc": "garnet", "fault": "drop-after", "times": 1}])
    done = run("--yes", exit_code=8)
    assert done["stages"][1]["status"] == "unknown"
    run("--yes", exit_code=8)
    (line,) = accepted(emulator)
    other = accepted(emulator, "garnet:mock")[0]["job"]
    assert cli("adopt", done["run"], other, env=ENV).returncode == 2  # known as the mock's
    assert answer("adopt", done["run"], line["job"], env=ENV)["ids"] == [line["job"]]
    assert answer("resume", done["run"], env=ENV)["stages"][1]["status"] == "passed"
    assert len(accepted(emulator)) == 1


def test_a_job_that_never_was_is_released(run: Ask, emulator: Emulator, answer: Ask) -> None:
    emulator.faults(
        [{"on": "submit", "qc": "garnet", "fault": "status", "status": 500, "times": 1}]
    )
    done = run("--yes", exit_code=8)
    assert not accepted(emulator)
    key = done["stages"][1]["verdict"][0].split()[1].rstrip(":")
    answer("release", done["run"], key)
    assert answer("resume", done["run"], "--yes", env=ENV)["stages"][1]["submitted"] == 1
    assert len(accepted(emulator)) == 1


@pytest.mark.parametrize("lost", ["*-intent-*", "*"])
def test_a_job_whose_journal_was_lost_is_not_paid_again(
    lost: str, run: Ask, emulator: Emulator, cli: Cli, tmp_path: Path
) -> None:
    run("--yes")
    shutil.rmtree(tmp_path / "results" / "index", ignore_errors=True)
    kept = {}
    for path in (tmp_path / "results" / "jobs").glob(f"*/{lost}"):
        kept[path] = path.read_bytes()
    for path in kept:
        path.unlink()
    for folder in {path.parent for path in kept}:
        if not any(folder.iterdir()):
            folder.rmdir()
    before = len(accepted(emulator))
    assert cli("verify").returncode == 7
    error = run("--yes", exit_code=7)["error"]
    assert "git or a colleague's copy" in error["hint"]
    assert len(accepted(emulator)) == before
    for path, data in kept.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    assert cli("verify").returncode == 0
    assert run("--yes")["again"]


def test_copies_that_both_submitted_unite_and_each_run_keeps_its_counts(
    spec: Path, emulator: Emulator, answer: Ask, cli: Cli, tmp_path: Path
) -> None:
    """Two people submit the same job from copies of a folder, and unite them."""

    def rows(run: str, folder: str) -> list[tuple[Any, Any]]:
        told = json.loads(cli("export", run, "--format", "json", "--results", folder).stdout)
        return [(row["counts"], row["comparison"]) for row in told["rows"]]

    asked = ("run", spec, "--server", emulator.url, "--yes")
    runs = {
        folder: answer(*asked, "--results", folder, env=ENV)["run"] for folder in ("ours", "theirs")
    }
    apart = {folder: rows(run, folder) for folder, run in runs.items()}
    assert apart["ours"] != apart["theirs"]
    for path in (tmp_path / "theirs").rglob("*"):
        other = tmp_path / "ours" / path.relative_to(tmp_path / "theirs")
        if path.is_file() and not other.exists() and "index" not in path.parts:
            other.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, other)
    assert cli("verify", "ours").returncode == 0
    for folder, run in runs.items():
        assert rows(run, "ours") == apart[folder]
    told = answer("status", runs["ours"], "--results", "ours", env=ENV)["run"]["news"]
    assert ["paid twice" in line for line in told] == [True]
    (total,) = answer("ledger", "--results", "ours")["totals"]
    assert total["jobs"] == 2
    again = answer(*asked, "--results", "ours", env=ENV)
    assert len(accepted(emulator)) == 2
    assert any("paid twice" in line for line in again["stages"][1]["verdict"])


@pytest.fixture
def slow() -> Iterator[Emulator]:
    """An emulator with a queue that outlasts a test's patience."""
    with start(Options(queue_seconds=3600)) as emulator:
        yield emulator


def test_detach_wait_and_cancel(
    spec: Path, slow: Emulator, answer: Ask, cli: Cli, tmp_path: Path
) -> None:
    waived = ("--set", "stages=[hardware]", "--set", "require={mock: {waived: rehearsed}}")
    asked = ("run", spec, "--server", slow.url, "--yes", *waived)
    done = answer(*asked, "--detach", env=ENV, exit_code=9)
    assert done["stages"][0]["status"] == "waiting"
    assert answer(*asked, "--wait", "1s", env=ENV, exit_code=9)["stages"][0]["submitted"] == 0
    told = cli("status", done["run"]).stdout
    assert accepted(slow)[0]["job"] in told
    assert answer("cancel", done["run"], env=ENV)["jobs"][0]["cancelled"]
    ended = answer("resume", done["run"], env=ENV, exit_code=5)
    assert "cancelled" in ended["stages"][0]["verdict"][0]
    assert len(slow.submissions()) == 1


def test_the_end_of_a_walltime_leaves_the_job_to_resume(
    spec: Path, slow: Emulator, answer: Ask, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "iqm_spec", "run", str(spec), "--server", slow.url, "--yes"),
            *("--set", "stages=[mock]"),
        ],
        cwd=tmp_path,
        env={**os.environ, **ENV},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("results/jobs/*/*-submitted-*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 9, told
    assert "resume" in told
    assert len(slow.submissions()) == 1


def test_two_processes_submit_one_job(spec: Path, emulator: Emulator, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "iqm_spec",
        "run",
        str(spec),
        "--server",
        emulator.url,
        "--yes",
    ]
    env = {**os.environ, **ENV}
    both = [
        subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert len(accepted(emulator)) == 1
    assert len(accepted(emulator, "garnet:mock")) == 1


def test_a_teammate_fetches_what_was_submitted_before(
    spec: Path, answer: Ask, tmp_path: Path
) -> None:
    with start(Options(queue_seconds=6)) as emulator:
        asked = ("run", spec, "--server", emulator.url, "--set", "stages=[mock]")
        done = answer(*asked, "--detach", env=ENV, exit_code=9)
        theirs = tmp_path / "theirs"
        shutil.copytree(tmp_path / "results", theirs / "results")
        shutil.rmtree(theirs / "results" / "index", ignore_errors=True)
        assert answer(*asked, env=ENV, cwd=theirs)["stages"][0]["status"] == "passed"
        assert answer("resume", done["run"], env=ENV, cwd=theirs)["exit"] == 0
        assert len(emulator.submissions()) == 1


def test_jobs_keep_to_the_servers_limits(spec: Path, answer: Ask, tmp_path: Path) -> None:
    limits = {"max_circuits_per_job": 1, "max_shots_per_circuit": 120}
    with start(Options(speed=1000, limits=limits)) as emulator:
        done = answer("run", spec, "--server", emulator.url, "--yes", env=ENV)
        assert [stage["submitted"] for stage in done["stages"]] == [4, 4]
        export = answer("status", "latest")
        assert export["run"]["measured"] == 2
        assert len({line["sha256"] for line in accepted(emulator)}) >= 2
    rows = json.loads(
        subprocess.run(
            [sys.executable, "-m", "iqm_spec", "export", "--format", "json"],
            cwd=tmp_path, capture_output=True, check=True,
        ).stdout
    )["rows"]  # fmt: skip
    assert [row["shots_returned"] for row in rows] == [200, 200]


@pytest.mark.parametrize(
    ("slots", "options", "code", "words", "used"),
    [
        # the server tells that none is booked: nothing is tried
        ((), (), 4, "no timeslot is booked on garnet", [False]),
        # the user knows of one that the server does not tell of: the server has the last word
        ((), ("--slot", "1h"), 5, "no timeslot is booked", [False, True]),
        ((TimeWindow("garnet", 0, 1e9),), (), 0, "", [False, True]),
    ],
)
def test_timeslot_mode_never_stands_in_the_other_queue(
    slots: tuple[TimeWindow, ...],
    options: tuple[str, ...],
    code: int,
    words: str,
    used: list[bool],
    spec: Path,
    answer: Ask,
) -> None:
    with start(Options(speed=1000, slots=slots)) as emulator:
        asked = ("run", spec, "--server", emulator.url, "--yes", "--set", "mode=timeslot")
        done = answer(*asked, *options, env=ENV, exit_code=code)
        assert words in " ".join(done["stages"][1]["verdict"])
        assert [line["use_timeslot"] for line in emulator.submissions()] == used


def test_a_pinned_set_that_moved_is_told_and_one_that_is_gone_refused(
    run: Ask, spec: Path, answer: Ask
) -> None:
    with start(Options(speed=1000)) as emulator:
        asked = ("run", spec, "--server", emulator.url, "--yes")
        answer(*asked, "--until", "mock", env=ENV)
        emulator.move_calibration("garnet")
        done = answer(*asked, env=ENV)
        assert any("the pinned" in reason for reason in done["stages"][1]["verdict"])
        more = (*asked, "--set", "shots=100")
        answer(*more, "--until", "mock", env=ENV)
        emulator.withdraw_calibration("garnet")
        gone = answer(*more, env=ENV, exit_code=4)
        assert "--replan" in gone["stages"][1]["verdict"][0]
        assert answer(*more, "--replan", env=ENV)["stages"][1]["status"] == "passed"


def test_no_credentials_and_no_server_are_told(spec: Path, cli: Cli, answer: Ask) -> None:
    done = answer("run", spec, exit_code=4)
    assert "--server emulator" in done["stages"][0]["verdict"][0]
    wrong = cli("run", spec, "--server", "http://example.com", env=ENV)
    assert (wrong.returncode, "in the clear" in wrong.stderr) == (2, True)


def test_the_built_in_emulator_needs_no_credentials(spec: Path, answer: Ask, cli: Cli) -> None:
    done = answer("run", spec, "--server", "emulator")
    assert (done["server"], [s["status"] for s in done["stages"]]) == (
        "emulator", ["passed", "passed"],
    )  # fmt: skip
    again = answer("run", spec, "--server", "emulator")
    assert again["again"]
    assert cli("verify").returncode == 0


def test_runs_are_compared_stage_by_stage(spec: Path, answer: Ask) -> None:
    asked = ("run", spec, "--server", "emulator", "--set", "stages=[aer, mock, hardware]")
    first = answer(*asked)["run"]
    fresh = answer(*asked, "--fresh")["run"]
    same = answer("diff", first, first)["points"]
    assert [(p["stage"], p["same_record"]) for p in same] == [
        ("aer", True), ("aer", True), ("hardware", True), ("hardware", True),
    ]  # fmt: skip
    other = answer("diff", first, fresh)["points"]
    assert [p["same_record"] for p in other] == [True, True, False, False]
    assert all(p["total_variation_distance"] == 0 for p in other[:2])


def test_the_figures_of_the_calibration_set_are_kept_and_reported(
    cli: Cli, answer: Ask, tmp_path: Path
) -> None:
    (tmp_path / "kept.yaml").write_text(
        "iqm_spec: 1\nname: kept\ntarget: garnet\nshots: 100\nstages: [aer, mock, hardware]\n"
        "circuits: [{generator: bell}]\n"
    )
    run = answer("run", "kept.yaml", "--server", "emulator")["run"]
    saved = load_run(Store(tmp_path / "results"), run)
    (told,) = read_calibrations(Store(tmp_path / "results"), saved.calibrations)
    (row,) = [row for row in saved.rows(Store(tmp_path / "results")) if row.stage == "hardware"]
    assert row.record is not None
    assert told.calibration_set_id == row.record.calibration_set_id
    assert told.metrics["observations"]
    assert cli("report", run, "-o", "kept.md").returncode == 0
    assert "irb cz fidelity" in (tmp_path / "kept.md").read_text()
    answer("verify")
