"""What a worker process is sent, and what it sends back: plain frozen data, nothing of Aer's."""

from __future__ import annotations

from attrs import frozen

from iqm_spec.stages.aer.simulate import simulate
from iqm_spec.stages.aer.tasks import AerOutcome, AerTask, Setup

_PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal that a process gets when its parent ends."""


@frozen
class Chunk:
    """Tasks to simulate together. How tasks are chunked moves no count."""

    tasks: tuple[AerTask, ...]
    setup: Setup


def simulate_chunk(chunk: Chunk) -> list[AerOutcome]:
    """Outcomes of the chunk's tasks in order; for a process pool or a cluster to call."""
    return list(simulate(chunk.tasks, chunk.setup))


def prepare() -> None:
    """Make this process end with Ctrl-C and with its parent, silently and at once.

    Aer's kernels hold the interpreter for minutes, so on Linux the system sees to the latter;
    elsewhere a thread does, as soon as it is let.
    """
    import signal
    import sys
    import threading

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    import os
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
