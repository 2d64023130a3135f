"""A server that hands on what an emulator answers, with one kind of answer changed on the way."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import UUID

from attrs import define, field, frozen

from tests.answers.mutate import mutated

CALLS = {
    "computers": r"GET quantum-computers",
    "computer": r"GET quantum-computers/[^/]+",
    "limits": r"GET quantum-computers/[^/]+/limits",
    "health": r"GET quantum-computers/[^/]+/health",
    "queue": r"GET quantum-computers/[^/]+/queue-availability",
    "timeslots": r"GET quantum-computers/[^/]+/timeslots",
    "architecture": r"GET calibration-sets/[^/]+/[^/]+/dynamic-quantum-architecture",
    "metrics": r"GET calibration-sets/[^/]+/[^/]+/metrics",
    "calibration": r"GET calibration-sets/[^/]+/[^/]+",
    "tokens": r"GET tokens",
    "submit": r"POST jobs/[^/]+/circuit",
    "job": r"GET jobs/[^/]+",
    "payload": r"GET jobs/[^/]+/payload",
    "measurements": r"GET jobs/[^/]+/artifacts/measurements",
    "counts": r"GET jobs/[^/]+/artifacts/measurement_counts",
    "cancel": r"POST jobs/[^/]+/cancel",
}
"""Method and path below /api/v1 of every call that the program makes."""

_SLOT = {
    "start": "2126-11-23T08:00:00Z",
    "end": "2126-11-23T12:00:00+00:00",
    "price": "90.00",
    "reference": "r1",
}
MORE: Mapping[str, Mapping[str, Any]] = {
    "timeslots": {"available_slots": [_SLOT], "booked_slots": [_SLOT]},
    "queue": {"available": [_SLOT]},
    "tokens": {"tokens": [{"last_characters": "wers", "expires_at": "2126-11-23T08:00:00Z"}]},
    "job": {
        "errors": [{"source": "qpu", "message": "too warm", "error_code": "warm"}],
        "messages": [{"source": "qpu", "message": "hello"}],
    },
}
"""Put where an answer has nothing."""

ALL = 1 << 30
"""For `Change.times`."""


@frozen
class Change:
    """Which answers to change: those of `call`, `times` of them after the first `skip`.

    With `status` the request is not handed on, and an error of that status, with a changed body,
    is the answer.
    """

    call: str
    seed: int
    skip: int = 0
    times: int = ALL
    status: int = 0
    rewrite: Callable[[bytes], bytes] | None = None
    """Makes the answer, in the place of chance."""

    def of(self, body: bytes) -> tuple[bytes, str]:
        """The changed body, and in words what was changed."""
        if self.rewrite is not None:
            return self.rewrite(body), "rewritten"
        return mutated(body, self.seed)

    def __str__(self) -> str:
        times = "all" if self.times == ALL else f"{self.times}"
        error = f" with status {self.status}" if self.status else ""
        return f"{times} of `{self.call}` after {self.skip}{error}"


@define
class Seen:
    """What went through since the last reset."""

    calls: list[str] = field(factory=list)
    ids: list[str] = field(factory=list)
    """Ids of machines' jobs as the answers to submissions gave them."""
    unsure: int = 0
    """Submissions to machines that were taken, and whose answers gave no id."""
    told: list[str] = field(factory=list)
    """What was changed, in words."""


class Proxy:
    """Serves at `url`. `begin` starts anew: another emulator, another change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._upstream = ""
        self._change: Change | None = None
        self._count = 0
        self.seen = Seen()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size) if size else b""
                status, data, headers = proxy.answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # who left, left
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def begin(self, upstream: str, change: Change | None = None) -> None:
        """Forget what was seen, and change answers so from now on."""
        with self._lock:
            self._upstream, self._change, self._count = upstream, change, 0
            self.seen = Seen()

    def calm(self) -> None:
        """Change nothing more."""
        with self._lock:
            self._change = None

    def answer(
        self, method: str, path: str, headers: Any, body: bytes
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of the answer to a request."""
        call = _call(method, path)
        with self._lock:
            change = self._change
            self.seen.calls.append(call)
            hit = change is not None and change.call == call
            if change is not None and hit:
                self._count += 1
                hit = change.skip < self._count <= change.skip + change.times
        if change is not None and hit and change.status:
            return self._error(change)
        if call == "cancel":  # the job is shared by many trials: it goes on
            method, path, body = "GET", path.removesuffix("/cancel"), b""
        status, data, told = self._ask(method, path, headers, body)
        if status < 300:
            data = _with_more(call, data)
        if change is not None and hit and status < 300:
            data, what = change.of(data)
            with self._lock:
                self.seen.told.append(what)
        if call == "submit" and ":mock" not in path and status < 300:
            with self._lock:
                self._note(data)
        return status, data, told

    def _error(self, change: Change) -> tuple[int, bytes, dict[str, str]]:
        text = {"error_code": "not_enough_credits", "message": "no", "request_id": "r1"}
        data, what = change.of(json.dumps(text).encode())
        with self._lock:
            self.seen.told.append(f"status {change.status}: {what}")
        return change.status, data, {"Content-Type": "application/json"}

    def _note(self, data: bytes) -> None:
        try:
            self.seen.ids.append(str(UUID(json.loads(data)["id"])))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.seen.unsure += 1

    def _ask(
        self, method: str, path: str, headers: Any, body: bytes
    ) -> tuple[int, bytes, dict[str, str]]:
        own = ("host", "content-length", "connection", "accept-encoding")
        kept = {name: value for name, value in headers.items() if name.lower() not in own}
        connection = HTTPConnection(urlsplit(self._upstream).netloc, timeout=60)
        try:
            connection.request(method, path, body or None, kept)
            answer = connection.getresponse()
            names = ("content-type", "iqm-job-type", "x-request-id")
            told = {k: v for k, v in answer.getheaders() if k.lower() in names}
            return answer.status, answer.read(), told
        finally:
            connection.close()


def _with_more(call: str, data: bytes) -> bytes:
    """An answer with something in lists that are empty at an emulator."""
    more = MORE.get(call)
    if more is None:
        return data
    told = json.loads(data)
    return json.dumps(
        {**told, **{key: told.get(key) or value for key, value in more.items()}}
    ).encode()


def _call(method: str, path: str) -> str:
    text = f"{method} {urlsplit(path).path.removeprefix('/api/v1/')}"
    return next((name for name, like in CALLS.items() if re.fullmatch(like, text)), "other")
