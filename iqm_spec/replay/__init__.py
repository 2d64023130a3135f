"""Reproduces a stored run from its folder alone, and compares everything with what is stored."""

from iqm_spec.replay.check import Mismatch, ReplayCheck
from iqm_spec.replay.reproduce import reproduce

__all__ = ["Mismatch", "ReplayCheck", "reproduce"]
