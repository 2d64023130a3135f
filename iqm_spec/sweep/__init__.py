"""Sweeps: blocks of axes and `${axis}` templates become points, lazily and in a stable order."""

from iqm_spec.sweep.expand import CircuitPoints, circuit_points, points
from iqm_spec.sweep.parse import parse_blocks
from iqm_spec.sweep.template import Template, compile_template

__all__ = [
    "CircuitPoints",
    "Template",
    "circuit_points",
    "compile_template",
    "parse_blocks",
    "points",
]
