"""Exactly once: what an answer to a submission, or its absence, says about the job."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import DROP, HALF, HALF_HEAD, RESET, SILENCE, Answer, Scripted, http

from iqm_spec.server_api.address import Server
from iqm_spec.server_api.connection import connect
from iqm_spec.server_api.jobs import (
    Accepted,
    NotAccepted,
    Outcome,
    Rejected,
    Unknown,
    classify,
    submit,
)
from iqm_spec.server_api.reply import Reply

ID = "6a455e7e-ade9-4808-a8a7-dab2b6dff23e"


def told(code: str, message: str = "as it is") -> dict[str, str]:
    return {"error_code": code, "message": message, "request_id": "r-1"}


def send(answer: Answer) -> tuple[Outcome, int]:
    with Scripted([answer, http(200, {"id": ID})]) as server:
        connection = connect(Server("test", server.url), None, 0.5)
        outcome = submit(connection, "garnet", b"{}", False, "run-1")
        return outcome, len(server.requests)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(200, {"id": ID}), Accepted),
        (http(201, {"id": ID.upper(), "status": "waiting"}), Accepted),
        (http(200, b""), Unknown),
        (http(200, b"<html>"), Unknown),
        (http(200, {}), Unknown),
        (http(200, []), Unknown),
        (http(200, {"id": None}), Unknown),
        (http(200, {"id": 7}), Unknown),
        (http(200, {"id": "../../x"}), Unknown),
        (http(204, b""), Unknown),
        (http(301, b"", {"Location": "https://new.example"}), Rejected),
        (http(307, b""), Rejected),
        *[(http(status, told("x")), Rejected) for status in (400, 401, 403, 404, 409, 413, 422)],
        *[(http(status, b""), Rejected) for status in (400, 401, 403, 404, 413, 422)],
        (http(408), Unknown),
        (http(429), NotAccepted),
        *[(http(status, b"<html>"), Unknown) for status in (500, 502, 503, 504, 520, 526)],
        (DROP, Unknown),
        (RESET, Unknown),
        (SILENCE, Unknown),
        (HALF, Unknown),
        (HALF_HEAD, Unknown),
        (Answer(b"gibberish\n"), Unknown),
    ],
)
def test_outcomes(answer: Answer, kind: type[Any]) -> None:
    outcome, asked = send(answer)
    assert type(outcome) is kind, outcome
    assert asked == 1, "a submission is made once"


def test_nobody_there_is_not_accepted() -> None:
    outcome = submit(connect(Server("test", "http://127.0.0.1:9"), None), "garnet", b"{}", True, "")
    assert outcome == NotAccepted("the connection was refused", None)


def test_accepted_ids_are_plain() -> None:
    outcome, _ = send(http(200, {"id": ID.upper(), "status": "waiting"}))
    assert outcome == Accepted(ID, {"id": ID.upper(), "status": "waiting"})


@pytest.mark.parametrize(
    ("status", "code", "words", "hint"),
    [
        (400, "invalid_input", "does not take the request", ""),
        (401, "unauthorized", "does not accept the token", "IQM_TOKEN"),
        (403, "not_enough_credits", "not enough credits", "PI"),
        (403, "quota_exceeded", "quota is used up", "PI"),
        (403, "no_booked_timeslots", "no timeslot is booked", "Scheduler"),
        (403, "timeslot_required", "in timeslots only", "mode: timeslot"),
        (403, "something_new", "forbids it", "PI"),
        (404, "", "no such quantum computer", "doctor"),
        (413, "request_payload_too_large", "too large", "fewer"),
        (413, "", "too large", "fewer"),
        (422, "", "invalid", "doctor"),
        (418, "", "the server answered 418", ""),
    ],
)
def test_rejections_in_words(status: int, code: str, words: str, hint: str) -> None:
    outcome, _ = send(http(status, told(code)))
    assert isinstance(outcome, Rejected)
    assert (outcome.status, outcome.code) == (status, code)
    assert words in outcome.message
    assert outcome.message.endswith(": as it is (request r-1)")
    assert hint in outcome.hint


def test_redirects_say_where_to() -> None:
    outcome = classify(Reply(308, {"location": "https://new.example/api"}, b""))
    assert isinstance(outcome, Rejected)
    assert "https://new.example" in outcome.message
    assert "--server" in outcome.hint


def test_rate_limits_say_how_long() -> None:
    outcome, _ = send(http(429, told("rate_limit_exceeded"), {"Retry-After": "30"}))
    assert isinstance(outcome, NotAccepted)
    assert outcome.retry_after == 30


@pytest.mark.parametrize(("timeslot", "said"), [(True, b"true"), (False, b"false")])
def test_the_request(timeslot: bool, said: bytes) -> None:
    with Scripted([http(200, {"id": ID})]) as server:
        connection = connect(Server("test", server.url), None)
        submit(connection, "garnet:mock", b'{"a":1}', timeslot, "t" * 50)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    line = b"POST /api/v1/jobs/garnet:mock/circuit?use_timeslot=%s&tag=%s HTTP/1.1"
    assert head.startswith(line % (said, b"t" * 50))
    assert b"Content-Type: application/json" in head
    assert body == b'{"a":1}'


def test_a_tag_too_long_is_not_sent() -> None:
    with Scripted([]) as server, pytest.raises(ValueError, match="50"):
        submit(connect(Server("test", server.url), None), "garnet", b"{}", False, "t" * 51)
    assert server.requests == []
