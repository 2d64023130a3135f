"""Circuits on a machine: routed by Qiskit, fused and moved by us, checked before they are kept."""

from iqm_spec.transpile.export import to_qiskit
from iqm_spec.transpile.many import transpile, transpile_many
from iqm_spec.transpile.violations import violations

__all__ = ["to_qiskit", "transpile", "transpile_many", "violations"]
