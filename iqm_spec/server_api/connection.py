"""Requests to a server in the words of iqm-client, without iqm-client.

A test holds each request against what iqm-client itself sends. Its client is not used: it makes an
error of an answer before all of it was seen, asks for the quantum computers when it is made, takes
seconds to import, and has changed its name from one version to the next.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from threading import Event
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from attrs import field, frozen

from iqm_spec.errors import Refused, Unreachable, UsageError
from iqm_spec.server_api.address import Server
from iqm_spec.server_api.errors import (
    BadAnswer,
    Lost,
    Misconfigured,
    NoReply,
    NotSent,
    TooLarge,
    Unreadable,
)
from iqm_spec.server_api.reply import Reply, ServerError
from iqm_spec.server_api.token import Token, scrub
from iqm_spec.version import __version__

if TYPE_CHECKING:
    import requests


__all__ = [
    "Connection",
    "Lost",
    "Misconfigured",
    "NoReply",
    "NotSent",
    "Reply",
    "ServerError",
    "TooLarge",
    "Unreadable",
    "connect",
    "segment",
]

Parameters = Mapping[str, str | int | float | bool]
"""Of a query."""

_JSON = {"Content-Type": "application/json; charset=UTF-8"}

TIMEOUT = 120.0
"""Seconds without a byte after which an answer is given up, as in iqm-client."""


@frozen
class Connection:
    """A way to one server; no connection is open between two requests. Good for many threads.

    Every answer is a `Reply`, whatever its status. Without a whole answer `NotSent` (also as
    `Misconfigured`) or `Lost` is raised, and nothing else. Where the server has answered once, a
    certificate or proxy of no use is a passing fault: a laptop has moved to another network.
    """

    server: Server
    token: Token | None
    timeout: float
    _has_answered: Event = field(factory=Event, eq=False, repr=False)

    def get(self, path: str, params: Parameters | None = None) -> Reply:
        """GET of a path below `/api/v1/`."""
        from iqm_spec.server_api import exchange

        return self._reply(
            lambda: exchange.get(
                f"{self.server.url}/api/v1/{path}",
                headers=_headers(self.token),
                params=_texts(params or {}),
                timeout=self.timeout,
            )
        )

    def post(self, path: str, body: bytes, params: Parameters | None = None) -> Reply:
        """POST of JSON bytes, or of nothing; sent at most once."""
        from iqm_spec.server_api import exchange

        return self._reply(
            lambda: exchange.post(
                f"{self.server.url}/api/v1/{path}",
                headers=_headers(self.token) | (_JSON if body else {}),
                params=_texts(params or {}),
                data=body or None,
                timeout=self.timeout,
            )
        )

    def _reply(self, ask: Callable[[], requests.Response]) -> Reply:
        try:
            response = ask()
        except Refused as error:  # the tokens file went stale: nothing was sent
            raise Misconfigured(error.message, hint=error.hint, code=error.code) from None
        except Misconfigured as error:
            if self._has_answered.is_set():
                raise NotSent(error.message, hint=error.hint) from None
            raise
        self._has_answered.set()
        content = response.content
        if self.token is not None:
            content = self.token.scrub_bytes(content)
        headers = {k.lower(): scrub(v, self.token) for k, v in response.headers.items()}
        return Reply(response.status_code, headers, content)


def connect(server: Server, token: Token | None, timeout: float = TIMEOUT) -> Connection:
    """A connection to `server`. Makes no request; without a token none is sent."""
    return Connection(server, token, timeout)


def segment(text: str) -> str:
    """`text` (an alias, an id) as one segment of a path; UsageError where it cannot be one."""
    if not text or set(text) <= {"."} or re.search(r"[\x00-\x1f\x7f]", text):
        raise UsageError(f"{text!r} is no name of a quantum computer or job")
    return quote(text, safe=":")


def _texts(params: Parameters) -> dict[str, str]:
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in params.items()
    }


@cache
def _signature() -> str:
    from importlib.metadata import version

    return f"iqm-spec {__version__}, iqm-client {version('iqm-client')}"


def _headers(token: Token | None) -> dict[str, str]:
    """Headers of every request; the token is read anew for each."""
    headers = {"User-Agent": _signature(), "Accept": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token.reveal()}"
    return headers


T = TypeVar("T")


def _tell_nobody(why: str, seconds: float) -> None:
    """The default of `Patience.tell`."""


@frozen
class Patience:
    """How long to go on asking, and how often; all times in seconds."""

    first: float = 1.0
    """The first pause; each is twice the one before, give or take a quarter."""
    longest: float = 30.0
    total: float | None = 60.0
    """After this the server counts as unreachable; None waits forever."""
    sleep: Callable[[float], None] = field(default=time.sleep, eq=False, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, eq=False, repr=False)
    tell: Callable[[str, float], None] = field(default=_tell_nobody, eq=False, repr=False)
    """Called before each pause with what went wrong and the pause's length."""
    chance: Callable[[], float] = field(default=random.random, eq=False, repr=False)
    """Numbers from 0 to 1: where many wait, they shall not ask in step."""

    def pauses(self) -> Iterator[float]:
        """Lengths of the pauses, without end."""
        length = self.first
        while True:
            yield min(self.longest, length * (0.75 + 0.5 * self.chance()))
            length = min(self.longest, 2 * length)


def read(connection: Connection, path: str, params: Parameters | None, patience: Patience) -> Reply:
    """The reply to a GET: a 2xx whose body is JSON, or a 3xx or 4xx other than 429.

    Lost connections, 429, 5xx and 2xx that are not JSON are tried again; `Unreachable` when the
    patience is over. `Refused` at once where nothing can be sent until somebody mends something.
    """
    return read_as(connection, path, params, patience, Reply.json)[0]


def read_as(
    connection: Connection,
    path: str,
    params: Parameters | None,
    patience: Patience,
    parse: Callable[[Reply], T],
) -> tuple[Reply, T | None]:
    """As `read`, with what `parse` makes of a 2xx; it raises `Unreadable` where it is not JSON."""
    start = patience.clock()
    for pause in patience.pauses():
        found = _once(connection, path, params, parse)
        if not isinstance(found, _Nothing):
            return found
        why, asked, hint = found.why, found.pause, found.hint
        seconds = _pause(patience, start, pause, asked)
        if seconds is None:
            raise Unreachable(f"{connection.server.realm}: {why}", hint=hint or TRY_LATER)
        patience.tell(why, seconds)
        patience.sleep(seconds)
    raise AssertionError("pauses have no end")


TRY_LATER = "nothing is lost: try again later; `iqm-spec doctor` checks the connection"
"""What to do where no better hint is known."""


@frozen
class _Nothing:
    """Why there is no reply to go by, the pause that the server asks for, and a hint."""

    why: str
    pause: float | None = None
    hint: str = ""


def _once(
    connection: Connection, path: str, params: Parameters | None, parse: Callable[[Reply], T]
) -> tuple[Reply, T | None] | _Nothing:
    try:
        reply = connection.get(path, params)
    except TooLarge as error:
        raise BadAnswer(f"{path}: {error.why}") from None
    except Misconfigured as error:
        raise error.refusal(connection.server.realm) from None
    except NoReply as error:
        return _Nothing(error.why, None, error.hint)
    if reply.status == 429:
        return _Nothing("the server asks for fewer requests (429)", reply.retry_after)
    if reply.status >= 500:
        told = reply.error.message
        why = f"the server answered {reply.status}" + (f": {told}" if told else "")
        return _Nothing(why, reply.retry_after)
    if not reply.ok:
        return reply, None
    try:
        return reply, parse(reply)
    except Unreadable as error:
        return _Nothing(error.message)


def _pause(patience: Patience, start: float, pause: float, asked: float | None) -> float | None:
    """How long to pause; None where that would outlast the patience."""
    pause = max(pause, asked or 0.0)
    if patience.total is None:
        return pause
    left = patience.total - (patience.clock() - start)
    if left <= 0 or (asked or 0.0) > left:
        return None
    return min(pause, left)
