"""Reports of jobs, whatever is missing, late, out of order or new in them."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from scripted import DROP, Answer, Scripted, http

from iqm_spec.canonical import canonical
from iqm_spec.errors import Refused
from iqm_spec.server_api.address import Server
from iqm_spec.server_api.connection import connect
from iqm_spec.server_api.errors import BadAnswer, UnknownJob
from iqm_spec.server_api.jobs import cancel, parse_job, read_job, read_payload
from iqm_spec.server_api.retry import READS, Retry

ID = "6a455e7e-ade9-4808-a8a7-dab2b6dff23e"
HASTY = Retry(evolve(READS, first_delay=0.01, deadline=0.05))


def entry(status: str, when: Any) -> dict[str, Any]:
    return {"source": "iqm-station-control", "status": status, "timestamp": when}


FULL: dict[str, Any] = {
    "id": ID,
    "status": "completed",
    "queue_position": None,
    "runtime_ms": 950,
    "compilation": {"calibration_set_id": "3902d525"},
    "messages": [{"source": "iqm-server", "message": "hello"}],
    "errors": [{"source": "x", "message": "went\x1bwrong", "error_code": "e1"}],
    "timeline": [
        entry("created", "2026-11-23T08:00:00Z"),
        entry("execution_started", "2026-11-23T08:00:01.5+00:00"),
        entry("execution_ended", "2026-11-23T08:00:04Z"),
    ],
}


def test_a_full_report() -> None:
    job = parse_job(FULL)
    assert (job.id, job.status, job.terminal, job.queue_position) == (ID, "completed", True, None)
    assert (job.calibration_set_id, job.runtime_ms) == ("3902d525", 950)
    assert job.messages == ("iqm-server: hello",)
    assert job.errors == ("x: went?wrong (e1)",)
    assert job.timeline[0] == ("iqm-station-control", "created", "2026-11-23T08:00:00Z")
    assert job.execution_seconds == 2.5
    assert job.raw is FULL


@pytest.mark.parametrize(
    ("status", "terminal"),
    [
        ("waiting", False),
        ("processing", False),
        ("completed", True),
        ("failed", True),
        ("cancelled", True),
        ("COMPLETED", True),
        ("pondering", False),
        ("expired", True),
    ],
)
def test_statuses(status: str, terminal: bool) -> None:
    assert parse_job({"status": status}).terminal is terminal


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"errors": None, "messages": None, "timeline": None, "compilation": None},
        {"errors": {}, "messages": "x", "timeline": [7, None], "compilation": []},
        {"errors": [None], "messages": [7], "queue_position": -1, "runtime_ms": "9", "id": 7},
        {"compilation": {}, "queue_position": True},
    ],
)
def test_what_is_missing_is_none(odd: dict[str, Any]) -> None:
    job = parse_job({"status": "waiting", **odd})
    assert (job.errors, job.messages, job.timeline) == ((), (), ())
    assert (job.queue_position, job.runtime_ms, job.calibration_set_id) == (None, None, None)
    assert job.execution_seconds is None


@pytest.mark.parametrize(
    ("timeline", "seconds"),
    [
        ([entry("execution_ended", "2026-11-23T08:00:04Z")], None),
        ([entry("execution_started", "2026-11-23T08:00:04Z")], None),
        (
            [
                entry("execution_ended", "2026-11-23T08:00:04"),
                entry("execution_started", "2026-11-23T08:00:01"),
            ],
            3.0,
        ),
        (
            [
                entry("execution_started", "2026-11-23T08:00:04Z"),
                entry("execution_ended", "2026-11-23T08:00:01Z"),
            ],
            None,
        ),
        ([entry("execution_started", "soon"), entry("execution_ended", "later")], None),
        ([entry("execution_started", 7), entry("execution_ended", None)], None),
    ],
)
def test_execution_seconds(timeline: list[Any], seconds: float | None) -> None:
    assert parse_job({"status": "completed", "timeline": timeline}).execution_seconds == seconds


@pytest.mark.parametrize("raw", [None, [], "x", {}, {"status": None}, {"status": 7}])
def test_what_is_no_job(raw: Any) -> None:
    with pytest.raises(BadAnswer, match="no job"):
        parse_job(raw)


@pytest.mark.parametrize("value", [2**60, "\ud800", 1e300])
def test_reports_can_be_stored_whatever_is_in_them(value: Any) -> None:
    assert canonical(parse_job({"status": "completed", "odd": value}).raw)


def ask(answer: Answer, call: Any) -> tuple[Any, bytes]:
    with Scripted([answer]) as server:
        connection = connect(Server("test", server.url), None, 1.0)
        try:
            return call(connection), server.requests[0].split(b" HTTP")[0]
        finally:
            assert len(server.requests) == 1


def test_reading() -> None:
    job, line = ask(http(200, FULL), lambda c: read_job(c, ID, HASTY))
    assert (job.id, line) == (ID, f"GET /api/v1/jobs/{ID}".encode())


def test_payloads() -> None:
    found, line = ask(http(200, {"shots": 1}), lambda c: read_payload(c, ID, HASTY))
    assert (found, line) == ({"shots": 1}, f"GET /api/v1/jobs/{ID}/payload".encode())


@pytest.mark.parametrize(("status", "kind"), [(404, UnknownJob), (401, Refused), (403, Refused)])
def test_jobs_that_cannot_be_read(status: int, kind: type[Exception]) -> None:
    for call in (read_job, read_payload):
        with pytest.raises(kind):
            ask(http(status), lambda c, call=call: call(c, ID, HASTY))


@pytest.mark.parametrize(
    ("answer", "done", "words"),
    [
        (http(200), True, "cancelled"),
        (http(204), True, "cancelled"),
        (http(403, {"error_code": "illegal_job_status"}), False, "ended already"),
        (http(404), False, "no such"),
        (http(502, b"<title>502</title>"), False, "502"),
        (DROP, False, "without an answer"),
    ],
)
def test_cancelling(answer: Answer, done: bool, words: str) -> None:
    (found, told), line = ask(answer, lambda c: cancel(c, ID))
    assert line == f"POST /api/v1/jobs/{ID}/cancel".encode()
    assert found is done
    assert words in told
