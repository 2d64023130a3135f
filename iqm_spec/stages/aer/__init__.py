"""The Aer stage: native circuits to counts and ideal probabilities, by Qiskit Aer."""

from iqm_spec.stages.aer.executor import Spread, spread_of
from iqm_spec.stages.aer.ideal import ideals
from iqm_spec.stages.aer.local import Job, expected_time, run_jobs
from iqm_spec.stages.aer.memory import available_memory
from iqm_spec.stages.aer.method import Choice, choose_method
from iqm_spec.stages.aer.simulate import simulate
from iqm_spec.stages.aer.spread import spread_jobs
from iqm_spec.stages.aer.tasks import AerOutcome, AerTask, Ideal, Setup
from iqm_spec.stages.aer.worker import simulate_chunk

__all__ = [
    "AerOutcome",
    "AerTask",
    "Choice",
    "Ideal",
    "Job",
    "Setup",
    "Spread",
    "available_memory",
    "choose_method",
    "expected_time",
    "ideals",
    "run_jobs",
    "simulate",
    "simulate_chunk",
    "spread_jobs",
    "spread_of",
]
