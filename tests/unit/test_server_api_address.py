"""Addresses of servers: made plain, or refused with what to write instead."""

from __future__ import annotations

import pytest

from iqm_spec.errors import UsageError
from iqm_spec.server_api.address import DEFAULT_SERVER, is_loopback, notice_of, parse_server
from iqm_spec.spec.targets import parse_target


@pytest.mark.parametrize(
    ("text", "server_id"),
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
        ("http://127.8.9.1:8000", "http://127.8.9.1:8000"),
        ("http://localhost.:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[0:0::1]", "http://[::1]"),
        ("https://[2001:DB8::1]:443/", "https://[2001:db8::1]"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_server_ids(text: str, server_id: str) -> None:
    server = parse_server(text)
    assert (server.server_id, server.url, server.notice) == (server_id, server_id, "")


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
        ("http://[2001:db8::1]:80", "in the clear", "https://[2001:db8::1]"),
        ("http://[::ffff:127.0.0.1]", "in the clear", "https://[::ffff:"),
        ("http://128.0.0.1", "in the clear", "https://128.0.0.1"),
        ("https://a.b?x=1", "query", "https://"),
        ("https://a.b#x", "query", "https://"),
        ("https://a.b:99999", "not an address", "https://"),
        ("https://[::1", "not an address", "https://"),
        ("https://[fe80::1%25eth0]", "no plain name", "https://"),
        ("https://[nonsense]", "not an address", "https://"),
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


GUIDES = [
    ("https://cocos.resonance.meetiqm.com/garnet", "`target: garnet`"),
    (
        "https://cocos.resonance.meetiqm.com/garnet:timeslot",
        "`target: garnet` with `mode: timeslot`",
    ),
    ("https://cocos.resonance.meetiqm.com/garnet:mock", "`target: garnet:mock`"),
    ("https://resonance.meetiqm.com/emerald/", "`target: emerald`"),
    ("https://resonance.iqm.tech/garnet", "`target: garnet`"),
    ("HTTPS://Resonance.IQM.tech:443//sirius:mock", "`target: sirius:mock`"),
]


@pytest.mark.parametrize(("text", "target"), GUIDES)
def test_addresses_of_guides_mean_the_server_and_tell_the_target(text: str, target: str) -> None:
    server = parse_server(text)
    assert server == DEFAULT_SERVER
    assert server.notice == (
        f"the server {text} is read as https://resonance.iqm.tech; "
        f"the quantum computer belongs in the spec: {target}"
    )
    assert notice_of(text) == server.notice
    assert f"`target: {parse_target(text).alias}" in server.notice


@pytest.mark.parametrize("text", [None, "", "emulator", "nonsense", "https://iqm.example.org"])
def test_no_notice(text: str | None) -> None:
    assert notice_of(text) == ""


STANDS = "a quantum computer stands in the spec"
PATHS = [
    ("https://iqm.example.org/station/api/v1", "write https://iqm.example.org"),
    ("https://iqm.example.org/api/v1/", "write https://iqm.example.org"),
    ("https://iqm.example.org:8443/api/v1", "write https://iqm.example.org:8443"),
    ("https://iqm.example.org//", "write https://iqm.example.org"),
    ("https://iqm.example.org/a/b", "write https://iqm.example.org"),
    ("https://iqm.example.org/garnet:mocks", "write https://iqm.example.org"),
    ("https://iqm.example.org/cocos", "write https://iqm.example.org"),
    ("https://resonance.iqm.tech/api/v1", "write https://resonance.iqm.tech"),
    ("https://cocos.resonance.meetiqm.com/station/api/v1", "write https://resonance.iqm.tech"),
    ("https://resonance.meetiqm.com/docs", "write https://resonance.iqm.tech"),
    ("https://resonance.iqm.tech/garnet/api/v1", "write https://resonance.iqm.tech"),
    ("http://localhost:8000/api/v1", "write http://localhost:8000"),
    ("http://[::1]:8000/api/v1/", "write http://[::1]:8000"),
    (
        "https://iqm.example.org/garnet:timeslot",
        f"write https://iqm.example.org; {STANDS} (`target: garnet` and `mode: timeslot`)",
    ),
    (
        "http://localhost:8000/garnet:mock",
        f"write http://localhost:8000; {STANDS} (`target: garnet:mock`)",
    ),
    ("https://iqm.example.org:8443/?x=1", "write https://iqm.example.org:8443"),
]


@pytest.mark.parametrize(("text", "hint"), PATHS)
def test_other_paths_are_refused_with_the_address_to_write(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_server(text)
    assert caught.value.hint == hint
    assert not parse_server(hint.split()[1].rstrip(";")).notice


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.255.0.3", True),
        ("::1", True),
        ("::ffff:127.0.0.1", False),
        ("localhost.evil.org", False),
        ("128.0.0.1", False),
        ("::2", False),
        (None, False),
    ],
)
def test_this_machine(host: str | None, here: bool) -> None:
    assert is_loopback(host) is here
