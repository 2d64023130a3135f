"""The door for Python: runs and points as objects, tables, and runs started from a notebook."""

from iqm_spec.api.point import Point
from iqm_spec.api.start import run
from iqm_spec.api.stored import Run, load

__all__ = ["Point", "Run", "load", "run"]
