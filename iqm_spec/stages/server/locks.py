"""The right to submit: one process at a time looks and claims, and shows that it is still alive.

A claim is an event that only one can create, which holds on every file system. Locks of the
operating system come on top: they tell a process that is at work from one that ended.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iqm_spec.store import Store


@contextmanager
def submission_lock(store: Store) -> Iterator[None]:
    """While this lasts no other process that submits from this folder looks for work."""
    store.root.joinpath("jobs").mkdir(parents=True, exist_ok=True)
    with _locked(store.root / "jobs", wait=True):
        yield


@contextmanager
def attempt_lock(store: Store, job: str, attempt: int) -> Iterator[None]:
    """While this lasts `is_at_work` is true for others: the outcome of the POST is not lost yet."""
    with _locked(_claim_file(store, job, attempt), wait=True):
        yield


def is_attempt_locked(store: Store, job: str, attempt: int) -> bool:
    """Whether a living process of this machine holds the claim of this attempt."""
    path = _claim_file(store, job, attempt)
    if path is None:
        return False
    with _locked(path, wait=False) as got:
        return not got


def _claim_file(store: Store, job: str, attempt: int) -> Path | None:
    folder = store.root / "jobs" / job
    return next(iter(sorted(folder.glob(f"{attempt:04d}-claimed-*.json"))), None)


@contextmanager
def _locked(path: Path | None, *, wait: bool) -> Iterator[bool]:
    """Whether the lock on `path` was got; file systems without locks give it to everybody."""
    import fcntl

    if path is None:
        yield True
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass  # no locks here (some network shares): the exclusive claim alone must do
        yield True
    finally:
        os.close(descriptor)
