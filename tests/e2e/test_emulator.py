"""The emulator over HTTP, in processes of its own, seen by plain requests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests

from iqm_spec.emulator import Emulator, Options, TimeWindow
from iqm_spec.emulator import start as spawn
from iqm_spec.errors import JobFailed
from tests.emulators import start

pytestmark = pytest.mark.slow

SECRET = "token-that-nobody-must-see"
HEADERS = {"Authorization": f"Bearer {SECRET}"}
BODY = json.dumps(
    {
        "circuits": [
            {
                "name": "flip",
                "instructions": [
                    {"name": "prx", "locus": ["QB1"], "args": {"angle": 3.14159265, "phase": 0.0}},
                    {"name": "measure", "locus": ["QB1", "QB2"], "args": {"key": "m"}},
                ],
            }
        ],
        "shots": 50,
    }
)


class Api:
    """Calls of the API by plain requests."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.call("GET", path, **more)

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        url = f"{self.emulator.url}/api/v1/{path}"
        return self.session.request(method, url, **{"headers": HEADERS, "timeout": 60, **more})

    def submit(self, qc: str = "garnet", body: str = BODY, **params: Any) -> requests.Response:
        return self.call("POST", f"jobs/{qc}/circuit", data=body.encode(), params=params)

    def wait(self, job: str) -> Any:
        for _ in range(20):
            path = f"jobs/{job}?wait_until_terminal=true&timeout_seconds=20"
            answer = self.get(path)
            if "IQM-Long-Poll-Timed-Out" not in answer.headers:
                return answer.json()
        raise AssertionError("the job does not end")

    def finished(self, qc: str = "garnet") -> str:
        job = str(self.submit(qc).json()["id"])
        assert self.wait(job)["status"] == "completed"
        return job


@pytest.fixture(scope="module")
def ours() -> Iterator[Api]:
    """An emulator that no other file has jobs at, and one that is started as users start it."""
    with spawn(Options(speed=1e4)) as emulator:
        yield Api(emulator)


@pytest.fixture
def api(ours: Api) -> Iterator[Api]:
    yield ours
    ours.emulator.faults([])


Start = Callable[..., Api]


@pytest.fixture
def begin() -> Iterator[Start]:
    running: list[Emulator] = []

    def run(**options: Any) -> Api:
        running.append(start(Options(**{"speed": 1e4, **options})))
        return Api(running[-1])

    yield run
    for emulator in running:
        emulator.stop()


def test_a_job_from_submission_to_counts(api: Api) -> None:
    accepted = api.submit(tag="mine")
    assert accepted.status_code == 200
    job = accepted.json()["id"]
    done = api.wait(job)
    assert done["status"] == "completed"
    assert done["tag"] == "mine"
    assert done["qc"]["alias"] == "garnet"
    assert done["runtime_ms"] == pytest.approx(884 + 50 * 0.35, abs=1)
    (counts,) = api.get(f"jobs/{job}/artifacts/measurement_counts").json()
    assert sum(counts["counts"].values()) == 50
    assert max(counts["counts"], key=counts["counts"].get) == "10"
    (measured,) = api.get(f"jobs/{job}/artifacts/measurements").json()
    assert len(measured["m"]) == 50
    assert {len(shot) for shot in measured["m"]} == {2}
    assert api.get(f"jobs/{job}/payload").content == BODY.encode()


@pytest.mark.parametrize(
    "path",
    [
        "quantum-computers",
        "quantum-computers/garnet",
        "quantum-computers/garnet:mock/limits",
        "quantum-computers/garnet/health",
        "quantum-computers/garnet/queue-availability",
        "quantum-computers/garnet/timeslots",
        "quantum-computers/sirius/artifacts/static-quantum-architectures",
        "calibration-sets/emerald/default",
        "calibration-sets/emerald:mock/default/metrics",
        "calibration-sets/deneb/default/dynamic-quantum-architecture",
    ],
)
def test_what_the_server_tells(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 200
    assert answer.headers["RateLimit-Limit"] == "2000"
    assert answer.json()


def test_details_have_the_newer_shape(api: Api) -> None:
    told = api.get("quantum-computers/garnet").json()
    assert told["number_of_qubits"] == 20
    assert told["operational_status"] == "online"
    assert told["pricing"] == {"payg_price_per_second": "0.30"}
    assert told["queue_length"] == 0
    assert told["limits"]["max_shots_per_circuit"] == 20_000
    by_id = api.get(f"quantum-computers/{told['id']}").json()
    assert by_id["alias"] == "garnet"


def test_an_emulator_says_that_it_is_one(api: Api) -> None:
    told = api.session.get(f"{api.emulator.url}/emulator").json()
    assert told["emulator"] == "iqm-spec"
    assert "sirius:mock" in told["quantum_computers"]


def test_on_premises_has_one_machine_and_the_older_shape(begin: Start) -> None:
    api = begin(on_premises="garnet")
    listed = api.get("quantum-computers").json()["quantum_computers"]
    assert [item["alias"] for item in listed] == ["default"]
    told = api.get("quantum-computers/default").json()
    assert told["status"]["health"]["healthy"] is True
    assert not {"operational_status", "queue_length", "health", "pricing"} & told.keys()
    assert api.get("quantum-computers/default/timeslots").status_code == 404
    api.finished("default")


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Basic x"}, 401), ({"Authorization": "Bearer "}, 401),
     ({"Authorization": "Bearer any"}, 200)],
)  # fmt: skip
def test_a_token_is_needed(api: Api, headers: dict[str, str], status: int) -> None:
    answer = api.get("quantum-computers", headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["error_code"] == "unauthorized"


def test_one_token_alone_can_be_accepted(begin: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_TOKEN", SECRET)
    api = begin(token_env="REHEARSAL_TOKEN")
    other = {"Authorization": "Bearer other"}
    assert api.get("quantum-computers").status_code == 200
    assert api.get("quantum-computers", headers=other).status_code == 401
    late = api.get("jobs/x?wait_until_terminal=true", headers=other)
    assert late.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "quantum-computers/nope", 404, "quantum_computer_not_found"),
        ("GET", "calibration-sets/garnet/nope/dynamic-quantum-architecture", 404,
         "calibration_set_not_found"),
        ("GET", "jobs/nope", 404, "job_not_found"),
        ("GET", "jobs/11111111-2222-3333-4444-555555555555", 404, "job_not_found"),
        ("GET", "jobs", 404, "not_found"),
        ("PUT", "quantum-computers", 405, "method_not_allowed"),
        ("POST", "jobs/garnet/circuit?use_timeslot=banana", 422, "validation_error"),
        ("POST", "jobs/garnet/sweep", 400, "invalid_input"),
        ("POST", "jobs/garnet/circuit", 400, "invalid_input"),
        ("POST", "jobs/garnet/circuit?use_timeslot=true", 400, "invalid_input"),
        ("POST", "quantum-computers/garnet/timeslots", 403, "forbidden"),
        ("GET", "quantum-computers/garnet/timeslots?timerange_start=now", 400, "invalid_input"),
    ],
)  # fmt: skip
def test_errors_look_like_the_apis(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    answer = api.call(method, path)
    assert answer.status_code == status
    told = answer.json()
    assert told["error_code"] == code
    assert {"message", "request_id"} <= told.keys()


@pytest.mark.parametrize(
    ("rule", "status", "content"),
    [
        ({"status": 520, "body": "<html>520</html>",
          "headers": {"Content-Type": "text/html"}}, 520, b"<html>520</html>"),
        ({"status": 502}, 502, b""),
        ({"status": 500, "body": {}}, 500, b"{}"),
        ({"status": 503, "body": "[]"}, 503, b"[]"),
        ({"status": 504, "body": "null"}, 504, b"null"),
        ({"status": 429, "error_code": "rate_limit_exceeded",
          "headers": {"Retry-After": "3"}}, 429, None),
        ({"status": 401, "error_code": "unauthorized"}, 401, None),
        ({"status": 403, "error_code": "not_enough_credits"}, 403, None),
        ({"status": 413, "error_code": "request_payload_too_large"}, 413, None),
        ({"status": 422, "error_code": "validation_error"}, 422, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("processed", [False, True])
def test_any_status_and_body_on_request(
    api: Api, rule: dict[str, Any], status: int, content: bytes | None, processed: bool
) -> None:
    api.emulator.faults([{"fault": "status", "on": "submit", "processed": processed, **rule}])
    answer = api.submit()
    assert answer.status_code == status
    if content is not None:
        assert answer.content == content
    else:
        assert answer.json()["error_code"] == rule["error_code"]
    for name, value in rule.get("headers", {}).items():
        assert answer.headers[name] == value
    line = api.emulator.submissions()[-1]
    assert line["fault"] == "status"
    assert (line["job"] is not None) == processed
    assert api.submit().status_code == 200


@pytest.mark.parametrize(
    ("fault", "error", "accepted"),
    [
        ("drop-before", requests.ConnectionError, False),
        ("drop-after", requests.ConnectionError, True),
        ("half-answer", requests.exceptions.ChunkedEncodingError, True),
    ],
)
def test_connections_break(api: Api, fault: str, error: type[Exception], accepted: bool) -> None:
    api.emulator.faults([{"fault": fault, "on": "submit"}])
    with pytest.raises(error):
        api.submit(tag="lost")
    line = api.emulator.submissions()[-1]
    assert (line["fault"], line["tag"]) == (fault, "lost")
    assert (line["job"] is not None) == accepted
    if accepted:
        assert api.wait(line["job"])["status"] == "completed"
    assert api.submit().status_code == 200


def test_an_answer_that_cannot_be_read(api: Api) -> None:
    api.emulator.faults([{"fault": "garbage", "on": "submit"}])
    answer = api.submit()
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert api.wait(api.emulator.submissions()[-1]["job"])["status"] == "completed"


def test_an_answer_that_takes_its_time(api: Api) -> None:
    api.emulator.faults([{"fault": "slow", "on": "submit", "seconds": 0.7}])
    with pytest.raises(requests.ReadTimeout):
        api.call("POST", "jobs/garnet/circuit", data=BODY, timeout=0.3)
    line = api.emulator.submissions()[-1]
    assert line["job"]
    assert api.wait(line["job"])["status"] == "completed"


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        ({"set": {"errors": None}}, {"errors": None}),
        ({"set": {"status": "calibrating"}}, {"status": "calibrating"}),
        ({"set": {"timeline": []}}, {"timeline": []}),
    ],
)
def test_jobs_are_rewritten(api: Api, rule: dict[str, Any], seen: dict[str, Any]) -> None:
    job = api.finished()
    api.emulator.faults([{"fault": "rewrite", "on": "job", **rule}])
    told = api.get(f"jobs/{job}").json()
    assert {name: told[name] for name in seen} == seen
    assert api.get(f"jobs/{job}").json()["status"] == "completed"


def test_fields_of_a_job_can_be_missing(api: Api) -> None:
    job = api.finished()
    api.emulator.faults([{"fault": "rewrite", "on": "job", "remove": ["timeline", "errors"]}])
    assert not {"timeline", "errors"} & api.get(f"jobs/{job}").json().keys()


def test_jobs_fail_end_and_get_stuck(api: Api) -> None:
    rules = [
        {"fault": "job-failed", "on": "submit", "message": "no qubits", "error_code": "oops"},
        {"fault": "job-cancelled", "on": "submit"},
        {"fault": "job-stuck", "on": "submit"},
    ]
    api.emulator.faults(rules)
    failed, cancelled, stuck = (api.submit().json()["id"] for _ in rules)
    told = api.wait(failed)
    assert told["status"] == "failed"
    assert told["errors"] == [
        {"message": "no qubits", "error_code": "oops", "source": "iqm-station-control"}
    ]
    assert api.get(f"jobs/{failed}/artifacts/measurements").status_code == 404
    assert api.wait(cancelled)["status"] == "cancelled"
    answer = api.get(f"jobs/{stuck}?wait_until_terminal=true&timeout_seconds=0.2")
    assert answer.headers["IQM-Long-Poll-Timed-Out"] == "true"
    assert answer.json()["status"] == "waiting"
    assert api.call("POST", f"jobs/{stuck}/cancel").json()["status"] == "cancelled"
    assert api.call("POST", f"jobs/{stuck}/cancel").json()["error_code"] == "illegal_job_status"


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("computers", "quantum-computers"),
        ("architecture", "calibration-sets/garnet/default/dynamic-quantum-architecture"),
        ("job", "jobs/{job}"),
        ("payload", "jobs/{job}/payload"),
        ("measurements", "jobs/{job}/artifacts/measurements"),
        ("measurement-counts", "jobs/{job}/artifacts/measurement_counts"),
    ],
)
def test_reading_can_fail_too(api: Api, call: str, path: str) -> None:
    path = path.format(job=api.finished("garnet:mock"))
    rules = [
        {"fault": "status", "on": call, "status": 520, "body": "<html>"},
        {"fault": "drop-before", "on": call},
        {"fault": "half-answer", "on": call},
        {"fault": "garbage", "on": call},
    ]
    api.emulator.faults(rules)
    assert api.get(path).status_code == 520
    with pytest.raises(requests.ConnectionError):
        api.get(path)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.get(path)
    assert api.get(path).content.startswith(b'{"id": "4f1c')
    assert api.get(path).status_code == 200


def test_a_calibration_set_moves_and_goes(begin: Start) -> None:
    api = begin()
    path = "calibration-sets/garnet/{}/dynamic-quantum-architecture"
    first = api.get(path.format("default")).json()["calibration_set_id"]
    api.emulator.faults([{"fault": "move-calibration", "on": "submit"}])
    job = api.submit().json()["id"]
    second = api.get(path.format("default")).json()["calibration_set_id"]
    assert first != second
    assert api.wait(job)["compilation"]["calibration_set_id"] == second
    assert api.get(path.format(first)).status_code == 200
    pinned = json.dumps({**json.loads(BODY), "calibration_set_id": second})
    third = api.emulator.withdraw_calibration("garnet")
    assert api.get(path.format(second)).status_code == 404
    refused = api.submit(body=pinned)
    assert (refused.status_code, refused.json()["error_code"]) == (404, "calibration_set_not_found")
    assert api.emulator.move_calibration("garnet") != third
    with pytest.raises(ValueError, match="no quantum computer"):
        api.emulator.move_calibration("nope")


def test_rules_that_are_wrong_are_refused(api: Api) -> None:
    with pytest.raises(ValueError, match="explode"):
        api.emulator.faults([{"fault": "explode"}])
    assert api.session.get(f"{api.emulator.url}/emulator/faults").json() == []


def test_the_ledger_has_every_submission_and_no_token(begin: Start) -> None:
    api = begin()
    job = api.submit(qc="garnet:mock", tag="t").json()["id"]
    api.submit(body="{}", use_timeslot="true")
    api.call("POST", f"jobs/{job}/cancel")
    lines = api.session.get(f"{api.emulator.url}/emulator/ledger").json()
    assert lines == api.emulator.ledger()
    first, second, third = lines
    assert first["time"] == pytest.approx(time.time(), abs=60)
    del first["time"]
    assert first == {
        "call": "submit",
        "alias": "garnet:mock",
        "use_timeslot": False,
        "tag": "t",
        "sha256": sha256(BODY.encode()).hexdigest(),
        "job": job,
        "status": 200,
        "rejected": None,
        "fault": None,
    }
    assert (second["use_timeslot"], second["rejected"]) == (True, "validation_error")
    assert third["call"] == "cancel"
    for path in api.emulator.state.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


def test_a_temporary_state_goes_and_the_ledger_stays(begin: Start) -> None:
    api = begin()
    job = api.submit("garnet:mock").json()["id"]
    assert api.emulator.state.is_dir()
    api.emulator.stop()
    assert not api.emulator.state.exists()
    assert [line["job"] for line in api.emulator.submissions()] == [job]


def test_two_processes_on_one_directory_are_one_server(begin: Start, tmp_path: Path) -> None:
    state = tmp_path / "state"
    one, two = begin(state=state), begin(state=state)
    one.emulator.faults([{"fault": "status", "on": "submit", "skip": 1, "status": 500}])
    apis = [one, two] * 6
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda api: api.submit("garnet:mock"), apis))
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [500]
    ids = [answer.json()["id"] for answer in answers if answer.ok]
    for number, job in enumerate(ids):
        assert [one, two][number % 2].wait(job)["status"] == "completed"
    path = f"jobs/{ids[0]}/artifacts/measurements"
    assert one.get(path).content == two.get(path).content
    assert one.emulator.ledger() == two.emulator.ledger()
    assert {line["job"] for line in one.emulator.submissions()} == {*ids, None}
    # one machine runs one job after another, whoever accepted it
    spans = []
    for job in ids:
        at = {entry["status"]: entry["timestamp"] for entry in one.wait(job)["timeline"]}
        spans.append((at["received"], at["ready"]))
    assert len(set(spans)) == len(ids)


def test_a_restart_forgets_nothing(begin: Start, tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = begin(state=state, speed=1.0, queue_seconds=2.0)
    job = first.submit(tag="kept").json()["id"]
    assert first.get(f"jobs/{job}").json()["status"] == "waiting"
    first.emulator.kill()
    second = begin(state=state)
    told = second.wait(job)
    assert (told["status"], told["tag"]) == ("completed", "kept")
    assert [line["job"] for line in second.emulator.submissions()] == [job]
    at = {entry["status"]: entry["timestamp"] for entry in told["timeline"]}
    assert at["created"] < at["execution_started"] < at["ready"]


def test_jobs_wait_in_the_queue_and_tell_their_position(begin: Start) -> None:
    api = begin(speed=1.0, queue_seconds=600.0)
    jobs = [api.submit("garnet").json() for _ in range(3)]
    assert [job["queue_position"] for job in jobs] == [0, 1, 2]
    assert {job["status"] for job in jobs} == {"waiting"}
    assert api.get("quantum-computers/garnet").json()["queue_length"] == 3
    assert api.get("quantum-computers/garnet/queue-availability").json()["queue_length"] == 3
    api.call("POST", f"jobs/{jobs[0]['id']}/cancel")
    assert api.get(f"jobs/{jobs[2]['id']}").json()["queue_position"] == 1
    assert api.call("DELETE", f"jobs/{jobs[1]['id']}").status_code == 204
    assert api.get(f"jobs/{jobs[1]['id']}").status_code == 404


def test_timeslots_and_windows_are_told_and_kept_apart(begin: Start) -> None:
    api = begin(
        speed=1.0,
        slots=(TimeWindow("garnet", -10, 3600), TimeWindow("emerald", 3600, 7200)),
        windows=(TimeWindow("sirius", 3600, 7200),),
        timeslot_only=("deneb",),
    )
    told = api.get("quantum-computers/garnet/timeslots").json()
    assert [slot["price"] for slot in told["booked_slots"]] == ["902.50"]
    assert api.get("quantum-computers/garnet:mock/timeslots").json()["booked_slots"] == []
    assert api.submit("garnet", use_timeslot="true").status_code == 200
    assert api.submit("emerald", use_timeslot="true").json()["status"] == "waiting"
    for qc, params, code in (
        ("garnet:mock", {"use_timeslot": "true"}, "no_booked_timeslots"),
        ("sirius", {"use_timeslot": "true"}, "no_booked_timeslots"),
        ("deneb", {}, "timeslot_required"),
    ):
        refused = api.submit(qc, **params)
        assert (refused.status_code, refused.json()["error_code"]) == (403, code)
    (window,) = api.get("quantum-computers/sirius/queue-availability").json()["available"]
    assert window["start"] < window["end"]
    assert api.submit("sirius").json()["status"] == "waiting"


def test_credits_run_out_on_machines_and_not_on_mocks(begin: Start) -> None:
    api = begin(credits=0.5)
    assert api.submit("garnet").status_code == 200
    refused = api.submit("garnet")
    assert (refused.status_code, refused.json()["error_code"]) == (403, "not_enough_credits")
    assert api.submit("garnet:mock").status_code == 200


def test_the_rate_limit_holds(begin: Start) -> None:
    api = begin(speed=1.0)
    for _ in range(20):
        answer = api.submit("garnet:mock", body="{}")
        assert answer.status_code == 422
    blocked = api.get("quantum-computers")
    assert (blocked.status_code, blocked.json()["error_code"]) == (429, "rate_limit_exceeded")
    assert 25 <= int(blocked.headers["Retry-After"]) <= 30
    free = begin(speed=1.0, rate_limit=False)
    assert {free.get("quantum-computers").status_code for _ in range(201)} == {200}


def test_it_answers_while_it_simulates(begin: Start) -> None:
    api = begin()
    qubits = [f"QB{i}" for i in range(1, 8)]
    ops: list[Any] = [
        {"name": "prx", "locus": [q], "args": {"angle": 0.3, "phase": 0.1}} for q in qubits
    ] * 200
    ops.append({"name": "measure", "locus": qubits, "args": {"key": "m"}})
    circuits = [{"name": "long", "instructions": ops}] * 5
    job = api.submit(body=json.dumps({"circuits": circuits, "shots": 100})).json()["id"]
    slowest = 0.0
    while True:
        began = time.perf_counter()
        if api.get(f"jobs/{job}").json()["status"] == "completed":
            break
        slowest = max(slowest, time.perf_counter() - began)
        time.sleep(0.01)
    assert slowest < 1.0


HEAVY = json.dumps(
    {
        "circuits": [
            {
                "name": "heavy",
                "instructions": [
                    *(
                        {
                            "name": "prx",
                            "locus": [f"QB{i}"],
                            "args": {"angle": 0.3 + i, "phase": 0.1},
                        }
                        for i in range(1, 15)
                    ),
                    *({"name": "cz", "locus": ["QB1", "QB2"], "args": {}} for _ in range(60)),
                    {
                        "name": "measure",
                        "locus": [f"QB{i}" for i in range(1, 15)],
                        "args": {"key": "m"},
                    },
                ],
            }
        ],
        "shots": 20_000,
    }
)
"""Takes Aer longer than a test may last."""


def test_cancelling_ends_the_simulation(begin: Start) -> None:
    api = begin()
    job = api.submit(body=HEAVY).json()["id"]
    light = api.submit().json()["id"]
    time.sleep(2)
    assert api.get(f"jobs/{job}").json()["status"] == "processing"
    assert api.call("POST", f"jobs/{job}/cancel").status_code == 200
    began = time.perf_counter()
    assert api.wait(light)["status"] == "completed"
    assert time.perf_counter() - began < 20


def test_stopping_in_the_middle_of_a_simulation_fails_no_job(begin: Start, tmp_path: Path) -> None:
    first = begin(state=tmp_path / "state")
    job = first.submit(body=HEAVY).json()["id"]
    time.sleep(2)
    began = time.perf_counter()
    first.emulator.stop()
    assert time.perf_counter() - began < 4
    second = begin(state=tmp_path / "state")
    assert second.get(f"jobs/{job}").json()["status"] == "processing"
    second.call("POST", f"jobs/{job}/cancel")


def test_it_ends_with_its_parent() -> None:
    code = (
        "from iqm_spec.emulator import start\n"
        "import os, signal\n"
        "print(start().url, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    end = time.monotonic() + 15
    while time.monotonic() < end:
        try:
            requests.get(done.stdout.strip(), timeout=5)
        except requests.ConnectionError:
            return
        time.sleep(0.1)
    raise AssertionError("the emulator outlives its parent")


def test_a_state_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(JobFailed, match=r"thesis\.tex"):
        spawn(Options(state=tmp_path))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_told_to_end(tmp_path: Path, number: int) -> None:
    (tmp_path / "faults.json").write_text('[{"fault": "status", "on": "computers", "status": 520}]')
    command = ["--speed", "1000", "--slot", "garnet:mock:0:60", "--json"]
    command += ["--spread", "0.5", "--calibration-seed", "7", "--drift", "0", "--no-idle"]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "iqm_spec",
            "emulator",
            *command,
            "--faults",
            str(tmp_path / "faults.json"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    emulator = Emulator(process, told["url"], Path(told["state"]))  # type: ignore[arg-type]
    assert Api(emulator).get("quantum-computers").status_code == 520
    assert Api(emulator).get("quantum-computers").status_code == 200
    machines = json.loads((emulator.state / "calibration" / "machines.json").read_text())
    assert machines == {"spread": 0.5, "seed": 7, "drift": 0.0, "idle": False}
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert out == ""
    assert "Ctrl-C" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--slot", "garnet"), "is not QC:FROM:TO"),
        (("--limit", "max_shots_per_circuit"), "is not NAME=N"),
        (("--limit", "cats=4"), "no limit is called cats"),
        (("--speed", "0"), "speed"),
        (("--on-premises", "pyrite"), "pyrite"),
        (("--faults", "none.json"), "cannot read"),
        (("--faults", "bad.json"), "explode"),
        (("--token-env", "NOT_SET"), "NOT_SET"),
        (("--spread", "-1"), "the spread must be between 0 and 3"),
        (("--drift", "nan"), "the drift must be between 0 and 3"),
        (("--calibration-seed", "x"), "x"),
    ],
)
def test_mistakes_on_the_command_line_are_told(
    cli: Callable[..., Any], tmp_path: Path, args: tuple[str, str], told: str
) -> None:
    (tmp_path / "bad.json").write_text('[{"fault": "explode"}]')
    done = cli("emulator", *args)
    assert done.returncode == 2
    assert told in done.stderr
