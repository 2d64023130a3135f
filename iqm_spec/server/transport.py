"""Requests to a server, with the answer kept before iqm-client turns it into an error.

What changes something at the server goes through iqm-client. What is only read is asked for in the
same words without it (a test holds the two together): to import it takes longer than most reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from attrs import frozen

from iqm_spec.errors import Refused, UsageError
from iqm_spec.server.errors import Lost, NoReply, NotSent, TooLarge, Unreadable
from iqm_spec.server.origin import Server
from iqm_spec.server.reply import Reply, ServerError
from iqm_spec.server.token import Token, scrub
from iqm_spec.version import __version__

if TYPE_CHECKING:
    import requests

__all__ = [
    "Connection",
    "Lost",
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

TIMEOUT = 120.0
"""Seconds without a byte after which an answer is given up, as in iqm-client."""


@frozen
class Connection:
    """A way to one server; no connection is open between two requests. Good for many threads.

    Every answer is a `Reply`, whatever its status. Without a whole answer `NotSent` or `Lost` is
    raised, and nothing else.
    """

    server: Server
    token: Token | None
    timeout: float

    @cached_property
    def _client(self) -> Any:
        try:
            return _client_class()(self.server.url, self.token, self.timeout)
        except RuntimeError as error:  # of iqm-client: its settings in the environment disagree
            raise UsageError(f"iqm-client refuses its configuration: {error}") from None

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
            lambda: self._client.send_request(
                wire.post, path, params=_texts(params or {}), json_data=body.decode() or None
            )
        )

    def _reply(self, ask: Callable[[], requests.Response]) -> Reply:
        try:
            response = ask()
        except Refused as error:  # the tokens file went stale: nothing was sent
            raise NotSent(error.message, hint=error.hint) from None
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


@cache
def _client_class() -> Any:
    """iqm-client's own client less its habit of asking for the computers when it is made.

    It builds addresses, headers and query as every iqm-client does. Its token manager is not used,
    since a token is read here at each request and held in a type that does not print.
    """
    from iqm.iqm_server_client.iqm_server_client import IQMServerClient
    from iqm.iqm_server_client.models import QuantumComputer

    class Client(IQMServerClient):  # type: ignore[misc]
        def __init__(self, url: str, token: Token | None, timeout: float) -> None:
            self._held = token
            super().__init__(url, quantum_computer="none", timeout=timeout)

        def _resolve_quantum_computer(self, alias: str | None) -> tuple[Any, int]:
            nil = "00000000-0000-0000-0000-000000000000"
            return QuantumComputer(id=nil, alias=alias, display_name="", proxy_path=None), 1

        @classmethod
        def _create_signature(cls, client_signature: str | None) -> str:
            return _signature()

        def _default_headers(self) -> dict[str, str]:
            return _headers(self._held)

        def send_request(
            self, http_method: Callable[..., requests.Response], url_path: str, **kwargs: Any
        ) -> requests.Response:
            """The answer, where there is one: iqm-client's own error would lose half of it."""
            answers: list[requests.Response] = []

            def kept(url: str, **asked: Any) -> requests.Response:
                answers.append(http_method(url, **asked))
                return answers[-1]

            kept.__name__ = http_method.__name__
            try:
                super().send_request(kept, url_path, **kwargs)
            except NoReply:
                raise
            except Exception:  # its own, pydantic's or a ValueError: the answer says more
                if not answers:
                    raise
            return answers[-1]

    return Client
