"""The process that simulates: on stdin a job's id and its state directory, a line each.

Answers each with an empty line once the result is on the disk. Ends when stdin does.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from iqm_spec.emulator.jobs import load
from iqm_spec.emulator.simulate import outcome, warm_up
from iqm_spec.emulator.state import State, open_state


def main() -> None:
    """Work until nobody asks any more."""
    answers = os.dup(1)
    # whatever a library prints must not be taken for an answer
    os.dup2(2, 1)
    _end_with_parent()
    warm_up()
    for job_id in iter(sys.stdin.readline, ""):
        _make(open_state(Path(sys.stdin.readline().rstrip("\n"))), job_id.strip())
        os.write(answers, b"\n")


def _make(state: State, job_id: str) -> None:
    """Counts first, then the small file that says that they are there."""
    made = outcome(load(state, job_id), state.read_bytes(f"jobs/{job_id}.payload") or b"")
    state.write(f"jobs/{job_id}.counts.json", made.get("circuits"))
    told = {"failure": made.get("failure"), "made": time.time()}
    state.write(f"jobs/{job_id}.result.json", told)


def _end_with_parent() -> None:
    """On Linux, be killed when the parent ends: in a long simulation nothing else is noticed."""
    if sys.platform == "linux":
        import ctypes
        import signal

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


if __name__ == "__main__":
    main()
