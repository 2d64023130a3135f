"""What a Dask worker runs: a chunk in its simulating process, if its versions are the asked ones.

The same circuit and seed have the same counts only where the same libraries sample them.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Mapping
from functools import cache

from iqm_spec.errors import Refused
from iqm_spec.stages.aer.child import Answer, Child
from iqm_spec.version import __version__

PACKAGES = ("numpy", "qiskit", "qiskit-aer", "qiskit-aer-gpu")

_mine = threading.local()


@cache
def versions() -> Mapping[str, str]:
    """What counts depend on: versions of what computes them, and the kind of processor."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {
        "iqm-spec": __version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "processor": platform.machine(),
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    return found


def answer_chunk(chunk: bytes, asked: Mapping[str, str]) -> bytes:
    """A pickled `Answer` to a pickled chunk, where this worker's versions are those `asked` for."""
    other = [
        f"{name} {versions().get(name, 'none')} instead of {wanted}"
        for name, wanted in asked.items()
        if versions().get(name, "none") != wanted
    ]
    if other:
        refusal = Refused(
            f"a Dask worker has {', '.join(other)}: its results could differ",
            hint="start iqm-spec, the scheduler and the workers from the same environment",
            code="refused.versions",
        )
        return pickle.dumps(Answer(error=refusal))
    return pickle.dumps(_child().ask(chunk, _wanted))


def _child() -> Child:
    """The process that simulates for this thread; a new one where the last one ended."""
    child: Child | None = getattr(_mine, "child", None)
    if child is not None and not child.alive:
        child.close()
        child = None
    if child is None:
        child = _mine.child = Child()
    return child


def _wanted() -> bool:
    """Whether the task of this thread is still to be done, as its Dask worker sees it."""
    from distributed.core import Status
    from distributed.worker import get_worker, thread_state

    worker = get_worker()
    task = worker.state.tasks.get(thread_state.key)
    running = worker.status in (Status.running, Status.paused)
    return running and task is not None and task.state != "cancelled"
