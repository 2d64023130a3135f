"""Answers of a server that are JSON and make no sense: left out, or refused in words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from scripted import Scripted, http

from iqm_spec.cli import output
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.server_api import reply
from iqm_spec.server_api.address import Server
from iqm_spec.server_api.computers import read_architecture, read_computer_info
from iqm_spec.server_api.connection import Connection, connect
from iqm_spec.server_api.errors import BadAnswer, Unreadable
from iqm_spec.server_api.jobs import parse_job, parse_stored, read_job
from iqm_spec.server_api.payload import ForeignPayload, circuits_payload, normalized
from iqm_spec.server_api.reply import Reply
from iqm_spec.server_api.results import counts_of, counts_of_measurements
from iqm_spec.server_api.retry import READS, Retry
from iqm_spec.stages.server.adopt import adopt
from iqm_spec.stages.server.attempts import Attempt, Phase, attempts
from iqm_spec.stages.server.collect import results_of
from iqm_spec.stages.server.server_info import Session
from iqm_spec.store import Store
from iqm_spec.store.events import JobIntent, JobSubmitted
from iqm_spec.store.structure import structure
from iqm_spec.targets import architecture, architecture_from_json
from iqm_spec.targets.profile import depolarizing_of_fidelity
from tests.journals import append, fields_of

HASTY = Retry(evolve(READS, first_delay=0.01, deadline=0.05))
ID = "6a455e7e-ade9-4808-a8a7-dab2b6dff23e"
OTHER = "00000000-0000-4000-8000-000000000000"
ESCAPES = "\x1b[31m\x9b2J\u202e"
ENDS = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59")
"""Times that cannot be told in every time zone."""


def to(server: Scripted) -> Connection:
    return connect(Server("test", server.url), None, 2.0)


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*ENDS, "2026-02-30", "", 7, None, [], {}])
def test_times_that_are_none(text: Any) -> None:
    assert reply.time_of(text) is None


def test_times_are_utc() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    for text in ("2026-11-23T12:00:00", "2026-11-23T14:00:00+02:00", "2026-11-23T12:00:00Z"):
        assert reply.time_of(text) == noon
        assert str(reply.time_of(text)) == str(noon)


@pytest.mark.parametrize("value", [-1, 2**53, 10**400, 1.0, True, "1", None])
def test_counts_that_are_none(value: Any) -> None:
    assert reply.count_of(value) is None


@pytest.mark.parametrize("value", ["", ESCAPES, "\ud800", "x" * 101, 7, None])
def test_words_that_are_none(value: Any) -> None:
    assert reply.word_of(value) is None


@pytest.mark.parametrize("deep", ['[{"a":' * 60 + "1" + "}]" * 60, "[" * 900 + "]" * 900])
def test_what_is_nested_deeply_is_unreadable(deep: str) -> None:
    with pytest.raises(Unreadable, match="nested too deeply"):
        Reply(200, {}, f'{{"id": {deep}}}'.encode()).json()
    assert Reply(200, {}, b"[" * 40 + b"]" * 40).json()


# --- jobs ----------------------------------------------------------------------------------------


def test_numbers_of_a_job_that_are_too_large() -> None:
    huge = {"execution_runtime_estimate_ms": 10**400}
    job = parse_job({"status": "x", "runtime_ms": 10**400, "compilation": huge})
    assert (job.runtime_ms, job.qpu_seconds, job.estimate_seconds) == (None, None, None)


@pytest.mark.parametrize("text", [ESCAPES, "\ud800", "x" * 300])
def test_a_calibration_set_that_cannot_be_kept(text: str) -> None:
    job = parse_job({"status": "completed", "compilation": {"calibration_set_id": text}})
    assert job.calibration_set_id is None


def test_long_texts_of_a_job_are_cut() -> None:
    told = "x" * 200_000
    job = parse_job({"status": told, "errors": [told, {"message": told}], "messages": [told]})
    assert len(job.status) < 50
    assert all(len(text) < 2100 for text in (*job.errors, *job.messages))


@pytest.mark.parametrize("when", ENDS)
def test_a_timeline_at_the_ends_of_the_calendar(when: str) -> None:
    listed = [
        {"source": "s", "status": status, "timestamp": when}
        for status in ("created", "execution_started", "execution_ended")
    ]
    job = parse_job({"status": "completed", "timeline": listed})
    assert (job.created, job.execution_seconds) == (None, None)


def test_a_job_has_the_id_that_was_asked_for() -> None:
    for told in ({}, {"id": None}, {"id": ID.upper()}, {"id": 7}):
        with Scripted([http(200, {"status": "waiting", **told})]) as server:
            assert read_job(to(server), ID, HASTY).id == ID
    answer = http(200, {"status": "completed", "id": OTHER})
    with Scripted([answer]) as server, pytest.raises(BadAnswer, match="is of another job"):
        read_job(to(server), ID, HASTY)


def test_a_report_that_is_kept_as_text_is_read_again() -> None:
    told = {"status": "completed", "id": ID, "runtime_ms": 950, "odd": ["\ud800", 10**400]}
    job = parse_job(told)
    assert set(job.raw) == {"text"}  # type: ignore[arg-type]
    assert evolve(parse_stored(job.raw), raw=None) == evolve(job, raw=None)
    assert parse_stored({**told, "text": "x"}).id == ID
    for text in ("{", "[]", "[" * 10_000):
        with pytest.raises(BadAnswer):
            parse_stored({"text": text})


# --- computers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("price", [1e300, 10**400, "1e400", "0." + "3" * 5000, "1E+11"])
def test_prices_that_no_sum_can_hold(price: Any) -> None:
    details = {"limits": {"x": 1}, "health": {"healthy": True}}
    details["pricing"] = {"payg_price_per_second": price}
    with Scripted([http(200, details), http(404), http(404)]) as server:
        assert read_computer_info(to(server), "garnet", HASTY).price_per_second is None


def test_an_offer_of_odd_things() -> None:
    details = {
        "limits": {"max_circuits_per_job": 10**400},
        "health": {"healthy": True},
        "operational_status": "x" * 1000,
        "pricing": {"payg_price_per_second": "0.30"},
    }
    ends = {"start": ENDS[0], "end": ENDS[1]}
    now = {"start": "2026-11-23T08:00:00Z", "end": "2026-11-23T12:00:00Z", "reference": ESCAPES}
    slots = {"available_slots": [ends, now]}
    with Scripted([http(200, details), http(404), http(200, slots)]) as server:
        offer = read_computer_info(to(server), "garnet", HASTY)
    assert (offer.max_circuits, offer.operational_status) == (None, None)
    assert offer.price_per_second == Decimal("0.30")
    (slot,) = offer.available or ()
    assert (slot.start.hour, slot.reference) == (8, "")


def test_a_calibration_set_without_an_id() -> None:
    raw = {**architecture("deneb").to_json(), "calibration_set_id": f"x{ESCAPES}"}
    answer = http(200, raw)
    with Scripted([answer]) as server, pytest.raises(BadAnswer, match=r"has no id but x.\[31m"):
        read_architecture(to(server), "deneb", "default", HASTY)


@pytest.mark.parametrize("name", ["QB1,QB2", ESCAPES, "\ud800", "x" * 101])
def test_names_of_components_that_are_none(name: str) -> None:
    data = dict(architecture("deneb").to_json())
    with pytest.raises(ValueError, match="list of component names"):
        architecture_from_json({**data, "qubits": [*data["qubits"], name]}, "deneb")  # type: ignore[misc]


def test_a_gate_that_takes_for_ever() -> None:
    assert depolarizing_of_fidelity(0.99, [(1e-6, 1e-6)], 1e9) == 0.0
    assert depolarizing_of_fidelity(0.99, [(1e-6, 1e-6)] * 2, 1e9) == 0.0


# --- payloads ------------------------------------------------------------------------------------


def payload(**args: Any) -> dict[str, Any]:
    instruction = {"name": "prx", "locus": ["QB1"], "args": args}
    return {"circuits": [{"name": "c", "instructions": [instruction]}], "shots": 5}


@pytest.mark.slow  # iqm-client's models take seconds to import
@pytest.mark.parametrize(
    "args", [{"angle": 10**400, "phase": 0.0}, {"angle_t": 10**400, "phase_t": 0.0}]
)
def test_angles_that_no_float_holds(args: dict[str, Any]) -> None:
    for read in (normalized, circuits_payload):
        with pytest.raises(ForeignPayload):
            read(payload(**args))


@pytest.mark.slow
@pytest.mark.parametrize("odd", [10**400, "\ud800"])
def test_a_payload_that_the_folder_cannot_hold_is_no_jobs(odd: Any, tmp_path: Path) -> None:
    from iqm_spec.errors import Refused

    store = Store(tmp_path)
    journal = store.job("a" * 64)
    journal.claim("claimed", 1)
    body = store.put_json({"shots": 5})
    append(journal, "intent", body=body, shots=5)
    append(journal, "unknown")
    found = attempts("a" * 64, journal.events())
    with pytest.raises(Refused, match="its payload differs"):
        adopt(store, found, ID, {"shots": odd})


# --- results -------------------------------------------------------------------------------------

ONE = NativeCircuit(("QB1",), (("c", 1),), (Op("measure", (0,), (), (0,)),))
KEY = "c_1_0_0"


@pytest.mark.parametrize("shots", [2**53, 2**63, 10**400])
def test_more_shots_than_can_be_counted(shots: int) -> None:
    with pytest.raises(BadAnswer, match="shots of '1'"):
        counts_of([{"measurement_keys": [KEY], "counts": {"1": shots}}], [ONE])


@pytest.mark.parametrize("bit", [10**400, json.loads("[" * 900 + "]" * 900)])
def test_bits_that_are_none(bit: Any) -> None:
    with pytest.raises(BadAnswer) as caught:
        counts_of_measurements([{KEY: [[bit]]}], [ONE])
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("key", [ESCAPES, "\ud800", "x" * 100_000])
def test_what_is_said_of_odd_keys_can_be_shown_and_stored(key: str, tmp_path: Path) -> None:
    with pytest.raises(BadAnswer, match="do not fit") as caught:
        counts_of_measurements([{key: [[0]]}], [ONE])
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 2100
    Store(tmp_path).put_json({"format": "iqm-spec/job-report/1", "job": {"x": str(caught.value)}})


def results(counts: dict[str, int]) -> tuple[list[Any], str]:
    """What `results_of` makes of a job of ten shots with these counts."""
    meant = structure(fields_of("intent", parts=[["k", 0]]), JobIntent)
    attempt = Attempt("a" * 64, 1, Phase.SUBMITTED, (ID,), JobSubmitted(1, ID), meant)
    told = [{"measurement_keys": [KEY], "counts": counts}]
    with Scripted([http(200, told)]) as server:
        connection = to(server)
        session = Session("test", lambda: connection, lambda: False)
        return results_of(attempt, ID, session, {"k": ONE}, HASTY, ())


def test_more_shots_than_were_asked_for() -> None:
    with pytest.raises(BadAnswer, match="has 11 shots, 10 were requested"):
        results({"0": 5, "1": 6})


def test_a_circuit_without_a_shot_is_told() -> None:
    (shots,), lacks = results({})
    assert (shots.counts, shots.packed) == ({}, None)
    assert lacks == f"job {ID}: 1 circuit came back without shots"
    assert results({"0": 9})[1] == ""


# --- answers of ours -----------------------------------------------------------------------------


def test_an_answer_of_ours_holds_no_commands_for_terminals(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = {"é漢🎲": f"{ESCAPES}\x7f\x00\u2028\U000e0001"}
    output.print_json(told)
    text = capsys.readouterr().out
    assert json.loads(text) == told
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "é漢🎲" in text
