"""Simulates tasks: counts from exact probabilities where they can be had, else from Aer's shots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from iqm_spec.native import Native
from iqm_spec.stages.aer.distributions import (
    Affine,
    Dense,
    IdealDistribution,
    affine_distribution,
    dense_distributions,
    ideal_distributions,
)
from iqm_spec.stages.aer.engine import require_device
from iqm_spec.stages.aer.method import Choice, choose_method, shape_of
from iqm_spec.stages.aer.noise import noise_model, readout_error
from iqm_spec.stages.aer.sampling import approximation_notes, counts_by_aer
from iqm_spec.stages.aer.tasks import AerOutcome, AerTask, Setup
from iqm_spec.targets.profile import ErrorProfile


@frozen
class _Job:
    """A task with the way it will be simulated."""

    task: AerTask
    choice: Choice


def simulate(tasks: Sequence[AerTask], setup: Setup) -> Iterator[AerOutcome]:
    """The outcome of each task, in the order of `tasks`.

    Exact distributions are computed first, all circuits on the same components in one run of Aer
    and each circuit once, whatever its shots and seeds. Refused where a circuit cannot be
    simulated as asked; JobFailed where Aer fails, naming the task. Memory is checked in
    `run_jobs`, not here.
    """
    require_device(setup.device)
    noisy = setup.noise is not None
    jobs = [
        _Job(task, choose_method(task.circuit, task.shots, noisy, setup.method)) for task in tasks
    ]
    known = ideal_distributions({task.circuit: task.key for task in tasks}, setup.device)
    exact = _exact([job for job in jobs if _ideal_serves(job, known, setup) is None], setup)
    for job in jobs:
        way = (job.task.circuit, job.choice.method)
        ready = _ideal_serves(job, known, setup) or exact.get(way)
        yield _outcome(job, setup, ready, known[job.task.circuit])


def _ideal_serves(
    job: _Job, known: Mapping[Native, IdealDistribution | str], setup: Setup
) -> Dense | Affine | None:
    """The ideal distribution where it is also what is asked for: the same method, no noise."""
    ideal = known[job.task.circuit]
    method = job.choice.method
    if setup.noise is not None:
        return None
    if method == "statevector" and isinstance(ideal, Dense):
        return ideal
    return ideal if method == "stabilizer" and isinstance(ideal, Affine) else None


def _outcome(
    job: _Job, setup: Setup, exact: Dense | Affine | None, known: IdealDistribution | str
) -> AerOutcome:
    task, method = job.task, job.choice.method
    if exact is None:
        counts = counts_by_aer(task, setup, method)
    else:
        counts = exact.sample(task.shots, task.seed)
    ideal = known if isinstance(known, str) else known.ideal(counts, task.shots)
    return AerOutcome(
        key=task.key,
        counts=counts,
        shots_returned=sum(counts.values()),
        method=method,
        notes=approximation_notes(task.circuit, method),
        ideal=None if isinstance(ideal, str) else ideal,
        comparison=None if isinstance(ideal, str) else ideal.compared(counts),
        why_no_ideal=ideal if isinstance(ideal, str) else "",
    )


def _exact(jobs: Sequence[_Job], setup: Setup) -> dict[tuple[Native, str], Dense | Affine]:
    """Distributions as they will be read out, by circuit and method, of the jobs that have one."""
    found: dict[tuple[Native, str], Dense | Affine] = {}
    groups: dict[tuple[str, tuple[str, ...]], dict[Native, str]] = {}
    for job in jobs:
        circuit, method = job.task.circuit, job.choice.method
        if not job.choice.exact:
            continue
        if method == "stabilizer":
            if (circuit, method) not in found:
                found[circuit, method] = affine_distribution(circuit, setup.device, job.task.key)
        else:
            components = circuit.template.structure.components if setup.noise else ()
            groups.setdefault((method, components), {})[circuit] = job.task.key
    for (method, _), named in groups.items():
        circuits = list(named)
        bare = {circuit.template: circuit.template.structure for circuit in circuits}
        model = noise_model(setup.noise, bare.values()) if setup.noise else None
        dense = dense_distributions(circuits, method, setup.device, model, list(named.values()))
        for circuit, one in zip(circuits, dense, strict=True):
            found[circuit, method] = _read_out(one, circuit, setup.noise)
    return found


def _read_out(dense: Dense, circuit: Native, profile: ErrorProfile | None) -> Dense:
    if profile is None:
        return dense
    components = circuit.template.structure.components
    measured = [components[qubit] for _, qubit in shape_of(circuit).measured]
    return dense.with_readout_errors([readout_error(profile, name) for name in measured])
