"""Counts beside ideal probabilities: distances with their errors, and verdicts. No simulation."""

from iqm_spec.analysis.compare import Comparison, compare
from iqm_spec.analysis.perfect import Perfect, perfect_device
from iqm_spec.analysis.verdict import Verdict, judge

__all__ = ["Comparison", "Perfect", "Verdict", "compare", "judge", "perfect_device"]
