"""Targets: architectures and error profiles of quantum computers.

Built-in targets come from data files, others from a server's architecture and quality metrics or
from a user's file. Nothing here imports qiskit or numpy.

Imports: canonical, json_types.
"""

from iqm_spec.targets.architecture import (
    Architecture,
    Locus,
    architecture_from_json,
    features,
    restricted,
)
from iqm_spec.targets.built_in import architecture, error_profile, known_targets
from iqm_spec.targets.profile import ErrorProfile, error_profile_from_json
from iqm_spec.targets.quality_metrics import measured_profile

__all__ = [
    "Architecture",
    "ErrorProfile",
    "Locus",
    "architecture",
    "architecture_from_json",
    "error_profile",
    "error_profile_from_json",
    "features",
    "known_targets",
    "measured_profile",
    "restricted",
]
