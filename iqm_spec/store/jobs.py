"""Journals of server jobs: one folder per job key below `jobs/`."""

from __future__ import annotations

from iqm_spec.store.folder import Folder
from iqm_spec.store.journal import Journal, event_files
from iqm_spec.store.layout import DIGEST, JOBS
from iqm_spec.store.reading import names_in


def job_journal(folder: Folder, key: str) -> Journal:
    """The journal of a job; it need not exist. ValueError for what is no job key."""
    if not DIGEST.fullmatch(key):
        raise ValueError(f"a job key is a sha256 in lower-case hex, got {key!r}")
    return Journal(folder, folder.root / JOBS / key)


def job_keys(folder: Folder) -> list[str]:
    """Keys of all jobs that have events."""
    path = folder.root / JOBS
    names = sorted(name for name in names_in(path) if DIGEST.fullmatch(name))
    return [name for name in names if event_files(path / name)]
