"""Runs jobs on the workers of a Dask cluster: the same chunks, seeds and outcomes as locally."""

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
"""Chunks sent per worker thread: one to work on and the next, so that no worker waits for us."""
LEAST_AHEAD = 4
"""Chunks sent while few workers are there, or none."""
TRIES = 3
"""How often the process that simulates a chunk may end before that is held to be its fault."""
LOOK_SECONDS = 0.5
"""How often the scheduler is looked at while no result comes."""
COUNT_SECONDS = 2.0
"""How often the workers are counted."""
ALONE_SECONDS = 60.0
"""Workers that were there and are gone may come back for so long."""
TELL_SECONDS = 30.0
"""How often it is told that no worker is there yet."""

_GOES_ON = "what was finished is stored; the same command goes on from there"

Tell = Callable[[str], None]


def run_jobs_on_dask(
    jobs: Sequence[Job], spread: DaskCluster, workers: int, tell: Tell
) -> Iterator[tuple[int, list[AerOutcome]]]:
    """Each job's number with the outcomes of its tasks in order, in the order jobs are done.

    `workers` is the number of processes where the cluster is on this machine. Refused where a
    circuit cannot be simulated as asked or a worker's versions are not ours; Unreachable where the
    scheduler or all workers vanish; JobFailed where Aer fails or workers die of a chunk.
    """
    here = spread.scheduler is None and spread.slurm is None
    memory = available_memory() if here else None
    parts, largest, _ = cut_into_chunks(jobs, memory, CHUNK_TASKS)
    room = workers if memory is None else memory // max(1, largest)
    processes = max(1, min(workers, len(parts), room))
    sizes = Counter(part.job for part in parts)
    found: dict[int, dict[int, tuple[AerOutcome, ...]]] = {}
    with noted_interrupts() as interrupted, open_cluster(spread, processes, tell) as client:
        for number, outcomes in _Flow(client, [part.chunk for part in parts], tell).outcomes(
            interrupted
        ):
            job = parts[number].job
            found.setdefault(job, {})[number] = outcomes
            if len(found[job]) == sizes[job]:
                yield job, [one for _, some in sorted(found.pop(job).items()) for one in some]


class _Flow:
    """Chunks on their way: a few per worker thread, the next one sent where a result came."""

    def __init__(self, client: Client, chunks: Sequence[Chunk], tell: Tell) -> None:
        self._client = client
        self._chunks = chunks
        self._tell = tell
        self._run = uuid4().hex[:12]
        self._done: SimpleQueue[Future] = SimpleQueue()
        self._sent: dict[str, tuple[int, Future]] = {}
        self._tries: Counter[int] = Counter()
        self._crew = _Crew(client, tell)

    def outcomes(
        self, interrupted: Callable[[], None]
    ) -> Iterator[tuple[int, tuple[AerOutcome, ...]]]:
        """Each chunk's number with its outcomes, as they come; `interrupted` may end it."""
        left = iter(range(len(self._chunks)))
        number = next(left, None)
        while number is not None or self._sent:
            while number is not None and len(self._sent) < self._crew.room():
                self._send(number)
                number = next(left, None)
            interrupted()
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
        self._crew.look()
        try:
            future = self._done.get(timeout=LOOK_SECONDS)
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
            raise _deadly(self._chunks[number], f"ended {TRIES} times ({answer.ended})")

    def _answer(self, number: int, future: Future) -> Answer | None:
        """What a worker answered; None where it must be computed again, as the worker is gone."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        try:
            answer: Answer = pickle.loads(future.result(timeout=LOOK_SECONDS))  # noqa: S301
        except TimeoutError:
            return None
        except KilledWorker as error:
            how = f"and its Dask worker ended {error.allowed_failures + 1} times"
            raise _deadly(self._chunks[number], how) from error
        except CancelledError as error:
            raise self._crew.vanished() from error
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


class _Crew:
    """The workers, as far as they show from here."""

    def __init__(self, client: Client, tell: Tell) -> None:
        self._client = client
        self._address = client.scheduler.address
        self._tell = tell
        self._threads = 0
        self._had_some = False
        self._seen = self._told = time.monotonic()
        self._counted = -COUNT_SECONDS

    def room(self) -> int:
        """How many chunks may be on their way."""
        return max(LEAST_AHEAD, AHEAD * self._threads)

    def look(self) -> None:
        """Count the workers now and then; Unreachable where scheduler or workers have vanished."""
        if self._client.status != "running":
            raise self.vanished()
        now = time.monotonic()
        if now - self._counted < COUNT_SECONDS:
            return
        self._counted = now
        try:
            self._threads = sum(self._client.nthreads().values())
        except (OSError, TimeoutError, ValueError) as error:
            raise self.vanished() from error
        if self._threads:
            self._had_some, self._seen = True, now
        elif self._had_some and now - self._seen > ALONE_SECONDS:
            raise Unreachable("all Dask workers have ended", hint=_GOES_ON)
        elif not self._had_some and now - self._told > TELL_SECONDS:
            self._told = now
            self._tell("no Dask worker has come yet")

    def vanished(self) -> Unreachable:
        """The error where the scheduler is gone."""
        return Unreachable(f"the Dask scheduler at {self._address} has vanished", hint=_GOES_ON)


def _deadly(chunk: Chunk, how: str) -> JobFailed:
    widest = max(len(task.circuit.template.structure.components) for task in chunk.tasks)
    many = len(chunk.tasks)
    circuits = "a circuit" if many == 1 else f"{many} circuits, the widest"
    return JobFailed(
        f"the process that simulated {circuits} on {widest} components (the first has the key "
        f"{chunk.tasks[0].key[:16]}) {how}",
        hint="most likely for want of memory: fewer workers on a machine leave more to each. "
        f"W{_GOES_ON[1:]}",
    )


PACKAGES = ("numpy", "qiskit", "qiskit-aer", "qiskit-aer-gpu")

_mine = threading.local()


@cache
def library_versions() -> Mapping[str, str]:
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
        f"{name} {library_versions().get(name, 'none')} instead of {wanted}"
        for name, wanted in asked.items()
        if library_versions().get(name, "none") != wanted
    ]
    if other:
        refusal = Refused(
            f"a Dask worker has {', '.join(other)}: its results could differ",
            hint="start iqm-spec, the scheduler and the workers from the same environment",
            code="refused.versions",
        )
        return pickle.dumps(Answer(error=refusal))
    return pickle.dumps(_child().ask(chunk, _wanted))


def _child() -> ChildProcess:
    """The process that simulates for this thread; a new one where the last one ended."""
    child: ChildProcess | None = getattr(_mine, "child", None)
    if child is not None and not child.alive:
        child.close()
        child = None
    if child is None:
        child = _mine.child = ChildProcess()
    return child


def _wanted() -> bool:
    """Whether the task of this thread is still to be done, as its Dask worker sees it."""
    from distributed.core import Status
    from distributed.worker import get_worker, thread_state

    worker = get_worker()
    task = worker.state.tasks.get(thread_state.key)
    running = worker.status in (Status.running, Status.paused)
    return running and task is not None and task.state != "cancelled"
