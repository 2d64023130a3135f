"""Analyses against known answers: exact distributions, definitions, and Qiskit."""

from __future__ import annotations

from math import cos, exp, log, pi, sqrt
from random import Random

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import quantum_volume
from qiskit.quantum_info import SparsePauliOp, Statevector

from iqm_spec.analysis.expectation import (
    as_z,
    expectation,
    ideal_expectation,
    measured_in,
    value_of,
)
from iqm_spec.analysis.ghz_fidelity import fidelity, fit_oscillation, parity, populations
from iqm_spec.analysis.mirror_polarization import (
    fit_decay,
    least_polarization,
    mean_of,
    polarization,
)
from iqm_spec.analysis.volume import heavy_output, heavy_outputs, heavy_share
from iqm_spec.statistics.comparison import compare
from iqm_spec.statistics.intervals import Mean, distance_intervals
from iqm_spec.statistics.significance import goodness


def random_state(qubits: int, seed: int) -> QuantumCircuit:
    draw = Random(seed)
    circuit = QuantumCircuit(qubits)
    for _ in range(3):
        for qubit in range(qubits):
            circuit.u(draw.random() * 6, draw.random() * 6, draw.random() * 6, qubit)
        for qubit in range(qubits - 1):
            circuit.cz(qubit, qubit + 1)
    return circuit


@pytest.mark.parametrize("seed", range(5))
def test_expectations_are_qiskits(seed: int) -> None:
    state = Statevector(random_state(3, seed))
    terms = {"ZZI": -1.0, "IZZ": 0.5, "IIZ": 2.0, "III": 0.25}
    wanted = state.expectation_value(SparsePauliOp.from_list(list(terms.items()))).real
    assert ideal_expectation(state.probabilities_dict(), terms) == pytest.approx(wanted)
    state.seed(seed)
    found = expectation(state.sample_counts(200_000), terms)
    assert abs(found.value - wanted) < 5 * found.error
    assert found.error < 0.01


def test_the_error_of_a_sum_knows_of_correlations() -> None:
    counts = {"00": 500, "11": 500}
    single = expectation(counts, {"ZI": 1.0})
    assert single.error == pytest.approx(1000**-0.5)
    assert expectation(counts, {"ZI": 1.0, "IZ": 1.0}).error == pytest.approx(2 * single.error)
    apart = expectation(counts, {"ZI": 1.0, "IZ": -1.0})
    assert apart.value == 0
    assert apart.error == pytest.approx(4 / 1000, rel=1e-3)  # one shot might have been another


def test_letters_stand_as_bits_are_printed() -> None:
    assert value_of("10 01", {"ZIII": 1.0}) == -1
    assert value_of("10 01", {"IZII": 1.0}) == 1
    assert value_of("10 01", {"IIIZ": 1.0}) == -1
    with pytest.raises(ValueError, match="ZZ has 2 letters for 3 bits"):
        value_of("101", {"ZZ": 1.0})
    assert measured_in("XIX", "XZX")
    assert not measured_in("XYX", "XZX")
    assert as_z("XIY") == "ZIZ"


def ghz_counts(qubits: int, coherence: float, phase: float, shots: int) -> dict[str, int]:
    """Outcomes of a dephased GHZ state turned by R(pi/2, phase), shared out exactly."""
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    for qubit in range(1, qubits):
        circuit.cx(0, qubit)
    pure, mixed = QuantumCircuit(qubits), {}
    for qubit in range(qubits):
        pure.r(pi / 2, phase, qubit)
    whole = Statevector(circuit).evolve(pure).probabilities_dict()
    for start in ("0" * qubits, "1" * qubits):
        for bits, p in Statevector.from_label(start).evolve(pure).probabilities_dict().items():
            mixed[bits] = mixed.get(bits, 0.0) + p / 2
    return {
        bits: round(shots * (coherence * whole.get(bits, 0.0) + (1 - coherence) * mixed[bits]))
        for bits in mixed
    }


@pytest.mark.parametrize(("qubits", "coherence"), [(2, 1.0), (3, 0.8), (5, 0.5), (4, 0.0)])
def test_ghz_fidelity_of_a_dephased_state(qubits: int, coherence: float) -> None:
    phases = [pi * k / (2 * qubits) for k in range(4 * qubits)]
    parities = [parity(ghz_counts(qubits, coherence, phi, 100_000)) for phi in phases]
    found = fit_oscillation(qubits, phases, parities)
    assert found.amplitude == pytest.approx(coherence, abs=0.003)
    population = populations({"0" * qubits: 480, "1" * qubits: 460, "0" * (qubits - 1) + "1": 60})
    assert population.value == pytest.approx(0.94)
    total = fidelity(population, found)
    assert total.value == pytest.approx((0.94 + found.amplitude) / 2)
    assert 0.003 < total.error < 0.005


def test_too_few_phases_are_refused() -> None:
    one = Mean(0.5, 0.01)
    with pytest.raises(ValueError, match="known at 2 of the phases that differ modulo 2 pi / 3"):
        fit_oscillation(3, [0.0, 0.3, 2 * pi / 3, 0.3 + 4 * pi / 3], [one] * 4)


def test_the_amplitudes_error_is_its_scatter() -> None:
    print("seed 7")
    draw = np.random.default_rng(7)
    phases = [2 * pi * k / 30 for k in range(10)]
    found = []
    for _ in range(200):
        shots = [draw.binomial(400, (1 + 0.7 * cos(3 * phi + 0.4)) / 2) for phi in phases]
        parities = [parity({"0": int(n), "1": 400 - int(n)}) for n in shots]
        found.append(fit_oscillation(3, phases, parities))
    scatter = np.std([one.amplitude for one in found])
    assert np.mean([one.error for one in found]) == pytest.approx(scatter, rel=0.2)
    assert np.mean([one.phase for one in found]) == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("qubits", [1, 2, 4])
def test_polarization_of_depolarized_outcomes(qubits: int) -> None:
    target = "10110"[:qubits]
    size = 2**qubits
    for kept in (1.0, 0.6, 0.0):
        counts = {
            format(k, f"0{qubits}b"): 6400 * (1 - kept) / size + 6400 * kept * (k == int(target, 2))
            for k in range(size)
        }
        whole = {bits: round(count) for bits, count in counts.items()}
        assert polarization(whole, target).value == pytest.approx(kept, abs=1e-3)


def test_a_decay_is_found() -> None:
    depths = [0.0, 2.0, 4.0, 8.0, 16.0]
    means = [Mean(0.93 * 0.97**d, 0.002) for d in depths]
    found = fit_decay(3, depths, means)
    assert found.amplitude == pytest.approx(0.93, abs=1e-6)
    assert found.p == pytest.approx(0.97, abs=1e-6)
    assert found.error_rate == pytest.approx(63 / 64 * 0.03, abs=1e-6)
    assert 0 < found.p_error < 0.001
    with pytest.raises(ValueError, match="at 1 depth, and two"):
        fit_decay(3, [2.0, 2.0], means[:2])


def test_the_mean_over_circuits_has_what_they_scatter_by() -> None:
    assert mean_of([Mean(0.5, 0.1)]) == Mean(0.5, 0.1)
    several = [Mean(0.2, 0.001), Mean(0.4, 0.001), Mean(0.6, 0.001)]
    assert mean_of(several).value == pytest.approx(0.4)
    assert mean_of(several).error == pytest.approx(0.2 / 3**0.5)


def test_heavy_outputs_of_porter_thomas_states() -> None:
    """An ideal device gives heavy outputs with probability (1 + ln 2) / 2 on average."""
    shares = []
    for seed in range(60):
        state = Statevector(quantum_volume(6, seed=seed))
        probabilities = state.probabilities_dict()
        heavy = heavy_outputs(probabilities, 6)
        assert len(heavy) == 32
        state.seed(seed)
        shares.append(heavy_share(state.sample_counts(500), heavy))
    found = heavy_output(shares)
    assert found.probability == pytest.approx((1 + log(2)) / 2, abs=0.02)
    assert found.above
    assert not found.reached  # sixty circuits are not a hundred
    assert heavy_output(shares * 2).reached
    assert not heavy_output([0.68] * 100).reached


def test_outcomes_that_are_not_named_have_no_probability() -> None:
    assert heavy_outputs({"00": 0.7, "01": 0.3}, 2) == {"00", "01"}
    assert heavy_outputs({"00": 1.0}, 1) == {"00"}


@pytest.mark.parametrize("kept", [0.95, 0.7])
def test_intervals_of_distances_hold_the_truth(kept: float) -> None:
    """95 % intervals hold the noiseless distance in about 95 % of the experiments."""
    print("seed 11")
    draw = np.random.default_rng(11)
    ideal = {format(k, "03b"): p for k, p in enumerate(draw.dirichlet(np.ones(8)))}
    true = {bits: kept * p + (1 - kept) / 8 for bits, p in ideal.items()}
    fidelity_ = sum((true[b] * ideal[b]) ** 0.5 for b in ideal) ** 2
    distance = sum(abs(true[b] - ideal[b]) for b in ideal) / 2
    hits = [0, 0]
    for seed in range(200):
        drawn = draw.multinomial(1000, list(true.values()))
        counts = {bits: int(n) for bits, n in zip(true, drawn, strict=True)}
        first, second = distance_intervals(counts, ideal, seed)
        hits[0] += first[0] <= fidelity_ <= first[1]
        hits[1] += second[0] <= distance <= second[1]
    assert min(hits) >= 0.88 * 200, hits


def test_intervals_are_the_same_each_time_and_hold_the_estimate() -> None:
    counts, ideal = {"00": 480, "11": 500, "01": 20}, {"00": 0.5, "11": 0.5}
    found = distance_intervals(counts, ideal, 3)
    assert found == distance_intervals(counts, ideal, 3)
    told = compare(counts, ideal, complete=True)
    assert found[0][0] <= told.hellinger_fidelity <= found[0][1]
    assert found[1][0] <= told.total_variation_distance <= found[1][1]


@pytest.mark.parametrize("shots", [10, 1000, 100_000])
def test_where_all_shots_agree_the_error_is_that_of_one_other_shot(shots: int) -> None:
    """As for a share of one in all: sqrt(p (1 - p) / shots) with p = 1 / shots."""
    share = sqrt((shots - 1) / shots) / shots
    assert expectation({"00": shots}, {"ZZ": 0.5}).error == pytest.approx(2 * 0.5 * share)
    assert polarization({"01": shots}, "01").error == pytest.approx(16 / 15 * 1.5 / shots)


def test_points_that_do_not_follow_their_curve_are_told() -> None:
    good = goodness([0.01, -0.01, 0.02, 0.0], [0.01] * 4, 2)
    assert (good.chi_square, good.degrees) == (pytest.approx(6), 2)
    assert good.p_value == pytest.approx(exp(-3))  # of two degrees of freedom exp(-x / 2)
    assert good.doubt == ""
    bad = goodness([0.03, -0.03, 0.02, 0.0], [0.01] * 4, 2)
    assert "chi-square 22 for 2 degrees of freedom" in bad.doubt
    assert goodness([0.5, 0.5], [0.01] * 2, 2).doubt == ""  # nothing to spare


@pytest.mark.parametrize("qubits", [1, 2, 3])
def test_no_circuit_is_polarized_less_than_with_all_shots_beside(qubits: int) -> None:
    target = "0" * qubits
    values = [polarization({format(i, f"0{qubits}b"): 10}, target).value for i in range(2**qubits)]
    assert min(values) == pytest.approx(least_polarization(qubits))
