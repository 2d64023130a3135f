"""The course of a spec's stages at a server: what is checked, submitted, waited for, and told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from iqm_spec.errors import ExitCode
from tests.faulty_disk import Killed
from tests.scripted import RESET, Answer, http
from tests.server_stage_bench import (
    HARDWARE,
    MOCK,
    MOCK_SET,
    SET,
    WAIVED,
    Course,
    StageBench,
    job_id,
    report,
    watched,
)

HARDWARE_ONLY: Mapping[str, Any] = {"stages": ["hardware"], "require": WAIVED}
OTHER_SET = "33333333-3333-4333-8333-333333333333"
ONE_BY_ONE = {"max_circuits_per_job": 1}
POST_MOCK, POST_MACHINE = "POST /api/v1/jobs/garnet:mock", "POST /api/v1/jobs/garnet/"


def rejection(status: int, code: str = "x") -> Answer:
    return http(status, {"error_code": code, "message": "as it is"})


def sent(bench: StageBench) -> list[str]:
    return [post.computer for post in bench.server.posts]


def statuses(course: Course) -> dict[str, str]:
    return {stage: verdict.status for stage, verdict in course.stages.items()}


def upper(bench: StageBench) -> float:
    """Credits that all jobs may cost at most; asks for consent and gets none."""
    (bill,) = bench.run(agree=False).bills
    return bill.credits.high


def test_mock_then_hardware_and_nothing_twice(bench: StageBench) -> None:
    first = bench.run()
    assert (statuses(first), first.exit_code) == ({MOCK: "passed", HARDWARE: "passed"}, 0)
    assert sent(bench) == ["garnet:mock", "garnet"]
    assert len(first.bills) == 1, "a mock costs nothing"
    before = len(bench.server.asked)
    again = bench.run()
    assert statuses(again) == statuses(first)
    assert [verdict.cached for verdict in again.stages.values()] == [2, 2]
    assert len(bench.server.asked) == before, "what is stored needs no server"


@pytest.mark.parametrize(
    ("answer", "status", "exit_code"),
    [
        (rejection(401), "refused", ExitCode.REFUSED),
        (rejection(403, "not_enough_credits"), "failed", ExitCode.FAILED),
        (RESET, "unknown", ExitCode.UNKNOWN),
        (http(200, b"<html>"), "unknown", ExitCode.UNKNOWN),
    ],
)
def test_a_machine_that_does_not_take_a_job(
    bench: StageBench, answer: Answer, status: str, exit_code: ExitCode
) -> None:
    bench.server.say(POST_MACHINE, answer)
    course = bench.run()
    assert (statuses(course), course.exit_code) == ({MOCK: "passed", HARDWARE: status}, exit_code)
    again = bench.run()
    if status == "unknown":
        assert again.exit_code == ExitCode.UNKNOWN
        assert sent(bench).count("garnet") == 1
    else:
        assert again.exit_code == ExitCode.DONE
        assert sent(bench).count("garnet") == 2


def test_after_a_mock_that_did_not_pass_the_machine_gets_nothing(
    bench: StageBench, snapshot: SnapshotAssertion
) -> None:
    bench.server.say(POST_MOCK, rejection(422))
    course = bench.run()
    assert (statuses(course), course.exit_code) == ({MOCK: "failed", HARDWARE: "skipped"}, 5)
    assert sent(bench) == ["garnet:mock"]
    assert [list(verdict.reasons) for verdict in course.stages.values()] == snapshot


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_mock_whose_answer_is_lost_is_asked_again(bench: StageBench, lost: int) -> None:
    bench.server.say(POST_MOCK, *[RESET] * lost)
    verdict = bench.run(until=MOCK).last
    assert len(bench.server.posts) == 3 if lost == 3 else lost + 1
    assert verdict.status == ("failed" if lost == 3 else "passed")
    if lost == 3:
        (reason,) = verdict.reasons
        assert "the same `run` submits it again" in reason
    assert bench.run(until=MOCK).last.status == "passed"


def test_a_server_that_cannot_be_reached(bench: StageBench) -> None:
    bench.server.away(10_000.0)
    course = bench.run()
    assert course.exit_code == ExitCode.UNREACHABLE
    assert course.error is not None
    assert bench.kinds() == []
    assert sum(seconds for _, seconds in course.pauses) == pytest.approx(60.0)


def test_a_server_that_comes_back_while_the_computers_are_listed(bench: StageBench) -> None:
    bench.server.away(5.0)
    course = bench.run()
    assert course.exit_code == ExitCode.DONE
    assert [why for why, _ in course.pauses] == ["the connection was refused"] * 3


def test_a_server_that_goes_away_before_the_post(bench: StageBench) -> None:
    bench.use(**HARDWARE_ONLY)

    def leave(moment: str) -> None:
        if moment == "after intent":
            bench.server.away(1000.0)

    course = bench.run(disk=watched(leave))
    assert course.exit_code == ExitCode.UNREACHABLE
    assert bench.journal() == ["claimed", "intent", "rejected"]
    bench.clock.sleep(1000.0)
    assert bench.run().exit_code == ExitCode.DONE
    assert sent(bench) == ["garnet"]


# the mock before the machine


def test_a_server_without_mocks_waives_them(bench: StageBench, snapshot: SnapshotAssertion) -> None:
    bench.server.computers = ["garnet"]
    course = bench.run()
    assert statuses(course) == {MOCK: "waived", HARDWARE: "passed"}
    assert course.stages[MOCK].reasons == ("the server has no garnet:mock",)
    assert sent(bench) == ["garnet"]
    assert list(course.bills[0].notes) == snapshot


@pytest.mark.parametrize("listed", [True, False])
def test_a_mock_that_the_spec_waives(bench: StageBench, listed: bool) -> None:
    bench.use(require=WAIVED)
    if not listed:
        bench.server.computers = ["garnet"]
    course = bench.run()
    assert statuses(course) == {MOCK: "waived", HARDWARE: "passed"}
    why = "waived" if listed else "the server has no garnet:mock"
    assert course.stages[MOCK].reasons == (f"{why}: the mock is away",)
    assert "no mock has accepted this: the mock is away" in course.stages[HARDWARE].reasons
    assert sent(bench) == ["garnet"]


def test_without_a_mock_stage_the_machine_is_refused(
    bench: StageBench, snapshot: SnapshotAssertion
) -> None:
    bench.use(stages=["hardware"])
    course = bench.run()
    assert (statuses(course), course.exit_code) == ({HARDWARE: "refused"}, ExitCode.REFUSED)
    assert course.last.reasons == snapshot
    assert sent(bench) == []


def test_a_mock_that_accepted_in_an_earlier_run_will_do(bench: StageBench) -> None:
    bench.run(until=MOCK)
    bench.change(stages=["hardware"])
    assert statuses(bench.run()) == {HARDWARE: "passed"}
    assert sent(bench) == ["garnet:mock", "garnet"]


def test_a_mock_of_half_of_the_points_will_not_do(bench: StageBench) -> None:
    bench.submitted(MOCK, points=[0])
    list(bench.collect(MOCK))
    bench.change(stages=["hardware"])
    course = bench.run()
    assert statuses(course) == {HARDWARE: "refused"}
    assert "the mock has not accepted 1 point (the first is ghz n=3)" in course.last.reasons[0]


def test_circuits_that_act_where_the_mock_has_no_gate(
    bench: StageBench, snapshot: SnapshotAssertion
) -> None:
    bench.server.missing_gates = {"garnet:mock": "cz"}
    course = bench.run()
    assert statuses(course) == {MOCK: "passed", HARDWARE: "passed"}
    assert sent(bench) == ["garnet"]
    assert [_undated(verdict.reasons) for verdict in course.stages.values()] == snapshot


def test_where_a_machine_lost_a_gate_its_server_decides(bench: StageBench) -> None:
    bench.server.missing_gates = {"garnet": "cz"}
    assert statuses(bench.run()) == {MOCK: "passed", HARDWARE: "passed"}


def _undated(reasons: tuple[str, ...]) -> list[str]:
    return [reason for reason in reasons if "(today)" not in reason]


# consent and budget


def test_without_consent_nothing_is_submitted(
    bench: StageBench, snapshot: SnapshotAssertion
) -> None:
    course = bench.run(agree=False)
    assert (statuses(course), course.exit_code) == (
        {MOCK: "passed", HARDWARE: "refused"},
        ExitCode.REFUSED,
    )
    assert course.last.reasons == snapshot
    assert sent(bench) == ["garnet:mock"]
    (bill,) = course.bills
    assert bill.text == (
        "submit 1 job (2 circuits, 20 shots in all) to garnet at https://iqm.example.org, "
        "pay-as-you-go"
    )
    assert bench.run().exit_code == ExitCode.DONE


def test_what_a_person_should_know_is_told_before(
    bench: StageBench, snapshot: SnapshotAssertion
) -> None:
    bench.use(budget={"price_per_second": 0.1}, **HARDWARE_ONLY)
    bench.server.details |= {"operational_status": "maintenance", "health": {"healthy": False}}
    (bill,) = bench.run(agree=False).bills
    assert list(bill.notes) == snapshot


@pytest.mark.parametrize("part", [0.999, 1.0, 1.001])
@pytest.mark.parametrize("limit", ["budget", "--max-credits"])
def test_limits_around_the_upper_estimate(bench: StageBench, limit: str, part: float) -> None:
    bench.use(**HARDWARE_ONLY)
    most = upper(bench) * part
    if limit == "budget":
        bench.use(budget={"credits": most}, **HARDWARE_ONLY)
    course = bench.run(max_credits=most if limit == "--max-credits" else None)
    if part >= 1:
        assert statuses(course) == {HARDWARE: "passed"}
        return
    assert (statuses(course), course.exit_code) == ({HARDWARE: "refused"}, ExitCode.REFUSED)
    assert course.last.reasons[0].startswith(
        "the budget of" if limit == "budget" else "--max-credits"
    )
    assert "does not cover 1 job: up to" in course.last.reasons[0]
    assert course.bills == (), "nobody is asked for what the budget forbids"
    assert sent(bench) == []


def test_the_budget_is_over_all_runs_and_the_other_limit_is_not(bench: StageBench) -> None:
    bench.use(**HARDWARE_ONLY)
    most = upper(bench)
    budget = {"budget": {"credits": 1.5 * most}, **HARDWARE_ONLY}
    bench.use(**budget)
    bench.server.say_status(*["waiting"] * 3)
    assert statuses(bench.run(wait=0.0)) == {HARDWARE: "waiting"}
    bench.change(shots=11, **budget)
    second = bench.run()
    assert statuses(second) == {HARDWARE: "refused"}
    assert "reserved or unknown" in second.last.reasons[0]
    bench.change(shots=11, **HARDWARE_ONLY)
    assert statuses(bench.run(max_credits=1.5 * most)) == {HARDWARE: "passed"}


def test_the_limit_stops_before_the_job_that_it_may_not_cover(bench: StageBench) -> None:
    """The first job turns out as dear as can be: the second is held back, and told."""
    bench.use(fail_fast=True, **HARDWARE_ONLY)
    bench.server.details["limits"] = ONE_BY_ONE
    most = upper(bench)
    long = {"timeline": [], "runtime_ms": 3_600_000}
    bench.server.say(f"{job_id(1)} ", http(200, report("completed", job_id(1), **long)))
    course = bench.run(max_credits=most)
    assert (statuses(course), course.exit_code) == ({HARDWARE: "refused"}, ExitCode.REFUSED)
    assert any("the rest was not submitted" in reason for reason in course.last.reasons)
    assert sent(bench) == ["garnet"]
    assert bench.journal()[-1] == "completed"


# timeslots


@pytest.mark.parametrize(
    ("fit", "source"), [*[(fit, "the server") for fit in range(4)], (0, "--slot"), (2, "--slot")]
)
def test_a_timeslot_that_fits_some_jobs(bench: StageBench, fit: int, source: str) -> None:
    bench.use(mode="timeslot", repeat=3, sweep=[{"grid": {"n": [2]}}], **HARDWARE_ONLY)
    bench.server.details["limits"] = ONE_BY_ONE
    bench.server.book(100_000.0)
    (bill,) = bench.run(agree=False).bills
    each = bill.seconds.high / 3 + 15.0  # and what lies between two jobs
    seconds = (fit + 0.5) * each / 0.9  # a tenth is kept free
    slot = None
    if source == "the server":
        bench.server.book(seconds)
    else:
        bench.server.slots, slot = None, seconds
    course = bench.run(slot=slot)
    assert len(sent(bench)) == fit
    assert all(post.use_timeslot for post in bench.server.posts)
    if fit == 3:
        assert statuses(course) == {HARDWARE: "passed"}
        return
    assert (statuses(course), course.exit_code) == ({HARDWARE: "refused"}, ExitCode.REFUSED)
    (reason,) = [reason for reason in course.last.reasons if "held back" in reason]
    assert reason.startswith(f"{3 - fit} job{'s' if fit < 2 else ''} of 3 held back, from job ")
    bench.server.book(100_000.0)
    assert statuses(bench.run()) == {HARDWARE: "passed"}
    assert len(sent(bench)) == 3


def test_without_a_timeslot_nothing_is_submitted(
    bench: StageBench, snapshot: SnapshotAssertion
) -> None:
    bench.use(mode="timeslot", **HARDWARE_ONLY)
    bench.server.slots = []
    course = bench.run()
    assert statuses(course) == {HARDWARE: "refused"}
    assert course.last.reasons == snapshot
    assert sent(bench) == []


def test_where_the_server_tells_of_no_timeslots_all_is_submitted(bench: StageBench) -> None:
    bench.use(mode="timeslot", **HARDWARE_ONLY)
    assert statuses(bench.run()) == {HARDWARE: "passed"}


# many jobs


@pytest.mark.parametrize(("fail_fast", "posts"), [(False, 4), (True, 2)])
@pytest.mark.parametrize("fault", ["rejected", "unknown", "failed", "unreadable"])
def test_fail_fast_ends_the_stage_at_the_first_fault(
    bench: StageBench, fail_fast: bool, posts: int, fault: str
) -> None:
    bench.use(fail_fast=fail_fast, repeat=2, **HARDWARE_ONLY)
    bench.server.details["limits"] = ONE_BY_ONE
    second = job_id(2)
    if fault in ("rejected", "unknown"):
        answer = rejection(422) if fault == "rejected" else RESET
        bench.server.say(POST_MACHINE, bench.server.take, answer)
    elif fault == "failed":
        bench.server.say_status("failed", job=second)
    else:
        for kind in ("measurement_counts", "measurements"):
            bench.server.say(f"{second}/artifacts/{kind}", *[http(200, [])] * 3)
    course = bench.run()
    assert len(sent(bench)) == posts
    expected = ExitCode.UNKNOWN if fault == "unknown" else ExitCode.FAILED
    assert course.exit_code == expected
    completed = sum(kinds[-1] == "completed" for kinds in bench.kinds())
    assert completed == posts - 1
    assert len(set(course.last.reasons)) == len(course.last.reasons)


@pytest.mark.parametrize(("status", "posts"), [(401, 1), (403, 1), (422, 4)])
def test_a_rejection_that_every_job_would_get_ends_the_stage(
    bench: StageBench, status: int, posts: int
) -> None:
    bench.use(repeat=2, **HARDWARE_ONLY)
    bench.server.details["limits"] = ONE_BY_ONE
    bench.server.say(POST_MACHINE, *[rejection(status)] * 4)
    course = bench.run()
    assert len(sent(bench)) == posts
    assert course.exit_code == (ExitCode.REFUSED if status == 401 else ExitCode.FAILED)


def test_repeats_are_jobs_of_their_own_keys(bench: StageBench) -> None:
    bench.use(repeat=3, **HARDWARE_ONLY)
    bench.run()
    (post,) = bench.server.posts
    assert sorted(post.sizes) == [2, 2, 2, 3, 3, 3]
    bench.change(repeat=4, **HARDWARE_ONLY)
    course = bench.run()
    assert course.last.cached == 6
    assert sorted(bench.server.posts[1].sizes) == [2, 3]


def test_shots_beyond_the_limit_are_split_and_count_together(bench: StageBench) -> None:
    bench.use(**HARDWARE_ONLY)
    bench.server.details["limits"] = {"max_shots_per_circuit": 4}
    course = bench.run()
    assert statuses(course) == {HARDWARE: "passed"}
    assert [post.body["shots"] for post in bench.server.posts] == [4, 3, 3]


@pytest.mark.parametrize("moment", ["after intent", "before submitted", "after submitted"])
def test_a_crash_in_the_second_of_three_jobs(bench: StageBench, moment: str) -> None:
    bench.use(repeat=3, sweep=[{"grid": {"n": [2]}}], **HARDWARE_ONLY)
    bench.server.details["limits"] = ONE_BY_ONE
    seen: list[str] = []

    def crash(now: str) -> None:
        seen.append(now)
        if seen.count(moment) == 2:
            raise Killed

    with pytest.raises(Killed):
        bench.run(disk=watched(crash))
    course = bench.run()
    assert len(sent(bench)) == (2 if moment == "after intent" else 3)
    is_unknown = moment != "after submitted"
    assert course.exit_code == (ExitCode.UNKNOWN if is_unknown else ExitCode.DONE)
    assert sum(kinds[-1] == "completed" for kinds in bench.kinds()) == 3 - is_unknown


# waiting, other processes, asking afresh


@pytest.mark.parametrize("wait", [0.0, 100.0])
def test_jobs_that_have_not_ended_are_left_to_the_next_command(
    bench: StageBench, wait: float
) -> None:
    bench.use(**HARDWARE_ONLY)
    bench.server.say_status(*["waiting"] * 50)
    start = bench.clock.now
    course = bench.run(wait=wait)
    assert (statuses(course), course.exit_code) == ({HARDWARE: "waiting"}, ExitCode.WAITING)
    assert bench.clock.now - start == pytest.approx(wait, abs=1.0)
    assert bench.run().exit_code == ExitCode.DONE
    assert sent(bench) == ["garnet"]


def test_detached_the_mock_gets_a_minute_and_the_machine_none(bench: StageBench) -> None:
    start = bench.clock.now
    bench.server.say_status("waiting", "waiting", "waiting", job=job_id(1))
    bench.server.say_status(*["waiting"] * 9, job=job_id(2))
    course = bench.run(detach=True)
    assert statuses(course) == {MOCK: "passed", HARDWARE: "waiting"}
    assert bench.clock.now - start < 60.0

    bench.use(shots=11)
    bench.server.say_status(*["waiting"] * 90, job=job_id(3))
    start = bench.clock.now
    assert statuses(bench.run(detach=True)) == {MOCK: "waiting", HARDWARE: "skipped"}
    assert bench.clock.now - start == pytest.approx(60.0, abs=1.0)


def test_a_job_that_another_process_is_submitting_is_waited_for(bench: StageBench) -> None:
    bench.use(**HARDWARE_ONLY)
    with bench.other_process("before submitted") as other:
        bench.clock.after(5.0, other.open)
        course = bench.run()
    assert statuses(course) == {HARDWARE: "passed"}
    assert (course.last.jobs, course.last.submitted) == (0, 0)
    assert sent(bench) == ["garnet"]


@pytest.mark.parametrize(("wait", "detach"), [(0.0, False), (30.0, False), (None, True)])
def test_another_process_is_waited_for_until_the_deadline(
    bench: StageBench, wait: float | None, detach: bool
) -> None:
    bench.use(**HARDWARE_ONLY)
    start = bench.clock.now
    with bench.other_process("before submitted"):
        course = bench.run(wait=wait, detach=detach)
        assert (statuses(course), course.exit_code) == ({HARDWARE: "waiting"}, ExitCode.WAITING)
        assert bench.clock.now - start == pytest.approx(wait or 0.0, abs=1.0)
        assert "another process is submitting it" in course.last.reasons[0]
    assert bench.run().exit_code == ExitCode.DONE
    assert sent(bench) == ["garnet"]


def test_a_token_that_expires_while_jobs_run(
    bench: StageBench, snapshot: SnapshotAssertion
) -> None:
    bench.use(**HARDWARE_ONLY)
    bench.server.say_status("waiting")
    bench.server.say(f"{job_id(1)} ", http(401, {"error_code": "unauthorized"}))
    course = bench.run()
    assert (statuses(course), course.exit_code) == ({HARDWARE: "refused"}, ExitCode.REFUSED)
    assert course.last.reasons[0] == snapshot
    assert bench.journal() == ["claimed", "intent", "submitted"]
    assert bench.run().exit_code == ExitCode.DONE


def test_fresh_measures_again_and_both_results_stay(bench: StageBench) -> None:
    bench.run()
    course = bench.run(fresh=True)
    assert statuses(course) == {MOCK: "passed", HARDWARE: "passed"}
    assert [verdict.cached for verdict in course.stages.values()] == [0, 0]
    assert sent(bench) == ["garnet:mock", "garnet"] * 2
    assert all(kinds.count("completed") == 2 for kinds in bench.kinds())


def test_fresh_does_not_submit_what_is_still_at_the_server(bench: StageBench) -> None:
    bench.use(**HARDWARE_ONLY)
    bench.server.say_status("waiting", "waiting")
    bench.run(wait=0.0)
    assert statuses(bench.run(fresh=True)) == {HARDWARE: "passed"}
    assert sent(bench) == ["garnet"]


@pytest.mark.parametrize("stage", [MOCK, HARDWARE])
@pytest.mark.parametrize("status", ["failed", "cancelled", "deleted"])
def test_a_job_that_the_server_ended_badly(bench: StageBench, stage: str, status: str) -> None:
    number = 1 if stage == MOCK else 2
    bench.server.say_status(status, job=job_id(number), errors=["it broke"])
    course = bench.run()
    assert course.stages[stage].status == "failed"
    assert course.stages[stage].reasons[0] == f"job {job_id(number)} {status}: it broke"
    again = bench.run()
    assert again.stages[stage].status == ("passed" if stage == MOCK else "failed")


# calibration sets


@pytest.mark.parametrize(
    ("policy", "asked"), [("pin", SET), ("latest", None), (OTHER_SET, OTHER_SET)]
)
def test_the_calibration_set_that_is_asked_for(
    bench: StageBench, policy: str, asked: str | None
) -> None:
    bench.use(calibration=policy)
    bench.run()
    assert [post.body["calibration_set_id"] for post in bench.server.posts] == [MOCK_SET, asked]


def test_a_pinned_set_that_is_no_longer_the_default(
    bench: StageBench, snapshot: SnapshotAssertion
) -> None:
    bench.use(**HARDWARE_ONLY)
    bench.server.calibration["garnet"] = OTHER_SET
    bench.server.say(f"garnet/{SET}/dynamic", bench.server.architecture("garnet", SET))
    course = bench.run(pins={"garnet": SET})
    assert [post.body["calibration_set_id"] for post in bench.server.posts] == [SET]
    assert list(course.bills[0].notes) == snapshot


def test_a_pinned_set_that_is_gone(bench: StageBench) -> None:
    bench.use(**HARDWARE_ONLY)
    bench.server.say(f"garnet/{OTHER_SET}/dynamic", rejection(404))
    course = bench.run(pins={"garnet": OTHER_SET})
    assert (statuses(course), course.exit_code) == ({HARDWARE: "refused"}, ExitCode.REFUSED)
    assert f"no calibration set {OTHER_SET}" in course.last.reasons[0]
    assert sent(bench) == []
