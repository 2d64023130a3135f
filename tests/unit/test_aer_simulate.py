"""Counts and ideal probabilities: of the point alone, and as Aer itself gives them."""

from __future__ import annotations

import os
from math import pi
from typing import Any

import pytest
from qiskit_aer import AerSimulator

from iqm_spec.errors import JobFailed, Refused
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.stages.aer import AerOutcome, AerTask, Setup, run_jobs, simulate
from iqm_spec.statistics.comparison import compare
from iqm_spec.targets import error_profile
from iqm_spec.transpile import to_qiskit

GARNET = error_profile("garnet")
DENEB = error_profile("deneb")
NOISY = Setup(GARNET)
IDEAL = Setup()


def r(theta: float, phi: float, qubit: int) -> Op:
    return Op("r", (qubit,), (theta, phi))


def measure(qubit: int, clbit: int) -> Op:
    return Op("measure", (qubit,), (), (clbit,))


def rotations(width: int, angle: float, components: tuple[str, ...] | None = None) -> NativeCircuit:
    """Rotations and cz along QB1-QB2, QB4-QB5-QB6-QB7 of Garnet, measured in reverse order."""
    names = components or ("QB1", "QB2") if width == 2 else ("QB4", "QB5", "QB6", "QB7")[:width]
    ops = [r(angle * (q + 1), 0.3 * q, q) for q in range(width)]
    for q in range(width - 1):
        ops += [Op("cz", (q, q + 1)), r(0.7 * angle, -0.2, q + 1)]
    ops += [measure(q, width - 1 - q) for q in range(width)]
    return NativeCircuit(names, (("c", width),), tuple(ops))


def ghz(width: int) -> NativeCircuit:
    """A GHZ state by Clifford rotations, on a chain of components that no machine has."""
    names = tuple(f"QB{q + 1}" for q in range(width))
    ops = [r(pi / 2, pi / 2, 0)]
    for q in range(1, width):
        ops += [r(pi / 2, -pi / 2, q), Op("cz", (q - 1, q)), r(pi / 2, pi / 2, q)]
    ops += [measure(q, q) for q in range(width)]
    return NativeCircuit(names, (("c", width),), tuple(ops))


def one(
    circuit: NativeCircuit, setup: Setup = IDEAL, shots: int = 1000, seed: int = 7
) -> AerOutcome:
    return next(simulate([AerTask("k", circuit, shots, seed)], setup))


def direct(circuit: NativeCircuit, shots: int, **options: Any) -> dict[str, int]:
    """What Aer gives when it is called by hand."""
    counts: dict[str, int] = (
        AerSimulator(**options).run(to_qiskit(circuit), shots=shots, seed_simulator=1).result()
    ).get_counts()
    return counts


def chi_square(counts: dict[str, int], others: dict[str, int]) -> float:
    """P-value of counts and others being from one distribution; rare outcomes are pooled."""
    from scipy.stats import chi2_contingency

    pooled: dict[str, list[int]] = {}
    for bits in {*counts, *others}:
        pair = [counts.get(bits, 0), others.get(bits, 0)]
        place = pooled.setdefault(bits if sum(pair) >= 20 else "rare", [0, 0])
        place[0] += pair[0]
        place[1] += pair[1]
    table = [pair for pair in pooled.values() if sum(pair)]
    return float(chi2_contingency(table).pvalue) if len(table) > 1 else 1.0


TASKS = [
    AerTask(f"{width}-{angle}-{shots}-{seed}", rotations(width, angle), shots, seed)
    for width, angle, shots, seed in [
        *[(2, 0.4 + 0.1 * i, 500, i) for i in range(6)],
        *[(4, 0.4 + 0.1 * i, 500, i) for i in range(4)],
        *[(2, 0.4, 700, 0), (2, 0.4, 500, 99), (3, 0.2, 500, 5)],
    ]
]


@pytest.mark.parametrize("setup", [IDEAL, NOISY], ids=["ideal", "noisy"])
@pytest.mark.slow
def test_counts_are_of_the_task_alone(setup: Setup) -> None:
    """Alone, in a batch, in another order, beside a repetition of itself: the same outcome."""
    together = list(simulate(TASKS, setup))
    assert [outcome.key for outcome in together] == [task.key for task in TASKS]
    assert list(simulate([*reversed(TASKS), *TASKS], setup)) == [*reversed(together), *together]
    for task, outcome in zip(TASKS, together, strict=True):
        assert list(simulate([task], setup)) == [outcome]
        assert sum(outcome.counts.values()) == outcome.shots_returned == task.shots


def test_another_seed_gives_other_counts_and_more_shots_the_same_ideal() -> None:
    by_key = {outcome.key: outcome for outcome in simulate(TASKS, NOISY)}
    first, seed, shots = (by_key[f"2-0.4-{rest}"] for rest in ("500-0", "500-99", "700-0"))
    assert first.counts != seed.counts
    assert first.ideal
    assert shots.ideal
    assert first.ideal.probabilities == shots.ideal.probabilities
    assert first.ideal.perfect != shots.ideal.perfect


@pytest.mark.slow
def test_workers_move_nothing() -> None:
    heavy = [AerTask(f"mid{i}", with_midway(i), 200, i) for i in range(3)]
    jobs = [(TASKS, NOISY), (heavy, NOISY), ([], NOISY), (TASKS[:3], IDEAL)]
    alone = list(run_jobs(jobs, workers=1))
    assert [number for number, _ in alone] == [0, 1, 2, 3]
    assert list(run_jobs(jobs, workers=2)) == alone
    assert alone[0][1] == list(simulate(TASKS, NOISY))


def with_midway(i: int) -> NativeCircuit:
    """QB1 is measured, turned and measured again."""
    ops = (r(1 + i, 0, 0), measure(0, 0), r(0.5, 0, 0), Op("cz", (0, 1)), measure(0, 1))
    return NativeCircuit(("QB1", "QB2"), (("first", 1), ("then", 1)), ops)


class _Deadly:
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (1,)


@pytest.mark.slow
def test_a_dying_worker_is_told_of_and_hangs_nothing() -> None:
    deadly: Any = _Deadly()
    jobs = [([AerTask(deadly, rotations(2, 0.1), 100, 1)], IDEAL)] * 3
    with pytest.raises(JobFailed, match="ended before its work was done") as caught:
        list(run_jobs(jobs, workers=2))
    assert "-j 1" in caught.value.hint


@pytest.mark.slow
def test_errors_of_a_worker_arrive_whole() -> None:
    lost = NativeCircuit(("QB1", "QB9"), (("c", 1),), (Op("cz", (0, 1)), measure(0, 0)))
    jobs = [([AerTask("a", lost, 100, 1)], NOISY), ([AerTask("b", lost, 100, 1)], NOISY)]
    with pytest.raises(JobFailed, match="says nothing about cz on QB1, QB9") as caught:
        list(run_jobs(jobs, workers=2))
    assert "noise: ideal" in caught.value.hint


def test_what_does_not_fit_is_refused_before_anything_runs() -> None:
    jobs = [(TASKS, IDEAL), ([AerTask("wide", rotations(4, 0.3), 10**7, 1)], IDEAL)]
    with pytest.raises(Refused) as caught:
        next(run_jobs(jobs, memory_bytes=10**8))
    assert caught.value.code == "refused.memory"


def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refused, match="the installed Aer can use the CPU only"):
        next(simulate(TASKS[:1], Setup(device="GPU")))
    with pytest.raises(Refused, match="the installed Aer can use the CPU only"):
        next(run_jobs([(TASKS[:1], Setup(device="GPU"))]))


@pytest.mark.parametrize("setup", [IDEAL, NOISY], ids=["ideal", "noisy"])
@pytest.mark.parametrize("method", ["statevector", "density_matrix", "matrix_product_state"])
@pytest.mark.slow
def test_methods_agree(method: str, setup: Setup) -> None:
    circuit = rotations(4, 0.6)
    shots = 4000
    asked = one(circuit, Setup(setup.noise, method), shots)
    assert asked.method == method
    assert chi_square(dict(asked.counts), dict(one(circuit, setup, shots, 8).counts)) > 1e-3


REGISTERS = NativeCircuit(
    ("QB1", "QB2", "QB4"),
    (("a", 2), ("b", 3), ("empty", 0), ("d", 1)),
    (
        *(r(pi, 0, 0), r(0.8, 0, 1), Op("cz", (0, 1)), r(0.8, 0.4, 1)),
        *(measure(0, 4), measure(1, 1), measure(2, 5), measure(2, 0)),
    ),
)


def test_bits_of_several_registers_stand_as_aer_has_them() -> None:
    """A bit is measured into twice, two never, one component twice: Aer's own printing decides."""
    final = NativeCircuit(
        REGISTERS.components,
        (("a", 2), ("b", 3), ("d", 1)),
        (*REGISTERS.ops[:5], measure(2, 1), measure(1, 1), measure(2, 5)),
    )
    for circuit in (NativeCircuit(final.components, final.registers, final.ops[:-1]), final):
        ours = one(circuit, shots=4000)
        theirs = direct(circuit, 4000)
        assert set(ours.counts) == set(theirs)
        assert chi_square(dict(ours.counts), theirs) > 1e-3


def test_a_component_measured_twice_is_left_to_aer() -> None:
    circuit = NativeCircuit(REGISTERS.components, (("a", 2), ("b", 3), ("d", 1)), REGISTERS.ops)
    ours = one(circuit, shots=4000)
    assert ours.ideal is None
    assert ours.why_no_ideal == "measured or reset midway: no single ideal state"
    assert chi_square(dict(ours.counts), direct(circuit, 4000)) > 1e-3


def test_nothing_measured() -> None:
    circuit = NativeCircuit(("QB1",), (("c", 2),), (r(1, 0, 0),))
    told = one(circuit)
    assert told.counts == {"00": 1000}
    assert told.ideal
    assert told.ideal.probabilities == {"00": 1.0}


def test_readout_errors_are_those_of_aer() -> None:
    """Basis states only, where the readout is all that errs: rates as in the profile."""
    assert GARNET
    circuit = NativeCircuit(("QB3", "QB8"), (("c", 2),), (measure(0, 1), measure(1, 0)))
    shots = 200_000
    told = one(circuit, NOISY, shots)
    for place, name in ((0, "QB3"), (1, "QB8")):
        rate = sum(count for bits, count in told.counts.items() if bits[place] == "1") / shots
        expected = GARNET.readout[name][0]
        assert rate == pytest.approx(expected, abs=5 * (expected / shots) ** 0.5)
    trajectories = one(circuit, Setup(GARNET, "statevector"), shots)
    assert chi_square(dict(told.counts), dict(trajectories.counts)) > 1e-3


def test_noise_lowers_fidelity_and_ideal_counts_are_perfect() -> None:
    circuit = rotations(4, 0.6)
    below = {}
    for name, setup in (("noisy", NOISY), ("ideal", IDEAL)):
        told = one(circuit, setup, 20_000)
        assert told.ideal
        assert sum(told.ideal.probabilities.values()) == pytest.approx(1, abs=1e-9)
        shown = compare(told.counts, told.ideal.probabilities, told.ideal.complete)
        assert shown.perfect_hellinger_fidelity
        assert shown.perfect_hellinger_fidelity_spread
        short = shown.perfect_hellinger_fidelity - shown.hellinger_fidelity
        below[name] = short / shown.perfect_hellinger_fidelity_spread
    assert below["noisy"] > 10
    assert abs(below["ideal"]) < 5


def test_the_noise_of_moves_is_there() -> None:
    """Two moves there and back on a star lose what T1 of the resonator and their errors take."""
    star = NativeCircuit(
        ("QB1", "CR1"),
        (("c", 1),),
        (r(pi, 0, 0), *[Op("move", (0, 1))] * 40, measure(0, 0)),
    )
    assert DENEB
    without = {gate: errors for gate, errors in DENEB.depolarizing.items() if gate == "move"}
    assert without
    still = NativeCircuit(star.components, star.registers, (star.ops[0], star.ops[-1]))
    shots = 20_000
    lost = {
        name: 1 - one(circuit, Setup(DENEB), shots).counts["1"] / shots
        for name, circuit in (("moved", star), ("still", still))
    }
    assert lost["still"] < 0.1
    assert lost["moved"] > lost["still"] + 0.2
    told = one(star, Setup(DENEB), shots)
    assert told.ideal
    assert told.ideal.probabilities == {"1": 1.0}


@pytest.mark.parametrize("width", [21, 50, 200])
def test_wide_ghz_by_stabilizers(width: int) -> None:
    told = one(ghz(width))
    assert told.method == "stabilizer"
    assert told.ideal
    assert told.ideal.complete
    assert told.ideal.probabilities == {"0" * width: 0.5, "1" * width: 0.5}
    assert set(told.counts) == {"0" * width, "1" * width}
    assert abs(told.counts["0" * width] - 500) < 80


def test_a_wide_even_superposition_has_probabilities_of_what_was_seen() -> None:
    plus = NativeCircuit(
        tuple(f"QB{q}" for q in range(60)),
        (("c", 60),),
        tuple(r(pi / 2, 0, q) for q in range(60)) + tuple(measure(q, q) for q in range(60)),
    )
    told = one(plus, shots=100)
    assert told.ideal
    assert not told.ideal.complete
    assert set(told.ideal.probabilities.values()) == {2.0**-60}
    assert told.ideal.perfect
    assert told.ideal.perfect.total_variation_distance == pytest.approx(1)


def nearly_ghz(width: int) -> NativeCircuit:
    """Not Clifford, and of small bonds."""
    plain = ghz(width)
    return NativeCircuit(plain.components, plain.registers, (r(0.1, 0, 0), *plain.ops))


def test_wide_product_states_give_amplitudes_of_what_was_seen() -> None:
    told = one(nearly_ghz(40))
    assert told.method == "matrix_product_state"
    assert told.notes[0].startswith("matrix product state: truncated")
    assert told.ideal
    assert told.ideal.perfect
    assert not told.ideal.complete
    assert sum(told.ideal.probabilities.values()) == pytest.approx(1, abs=1e-6)
    narrow = one(nearly_ghz(6)).ideal
    assert narrow
    for bits, probability in told.ideal.probabilities.items():
        assert probability == pytest.approx(narrow.probabilities[bits[:6]], abs=1e-8)


def test_partly_measured_wide_states_say_why_there_is_no_ideal() -> None:
    whole = nearly_ghz(40)
    partly = NativeCircuit(whole.components, whole.registers, whole.ops[:-1])
    told = one(partly)
    assert told.ideal is None
    assert told.why_no_ideal.startswith("only some of 40 entangled qubits are measured")


def test_aer_errors_name_the_task() -> None:
    """Sixty qubits are too many for any state vector; `run_jobs` would have refused before."""
    wide = ghz(60)
    midway = NativeCircuit(wide.components, wide.registers, (*wide.ops, r(0.1, 0, 0)))
    with pytest.raises(JobFailed, match="Aer failed to simulate wide-task"):
        list(simulate([AerTask("wide-task", midway, 10, 1)], Setup(method="statevector")))
