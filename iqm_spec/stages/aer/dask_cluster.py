"""Which Dask cluster simulates, as options and spec say; opens it and closes it again.

It runs on this machine, in Slurm jobs, or is there already behind the address of its scheduler.
"""

from __future__ import annotations

import logging
import re
import shutil
import sys
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
CONNECT_SECONDS = 10.0
"""How long a scheduler may take to answer; its workers may come much later."""
CLOSE_SECONDS = 2.0
"""How long workers may take to end before they are killed."""
DEATHS = 5
"""Workers that may end under one chunk before the chunk counts as the cause."""

_LOOPBACK = "127.0.0.1"
_NO_SERVICE = f"{_LOOPBACK}:0"
"""Dask always opens a port for HTTP: here it serves nothing, and only on this machine."""
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
_SAFE_PATH = r"[\w./+=@:-]+"
"""Paths that are one word in a job script."""
_LOGGERS = ("distributed", "distributed.client", "dask_jobqueue", "tornado", "asyncio")


@frozen
class Slurm:
    """Batch jobs that hold the workers: `jobs` of them, each of `cores` workers with `memory`.

    The schema has checked every field: no blank and nothing that a shell would interpret.
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
    """The cluster that `--executor`, `--scheduler` and the spec's `executor` select; None: local.

    The block alone starts nothing: a spec may come from a stranger, and Slurm jobs cost node hours.
    UsageError if the options contradict each other, Refused if Dask is not installed.
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
    """Refused unless Dask is installed; imports nothing of it."""
    from importlib.util import find_spec

    if find_spec("distributed") is None or find_spec("dask_jobqueue") is None:
        raise Refused(
            "Dask is not installed in this environment",
            hint="pip install 'iqm-spec[dask]', or leave out --executor and --scheduler",
            code="refused.dask",
        )


def _certificates() -> Security:
    from distributed import Security

    security: Security = Security.temporary()
    return security


@frozen
class _Shared:
    """What every cluster that is started here has: a folder of its own, a loop, certificates.

    Anyone who reached a scheduler without TLS could act as the user who started it.
    """

    folder: Path
    loop: IOLoop
    security: Security = field(factory=_certificates)


@contextmanager
def open_cluster(
    chosen: DaskCluster, processes: int, report: Callable[[str], None]
) -> Iterator[Client]:
    """A client of the cluster; ends in any case what it started for it.

    `processes` is the number of workers on this machine. Unreachable if a named scheduler does not
    answer, Refused if Slurm takes no job.
    """
    import dask

    with silence_dask(), dask.config.set(_SETTINGS):
        if chosen.scheduler is not None:
            with _client(chosen.scheduler) as client:
                yield client
            return
        # compute nodes see the user's current folder, and not our temporary files
        parent = None if chosen.slurm is None else Path.cwd()
        with _loop() as loop, TemporaryDirectory(prefix=".iqm-spec-dask-", dir=parent) as folder:
            shared = _Shared(Path(folder), loop)
            cluster = _started(chosen.slurm, processes, shared, report)
            try:
                with _client(cluster) as client:
                    yield client
            finally:
                cluster.close(timeout=2 * CLOSE_SECONDS)


@contextmanager
def silence_dask() -> Iterator[None]:
    """Keep Dask's warnings and log off the user's terminal; our errors say what goes wrong.

    Restores the levels afterwards.
    """
    import distributed  # noqa: F401 - sets up its loggers

    before = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in _LOGGERS:
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
    """A loop for the cluster. Ctrl-C reaches neither its thread nor what it starts: we end them."""
    import signal
    from multiprocessing import resource_tracker

    from distributed.utils import LoopRunner

    runner = LoopRunner()
    resource_tracker.ensure_running()  # its start would unblock the signal
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
    slurm: Slurm | None, processes: int, shared: _Shared, report: Callable[[str], None]
) -> SpecCluster:
    try:
        if slurm is None:
            return _local(processes, shared)
        return _in_slurm(slurm, shared, report)
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


def _in_slurm(slurm: Slurm, shared: _Shared, report: Callable[[str], None]) -> SpecCluster:

    folder = shared.folder.as_posix()
    if not all(re.fullmatch(_SAFE_PATH, path) for path in (folder, sys.executable)):
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
    jobs = f"{count(slurm.jobs, 'job')} of {slurm.cores} cores"
    report(f"asking Slurm for {jobs}, {slurm.memory} and {slurm.walltime}")
    cluster.scale(jobs=slurm.jobs)
    return cluster


def _on_disk(security: Security, folder: Path) -> Security:
    """The same certificates in files for the compute nodes; only the user may read them."""
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
    on_disk: Security = Security(require_encryption=True, tls_ca_file=paths["ca_file"], **roles)
    return on_disk
