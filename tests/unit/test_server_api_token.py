"""Credentials: found, refused with words, and never printed."""

from __future__ import annotations

import base64
import copy
import json
import os
import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.errors import Refused, UsageError
from iqm_spec.server_api.token import find_token, scrub

SECRET = "s3cr3t-AbCdEf0123456789"


def jwt(seconds: float) -> str:
    claims = json.dumps({"exp": int(time.time() + seconds)}).encode()
    return f"eyJhbGciOiJub25lIn0.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.c2ln"


def test_no_credentials() -> None:
    assert find_token({}) is None
    assert find_token({"IQM_TOKEN": "", "IQM_TOKENS_FILE": ""}) is None


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{:>20}".format, "%s".__mod__, ascii])
def test_a_token_never_prints(show: Callable[[Any], str]) -> None:
    token = find_token({"IQM_TOKEN": f" {SECRET}\n"})
    assert token is not None
    assert token.reveal() == SECRET
    assert "Token(...)" in show(token)
    assert SECRET not in show(token)
    assert SECRET not in repr([token])


@pytest.mark.parametrize("keep", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_token_is_not_kept(keep: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        keep(find_token({"IQM_TOKEN": SECRET}))


def test_both_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="both set"):
        find_token({"IQM_TOKEN": SECRET, "IQM_TOKENS_FILE": str(tmp_path)})


@pytest.mark.parametrize("text", ["two words", "tök", "a\nb", "   ", "a\x00b"])
def test_a_token_that_cannot_be_a_header_is_refused_unseen(text: str) -> None:
    with pytest.raises(Refused) as caught:
        find_token({"IQM_TOKEN": text})
    assert caught.value.code == "refused.token"
    assert text.strip() == "" or text not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "has no `access_token`"),
        (b'{"access_token": 7}', "has no `access_token`"),
        (b'{"access_token": "opaque"}', "no JWT with an expiry"),
        (json.dumps({"access_token": jwt(-5)}).encode(), "expired"),
        (b'{"access_token": "a.e30.c"}', "no JWT with an expiry"),
        (b'{"access_token": "a.bnVsbA.c"}', "no JWT with an expiry"),
        (b'{"access_token": "a.!!!.c"}', "no JWT with an expiry"),
    ],
    ids=range(10),
)
def test_files_of_no_use(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_bytes(content)
    with pytest.raises(Refused, match=words) as caught:
        find_token({"IQM_TOKENS_FILE": str(path)})
    assert str(tmp_path) not in str(caught.value)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Refused, match="no regular file"):
        find_token({"IQM_TOKENS_FILE": str(tmp_path / "pipe")})


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read: No such file"):
        find_token({"IQM_TOKENS_FILE": str(tmp_path / "none")})


def test_a_refreshed_file_is_seen_and_every_token_scrubbed(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    first, second = jwt(100), jwt(200)
    path.write_text(json.dumps({"access_token": first}))
    token = find_token({"IQM_TOKENS_FILE": str(path)})
    assert token is not None
    assert token.reveal() == first
    path.write_text(json.dumps({"access_token": second}))
    assert token.reveal() == second
    assert scrub(f"<{first}> <{second}>", token) == "<[token]> <[token]>"
    assert token.scrub_bytes(first.encode()) == b"[token]"
    assert scrub("as it is", None) == "as it is"


def test_a_file_that_is_written_anew_gets_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"access_token": jwt(100)}))
    token = find_token({"IQM_TOKENS_FILE": str(path)})
    assert token is not None
    fresh = jwt(200)
    path.write_text("")
    later = threading.Timer(0.3, lambda: path.write_text(json.dumps({"access_token": fresh})))
    later.start()
    assert token.reveal() == fresh
    path.write_text(json.dumps({"access_token": jwt(-5)}))
    start = time.monotonic()
    with pytest.raises(Refused, match="has expired"):
        token.reveal()
    assert 1.5 < time.monotonic() - start < 10
