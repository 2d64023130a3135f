"""Runs jobs on this machine, in this process or in several."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from iqm_spec.errors import JobFailed
from iqm_spec.stages.aer.engine import require_device
from iqm_spec.stages.aer.memory import available_memory
from iqm_spec.stages.aer.method import Choice, choose_method
from iqm_spec.stages.aer.tasks import AerOutcome, AerTask, Setup
from iqm_spec.stages.aer.worker import Chunk, simulate_chunk

CHUNK_SECONDS = 2.0
"""A chunk holds about so much work, so that processes end together and Ctrl-C loses little."""
CHUNK_TASKS = 256
"""A chunk holds at most so many tasks: noise is made ready for Aer once a chunk."""
CHUNKS_EACH = 4
"""Chunks for each of several workers at least, where there are tasks enough."""
LEAST_TASKS = 16
"""Smaller chunks are not made for the sake of `CHUNKS_EACH`."""
IN_PROCESS_SECONDS = 3.0
"""More work than this is done by other processes: Aer's kernels do not hear Ctrl-C, they do."""

Job = tuple[Sequence[AerTask], Setup]


@frozen
class Part:
    """A chunk of the job with the given number, and whether it is the job's last."""

    job: int
    chunk: Chunk
    last: bool


def run_jobs(
    jobs: Sequence[Job], workers: int = 1, memory_bytes: int | None = None
) -> Iterator[tuple[int, list[AerOutcome]]]:
    """Each job's number with the outcomes of its tasks in order, job by job as they are done.

    Outcomes are the same for any number of workers. Before anything is simulated every circuit is
    checked: Refused where one cannot be simulated as asked or needs more than `memory_bytes` (by
    default what is at hand). Where several circuits would not fit at once, fewer workers are used.
    JobFailed where Aer fails or a worker dies.
    """
    memory = available_memory() if memory_bytes is None else memory_bytes
    parts, largest, seconds = cut_into_parts(jobs, memory, _most_tasks(jobs, workers))
    processes = max(1, min(workers, len(parts), memory // max(1, largest)))
    chunks = [part.chunk for part in parts]
    here = processes == 1 and seconds < IN_PROCESS_SECONDS
    results = map(simulate_chunk, chunks) if here else _in_processes(chunks, processes)
    outcomes: list[AerOutcome] = []
    for part, some in zip(parts, results, strict=True):
        outcomes += some
        if part.last:
            yield part.job, outcomes
            outcomes = []


@frozen
class Expected:
    """How long work takes on one core, within a factor of three or so; or `at_most` so long.

    The bonds of a matrix product state, which decide, are only bounded before it is simulated.
    """

    seconds: float
    at_most: bool


def expected_time(jobs: Sequence[Job]) -> Expected:
    """About how long `jobs` take; Refused where a circuit cannot be simulated as asked."""
    choices = [
        choose_method(t.circuit, t.shots, setup.noise is not None, setup.method)
        for tasks, setup in jobs
        for t in tasks
    ]
    total = sum(choice.seconds for choice in choices)
    bounded = sum(c.seconds for c in choices if c.method == "matrix_product_state")
    return Expected(total, at_most=bounded > total / 2)


def _most_tasks(jobs: Sequence[Job], workers: int) -> int:
    """How many tasks a chunk may hold for every one of `workers` to get some."""
    if workers == 1:
        return CHUNK_TASKS
    share = sum(len(tasks) for tasks, _ in jobs) // (CHUNKS_EACH * workers)
    return min(CHUNK_TASKS, max(LEAST_TASKS, share))


def cut_into_parts(
    jobs: Sequence[Job], memory: int | None, most_tasks: int
) -> tuple[list[Part], int, float]:
    """All work in chunks, the bytes that the largest circuit needs, about how long all takes.

    Refused where a circuit cannot be simulated as asked, or needs more than `memory` bytes.
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
        cut = list(_cut(tasks, choices, most_tasks)) or [()]
        parts += [Part(number, Chunk(some, setup), some is cut[-1]) for some in cut]
    return parts, largest, seconds


def _cut(
    tasks: Iterable[AerTask], choices: Iterable[Choice], most_tasks: int
) -> Iterator[tuple[AerTask, ...]]:
    """Runs of tasks that make up about `CHUNK_SECONDS` of work."""
    some: list[AerTask] = []
    seconds = 0.0
    for task, choice in zip(tasks, choices, strict=True):
        some.append(task)
        seconds += choice.seconds
        if seconds >= CHUNK_SECONDS or len(some) >= most_tasks:
            yield tuple(some)
            some, seconds = [], 0.0
    if some:
        yield tuple(some)


def _in_processes(chunks: Sequence[Chunk], processes: int) -> Iterator[list[AerOutcome]]:
    """Chunks simulated side by side, in processes started afresh: Aer's threads do not fork."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children, get_context

    from iqm_spec.stages.aer.worker import prepare

    before = set(active_children())
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=prepare)
    try:
        with _main_left_alone():
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
def _main_left_alone() -> Iterator[None]:
    """Processes that are started meanwhile do not run the caller's script: they need none of it.

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
