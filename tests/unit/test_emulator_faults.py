"""Faults on request: which rules are understood, and which requests they apply to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.emulator.app import ROUTES
from iqm_spec.emulator.faults import CALLS, KINDS, Faults, Rule, rules_from_json
from iqm_spec.emulator.messages import ApiError, ApiRequest, ApiResponse
from iqm_spec.emulator.options import Options, TimeWindow, options_from_json
from iqm_spec.emulator.server import BLOCK_S, UNITS, WINDOW_S, Meter, cost
from iqm_spec.emulator.state import open_state
from iqm_spec.errors import UsageError

SUBMIT = ApiRequest("submit", {"qc": "garnet", "type": "circuit"})
POLL = ApiRequest("job", {"job": "x"})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "must be a JSON list"),
        (["drop-before"], "fault rule 1 must be an object"),
        ([{"on": "submit"}], "fault rule 1 must be an object with `fault`"),
        ([{"fault": "slow"}, {"fault": "explode"}], "fault rule 2: `fault` cannot be 'explode'"),
        ([{"fault": "slow", "on": "sumbit"}], "`on` cannot be 'sumbit'"),
        ([{"fault": "slow", "colour": "red"}], "colour"),
        ([{"fault": "slow", "id": "../../x"}], "no 'id'"),
        ([{"fault": "slow", "skip": "two"}], "fault rule 1"),
        ([{"fault": "slow", "times": 0}], "`times`"),
        ([{"fault": "slow", "skip": -1}], "`skip`"),
        ([{"fault": "status", "status": 99}], "`status`"),
        ([{"fault": "job-failed"}], "needs `on: submit`"),
    ],
)
def test_a_rule_that_is_wrong_is_told(data: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        rules_from_json(data)


def test_the_page_names_every_kind_and_call(root: Path) -> None:
    page = (root / "docs" / "emulator.md").read_text()
    assert [kind for kind in KINDS if f"| `{kind}` |" not in page] == []
    listed = page.split("Calls:")[1].split("##")[0]
    assert tuple(re.findall(r"`([a-z-]+)`", listed)) == CALLS
    assert tuple(sorted(ROUTES, key=CALLS.index)) == CALLS


def test_every_kind_can_be_asked_for() -> None:
    rules = rules_from_json([{"fault": kind, "on": "submit"} for kind in KINDS])
    assert [rule.fault for rule in rules] == list(KINDS)
    assert [rule.fault for rule in rules if not rule.is_processed] == ["status", "drop-before"]


def taken(faults: Faults, asks: list[ApiRequest]) -> list[str]:
    return ["-" if (rule := faults.take(ask)) is None else rule.fault for ask in asks]


def test_requests_are_skipped_and_counted_over_processes(tmp_path: Path) -> None:
    here, there = Faults(open_state(tmp_path)), Faults(open_state(tmp_path))
    here.add([Rule("garbage", on="job", skip=2, times=2)])
    assert taken(here, [POLL, SUBMIT]) == ["-", "-"]
    assert taken(there, [POLL, POLL]) == ["-", "garbage"]
    assert taken(here, [POLL, POLL, POLL]) == ["garbage", "-", "-"]


def test_the_first_rule_that_applies_wins(tmp_path: Path) -> None:
    faults = Faults(open_state(tmp_path))
    faults.add([Rule("slow"), Rule("garbage", on="submit")])
    faults.add([Rule("drop-before", on="submit", times=None)])
    assert taken(faults, [SUBMIT] * 4) == ["slow", "garbage", "drop-before", "drop-before"]
    faults.clear()
    assert taken(faults, [SUBMIT]) == ["-"]


def test_for_ever_begins_after_what_is_skipped(tmp_path: Path) -> None:
    faults = Faults(open_state(tmp_path))
    faults.add([Rule("garbage", skip=1, times=None)])
    assert taken(faults, [POLL] * 4) == ["-", "garbage", "garbage", "garbage"]


def test_a_rule_can_be_about_one_computer(tmp_path: Path) -> None:
    faults = Faults(open_state(tmp_path))
    faults.add([Rule("garbage", qc="garnet:mock")])
    assert taken(faults, [SUBMIT, POLL]) == ["-", "-"]
    assert taken(faults, [ApiRequest("submit", {"qc": "garnet:mock"})]) == ["garbage"]


def test_rules_at_the_start_count_once(tmp_path: Path) -> None:
    rules = [{"fault": "garbage"}]
    for _ in range(2):
        Faults(open_state(tmp_path)).add_once(rules_from_json(rules))
    faults = Faults(open_state(tmp_path))
    assert taken(faults, [POLL, POLL]) == ["garbage", "-"]


def test_an_answer_is_rewritten() -> None:
    rule = Rule("rewrite", set={"errors": None, "status": "new"}, remove=["timeline"])
    answer = ApiResponse(200, {"status": "failed", "timeline": [], "id": 1}, job="x")
    assert rule.rewritten(answer) == ApiResponse(
        200, {"status": "new", "id": 1, "errors": None}, job="x"
    )
    assert rule.rewritten(ApiResponse(200, b"bytes")) == ApiResponse(200, b"bytes")


def test_observations_are_left_out_and_changed() -> None:
    names = ("model.QB1.t1_time", "model.QB10.t1_time", "rb.prx.QB1.fidelity", "model.QB1.t2_time")
    listed: list[Any] = [{"dut_field": name, "value": 1.0, "invalid": False} for name in names]
    changes: Any = {
        "*.QB1.t1*": None,
        "*.t1_time": {"invalid": True},
        "*.QB1.t?_*": {"value": None},
    }
    rule = Rule("rewrite", observations=changes)
    (answer,) = (rule.rewritten(ApiResponse(200, {"observations": listed, "id": 1})),)
    assert answer.body == {
        "observations": [
            {"dut_field": "model.QB10.t1_time", "value": 1.0, "invalid": True},
            {"dut_field": "rb.prx.QB1.fidelity", "value": 1.0, "invalid": False},
            {"dut_field": "model.QB1.t2_time", "value": None, "invalid": False},
        ],
        "id": 1,
    }
    assert rule.rewritten(ApiResponse(200, {"id": 1})).body == {"id": 1}


@pytest.mark.parametrize(
    ("rule", "content"),
    [
        (Rule("status", status=520, body="<html>down"), b"<html>down"),
        (Rule("status", status=500), b""),
        (Rule("status", status=500, body={}), b"{}"),
        (Rule("status", status=500, body=[1]), b"[1]"),
    ],
)
def test_a_status_comes_with_any_body(rule: Rule, content: bytes) -> None:
    assert rule.answer().content == content


def test_an_error_code_makes_an_error_as_the_api_has_it() -> None:
    body: Any = Rule("status", status=403, error_code="not_enough_credits").answer().body
    assert body.keys() == {"error_code", "message", "request_id"}
    assert body["error_code"] == "not_enough_credits"


@pytest.mark.parametrize(
    ("call", "size", "units"),
    [
        *(("job", 0, 10), ("computers", 0, 10), ("cancel", 0, 100), ("submit", 0, 100)),
        *(("submit", 10 * 2**20, 200), ("submit", 25 * 2**20, 300)),
    ],
)
def test_what_a_request_costs(call: str, size: int, units: int) -> None:
    assert cost(call, size) == units


def test_too_many_requests_are_blocked_for_a_while() -> None:
    meter = Meter(speed=1e-9)
    assert meter.charge(UNITS - 10)["RateLimit-Remaining"] == "10"
    assert meter.charge(10) == {"RateLimit-Limit": "2000", "RateLimit-Remaining": "0"}
    for _ in range(2):
        with pytest.raises(ApiError) as blocked:
            meter.charge(10)
        assert blocked.value.status == 429
        assert int(blocked.value.headers["Retry-After"]) >= BLOCK_S


def test_units_come_back() -> None:
    meter = Meter(speed=WINDOW_S * 1e6)
    for _ in range(50):
        meter.charge(UNITS // 2)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Options(speed=0), "speed"),
        (lambda: Options(speed=float("inf")), "speed"),
        (lambda: Options(queue_seconds=-1), "queue"),
        (lambda: Options(queue_seconds=float("nan")), "queue"),
        (lambda: Options(slots=(TimeWindow("garnett", 0, 1),)), "no computer garnett"),
        (lambda: Options(on_premises="garnet", timeslot_only=("garnet",)), "no computer garnet"),
        (lambda: TimeWindow("garnet", 0, float("inf")), "endless"),
        (lambda: Options(limits={"max_cats": 1}), "no limit is called max_cats"),
        (lambda: Options(limits={"max_shots_per_circuit": 0}), "at least 1"),
        (lambda: TimeWindow("garnet", 5, 5), "empty"),
        (lambda: options_from_json({"sped": 1}), "no option sped"),
        (lambda: Options(credits=-1), "credits"),
        (lambda: Options(credits=float("nan")), "credits"),
        (
            lambda: Options(on_premises="deneb", slots=(TimeWindow("default", 0, 1),)),
            "no timeslots",
        ),
        (lambda: Options(dut_labels={"granite": "M1"}), "no computer granite"),
    ],
)
def test_options_that_are_wrong_are_told(make: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        make()


def test_options_survive_the_way_to_the_child(tmp_path: Path) -> None:
    options = Options(
        state=tmp_path,
        speed=5,
        slots=(TimeWindow("garnet", 0, 1),),
        timeslot_only=("emerald",),
        limits={"max_shots_per_circuit": 5},
        faults=({"fault": "slow"},),
    )
    assert options_from_json(options.to_json()) == options


@pytest.mark.parametrize(
    "wrong",
    [
        *({"set": [1]}, {"set": None}, {"remove": 5}, {"remove": "id"}, {"remove": [1]}),
        *({"headers": {"X": 5}}, {"headers": {"X": "漢"}}, {"headers": [1]}),
        *({"headers": {"X": "a\nb"}}, {"status": 500.5}, {"status": True}, {"skip": 1.5}),
        *({"seconds": 1e300}, {"seconds": float("nan")}, {"seconds": "1"}, {"times": "2"}),
        *({"qc": 5}, {"message": 5}, {"processed": 1}, {"on": ["job"]}),
        *({"status": 304, "body": "text"}, {"status": 204, "body": {}}),
        *({"observations": ["*"]}, {"observations": {"*": 5}}, {"observations": None}),
        *({"drift": -0.1}, {"drift": "0.1"}, {"drift": float("nan")}, {"drift": True}),
    ],
)
def test_a_rule_that_would_break_an_answer_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match="fault rule 1: ") as refused:
        rules_from_json([{"fault": "status", **wrong}])
    assert len(refused.value.message) < 300
