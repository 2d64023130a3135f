"""Relaxation of components that idle: decays with the profile's own times, and gate errors kept."""

from __future__ import annotations

import math
from typing import Any

import pytest
from attrs import evolve

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.native import Native
from iqm_spec.stages.aer.distributions import Dense, dense_distributions
from iqm_spec.stages.aer.noise import channel
from iqm_spec.stages.aer.simulate import simulate
from iqm_spec.stages.aer.tasks import AerTask, Setup
from iqm_spec.targets import ErrorProfile
from iqm_spec.targets.profile import (
    average_fidelity,
    depolarizing_of_fidelity,
    error_profile_from_json,
)

T1, T2 = 30_000.0, 20_000.0
QUIET = ErrorProfile(
    t1={"QB1": T1, "QB2": T1 / 3},
    t2={"QB1": T2, "QB2": T2 / 4},
    depolarizing={"prx": {("QB1",): 0.0, ("QB2",): 0.0}, "cz": {("QB1", "QB2"): 0.0}},
    durations={"prx": 0.0, "cz": 0.0},
    readout={"QB1": (0.0, 0.0), "QB2": (0.0, 0.0)},
    source="",
    idle=True,
)
"""Relaxation while idling, and nothing else."""


def turn(angle: float, phase: float = 0.0, qubit: int = 0) -> Op:
    return Op("r", (qubit,), (angle, phase))


def delay(ns: float, qubit: int = 0) -> Op:
    return Op("delay", (qubit,), (ns * 1e-9,))


def ones(profile: ErrorProfile, *ops: Op) -> float:
    """The probability to read 1 from QB1 after `ops`."""
    width = 1 + max(q for op in ops for q in op.qubits)
    measure = Op("measure", (0,), (), (0,))
    circuit = NativeCircuit(("QB1", "QB2")[:width], (("c", 1),), (*ops, measure))
    (dense,) = dense_distributions([Native.of(circuit)], "density_matrix", "CPU", profile)
    assert isinstance(dense, Dense)
    return float(dense.probabilities[1])


@pytest.mark.parametrize("ns", [0.0, 1e3, 2e4, 1e5])
def test_an_excited_qubit_decays_with_t1(ns: float) -> None:
    assert ones(QUIET, turn(math.pi), delay(ns)) == pytest.approx(math.exp(-ns / T1), abs=1e-9)


@pytest.mark.parametrize("ns", [1e3, 2e4, 1e5])
def test_a_superposition_loses_its_phase_with_t2(ns: float) -> None:
    half = math.pi / 2
    expected = (1 - math.exp(-ns / T2)) / 2
    assert ones(QUIET, turn(half), delay(ns), turn(-half)) == pytest.approx(expected, abs=1e-9)


def test_a_qubit_relaxes_while_another_works() -> None:
    slow = evolve(QUIET, durations={"prx": 500.0, "cz": 0.0})
    ops = [turn(math.pi), turn(math.pi), turn(math.pi), *[turn(math.pi, 0, 1)] * 9]
    own = ones(slow, *ops)
    waited = ones(slow, *ops, Op("cz", (0, 1)))
    assert waited == pytest.approx(own * math.exp(-3000 / T1), rel=1e-6)


def test_without_idle_times_a_delay_does_nothing() -> None:
    still = evolve(QUIET, idle=False)
    assert ones(still, turn(math.pi), delay(1e5)) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("method", ["statevector", "matrix_product_state"])
def test_shots_decay_as_the_density_matrix_does(method: str) -> None:
    ops = (turn(math.pi), delay(2e4), Op("measure", (0,), (), (0,)))
    task = AerTask("k", NativeCircuit(("QB1",), (("c", 1),), ops), 4000, 1)
    (outcome,) = simulate([task], Setup(QUIET, method))
    expected = math.exp(-2e4 / T1)
    error = math.sqrt(expected * (1 - expected) / 4000)
    assert abs(outcome.counts["1"] / 4000 - expected) < 5 * error


@pytest.mark.parametrize("idle", [False, True])
@pytest.mark.parametrize(
    ("gate", "iqm_name", "locus", "fidelity"),
    [("r", "prx", ("QB1",), 0.998), ("cz", "cz", ("QB1", "QB2"), 0.985)],
)
def test_a_gate_has_the_fidelity_of_the_metrics(
    gate: str, iqm_name: str, locus: tuple[str, ...], fidelity: float, idle: bool
) -> None:
    from qiskit.quantum_info import SuperOp, average_gate_fidelity

    times = [(QUIET.t1[name], QUIET.t2[name]) for name in locus]
    strength = depolarizing_of_fidelity(fidelity, times, 60.0)
    depolarizing = {**QUIET.depolarizing, iqm_name: {locus: strength}}
    profile = evolve(
        QUIET, idle=idle, durations={"prx": 60.0, "cz": 60.0}, depolarizing=depolarizing
    )
    assert average_gate_fidelity(SuperOp(channel(profile, gate, locus))) == pytest.approx(fidelity)
    assert average_fidelity(strength, times, 60.0) == pytest.approx(fidelity)


@pytest.mark.parametrize("excited", [0, 1])
def test_each_component_of_a_gate_relaxes_with_its_own_times(excited: int) -> None:
    """As iqm-client's fake backends do, a profile without idle times swaps them."""
    names = ("QB1", "QB2")
    profile = evolve(QUIET, durations={"prx": 0.0, "cz": 5000.0})
    ops = [turn(math.pi, 0, excited), Op("cz", (0, 1))]
    ops += [Op("measure", (excited,), (), (0,))]
    circuit = Native.of(NativeCircuit(names, (("c", 1),), tuple(ops)))
    for idle, name in ((True, names[excited]), (False, names[1 - excited])):
        (dense,) = dense_distributions(
            [circuit], "density_matrix", "CPU", evolve(profile, idle=idle)
        )
        assert dense.probabilities[1] == pytest.approx(math.exp(-5000 / QUIET.t1[name]), abs=1e-9)


def test_idle_times_are_part_of_a_profiles_file_and_digest() -> None:
    data: dict[str, Any] = dict(QUIET.to_json())
    assert error_profile_from_json(data) == QUIET
    assert QUIET.digest != evolve(QUIET, idle=False).digest
    with pytest.raises(ValueError, match="idle must be true or false"):
        error_profile_from_json({**data, "idle": "yes"})
