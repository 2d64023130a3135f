"""Sees to it that accepted jobs get a result, in a process of its own, one job after another.

Aer keeps Python's global lock while it simulates: in the serving process it would stop all answers.
"""

from __future__ import annotations

import os
import queue
import select
import subprocess
import sys
import threading
import time
from contextlib import suppress

from iqm_spec.emulator.jobs import EmulatedJob
from iqm_spec.emulator.state import State

LOOK_S = 0.2
"""How often it is looked whether the job that is simulated has been cancelled."""


class Simulator:
    """A thread that hands jobs to a worker process and waits for it.

    What is computed depends on the job's files alone, so it does not matter which emulator's
    worker does it, or whether another does so again.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._queue: queue.Queue[EmulatedJob] = queue.Queue()
        self._known: set[str] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._worker = _start()
        threading.Thread(target=self._work, name="simulator", daemon=True).start()

    def want(self, job: EmulatedJob) -> None:
        """See to it that the job's result will be there."""
        with self._lock:
            if job.id in self._known or job.fate is not None or self._has(job, "result"):
                return
            self._known.add(job.id)
        self._queue.put(job)

    def stop(self) -> None:
        """End the worker, whatever it does; its job is simulated when it is asked for again."""
        self._stopped = True
        self._worker.kill()

    def _work(self) -> None:
        while True:
            job = self._queue.get()
            # another emulator that is at it may die: its lock then goes, and we are asked again
            with self._state.lock_file(f"simulating-{job.id}", wait=False) as mine:
                if mine and not self._has(job, "result") and not self._has(job, "cancelled"):
                    self._simulate(job)
            with self._lock:
                self._known.discard(job.id)

    def _simulate(self, job: EmulatedJob) -> None:
        if self._worker.poll() is not None:
            self._worker = _start()
        worker = self._worker
        assert worker.stdin is not None  # noqa: S101 - it is a pipe
        assert worker.stdout is not None  # noqa: S101
        with suppress(BrokenPipeError):
            worker.stdin.write(f"{job.id}\n".encode())
            worker.stdin.write(f"{self._state.root}\n".encode())
            worker.stdin.flush()
        while not select.select([worker.stdout], [], [], LOOK_S)[0]:
            if self._has(job, "cancelled"):
                worker.kill()
                worker.wait()
                return
        if not worker.stdout.readline() and not self._stopped:
            failure = {"message": "the simulating process ended", "error_code": "internal_error"}
            self._state.write(
                f"jobs/{job.id}.result.json", {"failure": failure, "made": time.time()}
            )

    def _has(self, job: EmulatedJob, what: str) -> bool:
        return self._state.has(f"jobs/{job.id}.{what}.json")


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "iqm_spec.emulator.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={name: value for name, value in os.environ.items() if "TOKEN" not in name},
    )
