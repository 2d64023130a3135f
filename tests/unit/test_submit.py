"""One submission: what the server says, what the journal says of it, and what is sent again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest
from attrs import field, frozen

from iqm_spec.errors import ExitCode, IqmSpecError, Terminated
from tests.faulty_disk import FaultyDisk, Killed, full
from tests.scripted import DROP, HALF, HALF_HEAD, RESET, SILENCE, Answer, http
from tests.server_stage_bench import (
    HARDWARE,
    MOCK,
    MOCK_SET,
    REALM,
    RUN,
    SET,
    StageBench,
    job_id,
    watched,
)

BOTH = pytest.mark.parametrize("stage", [MOCK, HARDWARE])
GARBLED = http(200, b"<html>all is well</html>")
POST = "POST"


def told(status: int, code: str = "x", **headers: str) -> Answer:
    body = {"error_code": code, "message": "as it is", "request_id": "r-1"}
    return http(status, body, {name.replace("_", "-"): text for name, text in headers.items()})


@frozen
class Case:
    """Answers to a POST, the event that they lead to with some of its fields, and pauses.

    `again` is how many POSTs the same command makes when it is given once more, by stage.
    """

    answers: tuple[Answer, ...]
    kind: str
    fields: dict[str, object] = field(factory=dict)
    pauses: tuple[float, ...] = ()
    again: tuple[int, int] = (0, 0)

    @property
    def posts(self) -> int:
        return len(self.pauses) + 1


def unknown(answer: Answer, why: str) -> Case:
    """Mocks cost nothing: what may be lost is asked of them again."""
    return Case((answer,), "unknown", {"why": why}, again=(1, 0))


def rejected(status: int, message: str, hint: str = "", code: str = "x") -> Case:
    fields = {"status": status, "code": code, "message": message, "hint": hint}
    return Case((told(status, code),), "rejected", fields, again=(1, 1))


OUTCOMES = {
    "accepted": Case((), "submitted", {"id": job_id(1)}),
    "accepted with an id in capitals": Case(
        (http(201, {"id": "ABCDEFAB-0000-4000-8000-00000000000A"}),),
        "submitted",
        {"id": "abcdefab-0000-4000-8000-00000000000a"},
    ),
    "429, then accepted": Case((told(429),), "submitted", {"id": job_id(1)}, (0.5,)),
    "429 with a time, then accepted": Case(
        (told(429, Retry_After="7"),), "submitted", {"id": job_id(1)}, (7.0,)
    ),
    "429 three times, then accepted": Case(
        (told(429),) * 3, "submitted", {"id": job_id(1)}, (0.5, 1.0, 2.0)
    ),
    "429, then rejected": Case(
        (told(429), told(400)), "rejected", {"status": 400}, (0.5,), again=(1, 1)
    ),
    "429, then lost": Case((told(429), RESET), "unknown", {}, (0.5,), again=(1, 0)),
    "400": rejected(400, "the server does not take the request: as it is (request r-1)"),
    "401": rejected(
        401,
        "the server does not accept the token: it is missing, wrong or expired: as it is "
        "(request r-1)",
        "set IQM_TOKEN (or IQM_TOKENS_FILE) to a token that is valid now, then `iqm-spec resume`",
    ),
    "403": rejected(
        403,
        "there are not enough credits: as it is (request r-1)",
        "ask the project's PI for credits; `iqm-spec run --dry-run` shows what the run needs",
        "not_enough_credits",
    ),
    "404": rejected(
        404,
        "the server knows no such quantum computer, job or calibration set: as it is (request r-1)",
        "`iqm-spec doctor` lists the quantum computers; `--replan` takes today's calibration set",
    ),
    "413": rejected(
        413,
        "the job is too large for the server: as it is (request r-1)",
        "split the job: fewer circuits or shots in one",
    ),
    "422": rejected(
        422,
        "the server finds the job invalid: as it is (request r-1)",
        "`iqm-spec doctor SPEC` checks it against the server",
    ),
    "a redirect": Case(
        (http(307, b"", {"Location": "https://new.example.org"}),),
        "rejected",
        {"status": 307, "hint": "give the server's present address with --server"},
        again=(1, 1),
    ),
    "closed without an answer": unknown(DROP, "the connection was closed without an answer"),
    "reset after the first byte": unknown(RESET, "the connection was reset"),
    "half an answer": unknown(HALF, "the answer broke off"),
    "half a head": Case((HALF_HEAD,), "unknown", again=(1, 0)),
    "timeout": unknown(SILENCE, "no answer in 0.2 s"),
    "500": unknown(told(500), "the server answered 500: as it is (request r-1)"),
    "502 of a proxy": unknown(http(502, b"<html>"), "the server answered 502"),
    "503 with a time": Case((told(503, Retry_After="1"),), "unknown", again=(1, 0)),
    "504": Case((http(504),), "unknown", again=(1, 0)),
    "408": Case((http(408),), "unknown", again=(1, 0)),
    "200 that is not JSON": Case((GARBLED,), "unknown", again=(1, 0)),
    "200 without an id": unknown(
        http(200, {}), "the server answered 200 without the id of a job"
    ),
    "200 with an id that is none": unknown(
        http(200, {"id": "7"}), "the server answered 200 without the id of a job"
    ),
}  # fmt: skip


@BOTH
@pytest.mark.parametrize("name", OUTCOMES)
def test_what_the_server_says_is_in_the_journal(bench: StageBench, stage: str, name: str) -> None:
    case = OUTCOMES[name]
    bench.timeout = 0.2 if SILENCE in case.answers else 10.0
    bench.server.say(POST, *case.answers)
    submission = bench.submit(stage)
    assert submission is not None
    assert submission.phase == case.kind
    assert bench.journal() == ["claimed", "intent", case.kind]
    assert case.fields.items() <= bench.fields(case.kind).items()
    assert tuple(seconds for _, seconds in submission.pauses) == case.pauses
    assert len(bench.server.posts) == case.posts

    bench.submit(stage)
    again = case.again[stage == HARDWARE]
    assert len(bench.server.posts) == case.posts + again
    assert bench.journal().count("intent") == 1 + again


@BOTH
def test_the_intent_holds_what_was_sent(bench: StageBench, stage: str) -> None:
    bench.submit(stage)
    (post,) = bench.server.posts
    intent = bench.fields("intent")
    parts = [number for _, number in intent["parts"]]
    assert bench.stored(intent["body"]) == post.body
    assert post.body["calibration_set_id"] == (MOCK_SET if stage == MOCK else SET)
    assert post.computer == ("garnet:mock" if stage == MOCK else "garnet")
    assert (post.sizes, parts, intent["shots"]) == ([2, 3], [0, 0], 10)
    assert {key: intent[key] for key in ("attempt", "run", "stage", "realm", "computer")} == {
        "attempt": 1,
        "run": RUN,
        "stage": stage,
        "realm": REALM,
        "computer": post.computer,
    }


@pytest.mark.parametrize("mode", ["pay-as-you-go", "timeslot"])
@BOTH
def test_only_machines_have_timeslots(bench: StageBench, stage: str, mode: str) -> None:
    bench.use(mode=mode)
    bench.submit(stage)
    is_in_slot = mode == "timeslot" and stage == HARDWARE
    assert [post.use_timeslot for post in bench.server.posts] == [is_in_slot]
    assert bench.fields("intent")["queue"] == ("timeslot" if is_in_slot else "pay-as-you-go")


@BOTH
def test_refused_connections_are_tried_again(bench: StageBench, stage: str) -> None:
    bench.server.away(3.0)
    submission = bench.submit(stage)
    assert submission is not None
    assert submission.phase == "submitted"
    assert submission.pauses == (
        ("the connection was refused", 0.5),
        ("the connection was refused", 1.0),
        ("the connection was refused", 2.0),
    )
    assert bench.journal() == ["claimed", "intent", "submitted"]


@BOTH
@pytest.mark.parametrize("busy", [False, True], ids=["nobody there", "429 for ever"])
def test_a_job_that_no_try_brought_through_is_not_submitted(
    bench: StageBench, stage: str, busy: bool
) -> None:
    if busy:
        bench.server.say(POST, *[told(429)] * 20)
    else:
        bench.server.away(1000.0)
    with pytest.raises(IqmSpecError) as caught:
        bench.submit(stage)
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert "did not take the job" in caught.value.message
    assert "nothing was submitted" in caught.value.hint
    assert bench.journal() == ["claimed", "intent", "rejected"]
    assert bench.fields("rejected")["code"] == "not_accepted"
    assert len(bench.server.posts) == (8 if busy else 0)


def test_what_somebody_has_to_mend_is_refused_at_once(
    bench: StageBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://[not-an-address")
    monkeypatch.delenv("no_proxy", raising=False)
    bench.server.close()
    with pytest.raises(IqmSpecError) as caught:
        _submit_to_another_host(bench)
    assert (caught.value.exit_code, caught.value.code) == (ExitCode.REFUSED, "refused.network")
    assert "http_proxy" in caught.value.message
    assert bench.journal() == ["claimed", "intent", "rejected"]


def _submit_to_another_host(bench: StageBench) -> None:
    bench.address = "http://iqm.example.org"
    bench.submit()


# what is left when the program ends


def at(moment: str, fault: Callable[[], BaseException]) -> Callable[[str], None]:
    def watch(now: str) -> None:
        if now == moment:
            raise fault()

    return watch


CRASHES = {
    "before claimed": ([], 0, (1, 1)),
    "after claimed": (["claimed"], 0, (1, 1)),
    "before intent": (["claimed"], 0, (1, 1)),
    "after intent": (["claimed", "intent"], 0, (1, 0)),
    "before submitted": (["claimed", "intent"], 1, (1, 0)),
    "after submitted": (["claimed", "intent", "submitted"], 1, (0, 0)),
}
"""Moment to the journal that it leaves, POSTs so far, and POSTs of the next command by stage."""


@BOTH
@pytest.mark.parametrize("moment", CRASHES)
def test_a_crash_leaves_what_can_be_known(bench: StageBench, stage: str, moment: str) -> None:
    left, posts, again = CRASHES[moment]
    with pytest.raises(Killed):
        bench.submit(stage, disk=watched(at(moment, Killed)))
    assert (bench.kinds() or [[]])[0] == left
    assert len(bench.server.posts) == posts

    submission = bench.submit(stage)
    more = again[stage == HARDWARE]
    assert len(bench.server.posts) == posts + more
    assert (submission is not None) == bool(more)
    if left == ["claimed", "intent"]:
        assert bench.fields("unknown")["why"] == (
            "the program ended between the intent and the server's answer"
        )
    assert bench.judge(stage).code == (
        ExitCode.UNKNOWN if stage == HARDWARE and left[1:] == ["intent"] else ExitCode.WAITING
    )


@BOTH
@pytest.mark.parametrize("moment", ["before claimed", "before intent", "before submitted"])
def test_a_full_disk(bench: StageBench, stage: str, moment: str) -> None:
    with pytest.raises(IqmSpecError) as caught:
        bench.submit(stage, disk=watched(at(moment, full)))
    is_lost = moment == "before submitted"
    assert len(bench.server.posts) == is_lost
    if is_lost and stage == HARDWARE:
        assert caught.value.exit_code is ExitCode.UNKNOWN
        assert job_id(1) in caught.value.message
        assert f"iqm-spec adopt {RUN} {job_id(1)}" in caught.value.hint
    else:
        assert caught.value.code == "disk"
    assert bench.submit(stage) is None or not is_lost or stage == MOCK
    assert len(bench.server.posts) == (1 if stage == HARDWARE else 1 + is_lost)


@pytest.mark.parametrize(("fault", "step"), [(Killed, 1), (full, 4)])
def test_no_fault_of_the_disk_makes_a_machine_get_a_job_twice(
    bench: StageBench, fault: Callable[[], BaseException], step: int
) -> None:
    disk = FaultyDisk(10**9, full)
    bench.submit(disk=disk)
    for number in range(0, len(disk.log), step):
        bench.use()
        bench.server.posts.clear()
        with suppress(Killed, IqmSpecError):
            bench.submit(disk=FaultyDisk(number, fault))
        sent = len(bench.server.posts)
        bench.submit()
        assert len(bench.server.posts) <= 1, f"after a fault at operation {number}: {disk.log}"
        kinds = {kind for events in bench.kinds() for kind in events}
        if sent:
            assert kinds & {"submitted", "unknown"}
        elif "unknown" not in kinds:
            assert len(bench.server.posts) == 1, "what was not sent is sent by the next command"


def test_a_released_attempt_is_made_again_under_the_next_number(bench: StageBench) -> None:
    bench.server.say(POST, RESET)
    lost = bench.submit()
    assert lost is not None
    bench.note(lost, "released")
    again = bench.submit()
    assert again is not None
    assert (again.phase, again.attempt.number) == ("submitted", 2)
    assert bench.journal().count("intent") == 2
    assert bench.judge().code == ExitCode.WAITING


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_answer(bench: StageBench, number: signal.Signals) -> None:
    def take() -> Answer:
        os.kill(os.getpid(), number)
        return bench.server.take()

    def terminate(*_: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        bench.server.say(POST, take)
        with pytest.raises(KeyboardInterrupt):
            bench.submit()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert bench.journal() == ["claimed", "intent", "submitted"]
    assert bench.fields("submitted")["id"] == job_id(1)


def test_a_signal_ends_the_pause_before_the_next_try(bench: StageBench) -> None:
    bench.server.say(POST, *[told(429)] * 9)
    bench.clock.after(5.0, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        bench.submit()
    assert bench.journal() == ["claimed", "intent", "rejected"]
    assert len(bench.server.posts) == 4  # after 0, 0.5, 1.5 and 3.5 s


# other processes, and what is asked again


@BOTH
def test_who_waits_for_the_lock_finds_the_job_submitted(bench: StageBench, stage: str) -> None:
    with bench.other_process("before intent", stage) as other:
        other.open_soon()
        assert bench.submit(stage) is None
    assert other.submission is not None
    assert other.submission.phase == "submitted"
    assert len(bench.server.posts) == 1
    assert bench.journal() == ["claimed", "intent", "submitted"]


@BOTH
def test_a_job_that_another_process_is_submitting_is_left_to_it(
    bench: StageBench, stage: str
) -> None:
    with bench.other_process("before submitted", stage):
        assert bench.submit(stage) is None
        assert bench.journal() == ["claimed", "intent"]
    assert bench.journal() == ["claimed", "intent", "submitted"]
    assert len(bench.server.posts) == 1


def test_another_job_can_be_submitted_meanwhile(bench: StageBench) -> None:
    with bench.other_process("before submitted", MOCK):
        submission = bench.submit(HARDWARE)
        assert submission is not None
        assert submission.phase == "submitted"
        assert ["claimed", "intent"] in bench.kinds()
    assert bench.kinds() == [["claimed", "intent", "submitted"]] * 2


@pytest.mark.parametrize(
    ("ended", "fresh", "posts"),
    [("", False, 1), ("", True, 1), ("completed", False, 1), ("completed", True, 2)],
)
def test_fresh_asks_again_what_has_ended(
    bench: StageBench, ended: str, fresh: bool, posts: int
) -> None:
    bench.submitted()
    if ended:
        list(bench.collect())
    bench.submit(fresh=fresh)
    assert len(bench.server.posts) == posts
    intents = [e for events in bench.journals() for e in events if e["kind"] == "intent"]
    assert [intent["fields"]["fresh"] for intent in intents] == [False, True][:posts]


def test_a_failed_machine_job_is_not_paid_again_and_a_mock_is(bench: StageBench) -> None:
    for stage in (MOCK, HARDWARE):
        submission = bench.submitted(stage)
        bench.note(submission, "failed", id=submission.ids[0], status="failed")
        bench.submit(stage)
    assert [post.computer for post in bench.server.posts] == ["garnet:mock"] * 2 + ["garnet"]


def test_points_of_one_job_are_not_asked_in_another(bench: StageBench) -> None:
    bench.submitted(points=[1])
    assert bench.submit(points=[1]) is None
    bench.submitted(points=[0, 1])
    assert [post.sizes for post in bench.server.posts] == [[3], [2]]
