"""Reads that are tried again until they come through: pauses grow, Retry-After is obeyed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from attrs import field, frozen

from iqm_spec.errors import Unreachable
from iqm_spec.server.errors import BadAnswer, Misconfigured, NoReply, TooLarge, Unreadable
from iqm_spec.server.reply import Reply
from iqm_spec.server.transport import Connection, Parameters

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
