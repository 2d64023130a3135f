"""Stim files as circuits: what they do is what Stim says, and what they cannot be is told."""

from __future__ import annotations

import sys
from random import Random

import numpy as np
import pytest
import stim
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from iqm_spec.circuits import CircuitError
from iqm_spec.circuits.stim import circuit_of_stim, inspect_stim
from iqm_spec.model import CircuitFacts

Bools = NDArray[np.bool_]

UNITARY = [name for name, gate in stim.gate_data().items() if gate.is_unitary and "SPP" not in name]
OTHERS = [
    *("M 1", "M !2", "MX 0", "MY !1", "MR 3", "MRX 2", "MRY 0", "R 1", "RX 3", "RY 2"),
    *("MXX 0 !1", "MYY 1 2", "MZZ !2 !3", "MPP X0*!Y1*Z2 Z3", "SPP X0*Z1", "SPP_DAG Y2"),
    *("TICK", "DEPOLARIZE1(0.1) 0 1", "M(0.2) 2", "I 1", "REPEAT 2 {\nCX 0 1\nM 1\n}"),
]


def shots_of(text: str, shots: int) -> Bools:
    """What Aer measures of the circuit of a Stim file: shots x measurements."""
    from qiskit import transpile
    from qiskit_aer import AerSimulator

    circuit = circuit_of_stim(text.encode())
    wide = circuit.num_qubits > 10
    gates = ["h", "s", "sdg", "x", "y", "z", "cx", "cz"] if wide else ["u", "cx"]
    simulator = AerSimulator(method="stabilizer" if wide else "statevector", seed_simulator=1)
    plain = transpile(circuit, basis_gates=gates, optimization_level=0)
    memory = simulator.run(plain, shots=shots, memory=True).result().get_memory()
    return np.array([[bit == "1" for bit in shot[::-1]] for shot in memory])


def dimension(rows: Bools) -> int:
    """Dimension of the affine span of rows of bits."""
    table = (rows[1:] ^ rows[0]).astype(np.uint8)
    rank = 0
    for column in range(table.shape[1]):
        pivots = np.flatnonzero(table[rank:, column])
        if not pivots.size:
            continue
        table[[rank, rank + pivots[0]]] = table[[rank + pivots[0], rank]]
        others = np.flatnonzero(table[:, column])
        table[others[others != rank]] ^= table[rank]
        rank += 1
        if rank == len(table):
            break
    return rank


def random_text(seed: int) -> str:
    random = Random(seed)
    lines = []
    for _ in range(20):
        if random.random() < 0.6:
            name = random.choice(UNITARY)
            width = 2 if stim.gate_data(name).is_two_qubit_gate else 1
            lines.append(" ".join([name, *map(str, random.sample(range(4), width))]))
        else:
            lines.append(random.choice(OTHERS))
    return "\n".join([*lines, "M 0 1 2 3"])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_a_circuit_has_the_outcomes_that_stim_says(seed: int) -> None:
    text = random_text(seed)
    expected = stim.Circuit(text).without_noise().compile_sampler(seed=seed).sample(512)
    ours = shots_of(text, 64)
    assert ours.shape[1] == expected.shape[1]
    # outcomes of a Clifford circuit are even over an affine space: none of ours is outside of it,
    # and with 40 more shots than dimensions they fill it
    assert dimension(np.concatenate([expected, ours])) == dimension(expected)
    assert dimension(ours) == dimension(expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "qubits"),
    [
        ("repetition_code:memory", 5),
        ("surface_code:rotated_memory_z", 17),
        ("surface_code:rotated_memory_x", 17),
        ("color_code:memory_xyz", 10),
    ],
)
def test_no_detector_fires_without_noise(task: str, qubits: int) -> None:
    noisy = stim.Circuit.generated(task, distance=3, rounds=3, after_clifford_depolarization=0.1)
    facts, problems = inspect_stim(str(noisy).encode())
    assert not problems
    assert facts is not None
    assert (facts.num_qubits, facts.measured) == (qubits, noisy.num_measurements)
    found = noisy.compile_m2d_converter().convert(
        measurements=shots_of(str(noisy), 50), append_observables=True
    )
    assert found.shape == (50, noisy.num_detectors + noisy.num_observables)
    assert not found.any()


def test_what_nothing_could_tell_is_left_out() -> None:
    facts, _ = inspect_stim(b"R 2 7\nRX 7\nH 2\nM 2\nMR 7\nX 2\n")
    assert facts == CircuitFacts(2, 2, 2)
    circuit = circuit_of_stim(b"R 2 7\nH 2\nM 2\nMR !7\nX 2 !7\n".replace(b"!7\n", b"7\n"))
    assert circuit.count_ops() == {"h": 1, "measure": 2}
    assert [register.name for register in circuit.cregs] == ["m"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("H 0\nCX rec[-1] 0\nM 0", 2, "depends on a measurement"),
        ("M 0\nCZ sweep[3] 0", 2, "depends on a bit"),
        ("M 0\nFOO 1", 2, "Gate not found"),
        ("M 0\nDETECTOR rec[-2]", 2, "before the first measurement"),
        ("M 0\n}", 2, "ends no block"),
        ("M 0\nREPEAT 3 {\nM 0", 2, "no `}`"),
        ("M 0\nREPEAT 3 { M 0 }", 2, "begins no block"),
        ("M 0\nX[a 0", 2, "the tag has no"),
        ("M 0\nREPEAT[a 2 {\nM 0\n}", 2, "the tag has no"),
        ("M 0\n[", 2, "the tag has no"),
        ("REPEAT 1000000000000 {\nM 0\n}", 1, "more than 1,000,000 operations"),
        (
            "REPEAT 9999999 {\nREPEAT 9999999 {\nSHIFT_COORDS(1)\n}\n}\nM 0",
            1,
            "more than 1,000,000",
        ),
        ("REPEAT 20000 {\nM 0\n}", 1, "more than 10,000 measurements"),
        ("M 0\nHERALDED_ERASE(0.1) 0", 2, "no quantum computer does"),
        ("M 0\nMPAD 0", 2, "no quantum computer does"),
        ("REPEAT 0 {\nM 0\n}", 1, "stim cannot read it"),
        ("H 0", 1, "measures nothing"),
        ("REPEAT 1 {\n" * 100 + "M 0" + "\n}" * 100, 64, "nested"),
    ],
)
def test_mistakes_are_told_at_their_line(text: str, line: int, words: str) -> None:
    facts, problems = inspect_stim(text.encode())
    assert facts is None
    assert problems[0].line == line
    assert words in problems[0].message


def test_other_bytes_are_told() -> None:
    _, problems = inspect_stim(b"M 0\n\xff")
    assert (problems[0].line, problems[0].code) == (2, "S402")


@given(st.text(alphabet="MRHX 01{}\nRECP-[]*!().#", max_size=60))
def test_any_text_is_a_circuit_or_has_problems(text: str) -> None:
    facts, problems = inspect_stim(text.encode())
    assert (facts is None) == bool(problems)


@pytest.fixture
def without_stim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stim", None)


@pytest.mark.usefixtures("without_stim")
def test_a_missing_package_is_told_with_its_cure() -> None:
    with pytest.raises(CircuitError) as told:
        inspect_stim(b"M 0 # never read before")
    assert told.value.code == "S405"
    assert "pip install 'iqm-spec[stim]'" in told.value.hint
