"""Simulates tasks: counts drawn from exact probabilities where possible, else by Aer."""

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
from iqm_spec.stages.aer.noise import readout_error
from iqm_spec.stages.aer.sampling import approximation_notes, counts_by_aer
from iqm_spec.stages.aer.tasks import AerOutcome, AerTask, Ideal, Setup

Exact = dict[tuple[Native, str], Dense | Affine]
"""What counts are drawn from, readout errors included, by circuit and method."""


@frozen
class _ChosenTask:
    """A task with how it will be simulated."""

    task: AerTask
    choice: Choice

    @property
    def circuit_and_method(self) -> tuple[Native, str]:
        return self.task.circuit, self.choice.method


def simulate(tasks: Sequence[AerTask], setup: Setup) -> Iterator[AerOutcome]:
    """The outcome of each task, in the order of `tasks`.

    Exact distributions come first: all circuits on the same components in one run of Aer, and each
    circuit once, whatever its shots and seeds. Refused if a circuit cannot be simulated as asked;
    JobFailed if Aer fails, naming the task. `run_jobs` checks memory.
    """
    require_device(setup.device)
    noisy = setup.noise is not None
    chosen = [
        _ChosenTask(task, choose_method(task.circuit, task.shots, noisy, setup.method))
        for task in tasks
    ]
    ideal = ideal_distributions({task.circuit: task.key for task in tasks}, setup.device)
    exact = {} if noisy else _from_ideal(chosen, ideal)
    exact |= _computed([item for item in chosen if item.circuit_and_method not in exact], setup)
    for item in chosen:
        task, method = item.task, item.choice.method
        yield _outcome(task, method, setup, exact.get((task.circuit, method)), ideal[task.circuit])


def _from_ideal(
    tasks: Sequence[_ChosenTask], ideal: Mapping[Native, IdealDistribution | str]
) -> Exact:
    """The ideal distributions that the chosen method, without noise, would only compute again."""
    exact: Exact = {}
    for item in tasks:
        match item.choice.method, ideal[item.task.circuit]:
            case ("statevector", Dense() as same) | ("stabilizer", Affine() as same):
                exact[item.circuit_and_method] = same
    return exact


def _outcome(
    task: AerTask,
    method: str,
    setup: Setup,
    exact: Dense | Affine | None,
    distribution: IdealDistribution | str,
) -> AerOutcome:
    if exact is None:
        counts = counts_by_aer(task, setup, method)
    else:
        counts = exact.sample(task.shots, task.seed)
    ideal: Ideal | str = (
        distribution if isinstance(distribution, str) else distribution.ideal(counts, task.shots)
    )
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


def _computed(tasks: Sequence[_ChosenTask], setup: Setup) -> Exact:
    """Distributions with noise and readout errors of those tasks whose method has one."""
    exact: Exact = {}
    groups: dict[tuple[str, tuple[str, ...]], dict[Native, str]] = {}
    for item in tasks:
        circuit, method = item.task.circuit, item.choice.method
        if not item.choice.exact:
            continue
        if method == "stabilizer":
            if (circuit, method) not in exact:
                exact[circuit, method] = affine_distribution(circuit, setup.device, item.task.key)
        else:
            components = circuit.template.structure.components if setup.noise else ()
            groups.setdefault((method, components), {})[circuit] = item.task.key
    for (method, _), names in groups.items():
        circuits = list(names)
        dense = dense_distributions(
            circuits, method, setup.device, setup.noise, list(names.values())
        )
        for circuit, distribution in zip(circuits, dense, strict=True):
            exact[circuit, method] = distribution
            if setup.noise is not None:
                components = circuit.template.structure.components
                measured = [components[qubit] for _, qubit in shape_of(circuit).measured]
                errors = [readout_error(setup.noise, name) for name in measured]
                exact[circuit, method] = distribution.with_readout_errors(errors)
    return exact
