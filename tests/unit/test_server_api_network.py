"""Certificates and proxies: what is mended by hand ends at once, and says which variable to set."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest
from scripted import Scripted, http

from iqm_spec.errors import ExitCode, Refused
from iqm_spec.server_api import network
from iqm_spec.server_api.address import parse_server
from iqm_spec.server_api.connection import connect, read
from iqm_spec.server_api.errors import Misconfigured, NotSent
from iqm_spec.server_api.jobs import NotAccepted, cancel, submit
from iqm_spec.server_api.retry import READS, WAITING_READS, Clock, Retry
from iqm_spec.server_api.token import find_token
from tests.certificates import Authority

TOKEN = "s3cr3t-AbCdEf0123456789"
PASSWORD = "hunter2-of-the-proxy"
HOST = "https://iqm.example.org"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", *network.BUNDLES)


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def refused(url: str, *, hint: str) -> str:
    """Why reads, submissions and cancelling are refused: at once, and without a secret."""
    connection = connect(parse_server(url), find_token({"IQM_TOKEN": TOKEN}), 5.0)
    start = time.monotonic()
    with pytest.raises(Refused) as caught:
        read(connection, "x", None, Retry(WAITING_READS))
    outcome = submit(connection, "garnet", b"{}", False, "tag")
    assert time.monotonic() - start < 5
    assert isinstance(outcome, NotAccepted)
    assert outcome.refusal is not None
    assert outcome.refusal.message == f"the job was not sent: {outcome.why}"
    with pytest.raises(Refused, match=r"^job 7 is not cancelled: "):
        cancel(connection, "7")
    error = caught.value
    assert (error.exit_code, error.code) == (ExitCode.REFUSED, "refused.network")
    assert error.message == f"{connection.server.server_id}: {outcome.why}"
    assert hint in error.hint
    shown = f"{error!r} {error.message} {error.hint} {outcome!r} {outcome.refusal!r}"
    assert TOKEN not in shown
    assert PASSWORD not in shown
    return outcome.why


# --- certificates --------------------------------------------------------------------------------


@pytest.mark.parametrize("here", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("variable", network.BUNDLES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_variables_of_certificates_hold_on_this_machine_and_proxies_do_not(
    authority: Authority, here: str, variable: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(authority.bundle))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with Scripted([http(200, {})], authority.server(here)) as server:
        connection = connect(parse_server(f"https://{here}:{server.port}"), None, 5.0)
        reply = connection.get("x") if method == "get" else connection.post("x", b"{}")
    assert reply.ok


def test_folders_of_certificates_hold(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "empty"))
    with Scripted([http(200, {})] * 3, authority.server("localhost")) as server:
        why = refused(f"https://localhost:{server.port}", hint="REQUESTS_CA_BUNDLE")
    assert why == "the certificate of the server is not trusted"


@pytest.mark.parametrize(
    ("name", "days", "trusted", "why", "hint"),
    [
        ("localhost", 1, False, "is not trusted", "set REQUESTS_CA_BUNDLE to a file"),
        ("other.example.org", 1, True, "is for another host", "--server (or IQM_SERVER_URL)"),
        ("127.0.0.9", 1, True, "is for another host", "--server (or IQM_SERVER_URL)"),
        ("localhost", -1, True, "has expired", "is this machine's clock right"),
    ],
)
def test_certificates_of_no_use(
    authority: Authority,
    name: str,
    days: float,
    trusted: bool,
    why: str,
    hint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with Scripted([http(200, {})] * 3, authority.server(name, days=days)) as server:
        found = refused(f"https://localhost:{server.port}", hint=hint)
    assert found == f"the certificate of the server {why}"
    assert not any(server.requests)


@pytest.mark.parametrize("variable", network.BUNDLES)
def test_files_of_certificates_that_are_of_no_use(
    authority: Authority, tmp_path: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "none.pem"))
    where = f"the file of certificates that {variable} names"
    assert refused("https://localhost:9", hint=f"correct {variable}") == f"{where} is not there"
    for content in (b"", b"no certificate"):
        (tmp_path / "none.pem").write_bytes(content)
        with Scripted([http(200, {})] * 3, authority.server("localhost")) as server:
            found = refused(f"https://localhost:{server.port}", hint=f"(PEM) in {variable}")
        assert found == f"the file that {variable} names holds no certificates"
    real = network.os.access
    monkeypatch.setattr(
        network.os, "access", lambda path, mode: "none" not in path and real(path, mode)
    )
    assert refused("https://localhost:9", hint=f"correct {variable}") == f"{where} cannot be read"


def test_a_plain_server_needs_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with Scripted([http(200, {})]) as server:
        assert connect(parse_server(server.url), None, 5.0).post("x", b"{}").ok


@pytest.mark.skipif(not _has_ipv6(), reason="needs IPv6")
def test_this_machine_by_its_ipv6_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Scripted([http(200, {"a": 6})] * 2, host="::1") as server:
        connection = connect(parse_server(server.url), None, 5.0)
        assert connection.get("x").json() == connection.post("x", b"{}").json() == {"a": 6}


# --- proxies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("status", "why", "hint"),
    [
        (407, "asks for a user name and a password (407)", "http://USER:PASSWORD@HOST:PORT"),
        (403, "does not let this connection through (403)", "NO_PROXY"),
    ],
)
def test_proxies_that_refuse(
    variable: str, status: int, why: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Scripted([http(status)] * 3) as proxy:
        port = urlsplit(proxy.url).port
        monkeypatch.setenv(variable, f"http://me:{PASSWORD}@127.0.0.1:{port}")
        found = refused(HOST, hint=hint)
        assert all(line.startswith(b"CONNECT iqm.example.org:443") for line in proxy.requests)
    assert found == f"the proxy http://127.0.0.1:{port} ({variable}) {why}"


def test_a_proxy_with_a_passing_trouble_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted([http(503), http(407)]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        heard: list[str] = []
        retry = Retry(READS, lambda why, _: heard.append(why), Clock(sleep=lambda _: None))
        with pytest.raises(Refused, match="407"):
            read(connect(parse_server(HOST), None, 5.0), "x", None, retry)
    assert heard == [f"the proxy {proxy.url} (HTTPS_PROXY) cannot reach the server (503)"]


@pytest.mark.parametrize(
    ("address", "shown", "why"),
    [
        ("http://me:{}@127.0.0.1:9", "http://127.0.0.1:9", "the connection was refused"),
        ("127.0.0.1:9", "http://127.0.0.1:9", "the connection was refused"),
        ("http://me:{}@no-such-host.invalid:3128", "http://no-such-host.invalid:3128", "no such"),
    ],
)
def test_dead_proxies_are_refused_and_named(
    address: str, shown: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address.format(PASSWORD))
    found = refused(HOST, hint="correct HTTPS_PROXY, or name the server's host in NO_PROXY")
    assert found.startswith(f"the proxy {shown} (HTTPS_PROXY): {why}")


def test_a_server_that_speaks_http() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = refused(f"https://127.0.0.1:{server.server_port}", hint="correct the port")
        server.shutdown()
    assert found == "the server does not speak https at this port"


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "SOCKS4a"])
def test_a_socks_proxy_without_pysocks(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "find_spec", lambda name: None)
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://me:{PASSWORD}@127.0.0.1:1080")
    found = refused(HOST, hint="`pip install pysocks`")
    assert found == "ALL_PROXY names a SOCKS proxy, and PySocks is not installed"


NO_ADDRESSES = [
    *("http://", "http://:3128", "ftp://me:{}@a.b", "socks://a.b:1", "http://a b", "http://a:x"),
    *("@", "http://a:99999"),
    *("http://me:{}#1@a.b:1", "http://me:12/{}@a.b:1", "http://me:12?{}@a.b:1"),
]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_of_a_proxy(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address.format(PASSWORD))
    found = refused(HOST, hint="")
    assert found.startswith("HTTPS_PROXY holds no address of a proxy")


def test_no_proxy_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://")
    monkeypatch.setenv("NO_PROXY", "no-such-host.invalid")
    connection = connect(parse_server("https://no-such-host.invalid"), None, 5.0)
    with pytest.raises(NotSent, match=r"^no such host$") as caught:
        connection.post("x", b"{}")
    assert not isinstance(caught.value, Misconfigured)


def test_a_proxy_that_speaks_tls_with_a_certificate_of_its_own(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Scripted([http(200, {})] * 3, authority.server("localhost")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{proxy.port}")
        found = refused(HOST, hint="REQUESTS_CA_BUNDLE")
    proxy_named = f"the proxy https://localhost:{proxy.port} (HTTPS_PROXY)"
    assert found == f"the certificate of {proxy_named} is not trusted"


class Tunnel:
    """A proxy that lets every connection through to a server of the test's own."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self.asked: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._socket.accept()
            except OSError:
                return
            self.asked.append(raw.recv(65536))
            raw.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            try:
                with self._tls.wrap_socket(raw, server_side=True) as connection:
                    asked = b""
                    while not asked.endswith(b"{}"):  # head and body may come apart
                        if not (part := connection.recv(65536)):
                            break
                        asked += part
                    self.asked.append(asked)
                    connection.sendall(http(200, {"id": 1}).data)
            except OSError:
                continue


def test_through_a_proxy_the_token_goes_to_the_server_alone(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with Tunnel(authority.server("iqm.example.org")) as proxy:
        port = urlsplit(proxy.url).port
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@127.0.0.1:{port}")
        connection = connect(parse_server(HOST), find_token({"IQM_TOKEN": TOKEN}), 5.0)
        assert connection.post("x", b"{}").json() == {"id": 1}
        connect_line, request = proxy.asked
    assert b"Proxy-Authorization: Basic" in connect_line
    assert TOKEN.encode() not in connect_line
    assert TOKEN.encode() in request
    assert b"Proxy-Authorization" not in request


def test_behind_a_proxy_the_certificate_is_the_servers(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Tunnel(authority.server("iqm.example.org")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = refused(HOST, hint="or a proxy reads the traffic, set REQUESTS_CA_BUNDLE")
    assert found == "the certificate of the server is not trusted"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with Tunnel(authority.server("other.example.org")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = refused(HOST, hint="--server")
    assert found == "the certificate of the server is for another host"


def test_where_the_server_has_answered_a_fault_of_the_network_passes(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with Scripted([http(200, {"a": 1})] * 9, authority.server("localhost")) as server:
        connection = connect(parse_server(f"https://localhost:{server.port}"), None, 5.0)
        assert read(connection, "x", None, Retry(READS)).ok
        heard: list[str] = []

        def back_home(_: float) -> None:
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))

        for away in ("", str(tmp_path / "unmounted.pem")):
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", away)
            assert isinstance(submit(connection, "garnet", b"{}", False, ""), NotAccepted)
            retry = Retry(READS, lambda why, _: heard.append(why), Clock(sleep=back_home))
            assert read(connection, "x", None, retry).ok
    assert heard == [
        "the certificate of the server is not trusted",
        "the file of certificates that REQUESTS_CA_BUNDLE names is not there",
    ]
