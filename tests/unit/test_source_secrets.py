"""What counts as a credential, and what must not."""

from __future__ import annotations

import pytest

from iqm_spec.source.secrets import conceal, holds_secret, is_secret_name


@pytest.mark.parametrize(
    "name",
    ["token", "TOKEN", "iqm_token", "IQM-Token", "access_token", "api_key", "apikey", "password",
     "client_secret", "authorization", "credentials"],
)  # fmt: skip
def test_secret_names(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["secret", "tokenizer", "key", "keys", "pass", "name", "seed"])
def test_names_of_other_things(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "Authorization: Bearer abcdefghijklmnop",
        "https://me:hunter2@example.org/garnet",
    ],
)
def test_texts_that_hold_a_secret(text: str) -> None:
    assert holds_secret(text)
    masked = conceal(text)
    assert len(masked) == len(text)
    assert not holds_secret(masked)


@pytest.mark.parametrize(
    "run", ["Zk9vQ2h4R1pTbW5sYnRqd0p5ZzRxdWFtcGxl1c", "deadbeef0123456789abcdef01234567"]
)
def test_random_runs_count_where_asked(run: str) -> None:
    assert holds_secret(f"https://x/{run}", random=True)
    assert not holds_secret(run)
    assert run not in conceal(f"target: {run}")


@pytest.mark.parametrize(
    "text",
    [
        "3902d525-d8f4-42c0-9fa9-6bbd535b6c80",
        "https://cocos.resonance.meetiqm.com/garnet:timeslot",
        "00000000000000000000000000000000000000000001",
        "a_very_long_name_of_a_machine_that_is_only_words_and_more_words",
        "https://resonance.iqm.tech/garnet",
        "tokens come from the environment",
    ],
)
def test_texts_without_a_secret(text: str) -> None:
    assert not holds_secret(text, random=True)
    assert conceal(text) == text
