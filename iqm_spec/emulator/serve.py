"""Serves the emulator on loopback in this process until it is told to stop."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from iqm_spec.emulator.options import Options
from iqm_spec.errors import JobFailed

if TYPE_CHECKING:
    import uvicorn

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
    """Serve until `stopper` (or KeyboardInterrupt); `ready` is told URL and state directory.

    Port 0 takes a free one. A temporary state directory is removed at the end. `JobFailed` where
    the port is taken or the state cannot be kept.
    """
    import uvicorn

    from iqm_spec.emulator.app import make_app
    from iqm_spec.emulator.checks import warm_up
    from iqm_spec.emulator.connections import Connections
    from iqm_spec.emulator.server import Server
    from iqm_spec.emulator.state import open_state

    listening = _listen(port)
    state = open_state(options.state)
    connections = Connections()
    emulated = Server(options, state)
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
    server = _quiet_server(config)
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


def _quiet_server(config: uvicorn.Config) -> uvicorn.Server:
    """A server that leaves signals to who called `serve`: they are the process's business."""
    import uvicorn

    class Quiet(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Quiet(config)


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
