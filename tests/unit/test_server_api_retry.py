"""When requests are repeated: the policies, and reads that succeed or give up under them."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from attrs import define, field
from scripted import DROP, HALF, RESET, Answer, Scripted, http

from iqm_spec.errors import ExitCode, Refused, Unreachable
from iqm_spec.server_api.address import Server
from iqm_spec.server_api.connection import connect, read
from iqm_spec.server_api.reply import Reply
from iqm_spec.server_api.retry import (
    OTHER_PROCESS,
    POLLS,
    READS,
    SUBMISSIONS,
    WAITING_READS,
    Backoff,
    Clock,
    Retry,
    RetryPolicy,
)
from iqm_spec.server_api.token import Token


@define
class Time:
    """A clock that only sleeping moves."""

    now: float = 0.0
    slept: list[float] = field(factory=list)
    reasons: list[str] = field(factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)

    def retry(self, policy: RetryPolicy = READS, chance: float = 0.5) -> Retry:
        clock = Clock(now=lambda: self.now, sleep=self.sleep, chance=lambda: chance)
        return Retry(policy, lambda why, seconds: self.reasons.append(why), clock)


def reading(answers: Sequence[Answer], retry: Retry) -> tuple[Reply, int]:
    with Scripted(answers) as server:
        reply = read(connect(Server("test", server.url), None, 2.0), "x", None, retry)
        return reply, len(server.requests)


WEATHER = [
    DROP,
    RESET,
    HALF,
    http(500),
    http(502, b"<html>"),
    http(503),
    http(520, b"<title>520</title>"),
    http(526),
    http(429),
    http(200, b""),
    http(200, b"<html>maintenance</html>"),
]


def test_waiting_survives_all_weather() -> None:
    time = Time()
    reply, asked = reading([*WEATHER, http(200, {"a": 1})], time.retry(WAITING_READS))
    assert reply.json() == {"a": 1}
    assert asked == len(WEATHER) + 1
    assert time.slept == [1, 2, 4, 8, 16, *[30] * (len(WEATHER) - 5)]
    assert len(time.reasons) == len(WEATHER)
    assert any("520" in why for why in time.reasons)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 422])
def test_refusals_are_replies_at_once(status: int) -> None:
    time = Time()
    reply, asked = reading([http(status, b"<html>")], time.retry())
    assert (reply.status, asked, time.slept) == (status, 1, [])


def test_it_ends_when_its_time_is_over() -> None:
    time = Time()
    with pytest.raises(Unreachable, match="test: the server answered 503: Sorry") as caught:
        reading([http(503, b"Sorry")] * 20, time.retry())
    assert time.now == 60.0
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert caught.value.hint


def test_nobody_there() -> None:
    time = Time()
    connection = connect(Server("test", "http://127.0.0.1:9"), None)
    with pytest.raises(Unreachable, match="refused"):
        read(connection, "x", None, time.retry(READS.within(5.0)))
    assert time.now == 5.0


@pytest.mark.parametrize("policy", [READS, WAITING_READS])
def test_what_waiting_cannot_heal_ends_at_once(policy: RetryPolicy) -> None:
    def stale() -> str:
        raise Refused("the access token has expired", hint="refresh it", code="refused.token")

    time = Time()
    connection = connect(Server("test", "http://127.0.0.1:9"), Token(stale))
    with pytest.raises(Refused, match="test: the access token has expired") as caught:
        read(connection, "x", None, time.retry(policy))
    assert (caught.value.hint, caught.value.code) == ("refresh it", "refused.token")
    assert time.slept == []


def test_retry_after_is_obeyed() -> None:
    time = Time()
    answers = [http(429, b"", {"Retry-After": "17"}), http(503, b"", {"Retry-After": "0"})]
    reading([*answers, http(200, {})], time.retry())
    assert time.slept == [17, 2]


def test_a_pause_that_outlasts_the_deadline_is_not_begun() -> None:
    time = Time()
    with pytest.raises(Unreachable, match="fewer requests"):
        reading([http(429, b"", {"Retry-After": "300"})], time.retry())
    assert time.slept == []


def pauses(policy: RetryPolicy, *asked: float | None, chance: float = 0.5) -> list[float]:
    """Delays of a course of tries whose servers ask for those in `asked`."""
    time = Time()
    backoff = Backoff(time.retry(policy, chance))
    for retry_after in asked:
        if not backoff.pause("why", retry_after):
            break
    return time.slept


def test_delays_differ_between_programs_that_wait() -> None:
    time = Time()
    numbers = random.Random(1)
    clock = Clock(now=lambda: time.now, sleep=time.sleep, chance=numbers.random)
    backoff = Backoff(Retry(WAITING_READS, clock=clock))
    for _ in range(40):
        assert backoff.pause()
    assert len(set(time.slept)) > 20
    assert all(0.75 <= pause <= 30 for pause in time.slept)
    assert pauses(READS, None, None, chance=0.0) == [0.75, 1.5]
    assert pauses(READS, None, None, chance=1.0) == [1.25, 2.5]


def test_submissions_end_after_eight_tries() -> None:
    assert pauses(SUBMISSIONS, *[None] * 9) == [0.5, 1, 2, 4, 8, 16, 30]
    assert pauses(SUBMISSIONS, None, 3.0, 0.0, None, 1.0) == [0.5, 3, 2, 4, 1]


def test_polls_begin_anew_and_end_with_the_deadline() -> None:
    assert pauses(POLLS, *[None] * 14) == pytest.approx([0.2 * 1.5**i for i in range(13)] + [30])
    time = Time()
    backoff = Backoff(time.retry(POLLS.within(1.0)))
    assert backoff.pause()
    assert backoff.pause()
    backoff.reset()
    assert backoff.pause()
    assert time.slept == pytest.approx([0.2, 0.3, 0.2])
    assert not backoff.pause()
    assert time.now == pytest.approx(1.0), "the rest is waited for, without another look"
    assert pauses(POLLS.within(0.0), None) == []


def test_what_a_server_asks_for_counts_up_to_an_hour() -> None:
    assert pauses(WAITING_READS, 1e9) == [3600.0]
    assert pauses(OTHER_PROCESS, None, None, None) == [0.2] * 3


def test_the_earlier_deadline_counts() -> None:
    assert READS.within(5.0).deadline == 5.0
    assert READS.within(90.0) is READS
    assert READS.within(None) is READS
    assert WAITING_READS.within(5.0).deadline == 5.0


def test_the_log_has_requests_and_delays_without_tokens_and_bodies(
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = "a-token-of-many-letters"
    answers = [http(503, secret.encode()), DROP, http(200, {"note": secret})]
    with caplog.at_level("DEBUG", "iqm_spec.server_api"), Scripted(answers) as server:
        read(connect(Server("test", server.url), Token(lambda: secret)), "x", None, Time().retry())
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "test: GET x",
        "GET x: 503",
        "waiting 1.0 s before try 2",
        "test: GET x",
        "GET x: no answer: the connection was closed without an answer",
        "waiting 2.0 s before try 3",
        "test: GET x",
        "GET x: 200",
    ]
