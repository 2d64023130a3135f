"""The Aer stage: native circuits to counts and ideal probabilities, by Qiskit Aer.

`tasks` says what is simulated and what comes back. `method` chooses one of Aer's methods by the
circuit's shape, `simulate` goes from tasks to outcomes: with `distributions` where they are known
exactly, else with shots that Aer draws (`sampling`); `engine` calls Aer, `noise` makes its noise
model. `local` cuts jobs into chunks for processes of this machine, `dask_jobs` and `dask_cluster`
send them to a Dask cluster. `stage` ties this to a plan and a results folder.
"""

from iqm_spec.stages.aer.dask_cluster import DaskCluster, chosen_cluster
from iqm_spec.stages.aer.dask_jobs import run_jobs_on_dask
from iqm_spec.stages.aer.distributions import ideal_distributions
from iqm_spec.stages.aer.local import Job, expected_time, run_jobs, simulate_chunk
from iqm_spec.stages.aer.method import Choice, choose_method
from iqm_spec.stages.aer.simulate import simulate
from iqm_spec.stages.aer.tasks import AerOutcome, AerTask, Ideal, Setup

__all__ = [
    "AerOutcome",
    "AerTask",
    "Choice",
    "DaskCluster",
    "Ideal",
    "Job",
    "Setup",
    "choose_method",
    "chosen_cluster",
    "expected_time",
    "ideal_distributions",
    "run_jobs",
    "run_jobs_on_dask",
    "simulate",
    "simulate_chunk",
]
