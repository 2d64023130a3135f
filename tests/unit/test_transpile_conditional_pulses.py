"""Conditions as pulses under single bits: for every value of the bits, the right gate or none."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from courses import distance, outcomes_of_circuit, outcomes_of_native
from qiskit import QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Gate
from qiskit.circuit.classical import expr
from qiskit.circuit.library import HGate, RYGate, SXGate, TGate, UGate, XGate, YGate, ZGate

from iqm_spec.circuits import inspect_qasm
from iqm_spec.circuits.conditionals import inexpressible
from iqm_spec.errors import Refused
from iqm_spec.model import (
    CONDITIONAL_GATE,
    CONDITIONAL_MEASUREMENT,
    CONDITIONAL_OTHER,
    CONDITIONAL_RESET,
    WIDE_CONDITION,
    NativeCircuit,
    Op,
)
from iqm_spec.targets import architecture
from iqm_spec.transpile import transpile, violations
from iqm_spec.transpile.conditional_pulses import cubes, pulses
from iqm_spec.transpile.fuse import fuse, rotation

EMERALD = architecture("emerald")
GATES = [XGate(), YGate(), ZGate(), HGate(), SXGate(), TGate(), RYGate(0.3), UGate(0.4, 2.0, -1.0)]
HOLDS: list[tuple[str, int, Callable[..., bool]]] = [
    ("a", 1, lambda a: a),
    ("not a", 1, lambda a: not a),
    ("never", 1, lambda a: False),
    ("always", 0, lambda: True),
    ("both", 2, lambda a, b: a and b),
    ("a alone", 2, lambda a, b: a and not b),
    ("neither", 2, lambda a, b: not (a or b)),
    ("either", 2, lambda a, b: a or b),
    ("one of two", 2, lambda a, b: a != b),
    ("three", 3, lambda a, b, c: a and b and c),
    ("not 101", 3, lambda a, b, c: (a, b, c) != (True, False, True)),
    ("four", 4, lambda a, b, c, d: a and not b and c and not d),
]


def matrix_of(gate: Gate) -> tuple[complex, complex, complex, complex]:
    (a, b), (c, d) = gate.to_matrix().tolist()
    return a, b, c, d


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
@pytest.mark.parametrize(("bits", "of"), [one[1:] for one in HOLDS], ids=[o[0] for o in HOLDS])
def test_pulses_are_the_gate_where_the_condition_holds_and_else_nothing(
    bits: int, of: Callable[..., bool], gate: Gate
) -> None:
    every = list(product((False, True), repeat=bits))
    played = pulses(frozenset(values for values in every if of(*values)), bits, matrix_of(gate))
    for values in every:
        done = np.eye(2)
        for bit, theta, phi in played:
            if bit is None or values[bit]:
                done = np.array(rotation(theta, phi)).reshape(2, 2) @ done
        expected = gate.to_matrix() if of(*values) else np.eye(2)
        assert abs(abs(np.trace(expected.conj().T @ done)) - 2) < 1e-9


@pytest.mark.parametrize(
    ("of", "gate", "most"),
    [
        (HOLDS[0], XGate(), 1),
        (HOLDS[0], HGate(), 2),
        (HOLDS[0], ZGate(), 2),
        (HOLDS[1], XGate(), 1),
        (HOLDS[2], XGate(), 0),
        (HOLDS[4], XGate(), 4),
        (HOLDS[7], XGate(), 4),
        (HOLDS[8], XGate(), 8),
        (HOLDS[9], XGate(), 10),
    ],
)
def test_pulses_are_few(of: tuple[str, int, Callable[..., bool]], gate: Gate, most: int) -> None:
    _, bits, holds = of
    true = frozenset(v for v in product((False, True), repeat=bits) if holds(*v))
    played = pulses(true, bits, matrix_of(gate))
    assert sum(bit is not None for bit, _, _ in played) <= most


def test_cubes_are_disjoint() -> None:
    every = list(product((False, True), repeat=3))
    holds = frozenset(values for values in every if sum(values) >= 2)
    found = cubes(holds, 3)
    for values in every:
        true = sum(all(values[place] is value for place, value in cube) for cube in found)
        assert true == (values in holds)


# --- circuits ------------------------------------------------------------------------------------


def measured(bits: int = 3) -> QuantumCircuit:
    """Qubits in states of their own, all measured but the last, which conditions act on."""
    circuit = QuantumCircuit(bits + 1, bits + 1)
    for qubit in range(bits + 1):
        circuit.ry(0.5 + 0.4 * qubit, qubit)
        if qubit < bits:
            circuit.measure(qubit, qubit)
    return circuit


def by_expression(make: Callable[[Any], Any]) -> QuantumCircuit:
    circuit = measured()
    with circuit.if_test(make(circuit)):
        circuit.h(3)
    circuit.measure(3, 3)
    return circuit


EXPRESSIONS: list[tuple[Callable[[Any], Any], Callable[[int, int, int], bool]]] = [
    (lambda c: expr.lift(c.clbits[1]), lambda a, b, c: b == 1),
    (lambda c: expr.logic_not(c.clbits[1]), lambda a, b, c: b == 0),
    (lambda c: expr.logic_and(c.clbits[0], c.clbits[2]), lambda a, b, c: a == c == 1),
    (lambda c: expr.logic_or(c.clbits[0], c.clbits[2]), lambda a, b, c: a + c > 0),
    (lambda c: expr.bit_xor(c.clbits[0], c.clbits[2]), lambda a, b, c: a != c),
    (lambda c: expr.equal(c.cregs[0], 5), lambda a, b, c: (a, b, c) == (1, 0, 1)),
    (lambda c: expr.not_equal(c.cregs[0], 5), lambda a, b, c: (a, b, c) != (1, 0, 1)),
    (lambda c: expr.less(c.cregs[0], 3), lambda a, b, c: a + 2 * b + 4 * c < 3),
    (lambda c: expr.index(c.cregs[0], 1), lambda a, b, c: b == 1),
    (
        lambda c: expr.equal(expr.bit_not(c.cregs[0]), 8),
        lambda a, b, c: (a, b, c) == (1, 1, 1),
    ),
]


@pytest.mark.parametrize(("make", "holds"), EXPRESSIONS)
def test_expressions(make: Callable[[Any], Any], holds: Callable[..., bool]) -> None:
    native = transpile(by_expression(make), EMERALD)
    assert violations(native, EMERALD) == []
    chance = [np.sin((0.5 + 0.4 * qubit) / 2) ** 2 for qubit in range(4)]
    expected = {}
    for bits in product((0, 1), repeat=3):
        weight = np.prod([p if bit else 1 - p for bit, p in zip(bits, chance, strict=False)])
        angle = 0.5 + 0.4 * 3
        one = (1 - np.sin(angle)) / 2 if holds(*bits) else chance[3]
        expected |= {(*bits, 1): weight * one, (*bits, 0): weight * (1 - one)}
    assert distance(expected, outcomes_of_native(native)) < 1e-7


def test_a_bit_that_nothing_has_written_is_0() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[1], 1)):
        circuit.x(1)
    with circuit.if_test((circuit.cregs[0], 1)):  # as good as a condition on bit 0
        circuit.x(1)
    circuit.measure(1, 1)
    native = transpile(circuit, EMERALD)
    assert native.counts() == {"cc_r": 1, "measure": 2, "r": 1}
    assert distance({(0, 0): 0.5, (1, 1): 0.5}, outcomes_of_native(native)) < 1e-9


def test_the_frame_of_a_qubit_turns_its_conditional_gates() -> None:
    ops = [
        Op("r", (0,), (1.0, 0.3)),
        Op("r", (0,), (2.0, -1.1)),
        Op("cc_r", (0,), (0.7, 0.2), (0,)),
        Op("r", (0,), (1.5, 0.9)),
        Op("measure", (0,), (), (1,)),
    ]
    for bit in (0, 1):
        start = [Op("r", (1,), (np.pi * bit, 0.0)), Op("measure", (1,), (), (0,))]
        outcomes = [
            outcomes_of_native(NativeCircuit(("QB1", "QB2"), (("c", 2),), (*start, *some)))
            for some in (ops, fuse(ops))
        ]
        assert distance(*outcomes) < 1e-9


def test_bits_that_are_written_again_keep_their_order() -> None:
    """Qiskit alone would put the two measurements into bit 0 the other way round."""
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.measure(1, 0)
    circuit.measure(0, 0)
    for level in range(4):
        native = transpile(circuit, EMERALD, {"optimization_level": level})
        assert outcomes_of_native(native) == pytest.approx({(1,): 1.0})


def test_clifford_conditions_leave_a_circuit_clifford() -> None:
    from iqm_spec.native import Native
    from iqm_spec.stages.aer.method import shape_of

    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.h(2)
    circuit.cx(1, 2)
    circuit.measure(2, 2)
    shape = shape_of(Native.of(transpile(circuit, EMERALD)))
    assert shape.clifford
    assert not shape.final
    with circuit.if_test((circuit.clbits[2], 1)):
        circuit.t(2)
        circuit.h(2)
    circuit.measure(2, 1)
    assert not shape_of(Native.of(transpile(circuit, EMERALD))).clifford


def test_defined_gates_are_looked_into() -> None:
    inner = QuantumCircuit(2, name="both")
    inner.x(0)
    inner.h(1)
    circuit = measured(1)
    circuit.add_register(QuantumRegister(1, "other"))
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.append(inner.to_gate(), [1, 2])
        circuit.barrier()
    circuit.measure(1, 1)
    assert inexpressible(circuit) == [None]
    native = transpile(circuit, EMERALD)
    assert distance(outcomes_of_circuit(circuit), outcomes_of_native(native)) < 1e-7


# --- what cannot be ------------------------------------------------------------------------------


def _with(body: Callable[[QuantumCircuit], None]) -> QuantumCircuit:
    circuit = measured(2)
    with circuit.if_test((circuit.clbits[0], 1)):
        body(circuit)
    circuit.measure(2, 2)
    return circuit


def _wide() -> QuantumCircuit:
    circuit = measured(5)
    with circuit.if_test((circuit.cregs[0], 3)):
        circuit.x(5)
    circuit.measure(5, 5)
    return circuit


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: _with(lambda c: c.cz(1, 2)), CONDITIONAL_GATE),
        (lambda: _with(lambda c: c.swap(1, 2)), CONDITIONAL_GATE),
        (lambda: _with(lambda c: c.measure(2, 1)), CONDITIONAL_MEASUREMENT),
        (lambda: _with(lambda c: c.reset(2)), CONDITIONAL_RESET),
        (lambda: _with(lambda c: c.delay(10, 2, "ns")), CONDITIONAL_OTHER),
        (_wide, WIDE_CONDITION),
    ],
)
def test_what_no_machine_does_under_a_condition(
    make: Callable[[], QuantumCircuit], kind: str
) -> None:
    assert inexpressible(make()) == [kind]
    with pytest.raises(Refused, match=kind):
        transpile(make(), EMERALD)


def test_a_bit_may_be_compared_with_a_number_in_openqasm_3() -> None:
    text = (
        'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit q;\nbit[2] c;\nbit d;\n'
        "c[0] = measure q;\nd = measure q;\nif (c[0] == 1) x q;\nif (0 == d) x q;\n"
        "if (d != 1) { x q; }\nc[1] = measure q;\n"
    )
    facts, problems = inspect_qasm(text.encode())
    assert problems == ()
    assert facts is not None
    assert [feature.line for feature in facts.features] == [8, 9, 10]


def test_a_loose_bit_is_a_condition() -> None:
    circuit = QuantumCircuit(QuantumRegister(2), [Clbit(), Clbit()])
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 0)):
        circuit.x(1)
    circuit.measure(1, 1)
    found = outcomes_of_native(transpile(circuit, EMERALD))
    assert distance({(0, 1): 0.5, (1, 0): 0.5}, found) < 1e-9
