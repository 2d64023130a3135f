"""Submission lock and attempt lock: one process at a time submits, and shows that it is alive.

A claim is an event that only one process can create, on every file system. Locks of the operating
system distinguish a process that is still running from one that ended.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iqm_spec.store import Store


@contextmanager
def submission_lock(store: Store) -> Iterator[None]:
    """The exclusive right to choose and claim jobs of this folder."""
    store.root.joinpath("jobs").mkdir(parents=True, exist_ok=True)
    with _locked(store.root / "jobs", wait=True):
        yield


@contextmanager
def attempt_lock(store: Store, job: str, attempt: int) -> Iterator[None]:
    """Shows other processes (`is_attempt_locked`) that the outcome of the POST is not lost yet."""
    with _locked(_claim_file(store, job, attempt), wait=True):
        yield


def is_attempt_locked(store: Store, job: str, attempt: int) -> bool:
    """Whether a living process of this machine holds the claim of this attempt."""
    path = _claim_file(store, job, attempt)
    if path is None:
        return False
    with _locked(path, wait=False) as locked:
        return not locked


def _claim_file(store: Store, job: str, attempt: int) -> Path | None:
    folder = store.root / "jobs" / job
    return next(iter(sorted(folder.glob(f"{attempt:04d}-claimed-*.json"))), None)


@contextmanager
def _locked(path: Path | None, *, wait: bool) -> Iterator[bool]:
    """Yields whether the lock on `path` was taken; file systems without locks always give it."""
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
