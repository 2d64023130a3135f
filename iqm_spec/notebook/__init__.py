"""The door for Python: runs and points as objects, tables, and runs started from a notebook."""

from iqm_spec.notebook.point import Point
from iqm_spec.notebook.start import run
from iqm_spec.notebook.stored import Run, load

__all__ = ["Point", "Run", "load", "run"]
