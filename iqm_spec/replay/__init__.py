"""Replays a stored run from its folder alone: what is computed again must come out as it was."""

from iqm_spec.replay.check import Mismatch, ReplayCheck
from iqm_spec.replay.reproduce import reproduce

__all__ = ["Mismatch", "ReplayCheck", "reproduce"]
