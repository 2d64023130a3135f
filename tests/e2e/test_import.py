"""`iqm-spec import`: jobs of an older script come in where they fit the spec, and nowhere else."""

from __future__ import annotations

import copy
import json
import math
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from iqm_spec.emulator import Emulator, Options
from tests.emulators import start

pytestmark = pytest.mark.slow

Cli = Callable[..., subprocess.CompletedProcess[str]]
Ask = Callable[..., Any]
Body = dict[str, Any]

SPEC = """\
iqm_spec: 1
name: ghz
target: garnet
stages: [mock, hardware]
shots: 300
circuits:
  - generator: ghz
    args: {num_qubits: "${n}"}
sweep:
  - grid: {n: [2, 3, 4]}
require: {mock: {waived: "the older script did without"}}
"""
ENV = {"IQM_TOKEN": "any"}
HEADERS = {"Authorization": "Bearer any"}


@pytest.fixture(scope="module")
def native(shared: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Body:
    """The spec's circuits as a job of the machine."""
    import os
    import sys

    folder = tmp_path_factory.mktemp("native")
    (folder / "ghz.yaml").write_text(SPEC)
    asked = ["run", "ghz.yaml", "--server", shared.url, "--yes", "--detach"]
    done = subprocess.run(
        [sys.executable, "-m", "iqm_spec", *asked],
        cwd=folder, env={**os.environ, **ENV}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 9, done.stderr
    job = shared.submissions()[-1]["job"]
    body: Body = requests.get(f"{shared.url}/api/v1/jobs/{job}/payload", headers=HEADERS).json()
    assert len(body["circuits"]) == 3
    return body


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "ghz.yaml"
    path.write_text(SPEC)
    return path


def foreign(native: Body) -> Body:
    """As another program would have written it: other names, other orders, other spellings."""
    body = copy.deepcopy(native)
    for number, circuit in enumerate(body["circuits"]):
        circuit["name"], circuit["metadata"] = f"old {number}", {"by": "hand"}
        gates = [
            one for one in circuit["instructions"] if one["name"] not in ("measure", "barrier")
        ]
        rest = [one for one in circuit["instructions"] if one["name"] in ("measure", "barrier")]
        measures = [one for one in rest if one["name"] == "measure"]
        barriers = [one for one in rest if one["name"] == "barrier"]
        for one in gates:
            if one["name"] == "prx":  # as qiskit-iqm's transpiler writes them
                one["args"]["angle"] += 2e-16
                one["args"]["phase"] += 2 * math.pi
        circuit["instructions"] = gates + barriers + measures[::-1]
    body["circuits"].reverse()
    for name in ("dd_strategy", "qubit_mapping", "active_reset_cycles"):
        del body[name]
    return body


def post(emulator: Emulator, body: Body, computer: str = "garnet") -> str:
    url = f"{emulator.url}/api/v1/jobs/{computer}/circuit"
    reply = requests.post(url, json=body, headers=HEADERS)
    assert reply.ok, reply.text
    return str(reply.json()["id"])


def wait(emulator: Emulator, job: str) -> None:
    url = f"{emulator.url}/api/v1/jobs/{job}"
    for _ in range(100):
        if requests.get(url, headers=HEADERS).json()["status"] not in ("waiting", "processing"):
            return
        time.sleep(0.1)
    raise AssertionError("the job did not end")


def server_counts(emulator: Emulator, job: str) -> list[int]:
    url = f"{emulator.url}/api/v1/jobs/{job}/artifacts/measurement_counts"
    return [len(one["counts"]) for one in requests.get(url, headers=HEADERS).json()]


def journals(folder: Path) -> list[str]:
    return sorted(path.name.split("-")[1] for path in (folder / "results/jobs").glob("*/*.json"))


def test_a_job_of_a_script_becomes_a_run(
    spec: Path, answer: Ask, cli: Cli, emulator: Emulator, native: Body
) -> None:
    job = post(emulator, foreign(native))
    wait(emulator, job)
    before = emulator.submissions()
    at = ("--server", emulator.url)
    done = answer("import", spec, job.upper(), job, *at, env=ENV)
    assert [(one["id"], one["status"], one["known"]) for one in done["jobs"]] == [
        (job, "completed", False)
    ]
    (stage,) = done["stages"]
    assert (stage["stage"], stage["status"], stage["submitted"]) == ("hardware", "passed", 0)
    assert stage["emulated"] is True
    assert journals(spec.parent) == ["adopted", "claimed", "completed", "intent"]
    exported = cli("export", "latest", "--json")
    assert exported.returncode == 0, exported.stderr
    rows = [row for row in json.loads(exported.stdout)["rows"] if row["stage"] == "hardware"]
    assert [dict(row["values"])["n"] for row in rows] == [2, 3, 4]
    assert all(sum(row["counts"].values()) == 300 for row in rows)
    # the job had the circuits in the opposite order
    assert [len(row["counts"]) for row in rows] == server_counts(emulator, job)[::-1]
    again = answer("import", spec, job, *at, env=ENV)
    assert again["run"] is None
    assert (again["jobs"][0]["known"], again["jobs"][0]["run"]) == (True, done["run"])
    assert [one["run"] for one in answer("status")["runs"]] == [done["run"]]
    ran = answer("run", spec, "--yes", *at, env=ENV)
    assert [one["submitted"] for one in ran["stages"]] == [0, 0]
    assert emulator.submissions() == before
    assert cli("verify").returncode == 0


def changed(body: Body, change: str) -> tuple[Body, str]:
    """A job that differs in one thing, and its computer."""
    circuit = body["circuits"][0]
    match change:
        case "shots":
            body["shots"] = 200
        case "option":
            body["heralding_mode"] = "zeros"
        case "angle":
            circuit["instructions"][0]["args"]["angle"] = 1.25
        case "gate more":
            circuit["instructions"].insert(0, circuit["instructions"][0])
        case "twice":
            body["circuits"].append(circuit)
        case "computer":
            flip = {"name": "prx", "locus": ["QB1"], "args": {"angle": 1.0, "phase": 0.0}}
            look = {"name": "measure", "locus": ["QB1"], "args": {"key": "m_1_0_0"}}
            circuits = [{"name": "flip", "instructions": [flip, look]}]
            return {"circuits": circuits, "shots": 300}, "emerald"
    return body, "garnet"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("shots", "200 shots in the job and 300 in the spec"),
        ("option", 'heralding_mode is "zeros" in the job and "none" in the spec'),
        ("angle", "circuit 1 (old 2) is not ghz n=4: the first difference is prx(angle=1.25"),
        (
            "gate more",
            "circuit 1 (old 2) is not ghz n=4: the first difference: only the job has prx(angle=",
        ),
        ("twice", "circuit 4 (old 2) is ghz n=4, as is another circuit of the job"),
        ("computer", "it ran on emerald, and the spec's target is garnet"),
    ],
)
def test_what_does_not_fit_is_refused_as_a_whole(
    change: str, told: str, spec: Path, answer: Ask, emulator: Emulator, native: Body
) -> None:
    fits = post(emulator, foreign(native))
    body, computer = changed(foreign(native), change)
    job = post(emulator, body, computer)
    done = answer("import", spec, job, fits, "--server", emulator.url, exit_code=4, env=ENV)
    assert done["error"]["code"] == "refused.import"
    message = done["error"]["message"]
    assert message.startswith(f"job {job} does not match the spec: {told}")
    assert fits not in message
    assert journals(spec.parent) == []
    assert answer("status")["runs"] == []


def test_points_that_have_a_job_take_no_second_one(
    spec: Path, answer: Ask, emulator: Emulator, native: Body
) -> None:
    first, second = (post(emulator, foreign(native)) for _ in range(2))
    wait(emulator, second)
    at = ("--server", emulator.url)
    both = answer("import", spec, first, second, *at, exit_code=4, env=ENV)
    assert "ghz n=4, which has a job already (`repeat` allows" in both["error"]["message"]
    repeated = ("--set", "repeat=2")
    done = answer("import", spec, first, second, *at, *repeated, env=ENV)
    assert [one["status"] for one in done["jobs"]] == ["completed", "completed"]
    assert done["stages"][0]["points"] == done["stages"][0]["cached"] == 6


def test_part_of_a_spec_and_a_run_for_the_rest(
    spec: Path, answer: Ask, emulator: Emulator, native: Body
) -> None:
    body = foreign(native)
    del body["circuits"][0]
    names = sorted({q for c in body["circuits"] for i in c["instructions"] for q in i["locus"]})
    mapping = {name: f"q{number}" for number, name in enumerate(names)}
    for circuit in body["circuits"]:
        for one in circuit["instructions"]:
            one["locus"] = [mapping[name] for name in one["locus"]]
    body["qubit_mapping"] = [
        {"logical_name": ours, "physical_name": name} for name, ours in mapping.items()
    ]
    job = post(emulator, body)
    wait(emulator, job)
    at = ("--server", emulator.url)
    done = answer("import", spec, job, *at, env=ENV)
    assert done["stages"][0]["status"] == "waiting"
    assert "2 of 3 points" in done["stages"][0]["verdict"][0]
    before = len(emulator.submissions())
    ran = answer("run", spec, "--yes", *at, env=ENV)
    assert ran["stages"][-1]["submitted"] == 1
    (left,) = emulator.submissions()[before:]
    url = f"{emulator.url}/api/v1/jobs/{left['job']}/payload"
    sent = requests.get(url, headers=HEADERS).json()
    assert len(sent["circuits"]) == 1


def test_a_mock_job_and_a_stage_that_the_spec_lacks(
    spec: Path, answer: Ask, emulator: Emulator, native: Body
) -> None:
    job = post(emulator, {**foreign(native), "calibration_set_id": None}, "garnet:mock")
    wait(emulator, job)
    at = ("--server", emulator.url)
    no_mock = ("--set", "stages=[hardware]")
    done = answer("import", spec, job, *at, *no_mock, exit_code=4, env=ENV)
    assert "the spec has no mock stage" in done["error"]["message"]
    done = answer("import", spec, job, *at, env=ENV)
    assert [one["stage"] for one in done["stages"]] == ["mock"]
    assert done["stages"][0]["status"] == "passed"


def test_a_failed_job_is_a_record(
    spec: Path, answer: Ask, emulator: Emulator, native: Body
) -> None:
    emulator.faults([{"on": "submit", "fault": "job-failed", "message": "the fridge is warm"}])
    job = post(emulator, foreign(native))
    emulator.faults([])
    wait(emulator, job)
    done = answer("import", spec, job, "--server", emulator.url, exit_code=5, env=ENV)
    assert done["jobs"][0]["status"] == "failed"
    assert "the fridge is warm" in " ".join(done["stages"][0]["verdict"])
    # what failed may be answered by another job
    better = post(emulator, foreign(native))
    wait(emulator, better)
    done = answer("import", spec, better, "--server", emulator.url, env=ENV)
    assert done["stages"][0]["status"] == "passed"


def test_a_job_that_waits_is_kept_and_fetched_later(
    spec: Path, answer: Ask, native: Body, tmp_path: Path
) -> None:
    with start(Options(queue_seconds=8)) as slow:
        job = post(slow, {**foreign(native), "calibration_set_id": None})
        at = ("--server", slow.url)
        done = answer("import", spec, job, *at, exit_code=9, env=ENV)
        assert done["jobs"][0]["status"] == "waiting"
        assert done["stages"][0]["status"] == "waiting"
        wait(slow, job)
        resumed = answer("resume", "latest", "--yes", *at, env=ENV)
        assert resumed["run"] == done["run"]
        assert resumed["stages"][-1]["status"] == "passed"
        assert len(slow.submissions()) == 1


def test_without_credentials_with_an_odd_id_with_an_unknown_one(
    spec: Path, cli: Cli, answer: Ask, emulator: Emulator
) -> None:
    nobody = "3f2c9c6e-0b4d-4f4e-9a0e-0d6d1a3f5b7c"
    at = ("--server", emulator.url)
    assert cli("import", spec, nobody, *at).returncode == 4
    assert cli("import", spec, "job-1", *at, env=ENV).returncode == 2
    done = answer("import", spec, nobody, *at, exit_code=5, env=ENV)
    assert "knows no job" in done["error"]["message"]
    assert journals(spec.parent) == []
    text = cli("import", spec, nobody, *at, env=ENV)
    assert text.stdout == ""
    assert json.dumps(nobody).strip('"') in text.stderr


def in_turns(body: Body) -> Body:
    """As iqm-qdmi and older clients write it: turns for radians, `qubits` for `locus`."""
    for circuit in body["circuits"]:
        for one in circuit["instructions"]:
            one["qubits"] = one.pop("locus")
            if one["name"] == "prx":
                angle, phase = one["args"]["angle"], one["args"]["phase"]
                one["args"] = {"angle_t": angle / math.tau, "phase_t": phase / math.tau}
    return body


def test_a_job_in_another_form_is_the_same_job(
    spec: Path, answer: Ask, cli: Cli, emulator: Emulator, native: Body
) -> None:
    job = post(emulator, in_turns(foreign(native)))
    wait(emulator, job)
    done = answer("import", spec, job, "--server", emulator.url, env=ENV)
    assert done["stages"][0]["status"] == "passed"
    exported = json.loads(cli("export", "latest", "--json").stdout)["rows"]
    for row in exported:
        ends = {"0" * row["values"]["n"], "1" * row["values"]["n"]}
        assert sum(n for bits, n in row["counts"].items() if bits in ends) > 200


QIR = {"circuits": ["; ModuleID = 'bell'\ndefine void @main() { ret void }"], "shots": 300}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"body": QIR}, "cannot be imported: circuit 0 is QIR text"),
        ({"body": {"circuits": [], "shots": -1}}, "cannot be imported:"),
        ({"body": "\0\1\2\3 pulses"}, "does not hold circuits: its payload holds bytes"),
        (
            {"body": {}, "headers": {"IQM-Job-Type": "run"}},
            "does not hold circuits: its payload is of the type `run`",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_at_once(
    rule: Body, told: str, spec: Path, cli: Cli, emulator: Emulator, native: Body
) -> None:
    job = post(emulator, foreign(native))
    emulator.faults([{"on": "payload", "fault": "status", "status": 200, "times": None, **rule}])
    done = cli("import", spec, job, "--server", emulator.url, env=ENV)
    assert done.returncode == 4, done.stderr
    assert f"job {job} {told}" in " ".join(done.stderr.split())
    assert done.stderr.isprintable() or done.stderr.replace("\n", "").isprintable()
    assert "trying again" not in done.stderr
    assert journals(spec.parent) == []
