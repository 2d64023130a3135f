"""The server that a command goes to: an address, or the emulator in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from iqm_spec.errors import Refused, UsageError
from iqm_spec.stages.server.server_info import EMULATOR, Session

if TYPE_CHECKING:
    from iqm_spec.server_api.connection import Connection


NO_CREDENTIALS = (
    "there are no credentials: set IQM_TOKEN (or IQM_TOKENS_FILE), or rehearse on the built-in "
    "emulator with `--server emulator`"
)

EMULATOR_SPEED = 100.0
"""Modelled seconds per real second of the built-in emulator."""

EMULATOR_STATE = "emulator"
"""Folder of the emulator's state in the results folder; not for git."""


@contextmanager
def session_of(server: str | None, results: Path, *, keep: bool = True) -> Iterator[Session | None]:
    """The session with the server that is named, by IQM_SERVER_URL or by default IQM Resonance.

    None without credentials (`NO_CREDENTIALS` says what to do). A started emulator ends
    with the command; its state is removed unless `keep`.
    """
    address = _address(server)
    with ExitStack() as stack:
        state = results.absolute() / EMULATOR_STATE if keep else None
        yield _emulator_session(stack, state) if address == EMULATOR else _server_session(address)


def requested_server_id(server: str | None) -> str:
    """The id of the server that is named, by IQM_SERVER_URL or by default IQM Resonance."""
    address = _address(server)
    if address == EMULATOR:
        return EMULATOR
    from iqm_spec.server_api.address import DEFAULT_SERVER, parse_server

    return (DEFAULT_SERVER if address is None else parse_server(address)).server_id


def _address(server: str | None) -> str | None:
    return server or os.environ.get("IQM_SERVER_URL") or None


def server_of_run(server_id: str | None, requested: str | None) -> str | None:
    """The server at which a stored run is resumed: the one that it went to.

    UsageError where another one is requested: it does not have the run's jobs.
    """
    if server_id is None:
        return requested
    if requested is not None and requested != EMULATOR:
        from iqm_spec.server_api.address import parse_server

        requested = parse_server(requested).server_id
    if requested not in (None, server_id):
        raise UsageError(
            f"the run went to {server_id}", hint=f"leave --server out, or give {server_id}"
        )
    return server_id


def require_session(session: Session | None) -> Session:
    """The session; Refused where there are no credentials."""
    if session is None:
        raise Refused("there are no credentials", hint="set IQM_TOKEN (or IQM_TOKENS_FILE)")
    return session


def _emulator_session(stack: ExitStack, state: Path | None) -> Session:
    def connect() -> Connection:
        from iqm_spec.emulator import MACHINES_VARIABLE, Options, machines_from_text, start
        from iqm_spec.server_api.address import Server
        from iqm_spec.server_api.connection import connect as to
        from iqm_spec.server_api.token import Token

        machines = machines_from_text(os.environ.get(MACHINES_VARIABLE, ""))
        options = Options(state=state, speed=EMULATOR_SPEED, **machines)
        url = stack.enter_context(start(options)).url
        return to(Server(EMULATOR, url), Token(lambda: EMULATOR))

    return Session(EMULATOR, connect, lambda: True)


def _server_session(address: str | None) -> Session | None:
    from iqm_spec.server_api.address import DEFAULT_SERVER, parse_server
    from iqm_spec.server_api.token import find_token

    server = DEFAULT_SERVER if address is None else parse_server(address)
    token = find_token(os.environ)
    if token is None:
        return None

    def connect() -> Connection:
        from iqm_spec.server_api.connection import connect as to

        return to(server, token)

    return Session(server.server_id, connect, lambda: _is_emulator(server.url))


def _is_emulator(url: str) -> bool:
    """Whether the project's emulator answers at an address of this machine."""
    from urllib.parse import urlsplit

    from iqm_spec.server_api import exchange
    from iqm_spec.server_api.address import is_loopback
    from iqm_spec.server_api.errors import NoReply
    from iqm_spec.server_api.retry import EMULATOR_CHECK_SECONDS

    if not is_loopback(urlsplit(url).hostname):
        return False
    try:
        return exchange.get(f"{url}/emulator", timeout=EMULATOR_CHECK_SECONDS).status_code == 200
    except NoReply:
        return False
