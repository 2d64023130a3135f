"""Addresses of servers: made plain, or refused with what to write instead."""

from __future__ import annotations

import pytest

from iqm_spec.errors import UsageError
from iqm_spec.server.origin import DEFAULT_SERVER, parse_server


@pytest.mark.parametrize(
    ("text", "realm"),
    [
        ("https://resonance.iqm.tech", "https://resonance.iqm.tech"),
        (" HTTPS://Resonance.IQM.tech:443/ ", "https://resonance.iqm.tech"),
        ("https://resonance.iqm.tech.", "https://resonance.iqm.tech"),
        ("https://cocos.resonance.meetiqm.com", "https://resonance.iqm.tech"),
        ("https://resonance.meetiqm.com/", "https://resonance.iqm.tech"),
        ("https://iqm.example.org:8443", "https://iqm.example.org:8443"),
        ("http://localhost", "http://localhost"),
        ("http://LOCALHOST:80", "http://localhost"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
    ],
)
def test_realms(text: str, realm: str) -> None:
    server = parse_server(text)
    assert (server.realm, server.url) == (realm, realm)


def test_the_default_is_what_it_parses_to() -> None:
    assert parse_server(DEFAULT_SERVER.url) == DEFAULT_SERVER


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("resonance.iqm.tech", "not the address", "https://resonance.iqm.tech"),
        ("", "not the address", "https://"),
        ("ftp://a.b", "not the address", "https://"),
        ("https://", "not the address", "https://"),
        ("http://resonance.iqm.tech", "in the clear", "https://resonance.iqm.tech"),
        ("http://localhost.evil.org", "in the clear", "https://"),
        ("https://resonance.iqm.tech/garnet", "has a path", "target: garnet"),
        ("https://cocos.resonance.meetiqm.com/garnet:mock", "has a path", "target: garnet:mock"),
        ("https://a.b?x=1", "query", "https://"),
        ("https://a.b#x", "query", "https://"),
        ("https://a.b:99999", "not an address", "https://"),
        ("https://[::1", "not an address", "https://"),
        ("https://[::1]", "no plain name", "https://"),
        ("https://iqm‮.tech", "no plain name", "https://"),
        ("https://a b", "no plain name", "https://"),
    ],
)
def test_what_is_refused(text: str, words: str, hint: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        parse_server(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["https://me:hunter2@a.b", "https://hunter2@a.b"])
def test_passwords_are_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="user name") as caught:
        parse_server(text)
    assert "hunter2" not in str(caught.value) + caught.value.hint
