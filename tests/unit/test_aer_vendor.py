"""The device noise and its counts, against iqm-client's own fake backends called by hand.

Circuits are mqt-bench's (MIT licence), which nobody here wrote, through OpenQASM 2.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm2
from qiskit.circuit.library import UnitaryGate
from qiskit.quantum_info import SuperOp
from qiskit_aer import AerSimulator
from scipy.stats import chi2_contingency

from iqm_spec.model import NativeCircuit
from iqm_spec.stages.aer import AerTask, Setup, simulate
from iqm_spec.stages.aer.noise import channel
from iqm_spec.targets import architecture, error_profile
from iqm_spec.transpile import transpile

pytestmark = pytest.mark.slow

SHOTS = 4000
SEED = 20_260_102
BENCHMARKS = [
    *[("ghz", 4), ("wstate", 3), ("qft", 3), ("qftentangled", 3), ("dj", 4), ("bv", 4)],
    *[("graphstate", 4), ("qpeexact", 3), ("vqe_real_amp", 3), ("vqe_su2", 3)],
    *[
        ("randomcircuit", 3),
        ("half_adder", 3),
        ("qnn", 3),
        ("grover", 3),
        ("full_adder", 4),
    ],
]


@cache
def fake(target: str) -> Any:
    from iqm.qiskit_iqm.fake_backends.fake_aphrodite import IQMFakeAphrodite
    from iqm.qiskit_iqm.fake_backends.fake_deneb import IQMFakeDeneb
    from iqm.qiskit_iqm.fake_backends.fake_garnet import IQMFakeGarnet

    made: dict[str, Callable[[], Any]] = {
        "garnet": IQMFakeGarnet,
        "emerald": IQMFakeAphrodite,
        "deneb": IQMFakeDeneb,
    }
    return made[target]()


@cache
def benchmark(name: str, size: int) -> QuantumCircuit:
    """A benchmark at mqt-bench's level of independent gates, written as OpenQASM 2 and read."""
    from mqt.bench import BenchmarkLevel, get_benchmark

    circuit = get_benchmark(name, BenchmarkLevel.INDEP, size)
    return qasm2.loads(qasm2.dumps(circuit), custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)


@cache
def native(name: str, size: int, target: str) -> NativeCircuit:
    return transpile(benchmark(name, size), architecture(target), {}, None)


def by_hand(circuit: NativeCircuit, target: str, *, labelled: bool = True) -> QuantumCircuit:
    """The circuit on the whole machine, every component at the index the fake backend gives it."""
    backend = fake(target)
    where = [backend.qubit_name_to_index(name) for name in circuit.components]
    size = len(architecture(target).components)
    built = QuantumCircuit(size, circuit.num_clbits)
    swap = np.eye(4)[[0, 2, 1, 3]]
    for op in circuit.ops:
        qubits = [where[q] for q in op.qubits]
        if op.name == "r":
            built.r(*op.params, *qubits)
        elif op.name == "cz":
            built.cz(*qubits)
        elif op.name == "move":
            built.append(UnitaryGate(swap, label="move" if labelled else None), qubits)
        elif op.name == "measure":
            built.measure(qubits, op.clbits)
    return built


def p_value(counts: dict[str, int], others: dict[str, int]) -> float:
    pooled: dict[str, list[int]] = {}
    for bits in {*counts, *others}:
        pair = [counts.get(bits, 0), others.get(bits, 0)]
        place = pooled.setdefault(bits if sum(pair) >= 20 else "rare", [0, 0])
        place[0] += pair[0]
        place[1] += pair[1]
    table = [pair for pair in pooled.values() if sum(pair)]
    return float(chi2_contingency(table).pvalue) if len(table) > 1 else 1.0


@pytest.mark.parametrize("target", ["garnet", "emerald", "deneb"])
def test_every_channel_is_the_fake_backends(target: str) -> None:
    backend, profile = fake(target), error_profile(target)
    assert profile
    names = [*architecture(target).components]
    index = {backend.qubit_name_to_index(name): name for name in names}
    compared = 0
    for gate, errors in backend.noise_model._local_quantum_errors.items():
        for place, theirs in list(errors.items())[:: 1 if target == "deneb" else 7]:
            ours = channel(profile, gate, tuple(index[q] for q in place))
            assert np.abs(SuperOp(ours).data - SuperOp(theirs).data).max() < 1e-12
            compared += 1
    assert compared > 6
    for (q,), theirs in backend.noise_model._local_readout_errors.items():
        p10, p01 = profile.readout[index[q]]
        assert np.allclose(theirs.probabilities, [[1 - p10, p10], [p01, 1 - p01]])


@pytest.mark.parametrize("noisy", [False, True], ids=["ideal", "noisy"])
@pytest.mark.parametrize("target", ["garnet", "deneb"])
def test_counts_are_those_of_aer_called_by_hand(target: str, noisy: bool) -> None:
    circuits = [native(name, size, target) for name, size in BENCHMARKS]
    tasks = [
        AerTask(f"{name}-{size}", circuit, SHOTS, SEED + i)
        for i, ((name, size), circuit) in enumerate(zip(BENCHMARKS, circuits, strict=True))
    ]
    setup = Setup(error_profile(target)) if noisy else Setup()
    ours = {outcome.key: outcome for outcome in simulate(tasks, setup)}
    simulator = AerSimulator(noise_model=fake(target).noise_model if noisy else None)
    built = [by_hand(circuit, target) for circuit in circuits]
    result = simulator.run(built, shots=SHOTS, seed_simulator=SEED).result()
    assert result.success
    print(f"seeds from {SEED}")
    for i, (task, circuit) in enumerate(zip(tasks, circuits, strict=True)):
        theirs = {without_spaces(k): n for k, n in result.get_counts(i).items()}
        mine = {without_spaces(k): n for k, n in ours[task.key].counts.items()}
        value = p_value(mine, theirs)
        print(f"{target} {task.key}: p = {value:.3g}, {circuit.counts()}")
        assert value > 1e-4 / len(tasks), task.key


def without_spaces(text: str) -> str:
    return text.replace(" ", "")


def test_the_fake_backend_drops_the_noise_of_moves() -> None:
    """iqm-client's `run` turns MOVE into a unitary without a name, so its error never applies.

    We apply it: the counts of a circuit with many moves differ from those of such unitaries.
    """
    circuit = native("ghz", 4, "deneb")
    moves = circuit.counts()["move"]
    assert moves >= 2
    tail = [op for op in circuit.ops if op.name == "measure"]
    body = [op for op in circuit.ops if op.name != "measure"]
    pair = [op for op in body if op.name == "move"][:1] * 2
    longer = NativeCircuit(circuit.components, circuit.registers, (*body, *(pair * 10), *tail))
    noise = fake("deneb").noise_model
    built = [by_hand(longer, "deneb", labelled=labelled) for labelled in (True, False)]
    result = AerSimulator(noise_model=noise).run(built, shots=SHOTS, seed_simulator=SEED).result()
    (ours,) = simulate([AerTask("k", longer, SHOTS, SEED)], Setup(error_profile("deneb")))
    mine = {without_spaces(k): n for k, n in ours.counts.items()}
    assert p_value(mine, result.get_counts(0)) > 1e-4
    assert p_value(mine, result.get_counts(1)) < 1e-6


def test_the_fake_backend_run_has_unnamed_moves() -> None:
    """That the fake backend's `run` does drop it, shown on `run` itself."""
    from iqm.qiskit_iqm.iqm_transpilation import IQMReplaceGateWithUnitaryPass
    from iqm.qiskit_iqm.move_gate import MOVE_GATE_UNITARY, MoveGate

    circuit = QuantumCircuit(2)
    circuit.append(MoveGate(), [0, 1])
    replaced = IQMReplaceGateWithUnitaryPass("move", MOVE_GATE_UNITARY)(circuit)
    assert replaced.data[0].operation.label is None


@pytest.mark.parametrize(("name", "size"), [("ghz", 9), ("vqe_real_amp", 9)])
def test_trajectories_agree_with_the_density_matrix(name: str, size: int) -> None:
    """Nine qubits: the widest that all three do quickly."""
    circuit = native(name, size, "garnet")
    profile = error_profile("garnet")
    shots = 1500
    counts = {
        method: dict(
            next(simulate([AerTask("k", circuit, shots, 1)], Setup(profile, method))).counts
        )
        for method in ("density_matrix", "statevector", "matrix_product_state")
    }
    exact = marginals(counts["density_matrix"])
    for method in ("statevector", "matrix_product_state"):
        seen = marginals(counts[method])
        assert np.all(np.abs(seen - exact) < 5 * np.sqrt(2 * 0.25 / shots)), method
        assert p_value(counts[method], counts["density_matrix"]) > 1e-4


def marginals(counts: dict[str, int]) -> Any:
    """Share of ones per bit."""
    total = sum(counts.values())
    rows = [np.array([int(bit) for bit in without_spaces(bits)]) * n for bits, n in counts.items()]
    return np.sum(rows, axis=0) / total
