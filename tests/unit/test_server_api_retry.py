"""Reads that go on until they come through, and give up when their time is over."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from attrs import define, field
from scripted import DROP, HALF, RESET, Answer, Scripted, http

from iqm_spec.errors import ExitCode, Refused, Unreachable
from iqm_spec.server_api.address import Server
from iqm_spec.server_api.connection import Patience, Reply, connect, read
from iqm_spec.server_api.token import Token


@define
class Time:
    """A clock that only sleeping moves."""

    now: float = 0.0
    slept: list[float] = field(factory=list)
    told: list[str] = field(factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)

    def patience(self, total: float | None = 60.0, chance: float = 0.5) -> Patience:
        return Patience(
            total=total,
            sleep=self.sleep,
            clock=lambda: self.now,
            tell=lambda why, seconds: self.told.append(why),
            chance=lambda: chance,
        )


def reading(answers: Sequence[Answer], patience: Patience) -> tuple[Reply, int]:
    with Scripted(answers) as server:
        reply = read(connect(Server("test", server.url), None, 2.0), "x", None, patience)
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
    reply, asked = reading([*WEATHER, http(200, {"a": 1})], time.patience(None))
    assert reply.json() == {"a": 1}
    assert asked == len(WEATHER) + 1
    assert time.slept == [1, 2, 4, 8, 16, *[30] * (len(WEATHER) - 5)]
    assert len(time.told) == len(WEATHER)
    assert any("520" in why for why in time.told)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 422])
def test_refusals_are_replies_at_once(status: int) -> None:
    time = Time()
    reply, asked = reading([http(status, b"<html>")], time.patience())
    assert (reply.status, asked, time.slept) == (status, 1, [])


def test_it_ends_when_its_time_is_over() -> None:
    time = Time()
    with pytest.raises(Unreachable, match="test: the server answered 503: Sorry") as caught:
        reading([http(503, b"Sorry")] * 20, time.patience(60.0))
    assert time.now == 60.0
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert caught.value.hint


def test_nobody_there() -> None:
    time = Time()
    connection = connect(Server("test", "http://127.0.0.1:9"), None)
    with pytest.raises(Unreachable, match="refused"):
        read(connection, "x", None, time.patience(5.0))
    assert time.now == 5.0


@pytest.mark.parametrize("total", [60.0, None])
def test_what_waiting_cannot_heal_ends_at_once(total: float | None) -> None:
    def stale() -> str:
        raise Refused("the access token has expired", hint="refresh it", code="refused.token")

    time = Time()
    connection = connect(Server("test", "http://127.0.0.1:9"), Token(stale))
    with pytest.raises(Refused, match="test: the access token has expired") as caught:
        read(connection, "x", None, time.patience(total))
    assert (caught.value.hint, caught.value.code) == ("refresh it", "refused.token")
    assert time.slept == []


def test_retry_after_is_obeyed() -> None:
    time = Time()
    answers = [http(429, b"", {"Retry-After": "17"}), http(503, b"", {"Retry-After": "0"})]
    reading([*answers, http(200, {})], time.patience())
    assert time.slept == [17, 2]


def test_a_pause_that_outlasts_the_patience_is_not_begun() -> None:
    time = Time()
    with pytest.raises(Unreachable, match="fewer requests"):
        reading([http(429, b"", {"Retry-After": "300"})], time.patience(60.0))
    assert time.slept == []


def test_pauses_differ_between_those_who_wait() -> None:
    one, other = (Patience(chance=random.Random(seed).random).pauses() for seed in (1, 2))
    pairs = [(next(one), next(other)) for _ in range(20)]
    assert len({pause for pair in pairs for pause in pair}) > 20
    assert all(0.75 <= pause <= 30 for pair in pairs for pause in pair)
