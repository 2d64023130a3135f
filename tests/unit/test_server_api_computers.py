"""What a server tells of its computers, in both shapes, in part, and in nonsense."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from scripted import Answer, Scripted, http

from iqm_spec.errors import JobFailed, Refused
from iqm_spec.server_api.address import Server
from iqm_spec.server_api.computers import (
    Computer,
    ComputerInfo,
    Slot,
    find_computer,
    list_computers,
    read_architecture,
    read_computer_info,
)
from iqm_spec.server_api.connection import Connection, connect
from iqm_spec.server_api.errors import BadAnswer, CalibrationGone
from iqm_spec.server_api.retry import READS, Retry
from iqm_spec.targets import architecture

HASTY = Retry(evolve(READS, first_delay=0.01, deadline=0.05))
SET = "3902d525-d8f4-42c0-9fa9-6bbd535b6c80"


def to(server: Scripted) -> Connection:
    return connect(Server("test", server.url), None, 2.0)


def offer_of(*answers: Answer) -> tuple[ComputerInfo, list[str]]:
    with Scripted(answers) as server:
        offer = read_computer_info(to(server), "garnet", HASTY)
        return offer, [r.split(b" ")[1].decode().split("?")[0][8:] for r in server.requests]


LIMITS = {
    "max_instructions_per_circuit": 10000,
    "max_shots_per_circuit": 20000,
    "max_circuits_per_job": 200,
    "max_executions_per_job": 1000000,
    "max_queued_jobs_per_user": 10,
}
NEWER = {
    "alias": "garnet",
    "limits": LIMITS,
    "operational_status": "online",
    "health": {"healthy": True},
    "queue_length": 3,
    "pricing": {"payg_price_per_second": "0.30"},
}
WINDOW = {"start": "2026-11-23T08:00:00Z", "end": "2026-11-23T12:00:00+00:00"}
SLOT = {**WINDOW, "price": "90.00", "reference": "abc"}
START, END = datetime(2026, 11, 23, 8, tzinfo=UTC), datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_the_newer_shape() -> None:
    offer, paths = offer_of(
        http(200, NEWER),
        http(200, {"queue_length": 4, "available": [WINDOW]}),
        http(200, {"available_slots": [SLOT], "booked_slots": [], "queue_length": 9}),
    )
    name = "quantum-computers/garnet"
    assert paths == [name, f"{name}/queue-availability", f"{name}/timeslots"]
    assert offer == ComputerInfo(
        alias="garnet",
        max_circuits=200,
        max_shots=20000,
        max_executions=1000000,
        max_instructions=10000,
        max_queued=10,
        price_per_second=Decimal("0.30"),
        healthy=True,
        operational_status="online",
        queue_length=4,
        windows=(Slot(START, END),),
        available=(Slot(START, END, Decimal("90.00"), "abc"),),
        booked=(),
    )


def test_the_older_shape() -> None:
    older = {"alias": "default", "limits": LIMITS, "status": {"health": {"healthy": False}}}
    offer, _ = offer_of(http(200, older), http(404), http(404))
    assert (offer.healthy, offer.max_circuits) == (False, 200)
    assert (offer.price_per_second, offer.queue_length, offer.windows) == (None, None, None)
    assert [note.split(":")[0] for note in offer.notes] == ["queue", "timeslots"]


def test_without_details_the_parts_are_asked() -> None:
    offer, paths = offer_of(
        http(403, {"error_code": "forbidden", "message": "no"}),
        http(200, LIMITS),
        http(200, {"healthy": True}),
        http(200, {"queue_length": 1, "available": []}),
        http(403),
    )
    assert [path.rpartition("/")[2] for path in paths][1:3] == ["limits", "health"]
    assert (offer.max_shots, offer.healthy, offer.queue_length) == (20000, True, 1)
    assert (offer.windows, offer.booked) == ((), None)
    assert len(offer.notes) == 2


NOTHING: Mapping[str, None] = dict.fromkeys(
    (
        *("max_circuits", "max_shots", "price_per_second", "healthy", "operational_status"),
        *("queue_length", "windows", "available", "booked"),
    )
)


@pytest.mark.parametrize(
    "answer",
    [http(404), http(403), http(200, []), http(200, {}), http(200, 7), http(200, {"limits": []})],
)
def test_a_server_that_tells_nothing_is_survived(answer: Answer) -> None:
    offer, _ = offer_of(*[answer] * 5)
    assert {name: getattr(offer, name) for name in NOTHING} == NOTHING


def test_a_server_that_fails_is_survived() -> None:
    offer, _ = offer_of(*[http(500)] * 200)
    assert {name: getattr(offer, name) for name in NOTHING} == NOTHING
    assert len(offer.notes) == 5


@pytest.mark.parametrize("value", ["free", "-1", "NaN", "Infinity", True, None, [], {}])
def test_prices_that_are_none(value: Any) -> None:
    offer, _ = offer_of(
        http(200, {**NEWER, "pricing": {"payg_price_per_second": value}}), http(404), http(404)
    )
    assert offer.price_per_second is None


@pytest.mark.parametrize(
    "slot", [{}, {"start": 1, "end": 2}, {"start": WINDOW["end"], "end": WINDOW["start"]}, "x"]
)
def test_slots_that_are_none(slot: Any) -> None:
    queue = http(200, {"available": [slot, WINDOW]})
    offer, _ = offer_of(http(200, NEWER), queue, http(404))
    assert offer.windows == (Slot(START, END),)


def test_the_list_of_computers() -> None:
    items = [{"id": "1", "alias": "garnet", "display_name": "IQM\x1b[31m"}, {"alias": 7}, "x"]
    with Scripted([http(200, {"quantum_computers": items})]) as server:
        assert list_computers(to(server), HASTY) == (Computer("1", "garnet", "IQM?[31m"),)


@pytest.mark.parametrize("body", [[], {}, {"quantum_computers": None}])
def test_lists_that_are_none(body: Any) -> None:
    with Scripted([http(200, body)]) as server, pytest.raises(BadAnswer, match="IQM server"):
        list_computers(to(server), HASTY)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, Refused, "refused.token"),
        (403, Refused, "refused.server"),
        (404, Refused, "refused.server"),
        (400, JobFailed, "failed.answer"),
    ],
)
def test_lists_that_are_refused(status: int, kind: type[Exception], code: str) -> None:
    with Scripted([http(status)]) as server, pytest.raises(kind) as caught:
        list_computers(to(server), HASTY)
    assert getattr(caught.value, "code", "") == code


def test_finding_a_computer() -> None:
    listed = [Computer("1", "garnet", "IQM Garnet"), Computer("2", "garnet:mock", "mock")]
    assert find_computer(listed, "garnet:mock").id == "2"
    with pytest.raises(Refused, match="it lists: garnet, garnet:mock") as caught:
        find_computer(listed, "granet")
    assert caught.value.hint == "did you mean garnet?"
    with pytest.raises(Refused, match="it lists: none"):
        find_computer([], "garnet")


def told_architecture(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(architecture("deneb").to_json()))
    return {**data, "calibration_set_id": SET, **changes}


@pytest.mark.parametrize("asked", ["default", SET])
def test_an_architecture(asked: str) -> None:
    raw = told_architecture()
    with Scripted([http(200, raw)]) as server:
        found = read_architecture(to(server), "deneb", asked, HASTY)
    assert (found.calibration_set_id, found.raw) == (SET, raw)
    assert found.architecture.digest == architecture("deneb").digest
    path = f"GET /api/v1/calibration-sets/deneb/{asked}/dynamic-quantum-architecture "
    assert server.requests[0].startswith(path.encode())


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (http(404), CalibrationGone, "no calibration set"),
        (http(403), Refused, "forbids"),
        (http(401), Refused, "token"),
        (http(200, []), BadAnswer, "must be a mapping"),
        (http(200, told_architecture(gates={})), BadAnswer, "no qubit has both"),
        (http(200, told_architecture(calibration_set_id=None)), BadAnswer, "does not name"),
        (http(200, told_architecture(calibration_set_id="other")), BadAnswer, "got other"),
    ],
)
def test_architectures_that_are_none(answer: Answer, kind: type[Exception], words: str) -> None:
    with Scripted([answer]) as server, pytest.raises(kind, match=words):
        read_architecture(to(server), "deneb", SET, HASTY)


def test_a_machine_without_any_set() -> None:
    with Scripted([http(404)]) as server, pytest.raises(Refused, match="no such") as caught:
        read_architecture(to(server), "deneb", "default", HASTY)
    assert not isinstance(caught.value, CalibrationGone)
