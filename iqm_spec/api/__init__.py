"""The Python API: runs and points as objects, tables, and `run` for notebooks and scripts.

Only what `import iqm_spec` promises belongs here; see docs/python.md.

Imports: analysis, diagnostics, engine, errors, json_types, model, packed_shots, plan, report,
results, server_api, source, stages, store, transpile.
"""

from iqm_spec.api.point import Point
from iqm_spec.api.start import run
from iqm_spec.api.stored import Run, load

__all__ = ["Point", "Run", "load", "run"]
