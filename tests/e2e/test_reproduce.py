"""`reproduce`: a run comes out as it was, and whatever was forged is found though hashes fit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.emulator import Emulator
from tests.conftest import Cli
from tests.forgery import Change, forge_bodies, forge_events, forge_object, forge_record

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]

SPEC = """\
iqm_spec: 1
name: pair
target: garnet
shots: 200
stages: [aer, mock, hardware]
circuits:
  - {generator: ghz, args: {num_qubits: "${n}"}}
  - {qasm: one.qasm, parameters: by-name}
sweep: [{grid: {n: [2, 3]}}, {grid: {theta: [0.3, 0.7]}}]
require: {aer: {hellinger_fidelity: {min: 0.4}}}
"""
QASM = """\
OPENQASM 3.0;
include "stdgates.inc";
input float[64] theta;
qubit[2] q; bit[2] c;
rx(theta) q[0];
cx q[0], q[1];
c = measure q;
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {"folder": tmp_path_factory.mktemp("original")}


@pytest.fixture
def results(original: dict[str, Path], cli: Cli, tmp_path: Path) -> Path:
    """A copy of a run's folder, nothing else beside it: neither spec nor circuit file."""
    folder = original["folder"]
    if not (folder / "results").exists():
        (folder / "pair.yaml").write_text(SPEC)
        (folder / "one.qasm").write_text(QASM)
        done = cli("run", "pair.yaml", "--server", "emulator", "--yes", cwd=folder)
        assert done.returncode == 0, done.stderr
    shutil.copytree(folder / "results", tmp_path / "results")
    return tmp_path / "results"


def wrong(document: Any) -> dict[str, list[str]]:
    """Names of the checks that found something, with what they found it at."""
    return {
        check["name"]: [one["what"] for one in check["mismatches"]]
        for check in document["checks"]
        if check["mismatches"]
    }


def test_a_run_comes_out_as_it_was(results: Path, answer: Ask, cli: Cli) -> None:
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()}
    told = answer("reproduce")
    assert told["same"]
    assert {check["name"]: check["total"] for check in told["checks"]} == {
        "files": told["checks"][0]["total"],
        "transpiled circuits": 4,
        "error profiles": 1,
        "Aer records": 4,
        "Aer distances": 4,
        "mock requests": 1,
        "hardware requests": 1,
        "hardware counts": 4,
        "hardware distances": 4,
        "spec": 4 + 4,
        "journals": 1 + 2,
        "verdicts": 2,
    }
    after = {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()}
    assert before == after
    shown = cli("reproduce", "pair", "-j", "2")
    assert shown.returncode == 0
    assert "Aer records: 4 of 4 agree" in shown.stdout


def one_more(record: dict[str, Any]) -> None:
    counts = record["counts"]
    one, other = list(counts)[:2]
    counts[one] += 1
    counts[other] -= 1


def many_more(record: dict[str, Any]) -> None:
    counts = record["counts"]
    most, least = max(counts, key=counts.get), min(counts, key=counts.get)
    counts[most], counts[least] = counts[least], counts[most]


def better(record: dict[str, Any]) -> None:
    record["comparison"]["hellinger_fidelity"] += 0.001


def turned(record: dict[str, Any]) -> None:
    record["angles"][0] += 0.01


def quieter(inputs: dict[str, Any]) -> None:
    inputs["profiles"]["garnet"]["t1_ns"]["QB1"] *= 2


FORGED: list[tuple[str, Change, dict[str, int]]] = [
    ("aer-records", one_more, {"Aer records": 1}),
    ("aer-derived", better, {"Aer distances": 1}),
    ("hardware-records", one_more, {"hardware distances": 1}),
    ("hardware-derived", better, {"hardware distances": 1}),
    ("hardware-records", lambda r: r["counts"].popitem(), {"hardware counts": 1}),
    ("circuits", turned, {"transpiled circuits": 1}),
]


@pytest.mark.parametrize(
    ("kind", "change", "found"),
    FORGED,
    ids=[f"{kind}-{number}" for number, (kind, *_) in enumerate(FORGED)],
)
def test_what_is_forged_is_found_though_all_hashes_fit(
    kind: str, change: Change, found: dict[str, int], results: Path, answer: Ask
) -> None:
    forge_record(results, kind, change)
    answer("verify")
    told = wrong(answer("reproduce", exit_code=7))
    assert found.items() <= {name: len(some) for name, some in told.items()}.items()


NOTHING = {
    "failed": ({"fault": "job-failed"}, 5),
    "cancelled": ({"fault": "job-cancelled"}, 5),
    "waiting": ({"fault": "job-stuck"}, 9),
    "rejected": ({"fault": "status", "status": 422}, 5),
    "unknown": ({"fault": "drop-after"}, 8),
}
"""What became of a machine's job: the emulator's fault, and the exit code of the run."""


@pytest.mark.parametrize("phase", NOTHING)
def test_requests_of_jobs_that_brought_nothing_are_made_again_too(
    phase: str, tmp_path: Path, emulator: Emulator, answer: Ask
) -> None:
    fault, code = NOTHING[phase]
    (tmp_path / "pair.yaml").write_text(SPEC[: SPEC.index("require")].replace("[aer, ", "["))
    (tmp_path / "one.qasm").write_text(QASM)
    emulator.faults([{"on": "submit", "qc": "garnet", "times": 1, **fault}])
    order = ("run", "pair.yaml", "--server", emulator.url, "--yes", "--wait", "8s")
    answer(*order, env={"IQM_TOKEN": "t"}, exit_code=code)
    told = {check["name"]: check["total"] for check in answer("reproduce")["checks"]}
    assert (told["mock requests"], told["hardware requests"]) == (1, 1)

    def more_shots(body: dict[str, Any]) -> None:
        body["shots"] += 1

    assert forge_bodies(tmp_path / "results", more_shots) == 2
    found = wrong(answer("reproduce", exit_code=7))
    assert found.keys() == {"mock requests", "hardware requests"}


def test_a_job_of_the_run_that_names_no_point_of_its_plan_is_found(
    results: Path, answer: Ask
) -> None:
    def elsewhere(fields: dict[str, Any]) -> None:
        if fields["stage"] == "mock":
            fields["parts"] = [["0" * 64, number] for _, number in fields["parts"]]

    forge_events(results, "jobs/*/*-intent-*", elsewhere)
    assert "mock requests" in wrong(answer("reproduce", exit_code=7))


def real(fields: dict[str, Any]) -> None:
    fields["emulated"] = False


def measured(fields: dict[str, Any]) -> None:
    for stage in fields["stages"]:
        stage["emulated"] = False


def longer(text: dict[str, Any]) -> None:
    if "shots: 200" in text["text"]:
        text["text"] = text["text"].replace("shots: 200", "shots: 9999")


def other_set(fields: dict[str, Any]) -> None:
    fields["calibration_set_id"] = "another"


def other_aer(environment: dict[str, Any]) -> None:
    environment["versions"]["qiskit-aer"] = "0.1"


def other_file(inputs: dict[str, Any]) -> None:
    inputs["architectures"]["garnet"]["gates"]["cz"].pop()


TOLD: list[tuple[str, str, Change, str, str]] = [
    ("event", "jobs/*/*-intent-*", real, "journals", "denies it"),
    ("event", "runs/*/*-ended-*", measured, "journals", "denies it"),
    ("event", "jobs/*/*-completed-*", lambda f: f.update(qpu_seconds=9.0), "journals", "its time"),
    (
        "event",
        "jobs/*/*-completed-*",
        lambda f: f.update(calibration_set_id="x"),
        "journals",
        "set",
    ),
    ("event", "runs/*/*-started-*", lambda f: f["wanted"].append("moon"), "journals", "stages"),
    ("event", "runs/*/*-started-*", lambda f: f["simulator"].update(aer="9"), "journals", "Aer 9"),
    (
        "object",
        "environment",
        lambda e: e["versions"].update({"qiskit-aer": "0.1"}),
        "journals",
        "Aer",
    ),
    ("object", "inputs", other_file, "spec", "another circuit"),
]


@pytest.mark.parametrize(("sort", "where", "change", "check", "why"), TOLD)
def test_what_contradicts_itself_is_found_though_all_hashes_fit(
    sort: str, where: str, change: Change, check: str, why: str, results: Path, answer: Ask
) -> None:
    if sort == "event":
        forge_events(results, where, change)
    else:
        forge_object(results, where, change)
    answer("verify")
    told = answer("reproduce", exit_code=7)
    (found,) = [one for one in told["checks"] if one["name"] == check]
    assert any(why in one["why"] for one in found["mismatches"]), found


def test_a_text_that_asks_for_something_else_is_found(results: Path, answer: Ask) -> None:
    forge_object(results, "text", longer, having="shots: 200")
    answer("verify")
    found = wrong(answer("reproduce", exit_code=7))
    assert len(found["spec"]) == 4


def test_a_passed_stage_without_its_counts_is_found(results: Path, answer: Ask, cli: Cli) -> None:
    """A journal's last event leaves no gap; the verdict of the run tells of it."""
    jobs = (results / "jobs").iterdir()
    (hardware,) = [
        job for job in jobs if b'"stage":"hardware"' in next(job.glob("*-intent-*")).read_bytes()
    ]
    next(hardware.glob("*-completed-*")).unlink()
    found = answer("reproduce", exit_code=7)
    assert wrong(found)["files"] == [f"jobs/{hardware.name}"]
    for command in ("status", "export", "report", "diff pair"):
        done = cli(*command.split(), "latest")
        assert done.returncode == 7, command
        assert "the counts of 4 of 8 results" in done.stderr, command
    shown = cli("status", "latest").stdout
    assert "damaged" in shown


def test_jobs_that_two_names_share_are_made_again_under_the_first(
    tmp_path: Path, answer: Ask
) -> None:
    (tmp_path / "two.yaml").write_text(
        "iqm_spec: 1\nname: two\ntarget: garnet\nshots: 100\nstages: [mock, hardware]\ncircuits:\n"
        "  - {name: a, generator: bell}\n  - {name: b, generator: bell, args: {state: phi+}}\n"
    )
    answer("run", "two.yaml", "--server", "emulator", "--yes")
    assert answer("reproduce")["same"]


def test_other_noise_than_the_plans_is_found(results: Path, answer: Ask) -> None:
    forge_object(results, "inputs", quieter)
    answer("verify")
    assert wrong(answer("reproduce", exit_code=7)) == {"error profiles": ["noise of garnet"]}


def test_a_damaged_file_ends_it(results: Path, answer: Ask) -> None:
    path = next((results / "objects").glob("*/*.jsonl"))
    path.write_bytes(path.read_bytes() + b"\n")
    told = answer("reproduce", exit_code=7)
    assert [check["name"] for check in told["checks"]] == ["files"]


def older(environment: dict[str, Any]) -> None:
    environment["versions"]["numpy"] = "1.0.0"


@pytest.mark.parametrize(
    ("change", "code"), [(one_more, 0), (many_more, 7)], ids=["a little", "much"]
)
def test_under_other_versions_counts_are_samples_of_one_distribution(
    change: Change, code: int, results: Path, answer: Ask
) -> None:
    forge_object(results, "environment", older)
    assert "although versions differ: numpy 1.0.0 then" in json.dumps(answer("reproduce"))
    forge_record(results, "aer-records", change)
    records = next(
        check
        for check in answer("reproduce", exit_code=code)["checks"]
        if check["name"] == "Aer records"
    )
    assert "1 have other counts, compared as samples of one distribution" in records["note"]
    assert len(records["mismatches"]) == (code > 0)


def test_an_interrupted_run_is_completed_without_its_spec(
    results: Path, answer: Ask, cli: Cli
) -> None:
    run = answer("status")["runs"][0]["run"]
    for event in (results / "runs" / run).glob("*"):
        if event.name[:4] != "0001":
            event.unlink()
    for path in sorted((results / "objects").glob("*/*.jsonl")):
        if b"iqm-spec/aer-" in path.read_bytes()[:40]:
            path.unlink()
    shutil.rmtree(results / "index")
    told = answer("reproduce")
    (records,) = [one for one in told["checks"] if one["name"] == "Aer records"]
    assert (records["total"], records["note"]) == (0, "the run did not reach 4 points")
    done = cli("resume", run, "--server", "emulator", "--yes")
    assert done.returncode == 0, done.stderr
    assert answer("reproduce")["same"]
