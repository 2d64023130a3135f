"""The results folder: objects, packs, index, plans, runs, and the check of all of it."""

from iqm_spec.store.files import Disk
from iqm_spec.store.journals import Event, Journal, RunState
from iqm_spec.store.packs import Found, Pack
from iqm_spec.store.store import Store
from iqm_spec.store.verify import Finding, Verification, is_results_folder, verify

__all__ = [
    "Disk",
    "Event",
    "Finding",
    "Found",
    "Journal",
    "Pack",
    "RunState",
    "Store",
    "Verification",
    "is_results_folder",
    "verify",
]
