"""Where Aer work goes beside this process: a Dask cluster, by what the user and the spec say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from iqm_spec.errors import Refused, UsageError

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
class Spread:
    """A Dask cluster: the one whose `scheduler` is named, else Slurm jobs, else on this machine."""

    scheduler: str | None = None
    slurm: Slurm | None = None


def spread_of(kind: str | None, scheduler: str | None, block: Mapping[str, Any]) -> Spread | None:
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
        return Spread(scheduler=scheduler)
    return Spread(slurm=Slurm(**{name: block[name] for name in block if name != "kind"}))


def require_dask() -> None:
    """Refused unless Dask is installed; nothing of it is imported to tell."""
    from importlib.util import find_spec

    if find_spec("distributed") is None or find_spec("dask_jobqueue") is None:
        raise Refused(
            "Dask is not installed in this environment",
            hint="pip install 'iqm-spec[dask]', or leave out --executor and --scheduler",
            code="refused.dask",
        )
