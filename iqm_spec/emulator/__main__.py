"""The child of `iqm_spec.emulator.start`: options on stdin, its address on stdout.

It serves until its stdin is closed, which the end of the parent does, whatever that was.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

from iqm_spec.emulator.options import options_from_json
from iqm_spec.emulator.serve import Stopper, serve
from iqm_spec.errors import IqmSpecError


def main() -> None:
    """Serve as the parent asks; send it the address, or why not."""
    parent_request = json.loads(sys.stdin.buffer.readline())
    stopper = Stopper()

    def wait_for_parent() -> None:
        while os.read(0, 4096):
            pass
        stopper.stop()

    def ready(url: str, state: Path) -> None:
        threading.Thread(target=wait_for_parent, daemon=True).start()
        _send({"url": url, "state": str(state)})

    try:
        serve(options_from_json(parent_request["options"]), parent_request["port"], ready, stopper)
    except IqmSpecError as error:
        _send({"error": error.message, "hint": error.hint})
    os._exit(0)


def _send(data: dict[str, str]) -> None:
    os.write(1, json.dumps(data).encode() + b"\n")


if __name__ == "__main__":
    main()
