"""The verdict of a stage at a server: its status, its exit code, and its reasons in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from iqm_spec.errors import ExitCode
from tests.scripted import RESET, http
from tests.server_stage_bench import (
    HARDWARE,
    MOCK,
    MOCK_SET,
    StageBench,
    Submission,
    Verdict,
    job_id,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TODAY, BEFORE = "2026-11-23T10:00:00Z", "2026-11-20T10:00:00Z"
OTHER_ID = "ffffffff-0000-4000-8000-000000000000"
STATUS = {
    ExitCode.DONE: "passed",
    ExitCode.REFUSED: "refused",
    ExitCode.FAILED: "failed",
    ExitCode.UNKNOWN: "unknown",
    ExitCode.WAITING: "waiting",
}

Findings = dict[str, Any]
"""What a run found out beside the folder: keywords of `StageBench.judge`."""
Condition = Callable[[StageBench, str, int], Findings]
"""Brings about that a point is in some state."""


def _submit(bench: StageBench, stage: str, point: int) -> Submission:
    submission = bench.submit(stage, [point])
    assert submission is not None
    return submission


def completed(bench: StageBench, stage: str, point: int) -> Findings:
    calibration = {"calibration_set_id": MOCK_SET} if stage == MOCK else {}
    if submission := bench.submit(stage, [point]):
        bench.note_completed(submission, TODAY, **calibration)
    return {}


def unknown(bench: StageBench, stage: str, point: int) -> Findings:
    bench.server.say("POST", RESET)
    _submit(bench, stage, point)
    return {}


def credentials(bench: StageBench, stage: str, point: int) -> Findings:
    bench.server.say("POST", http(401, {"error_code": "unauthorized"}))
    return {"rejected": [_submit(bench, stage, point)]}


def rejected(bench: StageBench, stage: str, point: int) -> Findings:
    bench.server.say("POST", http(403, {"error_code": "not_enough_credits", "message": "0.1"}))
    return {"rejected": [_submit(bench, stage, point)]}


def failed(bench: StageBench, stage: str, point: int) -> Findings:
    submission = _submit(bench, stage, point)
    told = {"id": submission.ids[0], "status": "failed", "message": "qc: it broke"}
    bench.note(submission, "failed", **told)
    return {}


def cancelled(bench: StageBench, stage: str, point: int) -> Findings:
    submission = _submit(bench, stage, point)
    told = {"id": submission.ids[0], "status": "cancelled", "message": "by its owner"}
    bench.note(submission, "failed", **told)
    return {}


def trouble(bench: StageBench, stage: str, point: int) -> Findings:
    _submit(bench, stage, point)
    return {"troubles": ["job 7: the server's results are no list"]}


def stopped(bench: StageBench, stage: str, point: int) -> Findings:
    _submit(bench, stage, point)
    return {"stopped": "job 7: the token expired (set IQM_TOKEN); the jobs go on"}


def held(bench: StageBench, stage: str, point: int) -> Findings:
    return {"held": "1 job of 2 held back, from job 2 on"}


def waiting(bench: StageBench, stage: str, point: int) -> Findings:
    _submit(bench, stage, point)
    return {}


def left(bench: StageBench, stage: str, point: int) -> Findings:
    return {}


def untestable(bench: StageBench, stage: str, point: int) -> Findings:
    return {"untestable": [point]}


CODES: Mapping[Condition, ExitCode] = {
    unknown: ExitCode.UNKNOWN,
    credentials: ExitCode.REFUSED,
    failed: ExitCode.FAILED,
    cancelled: ExitCode.FAILED,
    rejected: ExitCode.FAILED,
    trouble: ExitCode.FAILED,
    stopped: ExitCode.REFUSED,
    held: ExitCode.REFUSED,
    waiting: ExitCode.WAITING,
    left: ExitCode.FAILED,
    untestable: ExitCode.DONE,
    completed: ExitCode.DONE,
}
"""What a machine's point in a state makes of its stage; where several apply, the first counts."""


def judge(bench: StageBench, stage: str, *conditions: Condition) -> Verdict:
    """The verdict when the points are in these states, and all others are completed."""
    findings: Findings = {}
    for point, condition in enumerate(conditions):
        for name, value in condition(bench, stage, point).items():
            findings[name] = findings[name] + value if name in findings else value
    for point in range(len(conditions), len(bench.plan.points)):
        completed(bench, stage, point)
    return bench.judge(stage, **findings, now=NOW)


def texts(bench: StageBench, verdict: Verdict) -> list[str]:
    """The reasons; keys of jobs are called JOB."""
    keys = [events[0]["journal"][:12] for events in bench.journals()]
    found = []
    for reason in verdict.reasons:
        for key in keys:
            reason = reason.replace(key, "JOB")
        found.append(reason)
    return found


@pytest.mark.parametrize("condition", CODES, ids=lambda condition: condition.__name__)
@pytest.mark.parametrize("stage", [MOCK, HARDWARE])
def test_a_verdict_and_its_reasons(
    bench: StageBench, stage: str, condition: Condition, snapshot: SnapshotAssertion
) -> None:
    verdict = judge(bench, stage, condition)
    code = ExitCode.FAILED if (stage, condition) == (MOCK, unknown) else CODES[condition]
    assert (verdict.status, verdict.code) == (STATUS[code], code)
    assert texts(bench, verdict) == snapshot


@pytest.mark.parametrize(
    ("first", "second"),
    [
        *pairwise(CODES),
        (unknown, failed),
        (credentials, rejected),
        (trouble, stopped),
        (failed, waiting),
        (held, left),
        (stopped, waiting),
    ],
    ids=lambda condition: condition.__name__,
)
def test_the_gravest_counts(bench: StageBench, first: Condition, second: Condition) -> None:
    verdict = judge(bench, HARDWARE, second, first)
    assert verdict.code == CODES[first]
    assert verdict.status == STATUS[CODES[first]]


def test_the_order_of_all_reasons(bench: StageBench, snapshot: SnapshotAssertion) -> None:
    bench.use(repeat=6)
    twice = _submit(bench, HARDWARE, 11)
    bench.note(twice, "adopted", id=OTHER_ID)
    bench.note_completed(twice, TODAY)
    verdict = judge(
        bench,
        HARDWARE,
        waiting,
        held,
        stopped,
        rejected,
        failed,
        unknown,
        credentials,
        untestable,
        completed,
    )
    assert texts(bench, verdict) == snapshot


def test_notes_come_last_and_change_nothing(bench: StageBench) -> None:
    completed(bench, HARDWARE, 0)
    completed(bench, HARDWARE, 1)
    plain = bench.judge(now=NOW)
    noted = bench.judge(now=NOW, notes=["garnet is not online"])
    assert (noted.status, noted.code) == (plain.status, plain.code)
    assert noted.reasons == (*plain.reasons, "garnet is not online")


def test_points_of_several_days_and_calibration_sets(
    bench: StageBench, snapshot: SnapshotAssertion
) -> None:
    bench.use(repeat=3)
    for point, (at, fields) in enumerate(
        [
            (BEFORE, {}),
            ("2026-11-22T11:59:00Z", {}),
            (TODAY, {"calibration_set_id": MOCK_SET}),
            ("2026-11-22T11:59:00Z", {"calibration_set_id": OTHER_ID}),
            (TODAY, {"calibration_set_id": None}),
            (TODAY, {}),
        ]
    ):
        bench.note_completed(_submit(bench, HARDWARE, point), at, **fields)
    verdict = bench.judge(now=NOW)
    assert (verdict.status, verdict.code) == ("passed", ExitCode.DONE)
    assert verdict.reasons == snapshot


def test_of_many_waiting_jobs_three_are_named(bench: StageBench) -> None:
    bench.use(repeat=3)
    verdict = judge(bench, HARDWARE, *[waiting] * 6)
    (reason,) = verdict.reasons
    assert reason.startswith(
        f"still at the server: {job_id(1)}, {job_id(2)}, {job_id(3)} and 3 more; "
    )


def test_a_mock_that_failed_and_then_accepted_has_passed(bench: StageBench) -> None:
    failed(bench, MOCK, 0)
    verdict = judge(bench, MOCK, completed)
    assert (verdict.status, len(verdict.reasons)) == ("passed", 1)


def test_a_mock_that_failed_twice_is_told_once(bench: StageBench) -> None:
    failed(bench, MOCK, 0)
    verdict = judge(bench, MOCK, failed)
    assert verdict.status == "failed"
    assert verdict.reasons == (f"job {job_id(2)} failed: qc: it broke",)


def test_of_a_mock_the_last_try_is_told(bench: StageBench) -> None:
    unknown(bench, MOCK, 0)
    failed(bench, MOCK, 0)
    verdict = judge(bench, MOCK, waiting)
    assert verdict.status == "waiting"
    assert [reason.split(":")[0] for reason in verdict.reasons] == ["still at the server"]


@pytest.mark.parametrize("fresh", [False, True])
def test_what_was_asked_afresh_is_not_paid_twice(bench: StageBench, fresh: bool) -> None:
    for at in (BEFORE, TODAY):
        submission = bench.submit(points=[0, 1], fresh=fresh and at == TODAY)
        if submission is None:
            continue
        bench.note_completed(submission, at)
    verdict = bench.judge(now=NOW)
    assert verdict.status == "passed"
    assert not [reason for reason in verdict.reasons if "paid twice" in reason]
    assert len(bench.server.posts) == 1 + fresh


@pytest.mark.parametrize("stage", [MOCK, HARDWARE])
def test_jobs_that_were_paid_twice_are_told(bench: StageBench, stage: str) -> None:
    submission = bench.submitted(stage)
    bench.note(submission, "adopted", id=OTHER_ID)
    bench.note_completed(submission, TODAY)
    verdict = bench.judge(stage, now=NOW)
    twice = f"paid twice: the same circuits are in the jobs {job_id(1)}, {OTHER_ID}"
    assert verdict.status == "passed"
    assert (twice in verdict.reasons) == (stage == HARDWARE)


def test_a_released_job_is_left_to_ask(bench: StageBench) -> None:
    bench.server.say("POST", RESET)
    bench.note(_submit(bench, HARDWARE, 0), "released")
    verdict = bench.judge()
    assert (verdict.status, verdict.code) == ("failed", ExitCode.FAILED)


@pytest.mark.parametrize("stage", [MOCK, HARDWARE])
def test_a_job_that_another_process_is_submitting_is_waited_for(
    bench: StageBench, stage: str, snapshot: SnapshotAssertion
) -> None:
    with bench.other_process("before submitted", stage):
        verdict = bench.judge(stage)
        assert (verdict.status, verdict.code) == ("waiting", ExitCode.WAITING)
        assert texts(bench, verdict) == snapshot
    assert bench.judge(stage).status == "waiting"
