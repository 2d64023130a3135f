"""Qiskit circuits are read by matrices and definitions, never by names."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import AnnotatedOperation, ControlModifier, Gate, InverseModifier, Parameter
from qiskit.circuit.library import PermutationGate, UnitaryGate, XGate
from qiskit.quantum_info import Statevector

from iqm_spec.crosscheck import NotReadable, readings_of_circuit
from tests.branching import distance, outcomes_of


def outcomes(circuit: QuantumCircuit) -> dict[int, float]:
    (reading,) = readings_of_circuit(circuit)
    return outcomes_of(reading)


def test_a_gate_is_its_definition_whatever_its_name() -> None:
    body = QuantumCircuit(1)
    body.ry(0.8, 0)
    mine = Gate("x", 1, [])
    mine.definition = body
    circuit = QuantumCircuit(2, 2)
    circuit.append(mine, [0])
    circuit.append(mine.inverse(), [1])
    circuit.measure([0, 1], [0, 1])
    chance = np.sin(0.4) ** 2
    both = chance * (1 - chance)
    expected = {0: (1 - chance) ** 2, 1: both, 2: both, 3: chance**2}
    assert distance(outcomes(circuit), expected) < 1e-9


def test_wide_and_odd_gates() -> None:
    rng = np.random.default_rng(1)
    circuit = QuantumCircuit(4)
    circuit.h([0, 2])
    matrix = np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))[0]
    circuit.append(UnitaryGate(matrix), [2, 0])
    circuit.append(PermutationGate([2, 0, 1]), [1, 2, 3])
    circuit.append(XGate().control(2, ctrl_state=1), [0, 2, 1])
    circuit.append(AnnotatedOperation(XGate(), [InverseModifier(), ControlModifier(1)]), [3, 0])
    circuit.append(circuit.to_gate().power(0.5).inverse(), [3, 1, 0, 2])
    expected = Statevector(circuit).probabilities()
    circuit.measure_all()
    assert distance(outcomes(circuit), dict(enumerate(expected))) < 1e-9


def test_control_flow_reset_and_registers() -> None:
    qubits, first, second = QuantumRegister(2), ClassicalRegister(1, "b"), ClassicalRegister(2, "a")
    circuit = QuantumCircuit(qubits, first, second)
    circuit.h(0)
    circuit.measure(0, second[1])
    with circuit.if_test((second, 2)) as otherwise:
        circuit.x(1)
    with otherwise, circuit.for_loop(range(2)):
        circuit.sx(1)
    circuit.reset(0)
    circuit.delay(100, 0, unit="ns")
    circuit.measure(1, first[0])
    circuit.measure(0, second[0])
    (reading,) = readings_of_circuit(circuit)
    assert reading.registers == (("b", 1), ("a", 2))
    assert distance(outcomes_of(reading), {0b101: 0.5, 0b001: 0.5}) < 1e-9


def test_a_loops_variable_takes_its_values() -> None:
    circuit = QuantumCircuit(1, 1)
    angle = Parameter("angle")
    with circuit.for_loop((0.5, 1.0, np.pi - 1.5), angle):
        circuit.rx(angle, 0)
    circuit.measure(0, 0)
    assert distance(outcomes(circuit), {1: 1}) < 1e-9


def test_what_has_no_meaning_is_not_read() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.append(Gate("secret", 1, []), [0])
    with pytest.raises(NotReadable, match="`secret`"):
        readings_of_circuit(circuit)
    free = QuantumCircuit(1)
    free.rx(Parameter("t"), 0)
    with pytest.raises(NotReadable, match="`rx`"):
        readings_of_circuit(free)
