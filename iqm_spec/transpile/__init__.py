"""Circuits to native circuits of a target.

Qiskit lays out and routes; the modules here fuse rotations, insert MOVEs, turn conditions into
conditional pulses, and check the result (`violations`) before it is stored. `family` transpiles the
points of a sweep together.

Imports: circuits, diagnostics, errors, json_types, model, native, targets.
"""

from iqm_spec.transpile.pipeline import transpile, transpile_many
from iqm_spec.transpile.qiskit_circuits import to_qiskit
from iqm_spec.transpile.violations import violations

__all__ = ["to_qiskit", "transpile", "transpile_many", "violations"]
