"""Results of jobs at a server: waited for, decoded, stored, or told of in words."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from iqm_spec.errors import ExitCode, IqmSpecError
from tests.faulty_disk import Killed, full
from tests.scripted import DROP, HALF, RESET, Answer, http
from tests.server_stage_bench import (
    HARDWARE,
    MOCK,
    SET,
    StageBench,
    job_id,
    report,
    watched,
)

BOTH = pytest.mark.parametrize("stage", [MOCK, HARDWARE])
FIRST, SECOND = job_id(1), job_id(2)
COUNTS, SHOTS = "artifacts/measurement_counts", "artifacts/measurements "
NOTHING = http(404, {"error_code": "not_found", "message": "there are none"})


@BOTH
def test_a_completed_job_is_in_the_folder(bench: StageBench, stage: str) -> None:
    submission = bench.submitted(stage)
    (news,) = bench.collect(stage)
    assert (news.job, news.status, news.ended) == (FIRST, "completed", True)
    assert (news.trouble, news.lacks) == ("", "")
    assert bench.journal() == ["claimed", "intent", "submitted", "completed"]
    ended = bench.fields("completed")
    assert {key: ended[key] for key in ("attempt", "id", "status", "calibration_set_id")} == {
        "attempt": 1,
        "id": FIRST,
        "status": "completed",
        "calibration_set_id": SET,
    }
    assert ended["qpu_seconds"] == 2.0
    assert bench.stored(ended["report"])["job"] == report("completed", FIRST)
    parts = bench.fields("intent")["parts"]
    records = {record["key"]: record for record in bench.pack(ended["records"])}
    job = submission.attempt.job[:16]
    for (point, _), outcome in zip(parts, ("00", "000"), strict=True):
        record = records[f"{point}.{job}.1.{FIRST}"]
        assert record["counts"] == {outcome: 10}
        assert record["shots_returned"] == 10
        assert record["calibration_set_id"] == SET


def test_news_is_told_when_something_changes(bench: StageBench) -> None:
    bench.submitted()
    for status, place in [
        ("waiting", 3),
        ("waiting", 3),
        ("waiting", 1),
        ("validating", None),
        ("processing", None),
        ("processing", None),
    ]:
        bench.server.say_status(status, queue_position=place)
    news = [(item.status, item.queue_position) for item in bench.collect()]
    assert news == [
        ("waiting", 3),
        ("waiting", 1),
        ("validating", None),
        ("processing", None),
        ("completed", None),
    ]


def test_looks_grow_rarer_while_nothing_happens(bench: StageBench) -> None:
    bench.submitted()
    start, times = bench.clock.now, []

    def look() -> Answer:
        times.append(bench.clock.now - start)
        return http(200, report("waiting", FIRST))

    bench.server.say(f"{FIRST} ", *[look] * 30)
    list(bench.collect())
    between = [after - before for before, after in pairwise(times)]
    assert between[0] == pytest.approx(0.2)
    assert between == sorted(between)
    assert between[-1] == pytest.approx(30.0)


ENDS: dict[str, tuple[dict[str, Any], str]] = {
    "failed": (
        {"errors": [{"source": "qc", "message": "it broke", "error_code": "qc_error"}]},
        "qc: it broke (qc_error)",
    ),
    "cancelled": ({"messages": ["by its owner"]}, "by its owner"),
    "deleted": ({}, "the server says `deleted` and gives no reason"),
    "aborted": ({"errors": None}, "the server says `aborted` and gives no reason"),
    "expired": ({"errors": ["too late"], "messages": ["so sorry"]}, "too late; so sorry"),
}


@BOTH
@pytest.mark.parametrize("status", ENDS)
def test_a_job_that_the_server_ended(bench: StageBench, stage: str, status: str) -> None:
    told, message = ENDS[status]
    bench.submitted(stage)
    bench.server.say_status("waiting")
    bench.server.say_status(status, **told)
    first, last = bench.collect(stage)
    assert (first.status, first.ended) == ("waiting", False)
    assert (last.status, last.ended, last.trouble) == (status, True, "")
    assert bench.journal() == ["claimed", "intent", "submitted", "failed"]
    ended = bench.fields("failed")
    assert (ended["id"], ended["status"], ended["message"]) == (FIRST, status, message)
    assert ended["qpu_seconds"] is None
    assert not [line for line in bench.server.asked if "artifacts" in line]


def test_a_failed_job_that_ran_has_its_seconds(bench: StageBench) -> None:
    bench.submitted()
    bench.server.say_status("failed", runtime_ms=1500)
    list(bench.collect())
    assert bench.fields("failed")["qpu_seconds"] == 1.5


ODD_REPORTS = {
    "no status": (http(200, {"id": FIRST}), "no job: it has no status"),
    "no job": (http(200, []), "no job: it has no status"),
    "another job": (http(200, report("completed", SECOND)), "is of another job"),
}


@pytest.mark.parametrize("name", ODD_REPORTS)
def test_a_wrong_answer_is_told_and_the_next_look_may_be_better(
    bench: StageBench, name: str
) -> None:
    answer, words = ODD_REPORTS[name]
    bench.submitted()
    bench.server.say(f"{FIRST} ", answer, answer)
    first, last = bench.collect()
    assert first.status.startswith("unreadable (")
    assert words in first.status
    assert (first.ended, first.trouble) == (False, "")
    assert (last.status, last.ended) == ("completed", True)


def test_a_job_that_the_server_has_lost(bench: StageBench, snapshot: SnapshotAssertion) -> None:
    bench.submitted()
    bench.server.say(f"{FIRST} ", NOTHING)
    (news,) = bench.collect()
    assert (news.status, news.ended) == ("lost", True)
    assert news.trouble == snapshot
    assert bench.journal() == ["claimed", "intent", "submitted"], "its id is kept"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http(503, b"<html>"), "the server answered 503"),
        (http(429), "the server asks for fewer requests (429)"),
        (RESET, "the connection was reset"),
        (DROP, "the connection was closed without an answer"),
        (HALF, "the answer broke off"),
        (http(200, b"<html>"), "not JSON"),
    ],
)
@pytest.mark.parametrize("word", [f"{FIRST} ", COUNTS])
def test_passing_faults_are_told_and_waited_out(
    bench: StageBench, answer: Answer, why: str, word: str
) -> None:
    bench.submitted()
    bench.server.say(word, answer, answer)
    (news,) = bench.collect()
    assert news.ended
    assert [why in told for told, _ in bench.pauses] == [True, True]
    assert [seconds for _, seconds in bench.pauses] == [1.0, 2.0]


def test_a_server_that_is_away_for_hours_is_waited_for(bench: StageBench) -> None:
    bench.submitted()
    bench.server.away(10_000.0)
    (news,) = bench.collect()
    assert news.ended
    assert max(seconds for _, seconds in bench.pauses) == 30.0


@pytest.mark.parametrize("away", [False, True], ids=["the job waits", "nobody there"])
def test_the_deadline(bench: StageBench, away: bool) -> None:
    bench.submitted()
    start = bench.clock.now
    if away:
        bench.server.away(10_000.0)
    bench.server.say_status(*["waiting"] * 100)
    news = list(bench.collect(wait=100.0))
    assert [item.status for item in news] == ([] if away else ["waiting"])
    assert bench.clock.now - start == pytest.approx(100.0, abs=1.0)
    assert bench.journal() == ["claimed", "intent", "submitted"]


def test_with_a_deadline_of_now_each_job_is_looked_at_once(bench: StageBench) -> None:
    bench.submitted(points=[0])
    bench.submitted(points=[1])
    bench.server.say_status("waiting", job=SECOND)
    news = list(bench.collect(wait=0.0))
    assert [(item.job, item.status) for item in news] == [(FIRST, "completed"), (SECOND, "waiting")]
    assert sorted(bench.kinds()) == [
        ["claimed", "intent", "submitted"],
        ["claimed", "intent", "submitted", "completed"],
    ]


def test_results_that_are_late_are_waited_for(bench: StageBench) -> None:
    bench.submitted()
    for word in (COUNTS, SHOTS):
        bench.server.say(word, *[NOTHING] * 5)
    first, last = bench.collect()
    assert (first.status, first.ended) == ("completed, its results are not there yet", False)
    assert (last.status, last.ended, last.trouble) == ("completed", True, "")
    assert bench.journal()[-1] == "completed"


def test_results_that_never_come(bench: StageBench, snapshot: SnapshotAssertion) -> None:
    bench.submitted()
    start = bench.clock.now
    for word in (COUNTS, SHOTS):
        bench.server.say(word, *[NOTHING] * 100)
    first, last = bench.collect()
    assert (first.ended, last.ended) == (False, True)
    assert last.trouble == snapshot
    assert 600.0 <= bench.clock.now - start <= 660.0
    assert bench.journal() == ["claimed", "intent", "submitted"]


def test_a_token_that_expires_in_the_middle(bench: StageBench) -> None:
    bench.submitted(points=[0])
    bench.submitted(points=[1])
    bench.server.say(f"{SECOND} ", http(401, {"error_code": "unauthorized"}))
    looks = bench.collect()
    assert next(looks).job == FIRST
    with pytest.raises(IqmSpecError) as caught:
        next(looks)
    assert (caught.value.exit_code, caught.value.code) == (ExitCode.REFUSED, "refused.token")
    assert "IQM_TOKEN" in caught.value.hint
    assert sorted(bench.kinds()) == [
        ["claimed", "intent", "submitted"],
        ["claimed", "intent", "submitted", "completed"],
    ]
    (last,) = bench.collect()
    assert (last.job, last.ended) == (SECOND, True)


def test_a_token_that_expires_before_the_results(bench: StageBench) -> None:
    bench.submitted()
    bench.server.say(COUNTS, http(401, {}))
    with pytest.raises(IqmSpecError) as caught:
        list(bench.collect())
    assert caught.value.code == "refused.token"
    assert bench.journal() == ["claimed", "intent", "submitted"]


def test_many_circuits_in_one_job(bench: StageBench) -> None:
    bench.use(repeat=60)
    bench.submitted(points=range(120))
    assert len(bench.server.posts[0].sizes) == 120
    (news,) = bench.collect()
    assert news.ended
    records = bench.pack(bench.fields("completed")["records"])
    assert len({record["key"] for record in records}) == 120
    assert sorted({text for record in records for text in record["counts"]}) == ["00", "000"]


def test_many_jobs_are_looked_at_in_turn(bench: StageBench) -> None:
    bench.use(repeat=4)
    start = bench.clock.now
    for point in range(8):
        bench.submitted(points=[point])
    bench.server.say_status("waiting", "waiting", job=FIRST)
    ended = [item.job for item in bench.collect() if item.ended]
    assert ended == [*(job_id(number) for number in range(2, 9)), FIRST]
    assert bench.kinds() == [["claimed", "intent", "submitted", "completed"]] * 8
    assert bench.clock.now - start >= 0.1 * 8, "reads keep to the rate limit"


def damaged(change: Callable[[list[Any]], Any]) -> Callable[[StageBench], Answer]:
    """The counts of the first job, changed."""

    def answer(bench: StageBench) -> Answer:
        results = bench.server.results(FIRST)
        changed = change(results)
        return http(200, results if changed is None else changed)

    return answer


def _one_key_less(results: list[Any]) -> None:
    results[1]["measurement_keys"].pop()
    results[1]["counts"] = {"00": 10}


WRONG_COUNTS: dict[str, Callable[[StageBench], Answer]] = {
    "no list": damaged(lambda results: {"counts": results}),
    "a circuit too few": damaged(lambda results: results[:1]),
    "a circuit too many": damaged(lambda results: results * 2),
    "no counts": damaged(lambda results: results[1].pop("counts") and None),
    "a key too few": damaged(_one_key_less),
    "an outcome too short": damaged(lambda results: results[0].update(counts={"0": 10})),
    "an outcome that is no bits": damaged(lambda results: results[0].update(counts={"02": 10})),
    "a negative number": damaged(lambda results: results[0].update(counts={"00": -1})),
    "half a shot": damaged(lambda results: results[0].update(counts={"00": 9.5})),
    "403": lambda bench: http(403, {"error_code": "forbidden", "message": "not yours"}),
}


@pytest.mark.parametrize("name", WRONG_COUNTS)
def test_counts_that_cannot_be_decoded_are_made_of_the_shots(bench: StageBench, name: str) -> None:
    bench.submitted()
    bench.server.say(COUNTS, WRONG_COUNTS[name](bench))
    (news,) = bench.collect()
    assert (news.ended, news.trouble) == (True, "")
    records = bench.pack(bench.fields("completed")["records"])
    assert sorted(text for record in records for text in record["counts"]) == ["00", "000"]


@BOTH
@pytest.mark.parametrize("name", WRONG_COUNTS)
def test_results_that_cannot_be_decoded(
    bench: StageBench, stage: str, name: str, snapshot: SnapshotAssertion
) -> None:
    bench.submitted(stage)
    bench.server.say(COUNTS, WRONG_COUNTS[name](bench))
    bench.server.say(SHOTS, http(200, [{}, {}]))
    (news,) = bench.collect(stage)
    assert (news.status, news.ended) == ("completed", True)
    if stage == HARDWARE:
        assert news.trouble == snapshot
    assert bench.journal() == ["claimed", "intent", "submitted"], "the next command looks again"
    (again,) = bench.collect(stage)
    assert (again.ended, again.trouble) == (True, "")
    assert bench.journal()[-1] == "completed"


@pytest.mark.parametrize(
    ("shots", "trouble", "lacks"),
    [
        (11, f"job {FIRST}: circuit 1 has 11 shots, 10 were requested", ""),
        (10, "", ""),
        (9, "", ""),
        (0, "", f"job {FIRST}: 2 circuits came back without shots"),
    ],
)
def test_the_number_of_shots(bench: StageBench, shots: int, trouble: str, lacks: str) -> None:
    bench.submitted()
    bench.server.say(COUNTS, http(200, bench.server.results(FIRST, shots=shots)))
    (news,) = bench.collect()
    assert (news.trouble, news.lacks) == (trouble, lacks)
    assert (bench.journal()[-1] == "completed") == (not trouble)


@BOTH
def test_shots_are_kept_where_they_are_wanted(bench: StageBench, stage: str) -> None:
    bench.submitted(stage)
    (news,) = bench.collect(stage, memory=True)
    assert news.lacks == ""
    ended = bench.fields("completed")
    assert ("memory" in ended) == (stage == HARDWARE), "the bits of a mock mean nothing"
    if stage == HARDWARE:
        packed = bench.pack(ended["memory"])  # in the order of their keys
        assert sorted((shots["shots"], shots["width"]) for shots in packed) == [(10, 2), (10, 3)]
        assert not [line for line in bench.server.asked if COUNTS in line]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (NOTHING, "the server knows no such quantum computer"),
        (http(200, [{}, {}]), "measurement keys do not fit"),
        (http(200, {}), "no list"),
    ],
)
def test_counts_are_kept_where_the_shots_cannot_be_had(
    bench: StageBench, answer: Answer, why: str
) -> None:
    bench.submitted()
    bench.server.say(SHOTS, answer)
    (news,) = bench.collect(memory=True)
    assert news.trouble == ""
    assert news.lacks.startswith(f"job {FIRST}: its shots are not kept (")
    assert why in news.lacks
    assert "memory" not in bench.fields("completed")


@pytest.mark.parametrize("moment", ["before completed", "after completed"])
@pytest.mark.parametrize("fault", [Killed, full])
def test_a_fault_at_the_end_loses_nothing(
    bench: StageBench, moment: str, fault: Callable[[], BaseException]
) -> None:
    def watch(now: str) -> None:
        if now == moment:
            raise fault()

    bench.submitted()
    with pytest.raises((Killed, IqmSpecError)):
        list(bench.collect(disk=watched(watch)))
    is_written = moment == "after completed"
    assert [item.ended for item in bench.collect()] == [True] * (not is_written)
    assert bench.journal() == ["claimed", "intent", "submitted", "completed"]
    assert len(bench.server.posts) == 1


def test_of_a_job_with_two_ids_one_is_fetched(bench: StageBench) -> None:
    submission = bench.submitted()
    bench.note(submission, "adopted", id="ffffffff-0000-4000-8000-000000000000")
    (news,) = bench.collect()
    assert (news.job, news.ended) == (FIRST, True)
    assert bench.judge().reasons[0].startswith("2 points measured")
    assert any(reason.startswith("paid twice: ") for reason in bench.judge().reasons)
