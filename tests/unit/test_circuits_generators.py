"""Each built-in generator against what is known about its circuits."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector
from scipy.linalg import expm

from iqm_spec.circuits import CircuitError, find_generator
from iqm_spec.circuits.facts import facts_of
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.circuits.generators.common import seeded
from iqm_spec.circuits.generators.qaoa_maxcut import random_regular


def unitary_part(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit less barriers and measurements, checking that bit i measures qubit i at last."""
    gates = QuantumCircuit(circuit.num_qubits)
    measured = []
    for step in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in step.qubits]
        if step.operation.name == "measure":
            measured.append((qubits[0], circuit.find_bit(step.clbits[0]).index))
        elif step.operation.name != "barrier":
            assert not measured
            gates.append(step.operation, qubits)
    assert measured == [(bit, bit) for bit in range(circuit.num_clbits)]
    assert [register.name for register in circuit.cregs] == ["c"]
    return gates


def outcomes(name: str, **args: Any) -> dict[str, float]:
    """Exact probabilities of the outcomes that occur."""
    circuit = find_generator(name).build(args)
    state = Statevector(unitary_part(circuit))
    found = state.probabilities_dict(list(range(circuit.num_clbits)))
    return {str(bits): float(p) for bits, p in found.items() if p > 1e-12}


@pytest.mark.parametrize("shape", ["line", "star", "tree"])
@pytest.mark.parametrize("width", [1, 2, 3, 6, 9])
def test_ghz_is_all_zeros_or_all_ones(width: int, shape: str) -> None:
    found = outcomes("ghz", num_qubits=width, shape=shape)
    assert found == pytest.approx({"0" * width: 0.5, "1" * width: 0.5})


def test_ghz_tree_is_shallow() -> None:
    depth = find_generator("ghz").build({"num_qubits": 64, "shape": "tree"}).depth()
    assert depth == 1 + 6 + 1  # H, log2(64) layers of CX, measurement


@pytest.mark.parametrize(
    ("state", "amplitudes"),
    [
        ("phi+", {"00": 1, "11": 1}),
        ("phi-", {"00": 1, "11": -1}),
        ("psi+", {"01": 1, "10": 1}),
        ("psi-", {"10": 1, "01": -1}),
    ],
)
def test_bell_states(state: str, amplitudes: dict[str, int]) -> None:
    built = Statevector(unitary_part(find_generator("bell").build({"state": state})))
    wanted = np.zeros(4)
    for bits, sign in amplitudes.items():
        wanted[int(bits, 2)] = sign / math.sqrt(2)
    assert built.equiv(Statevector(wanted))


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8])
def test_w_state_has_one_one(width: int) -> None:
    wanted = {format(1 << qubit, f"0{width}b"): 1 / width for qubit in range(width)}
    assert outcomes("w_state", num_qubits=width) == pytest.approx(wanted)


@pytest.mark.parametrize("state", ["0", "1", "01", "110", "1011"])
def test_qft_is_the_fourier_transform(state: str) -> None:
    size = 2 ** len(state)
    circuit = find_generator("qft").build({"num_qubits": len(state), "state": state})
    phases = 2j * math.pi * int(state, 2) * np.arange(size) / size
    assert Statevector(unitary_part(circuit)).equiv(Statevector(np.exp(phases) / math.sqrt(size)))


@pytest.mark.parametrize("state", ["0", "101", "110010"])
def test_qft_inverse_gives_the_state_back(state: str) -> None:
    found = outcomes("qft", num_qubits=len(state), state=state, direction="inverse")
    assert found == pytest.approx({state: 1.0})


def test_qft_without_swaps_is_in_reverse_order() -> None:
    args = {"num_qubits": 3, "state": "011"}
    ordered = unitary_part(find_generator("qft").build(args))
    plain = unitary_part(find_generator("qft").build({**args, "swaps": False}))
    assert Statevector(ordered).equiv(Statevector(plain.reverse_bits()))
    assert "swap" not in plain.count_ops()


def test_random_clifford_maps_paulis_to_paulis() -> None:
    unitary = Operator(
        unitary_part(find_generator("random_clifford").build({"num_qubits": 3, "seed": 4}))
    )
    for label in ("IIX", "IZI", "YII"):
        image = SparsePauliOp.from_operator(
            unitary @ Operator.from_label(label) @ unitary.adjoint()
        )
        assert np.isclose(np.abs(image.simplify(1e-9).coeffs), 1).sum() == 1


@pytest.mark.parametrize("pairs", ["line", "any"])
@pytest.mark.parametrize(("width", "depth"), [(1, 0), (2, 1), (3, 5), (6, 4)])
def test_mirror_has_one_outcome(width: int, depth: int, pairs: str) -> None:
    seen = set()
    for seed in range(8):
        args = {"num_qubits": width, "depth": depth, "seed": seed, "pairs": pairs}
        found = outcomes("mirror", **args)
        assert len(found) == 1
        seen |= set(found)
    assert len(seen) > 1  # the Paulis in the middle make it depend on the seed


def test_mirror_layers_hold_disjoint_pairs() -> None:
    circuit = find_generator("mirror").build(
        {"num_qubits": 7, "depth": 6, "density": 1, "pairs": "any"}
    )
    assert circuit.count_ops()["cz"] == 2 * 6 * 3
    assert (
        "cz"
        not in find_generator("mirror")
        .build({"num_qubits": 7, "depth": 6, "density": 0})
        .count_ops()
    )


@pytest.mark.slow  # the first transpiling of a process looks for plug-ins, the vendor's among them
def test_mirror_is_not_undone_by_transpiling() -> None:
    from qiskit import transpile

    circuit = find_generator("mirror").build({"num_qubits": 4, "depth": 5, "density": 1})
    native = transpile(circuit, basis_gates=["r", "cz"], optimization_level=3, seed_transpiler=1)
    assert native.count_ops()["cz"] == circuit.count_ops()["cz"]


@pytest.mark.parametrize(("width", "depth"), [(2, None), (4, 3), (5, None)])
def test_quantum_volume_pairs_all_qubits_in_every_layer(width: int, depth: int | None) -> None:
    args = {"num_qubits": width, "depth": depth, "seed": 3}
    circuit = unitary_part(find_generator("quantum_volume").build(args))
    assert circuit.size() == (depth or width) * (width // 2)
    assert {step.operation.num_qubits for step in circuit.data} == {2}


@pytest.mark.parametrize("seed", range(3))
def test_quantum_volume_has_heavy_outputs(seed: int) -> None:
    """Random states have a heavy output probability of (1 + ln 2) / 2 = 0.85 on average."""
    found = sorted(outcomes("quantum_volume", num_qubits=6, seed=seed).values())
    assert sum(found[32:]) == pytest.approx(0.85, abs=0.06)


def ising(width: int, coupling: float, field: float, periodic: bool) -> np.ndarray[Any, Any]:
    bonds = [(q, (q + 1) % width) for q in range(width if periodic else width - 1)]
    terms = [("ZZ", bond, -coupling) for bond in bonds]
    terms += [("X", (q,), -field) for q in range(width)]
    return np.asarray(SparsePauliOp.from_sparse_list(terms, num_qubits=width).to_matrix())


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("width", [3, 4])
def test_tfim_is_the_time_evolution(width: int, periodic: bool) -> None:
    exact = expm(-1j * 0.9 * ising(width, 0.8, 1.3, periodic))[:, 0]
    args = {"num_qubits": width, "time": 0.9, "J": 0.8, "h": 1.3, "periodic": periodic}
    errors = []
    for order, steps in ((1, 16), (1, 32), (2, 16), (2, 32)):
        circuit = find_generator("tfim").build({**args, "steps": steps, "order": order})
        errors.append(np.linalg.norm(Statevector(unitary_part(circuit)).data - exact))
    assert errors[1] / errors[0] == pytest.approx(1 / 2, rel=0.1)
    assert errors[3] / errors[2] == pytest.approx(1 / 4, rel=0.1)
    assert errors[3] < 2e-3


def test_tfim_dt_is_the_time_of_a_step() -> None:
    whole = find_generator("tfim").build({"num_qubits": 4, "steps": 4, "time": 1})
    assert find_generator("tfim").build({"num_qubits": 4, "steps": 4, "dt": 0.25}) == whole


def expected_cut(edge: tuple[int, int], edges: list[tuple[int, int]], **args: Any) -> float:
    found = outcomes("qaoa_maxcut", edges=edges, **args)
    one, other = edge
    return sum(p for bits, p in found.items() if bits[-1 - one] != bits[-1 - other])


@pytest.mark.parametrize(("gamma", "beta"), [(0.4, 0.3), (1.1, -0.7), (2.5, 0.2)])
@pytest.mark.parametrize(
    "edges",
    [
        [(0, 1), (1, 2), (0, 2)],
        [(0, 1), (1, 2), (2, 3), (3, 0)],
        [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (3, 4)],
    ],
)
def test_qaoa_expectation_of_one_layer(
    edges: list[tuple[int, int]], gamma: float, beta: float
) -> None:
    """Z. Wang, S. Hadfield, Z. Jiang, E. Rieffel, Phys. Rev. A 97, 022304 (2018), equation 14."""
    width = 1 + max(map(max, edges))
    near = {v: {sum(e) - v for e in edges if v in e} for v in range(width)}
    for u, v in edges:
        d, e, f = len(near[u]) - 1, len(near[v]) - 1, len(near[u] & near[v])
        cos = math.cos(gamma)
        wanted = 0.5 + 0.25 * math.sin(4 * beta) * math.sin(gamma) * (cos**d + cos**e)
        wanted -= (
            0.25 * math.sin(2 * beta) ** 2 * cos ** (d + e - 2 * f) * (1 - math.cos(2 * gamma) ** f)
        )
        found = expected_cut((u, v), edges, num_qubits=width, gammas=gamma, betas=beta)
        assert found == pytest.approx(wanted)


def test_qaoa_layers_stand_in_order() -> None:
    ring = [[0, 1], [1, 2], [2, 3], [3, 0]]
    gammas, betas = [0.3, 0.9, 1.7], [0.2, 0.5, 1.1]
    args = {"num_qubits": 4, "edges": ring, "gammas": gammas, "betas": betas}
    by_hand = QuantumCircuit(4)
    by_hand.h(range(4))
    for gamma, beta in zip(gammas, betas, strict=True):
        for one, other in ring:
            by_hand.rzz(-gamma, one, other)
        by_hand.rx(2 * beta, range(4))
    assert Statevector(by_hand).equiv(
        Statevector(unitary_part(find_generator("qaoa_maxcut").build(args)))
    )


@pytest.mark.parametrize(("vertices", "degree"), [(4, 3), (6, 2), (10, 3), (9, 8), (64, 31)])
def test_random_graphs_are_regular_and_simple(vertices: int, degree: int) -> None:
    edges = random_regular(vertices, degree, seeded(1))
    assert len(set(edges)) == len(edges) == vertices * degree // 2
    assert all(one < other for one, other in edges)
    ends = [end for edge in edges for end in edge]
    assert {ends.count(vertex) for vertex in range(vertices)} == {degree}


def test_random_graphs_vary_with_the_seed() -> None:
    assert len({tuple(random_regular(8, 3, seeded(seed))) for seed in range(20)}) > 10


def test_hardware_efficient_takes_its_angles_in_order() -> None:
    angles = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    args = {"num_qubits": 2, "reps": 1, "rotation": "rz+ry", "entangler": "cx", "angles": angles}
    by_hand = QuantumCircuit(2)
    for layer in (0, 1):
        for place, rotate in enumerate((by_hand.rz, by_hand.ry)):
            for qubit in (0, 1):
                rotate(angles[4 * layer + 2 * place + qubit], qubit)
        if layer == 0:
            by_hand.cx(0, 1)
    built = unitary_part(find_generator("hardware_efficient").build(args))
    assert Operator(built).equiv(Operator(by_hand))


def test_hardware_efficient_spreads_one_angle_and_draws_the_rest() -> None:
    find_ = find_generator("hardware_efficient")
    assert find_.build({"num_qubits": 3, "angles": 0.5}) == find_.build(
        {"num_qubits": 3, "angles": [0.5] * 6}
    )
    drawn = [
        [step.operation.params[0] for step in find_.build(args).data if step.operation.params]
        for args in ({"num_qubits": 3, "seed": 1}, {"num_qubits": 3, "seed": 2})
    ]
    assert all(0 <= angle < 2 * math.pi for angles in drawn for angle in angles)
    assert len({*drawn[0], *drawn[1]}) == 12


@pytest.mark.parametrize("secret", ["0", "1", "1101", "000", "0110101"])
def test_bernstein_vazirani_finds_the_secret(secret: str) -> None:
    assert outcomes("bernstein_vazirani", secret=secret) == pytest.approx({secret: 1.0})


@pytest.mark.parametrize(
    ("marked", "iterations"),
    [("101", None), ("01101", None), (["00110", "11111"], None), ("11", 1), ("0100", 2), ("1", 0)],
)
def test_grover_amplifies_what_is_marked(marked: str | list[str], iterations: int | None) -> None:
    strings = [marked] if isinstance(marked, str) else marked
    angle = math.asin(math.sqrt(len(strings) / 2 ** len(strings[0])))
    first_turn = [n for n in range(99) if (2 * n + 1) * angle < math.pi]
    best = max(first_turn, key=lambda n: math.sin((2 * n + 1) * angle) ** 2)
    steps = best if iterations is None else iterations
    found = outcomes("grover", marked=marked, iterations=iterations)
    wanted = math.sin((2 * steps + 1) * angle) ** 2
    assert sum(found.get(bits, 0) for bits in strings) == pytest.approx(wanted)


@pytest.mark.parametrize(("digits", "value"), [(1, 1), (3, 5), (4, 0), (6, 37)])
def test_phase_estimation_of_an_exact_phase(digits: int, value: int) -> None:
    found = outcomes("phase_estimation", num_qubits=digits, phase=value / 2**digits)
    assert found == pytest.approx({format(value, f"0{digits}b"): 1.0})


def test_phase_estimation_of_another_phase() -> None:
    phase, digits = 0.3, 4
    found = outcomes("phase_estimation", num_qubits=digits, phase=phase)
    for value in range(16):
        offset = phase - value / 16
        wanted = (math.sin(16 * math.pi * offset) / (16 * math.sin(math.pi * offset))) ** 2
        assert found[format(value, "04b")] == pytest.approx(wanted)


def off_resonance(circuit: QuantumCircuit, frequency: float) -> QuantumCircuit:
    """The circuit with delays in which qubits turn about z by a frequency of their own."""
    turned = circuit.copy_empty_like()
    for step in circuit.data:
        if step.operation.name == "delay":
            turned.rz(2 * math.pi * frequency * step.operation.duration, step.qubits[0])
        else:
            turned.append(step)
    return turned


def ones_of(circuit: QuantumCircuit) -> list[float]:
    """Each qubit's probability of 1."""
    state = Statevector(unitary_part(circuit))
    return [float(state.probabilities([qubit])[1]) for qubit in range(circuit.num_qubits)]


@pytest.mark.parametrize("own", [0.0, 7e4])
@pytest.mark.parametrize("delay", [0.0, 1e-6, 3.7e-6])
def test_ramsey_fringes_have_the_detuning_and_the_qubits_own(delay: float, own: float) -> None:
    circuit = find_generator("ramsey").build({"num_qubits": 2, "delay": delay, "detuning": 2e5})
    expected = (1 + math.cos(2 * math.pi * (2e5 - own) * delay)) / 2
    assert ones_of(off_resonance(circuit, own)) == pytest.approx([expected] * 2)


@pytest.mark.parametrize("own", [0.0, 7e4, 3e5])
@pytest.mark.parametrize("name", ["t1", "echo"])
def test_echoes_and_excited_states_know_no_detuning(name: str, own: float) -> None:
    circuit = find_generator(name).build({"num_qubits": 3, "delay": 3.7e-6})
    assert ones_of(off_resonance(circuit, own)) == pytest.approx([1.0] * 3)


def test_an_echo_forgives_a_wrong_pi_pulse() -> None:
    circuit = find_generator("echo").build({"num_qubits": 1, "delay": 2e-6})
    wrong = circuit.copy_empty_like()
    for step in circuit.data:
        if step.operation.name == "r" and step.operation.params[0] == math.pi:
            wrong.r(0.97 * math.pi, step.operation.params[1], 0)
        else:
            wrong.append(step)
    assert ones_of(wrong) == pytest.approx([1.0])


# --- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUILT_IN)
def test_facts_tell_the_built_circuit(name: str) -> None:
    generator = find_generator(name)
    assert generator.check(generator.example) == []
    assert generator.facts(generator.example) == facts_of(generator.build(generator.example))


@pytest.mark.parametrize("name", BUILT_IN)
def test_circuits_depend_on_their_arguments_alone(name: str) -> None:
    generator = find_generator(name)
    first = generator.build(generator.example)
    random.seed(5)
    np.random.seed(5)
    before = (random.getstate(), np.random.get_state()[1].tolist())
    assert generator.build(generator.example) == first
    assert before == (random.getstate(), np.random.get_state()[1].tolist())
    if "seed" in generator.complete(generator.example):
        assert generator.build({**generator.example, "seed": 987}) != first


@pytest.mark.parametrize("name", BUILT_IN)
def test_sizes_bound_the_built_circuit(name: str) -> None:
    """The estimate that protects memory is no lower than the circuit of native gates."""
    generator = find_generator(name)
    if generator.size is None:
        return
    built = unitary_part(generator.build(generator.example))
    assert generator.size(generator.complete(generator.example)) >= built.size()


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("quantum_volume", {"num_qubits": 1024}),
        ("tfim", {"num_qubits": 1024, "steps": 100_000, "time": 1}),
        ("mirror", {"num_qubits": 1024, "depth": 10_000}),
        ("grover", {"marked": "1" * 24}),
        ("grover", {"marked": "101", "iterations": 10_000}),
        ("qaoa_maxcut", {"num_qubits": 1024, "degree": 64, "gammas": 1, "betas": 1, "p": 1000}),
        ("hardware_efficient", {"num_qubits": 1024, "reps": 10_000}),
        ("hardware_efficient", {"num_qubits": 1024, "reps": 90, "entanglement": "full"}),
    ],
)
def test_circuits_that_would_take_the_memory_are_refused(name: str, args: dict[str, Any]) -> None:
    (problem, *_) = find_generator(name).check(args)
    assert "would have" in problem.message
    with pytest.raises(CircuitError, match="would have"):
        find_generator(name).build(args)
