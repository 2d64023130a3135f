"""Connections that can be closed in the middle of things, for uvicorn and any ASGI application.

uvicorn gives an application no way to hang up. But its protocol class may be replaced, and
asyncio hands that the transport: kept by the client's address, it is found again by the scope.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send


class Connections:
    """The open connections of one server."""

    def __init__(self) -> None:
        self._open: dict[Any, asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """The protocol class for uvicorn (`http=`) whose connections are known here."""
        from uvicorn.protocols.http.h11_impl import H11Protocol

        known = self._open

        class Known(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                self.peer = transport.get_extra_info("peername")
                known[self.peer] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                known.pop(self.peer, None)
                super().connection_lost(exc)

        return Known

    def drop(self) -> Response:
        """A response that closes the connection without a byte."""
        return self._response(None)

    def cut(self, whole: Response) -> Response:
        """A response that closes the connection after half of its body."""
        return self._response(whole)

    def _response(self, whole: Response | None) -> Response:
        from starlette.responses import Response

        known = self._open

        class Broken(Response):
            async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
                if whole is not None:
                    await send(
                        {
                            "type": "http.response.start",
                            "status": whole.status_code,
                            "headers": whole.raw_headers,
                        }
                    )
                    half = bytes(whole.body)[: len(whole.body) // 2]
                    await send({"type": "http.response.body", "body": half, "more_body": True})
                transport = known.get(tuple(scope["client"]))
                if transport is not None:
                    transport.close()
                while (await receive())["type"] != "http.disconnect":
                    pass

        return Broken()
