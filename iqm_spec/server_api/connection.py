"""Requests to a server in the words of iqm-client, without iqm-client.

A test holds each request against what iqm-client itself sends. Its client is not used: it makes an
error of an answer before all of it was seen, asks for the quantum computers when it is made, takes
seconds to import, and has changed its name from one version to the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from threading import Event
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from attrs import field, frozen

from iqm_spec.errors import Refused, Unreachable, UsageError
from iqm_spec.server_api.address import Server
from iqm_spec.server_api.errors import (
    BadAnswer,
    Misconfigured,
    NoReply,
    NotSent,
    TooLarge,
    Unreadable,
)
from iqm_spec.server_api.reply import Reply
from iqm_spec.server_api.retry import SILENCE_SECONDS, Backoff, Retry, logger
from iqm_spec.server_api.token import Token, scrub
from iqm_spec.version import __version__

if TYPE_CHECKING:
    import requests

Parameters = Mapping[str, str | int | float | bool]
"""Of a query."""

TRY_LATER = "nothing is lost: try again later; `iqm-spec doctor` checks the connection"
"""What to do where no better hint is known."""

_JSON = {"Content-Type": "application/json; charset=UTF-8"}

_T = TypeVar("_T")


@frozen
class Connection:
    """Where requests go, and with which token. No socket is open between two requests; thread-safe.

    Every answer is a `Reply`, whatever its status. Without a complete answer `NotSent` (also as
    `Misconfigured`) or `Lost` is raised, and nothing else. Once the server has answered, a bad
    certificate or proxy counts as a passing fault: a laptop has moved to another network.
    """

    server: Server
    token: Token | None
    timeout: float
    """Seconds without a byte after which an answer is given up."""
    _has_answered: Event = field(factory=Event, eq=False, repr=False)

    def get(self, path: str, params: Parameters | None = None) -> Reply:
        """GET of a path below `/api/v1/`."""
        from iqm_spec.server_api import exchange

        return self._reply(
            f"GET {path}",
            lambda: exchange.get(
                f"{self.server.url}/api/v1/{path}",
                headers=_headers(self.token),
                params=_texts(params or {}),
                timeout=self.timeout,
            ),
        )

    def post(self, path: str, body: bytes, params: Parameters | None = None) -> Reply:
        """POST of JSON bytes, or of nothing; sent at most once."""
        from iqm_spec.server_api import exchange

        return self._reply(
            f"POST {path}",
            lambda: exchange.post(
                f"{self.server.url}/api/v1/{path}",
                headers=_headers(self.token) | (_JSON if body else {}),
                params=_texts(params or {}),
                data=body or None,
                timeout=self.timeout,
            ),
        )

    def _reply(self, request: str, send: Callable[[], requests.Response]) -> Reply:
        logger.debug("%s: %s", self.server.server_id, request)
        try:
            response = send()
        except Refused as error:  # the tokens file went stale: nothing was sent
            raise Misconfigured(error.message, hint=error.hint, code=error.code) from None
        except NoReply as error:
            logger.info("%s: no answer: %s", request, error.why)
            if isinstance(error, Misconfigured) and self._has_answered.is_set():
                raise NotSent(error.message, hint=error.hint) from None
            raise
        self._has_answered.set()
        logger.info("%s: %d", request, response.status_code)
        content = response.content
        if self.token is not None:
            content = self.token.scrub_bytes(content)
        headers = {k.lower(): scrub(v, self.token) for k, v in response.headers.items()}
        return Reply(response.status_code, headers, content)


def connect(server: Server, token: Token | None, timeout: float = SILENCE_SECONDS) -> Connection:
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


def read(connection: Connection, path: str, params: Parameters | None, retry: Retry) -> Reply:
    """The reply to a GET: a 2xx whose body is JSON, or a 3xx or 4xx other than 429.

    Lost connections, 429, 5xx and 2xx that are not JSON are tried again; `Unreachable` where the
    policy allows no more. `Refused` at once where nothing can be sent until the user corrects
    what the error names.
    """
    return read_parsed(connection, path, params, retry, Reply.json)[0]


def read_parsed(
    connection: Connection,
    path: str,
    params: Parameters | None,
    retry: Retry,
    parse: Callable[[Reply], _T],
) -> tuple[Reply, _T | None]:
    """As `read`, with what `parse` makes of a 2xx; it raises `Unreadable` where it is not JSON."""
    backoff = Backoff(retry)
    while True:
        result = _try(connection, path, params, parse)
        if not isinstance(result, _NoResult):
            return result
        if not backoff.pause(result.why, result.retry_after):
            message = f"{connection.server.server_id}: {result.why}"
            raise Unreachable(message, hint=result.hint or TRY_LATER)


@frozen
class _NoResult:
    """Why a try gave nothing, the delay in seconds that the server asks for, and a hint."""

    why: str
    retry_after: float | None = None
    hint: str = ""


def _try(
    connection: Connection, path: str, params: Parameters | None, parse: Callable[[Reply], _T]
) -> tuple[Reply, _T | None] | _NoResult:
    try:
        reply = connection.get(path, params)
    except TooLarge as error:
        raise BadAnswer(f"{path}: {error.why}") from None
    except Misconfigured as error:
        raise error.refusal(connection.server.server_id) from None
    except NoReply as error:
        return _NoResult(error.why, hint=error.hint)
    if reply.status == 429:
        return _NoResult("the server asks for fewer requests (429)", reply.retry_after)
    if reply.status >= 500:
        message = reply.error.message
        why = f"the server answered {reply.status}" + (f": {message}" if message else "")
        return _NoResult(why, reply.retry_after)
    if not reply.ok:
        return reply, None
    try:
        return reply, parse(reply)
    except Unreadable as error:
        return _NoResult(error.message)
