"""Cuts jobs into chunks and simulates them on this machine: here, in a pool or in a child process.

A pool's processes serve `run_jobs`. A child process serves a Dask worker: Aer's kernels hold the
interpreter for minutes, and a worker that ran them itself would miss its heartbeats and be given up
as lost.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from tempfile import TemporaryFile
from typing import Any

from attrs import frozen

from iqm_spec.errors import Interrupted, JobFailed
from iqm_spec.stages.aer.engine import require_device
from iqm_spec.stages.aer.free_memory import available_memory, physical_memory
from iqm_spec.stages.aer.method import Choice, choose_method
from iqm_spec.stages.aer.simulate import simulate
from iqm_spec.stages.aer.tasks import AerOutcome, AerTask, Setup

CHUNK_SECONDS = 2.0
"""About how much work a chunk holds, so that processes end together and Ctrl-C loses little."""
CHUNK_TASKS = 256
"""Tasks in a chunk at most: the noise model is converted for Aer once a chunk."""
CHUNKS_EACH = 4
"""Chunks for each of several workers at least, where there are enough tasks."""
LEAST_TASKS = 16
"""`CHUNKS_EACH` makes no chunks smaller than this."""
IN_PROCESS_SECONDS = 3.0
"""Other processes do more work than this: Aer's kernels do not react to Ctrl-C, processes do."""
CHECK_SECONDS = 0.25
"""How often the parent of a child process checks whether the answer is still needed."""

_PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal that a process gets when its parent ends."""
_CODE = "from iqm_spec.stages.aer.local import serve; serve()"

Job = tuple[Sequence[AerTask], Setup]


@frozen
class Chunk:
    """Tasks to simulate together. How tasks are chunked changes no count."""

    tasks: tuple[AerTask, ...]
    setup: Setup


@frozen
class JobChunk:
    """A chunk of the job with the given number, and whether it is the job's last."""

    job: int
    chunk: Chunk
    last: bool


def run_jobs(
    jobs: Sequence[Job], workers: int = 1, memory_bytes: int | None = None
) -> Iterator[tuple[int, list[AerOutcome]]]:
    """Each job's number with the outcomes of its tasks in order, job by job as they are done.

    Outcomes are the same for any number of workers. Every circuit is checked before anything is
    simulated: Refused if one cannot be simulated as asked or needs more than `memory_bytes` (by
    default the available memory). If several circuits would not fit at once, fewer workers run.
    JobFailed if Aer fails or a worker dies.
    """
    memory = available_memory() if memory_bytes is None else memory_bytes
    parts, largest, seconds = cut_into_chunks(jobs, memory, _most_tasks(jobs, workers))
    processes = max(1, min(workers, len(parts), memory // max(1, largest)))
    chunks = [part.chunk for part in parts]
    in_process = processes == 1 and seconds < IN_PROCESS_SECONDS
    results = map(simulate_chunk, chunks) if in_process else _in_pool(chunks, processes)
    outcomes: list[AerOutcome] = []
    for part, chunk_outcomes in zip(parts, results, strict=True):
        outcomes += chunk_outcomes
        if part.last:
            yield part.job, outcomes
            outcomes = []


def simulate_chunk(chunk: Chunk) -> list[AerOutcome]:
    """Outcomes of the chunk's tasks in order; for a process pool or a cluster to call."""
    return list(simulate(chunk.tasks, chunk.setup))


# --- cutting jobs into chunks ---------------------------------------------------------------------


@frozen
class ExpectedTime:
    """Seconds on one core, right within a factor of three or so; or `at_most` so many.

    The bonds of a matrix product state, which decide, are only bounded before it is simulated.
    """

    seconds: float
    at_most: bool


def expected_time(jobs: Sequence[Job]) -> ExpectedTime:
    """About how long `jobs` take; Refused if a circuit cannot be simulated as asked."""
    choices = [
        choose_method(task.circuit, task.shots, setup.noise is not None, setup.method)
        for tasks, setup in jobs
        for task in tasks
    ]
    total = sum(choice.seconds for choice in choices)
    bounded = sum(c.seconds for c in choices if c.method == "matrix_product_state")
    return ExpectedTime(total, at_most=bounded > total / 2)


def cut_into_chunks(
    jobs: Sequence[Job], memory: int | None, most_tasks: int
) -> tuple[list[JobChunk], int, float]:
    """All work in chunks, the bytes that the largest circuit needs, the expected seconds of all.

    Refused if a circuit cannot be simulated as asked, or needs more than `memory` bytes.
    """
    parts = []
    largest, seconds = 0, 0.0
    for device in {setup.device for _, setup in jobs}:
        require_device(device)
    for number, (tasks, setup) in enumerate(jobs):
        noisy = setup.noise is not None
        choices = [
            choose_method(task.circuit, task.shots, noisy, setup.method, memory) for task in tasks
        ]
        largest = max([largest, *(choice.bytes_needed for choice in choices)])
        seconds += sum(choice.seconds for choice in choices)
        groups = list(_grouped(tasks, choices, most_tasks)) or [()]
        parts += [JobChunk(number, Chunk(group, setup), group is groups[-1]) for group in groups]
    return parts, largest, seconds


def _most_tasks(jobs: Sequence[Job], workers: int) -> int:
    """How many tasks a chunk may hold for every one of `workers` to get some."""
    if workers == 1:
        return CHUNK_TASKS
    share = sum(len(tasks) for tasks, _ in jobs) // (CHUNKS_EACH * workers)
    return min(CHUNK_TASKS, max(LEAST_TASKS, share))


def _grouped(
    tasks: Iterable[AerTask], choices: Iterable[Choice], most_tasks: int
) -> Iterator[tuple[AerTask, ...]]:
    """Successive tasks that make up about `CHUNK_SECONDS` of work."""
    group: list[AerTask] = []
    seconds = 0.0
    for task, choice in zip(tasks, choices, strict=True):
        group.append(task)
        seconds += choice.seconds
        if seconds >= CHUNK_SECONDS or len(group) >= most_tasks:
            yield tuple(group)
            group, seconds = [], 0.0
    if group:
        yield tuple(group)


# --- a pool of processes --------------------------------------------------------------------------


def _in_pool(chunks: Sequence[Chunk], processes: int) -> Iterator[list[AerOutcome]]:
    """Chunks simulated in parallel, in spawned processes: Aer's threads do not survive a fork."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children, get_context

    before = set(active_children())
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=prepare_worker)
    try:
        with _without_main_script():
            outcomes = pool.map(simulate_chunk, chunks)  # starts the processes
        yield from outcomes
    except BrokenProcessPool as error:
        raise JobFailed(
            "a simulating process ended before its work was done",
            hint="the system may have ended it for want of memory: try `-j 1`; finished jobs are "
            "stored, and another run goes on from there",
        ) from error
    except BaseException:
        for child in set(active_children()) - before:
            child.kill()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _without_main_script() -> Iterator[None]:
    """Keep processes that are spawned in the block from running the caller's script.

    By default a new process runs the main module again, down to where a script without
    `if __name__ == "__main__"` would start everything once more.
    """
    main: Any = sys.modules["__main__"]
    hidden = {name: vars(main)[name] for name in ("__file__", "__spec__") if name in vars(main)}
    main.__spec__ = None
    vars(main).pop("__file__", None)
    try:
        yield
    finally:
        vars(main).update(hidden)


def prepare_worker() -> None:
    """Make this process end with Ctrl-C and with its parent, silently and at once.

    Aer's kernels hold the interpreter for minutes, so on Linux the kernel ends it with its parent;
    elsewhere a thread does, as soon as it gets the interpreter.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


# --- a child process of a Dask worker -------------------------------------------------------------


@frozen
class Answer:
    """Outcomes of a chunk, or the error that it raised, or how the process ended before either."""

    outcomes: tuple[AerOutcome, ...] = ()
    error: Exception | None = None
    ended: str = ""


class ChildProcess:
    """The parent's side of a simulating process, for one thread: it ends with its thread."""

    def __init__(self) -> None:
        self._stderr = TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(  # noqa: S603 - nothing of a spec in it
            [sys.executable, "-P", "-c", _CODE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
        )
        assert self._process.stdin is not None  # noqa: S101 - as asked for
        assert self._process.stdout is not None  # noqa: S101 - as asked for
        self._to = Connection(os.dup(self._process.stdin.fileno()), readable=False)
        self._from = Connection(os.dup(self._process.stdout.fileno()), writable=False)
        self._process.stdin.close()
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, chunk: bytes, still_needed: Callable[[], bool]) -> Answer:
        """The answer to a pickled chunk.

        Once it is not `still_needed`, the process is killed and Interrupted raised.
        """
        try:
            self._to.send_bytes(chunk)
            while not self._from.poll(CHECK_SECONDS):
                if not still_needed():
                    self.kill()
                    raise Interrupted("these circuits are not needed any more")
            answer: Answer = pickle.loads(self._from.recv_bytes())  # noqa: S301 - our own process
        except (EOFError, OSError):
            code = self._process.wait()
            self._stderr.seek(0)
            lines = self._stderr.read().decode(errors="replace").strip().splitlines()
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            return Answer(ended=f"{how}: {lines[-1][:200]}" if lines else how)
        return answer

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the process and close its pipes and its log."""
        self.kill()
        self._to.close()
        self._from.close()
        self._stderr.close()


def serve() -> None:
    """Answer pickled chunks on stdin, in order, until it is closed: what a child process runs."""
    prepare_worker()
    chunks = Connection(os.dup(0), writable=False)
    answers = Connection(os.dup(1), readable=False)
    os.dup2(2, 1)  # what a library prints is no answer
    while True:
        try:
            chunk: Chunk = pickle.loads(chunks.recv_bytes())  # noqa: S301 - from our own parent
        except EOFError:
            return
        answers.send_bytes(pickle.dumps(_answer(chunk)))


def _answer(chunk: Chunk) -> Answer:
    try:
        memory = physical_memory()
        noisy = chunk.setup.noise is not None
        for task in chunk.tasks:
            choose_method(task.circuit, task.shots, noisy, chunk.setup.method, memory)
        return Answer(tuple(simulate_chunk(chunk)))
    except Exception as error:  # noqa: BLE001 - raised again by the process that asked
        return Answer(error=error)
