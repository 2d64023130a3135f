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
from typing import TYPE_CHECKING
from urllib.parse import quote

from attrs import field, frozen

from iqm_spec.errors import Refused, UsageError
from iqm_spec.server.errors import Lost, Misconfigured, NoReply, NotSent, TooLarge, Unreadable
from iqm_spec.server.origin import Server
from iqm_spec.server.reply import Reply, ServerError
from iqm_spec.server.token import Token, scrub
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
        from iqm_spec.server import wire

        return self._reply(
            lambda: wire.get(
                f"{self.server.url}/api/v1/{path}",
                headers=_headers(self.token),
                params=_texts(params or {}),
                timeout=self.timeout,
            )
        )

    def post(self, path: str, body: bytes, params: Parameters | None = None) -> Reply:
        """POST of JSON bytes, or of nothing; sent at most once."""
        from iqm_spec.server import wire

        return self._reply(
            lambda: wire.post(
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
