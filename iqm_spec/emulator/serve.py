"""Serves the emulator on loopback in this process until it is stopped."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iqm_spec.emulator.options import Options
from iqm_spec.errors import JobFailed

if TYPE_CHECKING:
    import uvicorn
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send


HOST = "127.0.0.1"
"""The only address that is ever listened on."""


class Stopper:
    """Ends a serving process from another thread or a signal."""

    def __init__(self) -> None:
        self._server: uvicorn.Server | None = None
        self._asked = threading.Event()

    def stop(self) -> None:
        """End the server: now, or as soon as it is there."""
        self._asked.set()
        if self._server is not None:
            self._server.should_exit = True

    def watch(self, server: uvicorn.Server) -> None:
        """Let `stop` end this server."""
        self._server = server
        server.should_exit = self._asked.is_set()


def serve(
    options: Options,
    port: int = 0,
    ready: Callable[[str, Path], None] = lambda url, state: None,
    stopper: Stopper | None = None,
) -> None:
    """Serve until `stopper` (or KeyboardInterrupt); `ready` receives URL and state directory.

    Port 0 takes a free one. A temporary state directory is removed at the end. `JobFailed` where
    the port is taken or the state cannot be kept.
    """
    import uvicorn

    from iqm_spec.emulator.app import make_app
    from iqm_spec.emulator.checks import warm_up
    from iqm_spec.emulator.server import EmulatedServer
    from iqm_spec.emulator.state import open_state

    listening = _listen(port)
    state = open_state(options.state)
    connections = Connections()
    emulated = EmulatedServer(options, state)
    config = uvicorn.Config(
        make_app(emulated, connections, lambda: server.should_exit),
        http=connections.protocol(),
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )

    class Quiet(uvicorn.Server):
        """Leaves signals to who called `serve`: they are the process's business."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    server = Quiet(config)
    if stopper is not None:
        stopper.watch(server)
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
    # the socket listens already: who connects from now on is served, if a moment later
    ready(f"http://{HOST}:{listening.getsockname()[1]}", state.root)
    try:
        server.run(sockets=[listening])
    finally:
        emulated.close()
        if options.state is None:
            shutil.rmtree(state.root, ignore_errors=True)


def _listen(port: int) -> socket.socket:
    # the protocol is named: only then does asyncio send small answers at once (TCP_NODELAY)
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise JobFailed(
            f"cannot listen on {HOST}:{port}: {error.strerror}",
            hint="choose another --port, or 0 for any free one",
            code="emulator.port",
        ) from error
    return listening


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

    def cut(self, response: Response) -> Response:
        """A response that closes the connection after half of its body."""
        return self._response(response)

    def _response(self, partial: Response | None) -> Response:
        from starlette.responses import Response

        known = self._open

        class Broken(Response):
            async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
                if partial is not None:
                    await send(
                        {
                            "type": "http.response.start",
                            "status": partial.status_code,
                            "headers": partial.raw_headers,
                        }
                    )
                    half = bytes(partial.body)[: len(partial.body) // 2]
                    await send({"type": "http.response.body", "body": half, "more_body": True})
                transport = known.get(tuple(scope["client"]))
                if transport is not None:
                    transport.close()
                while (await receive())["type"] != "http.disconnect":
                    pass

        return Broken()
