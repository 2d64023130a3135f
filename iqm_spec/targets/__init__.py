"""Machines: what their gates act on, and how much they err. No qiskit, no numpy: a millisecond."""

from iqm_spec.targets.architecture import Architecture, Locus, architecture_from_json, features
from iqm_spec.targets.catalogue import architecture, error_profile, known
from iqm_spec.targets.measured import measured_profile
from iqm_spec.targets.profile import ErrorProfile, error_profile_from_json

__all__ = [
    "Architecture",
    "ErrorProfile",
    "Locus",
    "architecture",
    "architecture_from_json",
    "error_profile",
    "error_profile_from_json",
    "features",
    "known",
    "measured_profile",
]
