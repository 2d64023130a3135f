"""The results folder: objects, packs, index, plans, runs, and the check of all of it."""

from iqm_spec.store.disk import Disk
from iqm_spec.store.index import Found
from iqm_spec.store.journal import Event, Journal
from iqm_spec.store.packs import Pack
from iqm_spec.store.runs import RunState
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
