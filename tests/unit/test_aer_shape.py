"""What a circuit's shape is: Clifford or not, final or not, how entangled at most."""

from __future__ import annotations

from itertools import pairwise
from math import pi

import numpy as np
import pytest
from qiskit.quantum_info import Operator

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.native import Native
from iqm_spec.stages.aer.engine import clifford_circuit
from iqm_spec.stages.aer.method import in_line, quarter_turns, shape_of, without_moves
from iqm_spec.transpile import to_qiskit


def native(width: int, *ops: Op, bits: int = 1) -> Native:
    names = tuple(f"QB{i + 1}" for i in range(width))
    return Native.of(NativeCircuit(names, (("c", bits),), ops))


def r(theta: float, phi: float, qubit: int = 0) -> Op:
    return Op("r", (qubit,), (theta, phi))


def cz(a: int, b: int) -> Op:
    return Op("cz", (a, b))


def move(a: int, b: int) -> Op:
    return Op("move", (a, b))


def measure(qubit: int, clbit: int) -> Op:
    return Op("measure", (qubit,), (), (clbit,))


@pytest.mark.parametrize("axis", range(-9, 10))
@pytest.mark.parametrize("turns", range(-5, 6))
def test_clifford_gates_are_found_and_named(turns: int, axis: int) -> None:
    """Every named gate is the r gate that it stands for; r gates without one are no Cliffords."""
    op = r(turns * pi / 2 + 1e-12, axis * pi / 4 - 1e-12)
    circuit = NativeCircuit(("QB1",), (), (op,))
    if turns % 2 and axis % 2:
        assert quarter_turns(*op.params) is None
        with pytest.raises(ValueError, match="not a Clifford"):
            clifford_circuit(circuit)
    else:
        assert Operator(clifford_circuit(circuit)).equiv(Operator(to_qiskit(circuit)), atol=1e-6)


@pytest.mark.parametrize(("theta", "phi"), [(0.3, 0), (pi / 2, 0.1), (pi, 0.1), (pi / 4, pi / 2)])
def test_other_angles_are_not_clifford(theta: float, phi: float) -> None:
    assert not shape_of(native(1, r(theta, phi))).clifford


@pytest.mark.parametrize(
    ("ops", "final"),
    [
        ((r(1, 0), measure(0, 0)), True),
        ((measure(0, 0), Op("barrier", (0, 1)), Op("delay", (0,), (1e-6,))), True),
        ((measure(0, 0), r(1, 0)), False),
        ((measure(0, 0), cz(0, 1)), False),
        ((measure(0, 0), measure(0, 0)), False),
        ((Op("reset", (0,)), measure(0, 0)), False),
        ((measure(0, 0), r(1, 0, 1), measure(1, 0)), True),
    ],
)
def test_final_measurements(ops: tuple[Op, ...], final: bool) -> None:
    assert shape_of(native(2, *ops)).final is final


def test_the_last_measurement_into_a_bit_counts() -> None:
    circuit = native(3, measure(0, 1), measure(1, 1), measure(2, 0), bits=3)
    assert shape_of(circuit).measured == ((0, 2), (1, 1))


def test_moves_become_a_change_of_names() -> None:
    star = NativeCircuit(
        ("QB1", "QB2", "CR1"),
        (("c", 2),),
        (r(1, 0, 0), move(0, 2), cz(1, 2), move(0, 2), r(1, 0, 1), measure(0, 0), measure(1, 1)),
    )
    plain = without_moves(Native.of(star)).circuit()
    assert plain.components == ("QB1", "QB2")
    assert plain.ops == (
        *(r(1, 0, 0), cz(1, 0), r(1, 0, 1)),
        *(measure(0, 0), measure(1, 1)),
    )


def test_a_move_without_its_return_is_still_followed() -> None:
    star = NativeCircuit(
        ("QB1", "QB2", "CR1"), (("c", 1),), (r(pi, 0, 0), move(0, 2), move(1, 2), measure(1, 0))
    )
    plain = without_moves(Native.of(star)).circuit()
    assert plain.components == ("QB1",)
    assert plain.ops[-1] == measure(0, 0)


def test_bonds_of_a_shuffled_chain_are_small() -> None:
    order = np.random.default_rng(3).permutation(30).tolist()
    chain = native(30, *(cz(a, b) for a, b in pairwise(order)))
    assert shape_of(chain).bond_bits == 1
    lined, given = in_line(chain).circuit(), chain.circuit()
    assert all(abs(a - b) == 1 for a, b in (op.qubits for op in lined.ops))
    assert {tuple(given.components[q] for q in op.qubits) for op in given.ops} == {
        tuple(lined.components[q] for q in op.qubits) for op in lined.ops
    }


def test_bonds_are_bounded_by_gates_and_by_width() -> None:
    assert shape_of(native(6, cz(0, 5))).bond_bits == 1
    assert shape_of(native(2, *[cz(0, 1)] * 5)).bond_bits == 1
    assert shape_of(native(4, *[cz(1, 2)] * 9)).bond_bits == 1
    everyone = [cz(a, b) for a in range(8) for b in range(a)]
    assert shape_of(native(8, *everyone)).bond_bits == 4
