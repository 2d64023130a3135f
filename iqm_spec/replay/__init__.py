"""`iqm-spec reproduce`: a stored run, computed again from its folder alone and compared.

One check per kind of result: what is stored, what Aer simulated, what servers measured.

Imports: analysis, canonical, engine, json_types, model, packed_shots, plan, server_api, spec,
stages, statistics, store, targets, version.
"""

from iqm_spec.replay.check import Mismatch, ReplayCheck
from iqm_spec.replay.reproduce import reproduce

__all__ = ["Mismatch", "ReplayCheck", "reproduce"]
