"""The rate limit: units per window, then a block; as IQM's interface documentation has it."""

from __future__ import annotations

import math
import threading
import time
from collections import deque

from iqm_spec.emulator.messages import Rejected

UNITS = 2000
WINDOW_S = 10.0
BLOCK_S = 30.0
"""2000 units in any 10 seconds; more than that blocks for 30 (QDMI-on-IQM, issue 198)."""
MANY_BYTES = 10 * 2**20

_COSTS = {"submit": 100, "cancel": 100, "delete": 100}


def cost(call: str, size: int) -> int:
    """Units of a request with `size` bytes: a submission pays for every 10 MiB besides."""
    units = _COSTS.get(call, 10)
    return units + 100 * (size // MANY_BYTES) if call == "submit" else units


class Meter:
    """Counts units in the memory of one process. Times are modelled seconds."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._spent: deque[tuple[float, int]] = deque()
        self._blocked_until = 0.0
        self._lock = threading.Lock()

    def charge(self, units: int) -> dict[str, str]:
        """Headers that tell what remains; `Rejected` (429, with Retry-After) where nothing does."""
        with self._lock:
            now = time.monotonic() * self._speed
            while self._spent and self._spent[0][0] <= now - WINDOW_S:
                self._spent.popleft()
            spent = sum(units for _, units in self._spent)
            if now < self._blocked_until or spent + units > UNITS:
                if now >= self._blocked_until:
                    self._blocked_until = now + BLOCK_S
                    self._spent.clear()
                raise self._refusal(now)
            self._spent.append((now, units))
        return _headers(UNITS - spent - units)

    def _refusal(self, now: float) -> Rejected:
        seconds = max(1, math.ceil((self._blocked_until - now) / self._speed))
        return Rejected(
            429,
            "rate_limit_exceeded",
            f"more than {UNITS} units in {WINDOW_S:g} s; try again in {seconds} s",
            headers={"Retry-After": str(seconds), **_headers(0)},
        )


def _headers(remaining: int) -> dict[str, str]:
    return {"RateLimit-Limit": str(UNITS), "RateLimit-Remaining": str(remaining)}
