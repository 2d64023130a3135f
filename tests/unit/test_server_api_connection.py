"""What comes over the wire, whatever it is, and whether anything left before it broke."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import DROP, HALF, RESET, SILENCE, Answer, Scripted, http

import iqm_spec
from iqm_spec.errors import UsageError
from iqm_spec.server_api import exchange
from iqm_spec.server_api.address import Server, parse_server
from iqm_spec.server_api.connection import Connection, connect, segment
from iqm_spec.server_api.errors import Lost, Misconfigured, NoReply, NotSent, TooLarge, Unreadable
from iqm_spec.server_api.reply import Reply
from iqm_spec.server_api.token import Token, find_token

SECRET = "s3cr3t-AbCdEf0123456789"


def to(server: Scripted, token: str = "", timeout: float = 5.0) -> Connection:
    held = find_token({"IQM_TOKEN": token})
    return connect(Server("test", server.url), held, timeout)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_get_as_it_leaves_and_comes_back() -> None:
    with Scripted([http(200, {"a": 1}, {"X-Thing": "Yes"})]) as server:
        reply = to(server, SECRET).get("jobs/1", {"wait": True, "n": 3})
    assert (reply.status, reply.json(), reply.headers["x-thing"]) == (200, {"a": 1}, "Yes")
    head = server.requests[0].decode().split("\r\n")
    assert head[0] == "GET /api/v1/jobs/1?wait=true&n=3 HTTP/1.1"
    fields = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:]}
    assert fields["authorization"] == f"Bearer {SECRET}"
    assert fields["user-agent"].startswith(f"iqm-spec {iqm_spec.__version__}")
    assert fields["connection"] == "close"


def test_a_post_as_it_leaves() -> None:
    with Scripted([http(201, {"id": 1}), http(200)]) as server:
        connection = to(server)
        assert connection.post("jobs/garnet/circuit", b'{"name":"\xc3\xa4"}', {"tag": "t"}).ok
        assert connection.post("jobs/1/cancel", b"").ok
    first, second = server.requests
    assert first.startswith(b"POST /api/v1/jobs/garnet/circuit?tag=t HTTP/1.1\r\n")
    assert first.endswith(b'\r\n\r\n{"name":"\xc3\xa4"}')
    assert b"uthorization" not in first
    assert second.endswith(b"\r\n\r\n")


def test_no_request_is_made_by_connecting() -> None:
    with Scripted([]) as server:
        to(server)
    assert server.requests == []


STATUSES = [200, 204, 400, 401, 403, 404, 409, 413, 418, 422, 429, 500, 502, 503, 520, 526, 599]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html><title>520</title></html>", b"\xff"])
def test_any_status_with_any_body_is_a_reply(status: int, body: bytes) -> None:
    body = b"" if status == 204 else body
    with Scripted([http(status, body), http(status, body)]) as server:
        connection = to(server)
        for reply in (connection.get("x"), connection.post("x", b"{}")):
            assert (reply.status, reply.body) == (status, body)
            assert isinstance(reply.error.message, str)


@pytest.mark.parametrize("answer", [DROP, RESET, SILENCE, HALF, Answer(b"nonsense\r\n")])
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.slow
def test_what_breaks_after_sending_is_lost_and_never_tried_again(
    answer: Answer, method: str
) -> None:
    with Scripted([answer, http(200, {})]) as server:
        connection = to(server, timeout=0.5)
        with pytest.raises(Lost) as caught:
            connection.get("x") if method == "get" else connection.post("x", b"{}")
        assert len(server.requests) == 1
    assert caught.value.why


def test_chunks_that_break_off_are_lost() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"
    with Scripted([Answer(head)]) as server, pytest.raises(Lost):
        to(server).post("x", b"{}")


def test_a_large_body_half_read_is_lost() -> None:
    """The server reads the head, closes, and leaves megabytes unsent."""

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            connection.recv(100)
            connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(Lost):
            connect(Server("test", url), None, 5.0).post("x", b"1" * (8 << 20))
        thread.join(5)


@pytest.mark.parametrize("method", ["get", "post"])
def test_refused_connections_and_unknown_hosts_are_not_sent(method: str) -> None:
    for url in (f"http://127.0.0.1:{free_port()}", "https://no-such-host.invalid"):
        connection = connect(parse_server(url), None, 5.0)
        with pytest.raises(NotSent) as caught:
            connection.get("x") if method == "get" else connection.post("x", b"{}")
        assert caught.value.why in ("the connection was refused", "no such host")


@pytest.mark.slow
def test_tls_that_fails_is_not_sent() -> None:
    """A plain server where an encrypted one should be, and one that hangs up or says nothing."""
    for answer in (http(400), DROP, SILENCE):
        with Scripted([answer]) as server:
            url = server.url.replace("http:", "https:")
            with pytest.raises(NotSent):
                connect(Server("test", url), None, 0.5).post("x", b'{"name":"mine"}')
            assert not any(b"mine" in request for request in server.requests)


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What an encrypted server at 127.0.0.2 needs to be trusted here."""
    if shutil.which("openssl") is None or sys.platform != "linux":
        pytest.skip("needs openssl and all of 127.0.0.0/8")
    key, cert = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    about = ["-nodes", "-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.2", "-days", "2"]
    subprocess.run([*make, *about, "-keyout", key, "-out", cert], check=True, capture_output=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", cert)
    monkeypatch.setenv("no_proxy", "*")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@pytest.mark.parametrize("answer", [http(200, {"id": 1}), DROP, HALF])
def test_an_encrypted_request_that_was_sent_is_answered_or_lost(
    trusted: ssl.SSLContext, answer: Answer
) -> None:
    got = []

    def serve(listener: socket.socket) -> None:
        raw, _ = listener.accept()
        with trusted.wrap_socket(raw, server_side=True) as connection:
            while not got or not got[-1].endswith(b"{}"):
                got.append(connection.recv(65536))
            connection.sendall(answer.data)

    with socket.create_server(("127.0.0.2", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        url = f"https://127.0.0.2:{listener.getsockname()[1]}"
        connection = connect(parse_server(url), find_token({"IQM_TOKEN": SECRET}), 5.0)
        if answer.data.endswith(b"}"):
            assert connection.post("x", b"{}").json() == {"id": 1}
        else:
            with pytest.raises(Lost):
                connection.post("x", b"{}")
        thread.join(5)
    assert SECRET.encode() in b"".join(got)


def test_a_proxy_that_refuses_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted([http(403)]) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(NotSent):
            connect(parse_server("https://iqm.example.org"), None, 2.0).post("x", b"{}")
        assert proxy.requests[0].startswith(b"CONNECT iqm.example.org:443")


def test_this_machine_is_not_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with Scripted([http(200, {})]) as server:
        assert to(server).get("x").ok


def test_an_entry_in_netrc_does_not_replace_the_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w") as file:
        file.write("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", netrc)
    with Scripted([http(200, {}), http(200, {})]) as server:
        to(server, SECRET).get("x")
        to(server).get("x")
    assert f"Bearer {SECRET}".encode() in server.requests[0]
    assert b"Basic" not in server.requests[0] + server.requests[1]


def test_redirected_posts_are_not_followed() -> None:
    with Scripted([http(307, b"", {"Location": "/elsewhere"}), http(200, {})]) as server:
        reply = to(server).post("x", b"{}")
        assert (reply.status, len(server.requests)) == (307, 1)


def test_redirected_gets_go_to_no_other_host() -> None:
    with Scripted([http(200, {"b": 2})] * 2) as other:
        hops = [
            http(302, b"", {"Location": "/api/v1/near"}),
            http(302, b"", {"Location": other.url + "/far?secret=1"}),
        ]
        with Scripted(hops) as server, pytest.raises(Misconfigured) as caught:
            to(server, SECRET).get("x", {"q": 1})
        assert other.requests == []
    assert caught.value.why == f"the server redirects to {other.url}, which the token is not for"
    assert SECRET.encode() in server.requests[1]
    assert server.requests[1].startswith(b"GET /api/v1/near HTTP")


@pytest.mark.parametrize("location", ["http://[", "ftp://a.b/", "javascript:alert(1)"])
def test_redirects_to_nowhere_are_replies(location: str) -> None:
    with Scripted([http(302, b"", {"Location": location})]) as server:
        assert to(server).get("x").status == 302


def test_endless_redirects_end() -> None:
    with Scripted([http(302, b"", {"Location": "/again"})] * 9) as server:
        with pytest.raises(Lost, match="redirected more than"):
            to(server).get("x")
        assert len(server.requests) == 6


def test_an_answer_that_says_it_is_too_large() -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {exchange.LARGEST_ANSWER + 1}\r\n\r\n"
    with Scripted([Answer(head.encode())]) as server, pytest.raises(TooLarge):
        to(server).get("x")


@pytest.mark.slow
def test_a_small_answer_that_grows_too_large() -> None:
    block = gzip.compress(b"\0" * (1 << 20), 1)
    bomb = block * ((exchange.LARGEST_ANSWER >> 20) + 1)
    answer = http(200, bomb, {"Content-Encoding": "gzip"})
    with Scripted([answer]) as server, pytest.raises(TooLarge):
        to(server).get("x")


def test_a_body_that_is_not_what_it_says_is_lost() -> None:
    answer = http(200, b"no gzip", {"Content-Encoding": "gzip"})
    with Scripted([answer]) as server, pytest.raises(Lost, match="decompress"):
        to(server).get("x")


def test_the_token_is_cut_out_of_what_comes_back() -> None:
    echo = http(401, {"message": f"bad token {SECRET}"}, {"X-Echo": SECRET})
    with Scripted([echo]) as server:
        reply = to(server, SECRET).get("x")
    assert SECRET not in repr(reply)
    assert reply.error.message == "bad token [token]"


def test_a_token_that_went_stale_is_not_sent() -> None:
    from iqm_spec.errors import Refused

    def stale() -> str:
        raise Refused("the access token has expired", hint="refresh it")

    with Scripted([]) as server:
        connection = connect(Server("test", server.url), Token(stale))
        for send in (lambda: connection.get("x"), lambda: connection.post("x", b"{}")):
            with pytest.raises(Misconfigured, match="expired") as caught:
                send()
            assert caught.value.hint == "refresh it"
        assert server.requests == []


def test_errors_never_hold_the_token() -> None:
    with Scripted([DROP]) as server, pytest.raises(NoReply) as caught:
        to(server, SECRET).get("x")
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error!r} {error}"
        error = error.__cause__


def test_environment_of_iqm_client_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IQM_TOKEN", SECRET)
    monkeypatch.setenv("IQM_TOKENS_FILE", "/nowhere")
    monkeypatch.setenv("IQM_SERVER_URL", "https://elsewhere.invalid")
    monkeypatch.setenv("IQM_QUANTUM_COMPUTER", "nowhere")
    with Scripted([http(200, {}), http(200, {})]) as server:
        assert to(server).get("x").ok
        assert to(server).post("x", b"{}").ok
    assert not any(SECRET.encode() in request for request in server.requests)


@pytest.mark.parametrize(
    ("body", "code", "message", "request_id"),
    [
        (b'{"error_code":"a","message":"b","request_id":"c"}', "a", "b", "c"),
        (b'{"detail":"not so"}', "", "not so", ""),
        (b'{"detail":[{"msg":"x"}]}', "", '[{"msg": "x"}]', ""),
        (b'{"message":null}', "", "", ""),
        (b"[]", "", "[]", ""),
        (b"{}", "", "", ""),
        (b"", "", "", ""),
        (b"Bad   gateway\n", "", "Bad gateway", ""),
        (b"<html><head><TITLE> 520: unknown </TITLE>...", "", "520: unknown", ""),
        (b"<h1>502</h1><p>nginx", "", "502 nginx", ""),
        (b'{"error_code":7,"message":"\\u001b[31m"}', "", "?[31m", ""),
    ],
)
def test_errors_of_any_shape(body: bytes, code: str, message: str, request_id: str) -> None:
    error = Reply(500, {}, body).error
    assert (error.code, error.message, error.request_id) == (code, message, request_id)


@given(st.binary(max_size=300) | st.text().map(str.encode))
def test_errors_of_any_bytes_are_short_and_printable(body: bytes) -> None:
    error = Reply(500, {}, body).error
    assert all(text.isprintable() for text in (error.code, error.message, error.request_id))
    assert len(error.message) <= 410


@pytest.mark.parametrize("body", [b"", b"NaN", b"[1e999]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_not_json(body: bytes) -> None:
    with pytest.raises(Unreadable):
        Reply(200, {}, body).json()


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("30", 30, 30),
        ("0.5", 0.5, 0.5),
        ("999999999", 999999999, 999999999),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Wed, 21 Oct 2115 07:28:00 GMT", 2e9, 3e9),
    ],
)
def test_retry_after(text: str, low: float, high: float) -> None:
    found = Reply(429, {"retry-after": text}, b"").retry_after
    assert found is not None
    assert low <= found <= high


@pytest.mark.parametrize("text", ["", "-1", "soon", "٣", "nan", "1e9", "Wed, 99 Oct"])
def test_retry_after_that_says_nothing(text: str) -> None:
    assert Reply(429, {"retry-after": text}, b"").retry_after is None


@pytest.mark.parametrize("text", ["", ".", "..", "a\nb"])
def test_names_that_are_no_segment_of_a_path(text: str) -> None:
    with pytest.raises(UsageError):
        segment(text)


def test_segments_stay_one_segment() -> None:
    assert segment("garnet:mock") == "garnet:mock"
    assert segment("../a?b#c") == "..%2Fa%3Fb%23c"
