"""`iqm-spec` in a hurry: waits for a server that answers badly are 20 times as short."""

from __future__ import annotations

import os
import sys
from typing import Any

HASTE = 20.0


def hasten() -> None:
    """Pauses between two reads pass, and patience ends, `HASTE` times as fast."""
    from iqm_spec.server_api import connection

    real = connection._pause

    def pause(given: Any, start: float, length: float, asked: float | None) -> float | None:
        clock = given.clock()
        seconds = real(given, clock - HASTE * (clock - start), length, asked)
        return None if seconds is None else seconds / HASTE

    connection._pause = pause


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    sys.argv[1:] = sys.argv[2:]
    hasten()
    from iqm_spec.cli import main

    main()
