"""The results folder: files named by their sha256, journals of runs and jobs, and their checks.

Every kind of stored value has one class: `events` (of runs and jobs), `records` (of packs, with
their headers), `objects` (JSON objects). Readers return these classes, or raise an error that names
the file and the field. What the values mean to an experiment belongs in the rooms that use them.

Imports: canonical, diagnostics, errors, json_types, model, native, packed_shots, version.
"""

from iqm_spec.store.files import Disk
from iqm_spec.store.journals import Event, Journal, RunState
from iqm_spec.store.packs import Pack, PackedRecord
from iqm_spec.store.store import Store
from iqm_spec.store.verify import Finding, Verification, is_results_folder, verify

__all__ = [
    "Disk",
    "Event",
    "Finding",
    "Journal",
    "Pack",
    "PackedRecord",
    "RunState",
    "Store",
    "Verification",
    "is_results_folder",
    "verify",
]
