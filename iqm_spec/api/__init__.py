"""The Python API: runs and points as objects, tables, and `run` for notebooks and scripts."""

from iqm_spec.api.point import Point
from iqm_spec.api.start import run
from iqm_spec.api.stored import Run, load

__all__ = ["Point", "Run", "load", "run"]
