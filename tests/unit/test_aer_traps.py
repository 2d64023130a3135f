"""What Aer 0.17 does silently wrong, beside what we make of the same circuits."""

from __future__ import annotations

from math import cos, pi

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import RGate
from qiskit_aer import AerSimulator

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.native import Native
from iqm_spec.stages.aer import AerTask, Setup, simulate
from iqm_spec.stages.aer.distributions import dense_distributions
from iqm_spec.targets import error_profile

SHOTS = 2000


def early(theta: float) -> NativeCircuit:
    """A measurement of QB1 (always 1) before a rotation of QB2."""
    ops = (
        Op("r", (0,), (pi, 0.0)),
        Op("measure", (0,), (), (0,)),
        Op("r", (1,), (theta, 0.0)),
        Op("measure", (1,), (), (1,)),
    )
    return NativeCircuit(("QB1", "QB2"), (("c", 2),), ops)


def test_aer_mistakes_parameters_behind_a_measurement() -> None:
    """The trap itself: once this fails, Aer is mended and `dense` may be told so."""
    theta = Parameter("theta")
    circuit = QuantumCircuit(2, 2)
    circuit.append(RGate(pi, 0.0), [0])
    circuit.measure(0, 0)
    circuit.append(RGate(theta, 0.0), [1])
    circuit.measure(1, 1)
    job = AerSimulator().run(circuit, shots=100, parameter_binds=[{theta: [0.0, pi]}])
    result = job.result()
    right = [{"01": 100}, {"11": 100}]
    counts = [result.get_counts(i) for i in range(2)] if result.success else []
    assert counts != right


@pytest.mark.parametrize("noisy", [False, True])
def test_measurements_before_rotations_are_simulated_right(noisy: bool) -> None:
    """Angles in one batch, measured early: QB1 always 1, QB2 as its own angle says."""
    setup = Setup(error_profile("garnet")) if noisy else Setup()
    angles = [0.0, 1.0, 2.0, pi]
    tasks = [AerTask(str(angle), early(angle), SHOTS, 11) for angle in angles]
    for angle, told in zip(angles, simulate(tasks, setup), strict=True):
        ones = [sum(n for bits, n in told.counts.items() if bits[-1 - k] == "1") for k in (0, 1)]
        slack = 0.06 if noisy else 0.04
        assert ones[0] / SHOTS == pytest.approx(1, abs=slack)
        assert ones[1] / SHOTS == pytest.approx((1 - cos(angle)) / 2, abs=slack)


def test_bound_parameters_and_numbers_give_one_distribution() -> None:
    """Circuits of one skeleton in one run are, one by one, what each is in a run of its own."""
    circuits = [Native.of(early(0.1 + 0.2 * i)) for i in range(8)]
    other = Native.of(NativeCircuit(("QB1",), (("c", 1),), (Op("measure", (0,), (), (0,)),)))
    mixed = [*circuits[:3], other, *circuits[3:]]
    for method in ("statevector", "density_matrix"):
        together = dense_distributions(mixed, method, "CPU")
        for circuit, dense in zip(mixed, together, strict=True):
            (alone,) = dense_distributions([circuit], method, "CPU")
            assert dense.probabilities == pytest.approx(alone.probabilities, abs=1e-14)
            assert dense.bits == alone.bits
