"""Runs jobs on the workers of a Dask cluster: the same seeds and outcomes as on this machine.

A worker answers a chunk only if its versions are ours: the same circuit and seed have the same
counts only where the same libraries sample them.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING
from uuid import uuid4

from iqm_spec.errors import IqmSpecError, JobFailed, Refused, Unreachable
from iqm_spec.stages.aer.dask_cluster import DaskCluster, open_cluster
from iqm_spec.stages.aer.free_memory import available_memory
from iqm_spec.stages.aer.local import Answer, ChildProcess, Chunk, Job, cut_into_chunks
from iqm_spec.stages.aer.tasks import AerOutcome
from iqm_spec.stages.signals import noted_interrupts
from iqm_spec.version import __version__

if TYPE_CHECKING:
    from distributed import Client, Future


CHUNK_TASKS = 64
"""Tasks in a chunk at most: how many workers there will be is not known."""
AHEAD = 2
"""Chunks sent per worker thread: the current and the next one, so that no worker waits for us."""
LEAST_AHEAD = 4
"""Chunks sent while few workers are there, or none."""
TRIES = 3
"""How often the process that simulates a chunk may end before the chunk counts as the cause."""
CHECK_SECONDS = 0.5
"""How often the scheduler is checked while no result comes."""
COUNT_SECONDS = 2.0
"""How often the workers are counted."""
RETURN_SECONDS = 60.0
"""How long workers that have all ended may take to come back."""
REPORT_SECONDS = 30.0
"""How often a missing first worker is reported."""
PACKAGES = ("numpy", "qiskit", "qiskit-aer", "qiskit-aer-gpu")
"""Distributions whose versions counts depend on, beside this program's and Python's."""

_GOES_ON = "what was finished is stored; the same command goes on from there"

_of_thread = threading.local()

Report = Callable[[str], None]


def run_jobs_on_dask(
    jobs: Sequence[Job], cluster: DaskCluster, workers: int, report: Report
) -> Iterator[tuple[int, list[AerOutcome]]]:
    """Each job's number with the outcomes of its tasks in order, in the order jobs are done.

    `workers` is the number of processes if the cluster is on this machine. Refused if a circuit
    cannot be simulated as asked or a worker's versions are not ours; Unreachable if the scheduler
    or all workers vanish; JobFailed if Aer fails or workers die of a chunk.
    """
    on_this_machine = cluster.scheduler is None and cluster.slurm is None
    memory = available_memory() if on_this_machine else None
    parts, largest, _ = cut_into_chunks(jobs, memory, CHUNK_TASKS)
    room = workers if memory is None else memory // max(1, largest)
    processes = max(1, min(workers, len(parts), room))
    chunks_of_job = Counter(part.job for part in parts)
    done: dict[int, dict[int, tuple[AerOutcome, ...]]] = {}
    with (
        noted_interrupts() as raise_if_interrupted,
        open_cluster(cluster, processes, report) as client,
    ):
        queue = _ChunkQueue(client, [part.chunk for part in parts], report)
        for number, outcomes in queue.outcomes(raise_if_interrupted):
            job = parts[number].job
            done.setdefault(job, {})[number] = outcomes
            if len(done[job]) == chunks_of_job[job]:
                in_order = sorted(done.pop(job).items())
                yield job, [outcome for _, of_chunk in in_order for outcome in of_chunk]


class _ChunkQueue:
    """Chunks sent to workers: a few per worker thread, and the next one for each result."""

    def __init__(self, client: Client, chunks: Sequence[Chunk], report: Report) -> None:
        self._client = client
        self._chunks = chunks
        self._run = uuid4().hex[:12]
        self._done: SimpleQueue[Future] = SimpleQueue()
        self._sent: dict[str, tuple[int, Future]] = {}
        self._tries: Counter[int] = Counter()
        self._workers = _Workers(client, report)

    def outcomes(
        self, raise_if_interrupted: Callable[[], None]
    ) -> Iterator[tuple[int, tuple[AerOutcome, ...]]]:
        """Each chunk's number with its outcomes, as they come."""
        left = iter(range(len(self._chunks)))
        number = next(left, None)
        while number is not None or self._sent:
            while number is not None and len(self._sent) < self._workers.most_chunks():
                self._send(number)
                number = next(left, None)
            raise_if_interrupted()
            yield from self._next()

    def _send(self, number: int) -> None:
        self._tries[number] += 1
        future = self._client.submit(
            answer_chunk,
            pickle.dumps(self._chunks[number]),
            dict(library_versions()),
            key=f"iqm-spec-{self._run}-{number}-{self._tries[number]}",
            pure=False,
        )
        self._sent[future.key] = number, future
        future.add_done_callback(self._done.put)

    def _next(self) -> Iterator[tuple[int, tuple[AerOutcome, ...]]]:
        """The outcomes of the next chunk, if one comes soon and its process has not ended."""
        self._workers.check()
        try:
            future = self._done.get(timeout=CHECK_SECONDS)
        except Empty:
            return
        number, _ = self._sent[future.key]
        answer = self._answer(number, future)
        if answer is None:
            self._done.put(future)
            return
        del self._sent[future.key]
        if answer.error is not None:
            raise answer.error
        if not answer.ended:
            yield number, answer.outcomes
        elif self._tries[number] < TRIES:
            self._send(number)
        else:
            raise _chunk_failed(self._chunks[number], f"ended {TRIES} times ({answer.ended})")

    def _answer(self, number: int, future: Future) -> Answer | None:
        """What a worker answered; None if Dask computes it again, as the worker is gone."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        try:
            answer: Answer = pickle.loads(future.result(timeout=CHECK_SECONDS))  # noqa: S301
        except TimeoutError:
            return None
        except KilledWorker as error:
            how = f"and its Dask worker ended {error.allowed_failures + 1} times"
            raise _chunk_failed(self._chunks[number], how) from error
        except CancelledError as error:
            raise self._workers.scheduler_vanished() from error
        except IqmSpecError:
            raise
        except Exception as error:
            raise Refused(
                "the Dask cluster cannot run this program: "
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
                hint="start iqm-spec, the scheduler and the workers from the same environment",
                code="refused.versions",
            ) from error
        return answer


class _Workers:
    """The workers, as the scheduler counts them."""

    def __init__(self, client: Client, report: Report) -> None:
        self._client = client
        self._address = client.scheduler.address
        self._report = report
        self._threads = 0
        self._had_some = False
        self._seen = self._reported = time.monotonic()
        self._counted = -COUNT_SECONDS

    def most_chunks(self) -> int:
        """How many chunks may be sent and unanswered."""
        return max(LEAST_AHEAD, AHEAD * self._threads)

    def check(self) -> None:
        """Count the workers now and then; Unreachable if the scheduler or all workers vanished."""
        if self._client.status != "running":
            raise self.scheduler_vanished()
        now = time.monotonic()
        if now - self._counted < COUNT_SECONDS:
            return
        self._counted = now
        try:
            self._threads = sum(self._client.nthreads().values())
        except (OSError, TimeoutError, ValueError) as error:
            raise self.scheduler_vanished() from error
        if self._threads:
            self._had_some, self._seen = True, now
        elif self._had_some and now - self._seen > RETURN_SECONDS:
            raise Unreachable("all Dask workers have ended", hint=_GOES_ON)
        elif not self._had_some and now - self._reported > REPORT_SECONDS:
            self._reported = now
            self._report("no Dask worker has come yet")

    def scheduler_vanished(self) -> Unreachable:
        """The error for a scheduler that is gone."""
        return Unreachable(f"the Dask scheduler at {self._address} has vanished", hint=_GOES_ON)


def _chunk_failed(chunk: Chunk, how: str) -> JobFailed:
    """The error for a chunk whose simulating process ended too often; `how` it ended."""
    widest = max(len(task.circuit.template.structure.components) for task in chunk.tasks)
    number = len(chunk.tasks)
    circuits = "a circuit" if number == 1 else f"{number} circuits, the widest"
    return JobFailed(
        f"the process that simulated {circuits} on {widest} components (the first has the key "
        f"{chunk.tasks[0].key[:16]}) {how}",
        hint="most likely for want of memory: fewer workers on a machine leave more to each. "
        f"W{_GOES_ON[1:]}",
    )


# --- what a Dask worker runs ----------------------------------------------------------------------


@cache
def library_versions() -> Mapping[str, str]:
    """Versions of what computes counts, and the kind of processor, by name."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    versions = {
        "iqm-spec": __version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "processor": platform.machine(),
    }
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "none"
    return versions


def answer_chunk(chunk: bytes, required: Mapping[str, str]) -> bytes:
    """A pickled `Answer` to a pickled chunk: what a Dask worker runs, in a child process.

    It is a refusal if this worker's versions are not those `required`.
    """
    own = library_versions()
    differences = [
        f"{name} {own.get(name, 'none')} instead of {version}"
        for name, version in required.items()
        if own.get(name, "none") != version
    ]
    if differences:
        refusal = Refused(
            f"a Dask worker has {', '.join(differences)}: its results could differ",
            hint="start iqm-spec, the scheduler and the workers from the same environment",
            code="refused.versions",
        )
        return pickle.dumps(Answer(error=refusal))
    return pickle.dumps(_child_process().ask(chunk, _still_needed))


def _child_process() -> ChildProcess:
    """The process that simulates for this thread; a new one if the last one ended."""
    child: ChildProcess | None = getattr(_of_thread, "child", None)
    if child is not None and not child.alive:
        child.close()
        child = None
    if child is None:
        child = _of_thread.child = ChildProcess()
    return child


def _still_needed() -> bool:
    """Whether this thread's Dask worker still has to do its task."""
    from distributed.core import Status
    from distributed.worker import get_worker, thread_state

    worker = get_worker()
    task = worker.state.tasks.get(thread_state.key)
    running = worker.status in (Status.running, Status.paused)
    return running and task is not None and task.state != "cancelled"
