"""Where Aer work goes beside this process: a Dask cluster, by what the user and the spec say."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from iqm_spec.errors import Refused, Unreachable, UsageError
from iqm_spec.plan.label import count

if TYPE_CHECKING:
    from distributed import Client, Security
    from distributed.deploy import SpecCluster
    from tornado.ioloop import IOLoop


SCHEMES = ("tcp://", "tls://")
"""How the address of a scheduler begins."""


@frozen
class Slurm:
    """Batch jobs that hold the workers: `jobs` of them, each of `cores` workers with `memory`.

    Every field has been checked by the schema: no blank and nothing that a shell would read.
    """

    cores: int
    memory: str
    walltime: str
    jobs: int = 1
    queue: str | None = None
    account: str | None = None
    interface: str | None = None


@frozen
class DaskCluster:
    """A Dask cluster: the one whose `scheduler` is named, else Slurm jobs, else on this machine."""

    scheduler: str | None = None
    slurm: Slurm | None = None


def chosen_cluster(
    kind: str | None, scheduler: str | None, block: Mapping[str, Any]
) -> DaskCluster | None:
    """What `--executor`, `--scheduler` and the spec's `executor` block come to; None: local.

    The block alone starts nothing: a spec comes from a stranger, and Slurm jobs cost node hours.
    UsageError where the options contradict each other, Refused where Dask is not installed.
    """
    if kind == "local" and scheduler is not None:
        raise UsageError(
            "--scheduler goes with --executor dask", hint="leave out one of the two options"
        )
    if scheduler is None and kind != "dask":
        return None
    if scheduler is not None and not scheduler.startswith(SCHEMES):
        raise UsageError(
            f"--scheduler {scheduler}: this is no address of a Dask scheduler",
            hint="it is printed where the scheduler starts: tcp://HOST:PORT",
        )
    require_dask()
    if scheduler is not None or not block:
        return DaskCluster(scheduler=scheduler)
    return DaskCluster(slurm=Slurm(**{name: block[name] for name in block if name != "kind"}))


def require_dask() -> None:
    """Refused unless Dask is installed; nothing of it is imported to tell."""
    from importlib.util import find_spec

    if find_spec("distributed") is None or find_spec("dask_jobqueue") is None:
        raise Refused(
            "Dask is not installed in this environment",
            hint="pip install 'iqm-spec[dask]', or leave out --executor and --scheduler",
            code="refused.dask",
        )


CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer; its workers may come much later."""
CLOSE_SECONDS = 2.0
"""How long workers may take to end before they are killed."""
DEATHS = 5
"""So many workers may end under one chunk before the chunk is held to be the cause."""

_LOOPBACK = "127.0.0.1"
_NO_SERVICE = f"{_LOOPBACK}:0"
"""Dask always opens a port for HTTP: here it serves nothing, and to this machine alone."""
_SETTINGS: dict[str, Any] = {
    "distributed.scheduler.allowed-failures": DEATHS,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # results are small, and memory is checked before anything is simulated
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
}
_PLAIN = r"[\w./+=@:-]+"
"""Paths that are one word in a job script."""
_LOUD = ("distributed", "distributed.client", "dask_jobqueue", "tornado", "asyncio")


def _certificates() -> Security:
    from distributed import Security

    security: Security = Security.temporary()
    return security


@frozen
class _Shared:
    """What every cluster that is started here has: a folder of its own, a loop, certificates.

    Whoever reached a scheduler without TLS would have the rights of the user who started it.
    """

    folder: Path
    loop: IOLoop
    security: Security = field(factory=_certificates)


@contextmanager
def open_cluster(
    spread: DaskCluster, processes: int, tell: Callable[[str], None]
) -> Iterator[Client]:
    """A client of the cluster; what was started for it is ended afterwards, whatever happens.

    `processes` is the number of workers on this machine. Unreachable where a named scheduler does
    not answer, Refused where Slurm takes no job.
    """
    import dask

    with silence_dask(), dask.config.set(_SETTINGS):
        if spread.scheduler is not None:
            with _client(spread.scheduler) as client:
                yield client
            return
        # compute nodes see the folder that the user stands in, and not our temporary files
        where = None if spread.slurm is None else Path.cwd()
        with _loop() as loop, TemporaryDirectory(prefix=".iqm-spec-dask-", dir=where) as folder:
            shared = _Shared(Path(folder), loop)
            cluster = _started(spread.slurm, processes, shared, tell)
            try:
                with _client(cluster) as client:
                    yield client
            finally:
                cluster.close(timeout=2 * CLOSE_SECONDS)


@contextmanager
def silence_dask() -> Iterator[None]:
    """Keep Dask's warnings and log off the user's terminal; what goes wrong is told in our words.

    The levels are put back afterwards.
    """
    import distributed  # noqa: F401 - sets up its loggers

    before = {name: logging.getLogger(name).level for name in _LOUD}
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)


@contextmanager
def _client(cluster: str | SpecCluster) -> Iterator[Client]:
    from distributed import Client

    try:
        client = Client(cluster, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise Unreachable(
            f"the Dask scheduler at {cluster} does not answer",
            hint="is it running, and is this the address that it printed? The same command goes on "
            "from what is stored",
        ) from error
    except ValueError as error:
        raise UsageError(f"--scheduler {cluster}: {error}") from error
    try:
        yield client
    finally:
        client.close(timeout=CLOSE_SECONDS)


@contextmanager
def _loop() -> Iterator[IOLoop]:
    """A loop for the cluster. Its thread and what it starts hear no Ctrl-C: we do, and end them."""
    import signal
    from multiprocessing import resource_tracker

    from distributed.utils import LoopRunner

    runner = LoopRunner()
    resource_tracker.ensure_running()  # it would unblock the signal where it is started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        runner.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        yield runner.loop
    finally:
        runner.stop()


def _started(
    slurm: Slurm | None, processes: int, shared: _Shared, tell: Callable[[str], None]
) -> SpecCluster:
    try:
        if slurm is None:
            return _local(processes, shared)
        return _in_slurm(slurm, shared, tell)
    except (OSError, RuntimeError, ValueError) as error:
        raise Refused(
            f"the Dask cluster cannot be started: {error}",
            hint="`--executor local` does without it",
            code="refused.dask",
        ) from error


def _local(processes: int, shared: _Shared) -> SpecCluster:
    from distributed import Nanny, Scheduler
    from distributed.deploy import SpecCluster

    common = {"host": _LOOPBACK, "protocol": "tls://", "security": shared.security}
    worker = {
        **common,
        "nthreads": 1,
        "memory_limit": 0,
        "local_directory": shared.folder.as_posix(),
        "dashboard_address": _NO_SERVICE,
        "dashboard": False,
        "silence_logs": logging.CRITICAL + 1,
    }
    scheduler = {**common, "port": 0, "dashboard_address": _NO_SERVICE, "dashboard": False}
    return SpecCluster(
        scheduler={"cls": Scheduler, "options": scheduler},
        workers={number: {"cls": Nanny, "options": worker} for number in range(processes)},
        security=shared.security,
        loop=shared.loop,
        silence_logs=logging.CRITICAL + 1,
        shutdown_on_close=True,
    )


def _in_slurm(slurm: Slurm, shared: _Shared, tell: Callable[[str], None]) -> SpecCluster:
    import re
    import shutil
    import sys

    folder = shared.folder.as_posix()
    if not all(re.fullmatch(_PLAIN, path) for path in (folder, sys.executable)):
        raise Refused(
            f"the path {folder} or {sys.executable} holds characters that a job script "
            "would read as its own",
            hint="start in a folder whose path has letters, digits, `_`, `-`, `.` and `/` only",
            code="refused.slurm",
        )
    if shutil.which("sbatch") is None:
        raise Refused(
            "the spec's `executor` asks for Slurm, and there is no `sbatch` here",
            hint="run it on the cluster's login node, or with `--executor local`",
            code="refused.slurm",
        )
    from dask_jobqueue import SLURMCluster

    cluster: SpecCluster = SLURMCluster(
        queue=slurm.queue,
        account=slurm.account,
        cores=slurm.cores,
        processes=slurm.cores,
        memory=slurm.memory,
        walltime=slurm.walltime,
        interface=slurm.interface,
        job_name="iqm-spec",
        log_directory=folder,
        security=_on_disk(shared.security, shared.folder),
        loop=shared.loop,
        scheduler_options={"dashboard_address": _NO_SERVICE, "dashboard": False},
        worker_extra_args=["--no-dashboard", "--dashboard-address", _NO_SERVICE],
        silence_logs=logging.CRITICAL + 1,
    )
    asked = f"{count(slurm.jobs, 'job')} of {slurm.cores} cores"
    tell(f"asking Slurm for {asked}, {slurm.memory} and {slurm.walltime}")
    cluster.scale(jobs=slurm.jobs)
    return cluster


def _on_disk(security: Security, folder: Path) -> Security:
    """The same certificates in files that the compute nodes read and nobody else does."""
    from distributed import Security

    paths = {}
    for name, text in security.get_tls_config_for_role("worker").items():
        if name in ("ca_file", "cert", "key"):
            path = folder / f"{name}.pem"
            path.touch(mode=0o600)
            path.write_text(text)
            paths[name] = path.as_posix()
    roles = {
        f"tls_{role}_{name}": paths[name]
        for role in ("client", "scheduler", "worker")
        for name in ("cert", "key")
    }
    found: Security = Security(require_encryption=True, tls_ca_file=paths["ca_file"], **roles)
    return found
