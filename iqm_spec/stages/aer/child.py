"""A process that simulates for another one, which stays free to speak to its scheduler meanwhile.

Aer's kernels hold the interpreter for minutes. A Dask worker that ran them itself would miss its
heartbeats and be given up as lost; so it has a child that does.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from tempfile import TemporaryFile

from attrs import frozen

from iqm_spec.errors import Interrupted
from iqm_spec.stages.aer.memory import whole_memory
from iqm_spec.stages.aer.method import choose_method
from iqm_spec.stages.aer.tasks import AerOutcome
from iqm_spec.stages.aer.worker import Chunk, prepare, simulate_chunk

LOOK_SECONDS = 0.25
"""How often a waiting parent looks whether its answer is still wanted."""

_CODE = "from iqm_spec.stages.aer.child import serve; serve()"


@frozen
class Answer:
    """Outcomes of a chunk, or the error that there was, or how the process ended before either."""

    outcomes: tuple[AerOutcome, ...] = ()
    error: Exception | None = None
    ended: str = ""


class Child:
    """The parent's side of a simulating process. For one thread: it ends when that one does."""

    def __init__(self) -> None:
        self._told = TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(  # noqa: S603 - nothing of a spec in it
            [sys.executable, "-P", "-c", _CODE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._told,
        )
        assert self._process.stdin is not None  # noqa: S101 - as asked for
        assert self._process.stdout is not None  # noqa: S101 - as asked for
        self._to = Connection(os.dup(self._process.stdin.fileno()), readable=False)
        self._from = Connection(os.dup(self._process.stdout.fileno()), writable=False)
        self._process.stdin.close()
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process can be asked something."""
        return self._process.poll() is None

    def ask(self, chunk: bytes, wanted: Callable[[], bool]) -> Answer:
        """The answer to a pickled chunk; the process is killed where it is not `wanted` any more.

        Interrupted then.
        """
        try:
            self._to.send_bytes(chunk)
            while not self._from.poll(LOOK_SECONDS):
                if not wanted():
                    self.kill()
                    raise Interrupted("nobody waits for these circuits any more")
            answer: Answer = pickle.loads(self._from.recv_bytes())  # noqa: S301 - our own process
        except (EOFError, OSError):
            return Answer(ended=self._how_it_ended())
        return answer

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the process and give up what belongs to it."""
        self.kill()
        self._to.close()
        self._from.close()
        self._told.close()

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        self._told.seek(0)
        lines = self._told.read().decode(errors="replace").strip().splitlines()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"{how}: {lines[-1][:200]}" if lines else how


def serve() -> None:
    """Answer pickled chunks on stdin, one after the other, until it is closed."""
    prepare()
    asked = Connection(os.dup(0), writable=False)
    answers = Connection(os.dup(1), readable=False)
    os.dup2(2, 1)  # what a library prints is no answer
    while True:
        try:
            chunk: Chunk = pickle.loads(asked.recv_bytes())  # noqa: S301 - from our own parent
        except EOFError:
            return
        answers.send_bytes(pickle.dumps(_answer(chunk)))


def _answer(chunk: Chunk) -> Answer:
    try:
        memory = whole_memory()
        for task in chunk.tasks:
            noisy = chunk.setup.noise is not None
            choose_method(task.circuit, task.shots, noisy, chunk.setup.method, memory)
        return Answer(tuple(simulate_chunk(chunk)))
    except Exception as error:  # noqa: BLE001 - raised again where somebody reads it
        return Answer(error=error)
