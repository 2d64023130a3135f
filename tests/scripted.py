"""A server that answers connections one after the other with the bytes it was given."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from attrs import frozen


@frozen
class Answer:
    """Bytes to send back; then the connection ends: closed, `reset`, or `held` open in silence."""

    data: bytes = b""
    end: str = "closed"


def http(status: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(data)}"]
    lines += [f"{key}: {value}" for key, value in (headers or {}).items()]
    return Answer("\r\n".join(lines).encode() + b"\r\n\r\n" + data)


DROP = Answer()
RESET = Answer(end="reset")
SILENCE = Answer(end="held")
HALF = Answer(http(200, {"id": "4f1c"}).data[:-4])
HALF_HEAD = Answer(b"HTTP/1.1 200 OK\r\nContent-Le")


class Scripted:
    """`requests` holds each request as it came, head and body.

    An answer may also be a function of the request that it answers.

    With `tls` it speaks HTTPS; a connection whose handshake fails takes an answer away, too.
    """

    def __init__(
        self,
        answers: Iterable[Answer | Callable[[bytes], Answer]],
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._tls = tls
        self.requests: list[bytes] = []
        self._answers = iter(answers)
        self._held: list[socket.socket] = []
        self._socket = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
        self.port = int(self._socket.getsockname()[1])
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http{'s' if tls else ''}://{shown}:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)
        for held in self._held:
            held.close()

    def _serve(self) -> None:
        for said in self._answers:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            try:
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:
                self.requests.append(b"")
                continue
            self.requests.append(_request(connection))
            answer = said if isinstance(said, Answer) else said(self.requests[-1])
            connection.sendall(answer.data)
            if answer.end == "held":
                self._held.append(connection)
                continue
            if answer.end == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()


def _request(connection: socket.socket) -> bytes:
    """One request, read to the end of its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
