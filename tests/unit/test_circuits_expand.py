"""Definitions in the place of gates that are not Qiskit's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from exact import distance, distribution
from qiskit import QuantumCircuit, QuantumRegister
from qiskit.circuit import AnnotatedOperation, ControlModifier, Gate, Parameter, Qubit
from qiskit.circuit.library import MCXGate, PermutationGate, QFTGate, UnitaryGate, XGate

from iqm_spec.circuits import CircuitError
from iqm_spec.circuits.expand import expand_definitions
from iqm_spec.targets import architecture
from iqm_spec.transpile import to_qiskit, transpile


def turning(name: str, angle: Any = 0.4) -> Gate:
    """A gate that is not what its name says."""
    inside = QuantumCircuit(2)
    inside.ry(angle, 0)
    inside.cx(0, 1)
    gate = Gate(name, 2, [])
    gate.definition = inside
    return gate


class Named(Gate):
    """A gate of somebody's library that has a matrix and no definition."""

    def __init__(self) -> None:
        super().__init__("x", 1, [])

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array([[1, 1], [1, -1]], dtype=complex) / np.sqrt(2)


def test_gates_of_qiskit_are_left_as_they_are() -> None:
    circuit = QuantumCircuit(6, 6)
    circuit.h(0)
    circuit.append(MCXGate(4, ctrl_state=3), range(5))
    circuit.append(QFTGate(3), range(3))
    circuit.append(PermutationGate([1, 0, 2]), range(3))
    circuit.append(UnitaryGate(XGate()), [0])
    circuit.append(XGate().control(2, ctrl_state=1), range(3))
    circuit.delay(10, 0, unit="ns")
    circuit.reset(1)
    circuit.barrier()
    with circuit.if_test((circuit.clbits[0], True)):
        circuit.x(1)
    circuit.measure(range(6), range(6))
    assert expand_definitions(circuit) is circuit


@pytest.mark.parametrize("name", ["rzz", "swap", "h", "permutation", "unitary", "box", "measure"])
def test_a_gate_of_ones_own_becomes_its_definition(name: str) -> None:
    circuit = QuantumCircuit(3, 3)
    circuit.append(turning(name), [2, 0])
    circuit.measure(range(3), range(3))
    whole = expand_definitions(circuit)
    assert [item.operation.name for item in whole.data[:2]] == ["ry", "cx"]
    assert [whole.find_bit(qubit).index for qubit in whole.data[1].qubits] == [2, 0]


def test_parameters_stay_free() -> None:
    circuit = QuantumCircuit(2)
    theta = Parameter("theta")
    circuit.append(turning("rxx", 2 * theta), [0, 1])
    whole = expand_definitions(circuit)
    assert set(whole.parameters) == {theta}
    assert whole.assign_parameters({theta: 0.5}).data[0].operation.params == [1.0]


def test_definitions_within_conditions_and_loops_are_expanded() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], True)):
        circuit.append(turning("cz"), [0, 1])
    with circuit.for_loop(range(3)) as i:
        circuit.rx(0.1 * i, 0)
        circuit.append(turning("cx"), [1, 0])
    whole = expand_definitions(circuit)
    body = whole.data[1].operation.blocks[0]
    assert [item.operation.name for item in body.data] == ["ry", "cx"]
    assert [item.operation.name for item in whole.data[2:]] == ["rx", "ry", "cx"] * 3
    assert [whole.data[2 + 3 * k].operation.params for k in range(3)] == [[0.0], [0.1], [0.2]]


def test_a_loop_that_may_end_early_stays_a_loop() -> None:
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(3)):
        circuit.x(0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], True)):
            circuit.break_loop()
    assert [item.operation.name for item in expand_definitions(circuit).data] == ["for_loop"]


def test_a_gate_under_annotations_is_what_its_definition_says() -> None:
    distributions = []
    for name in ("x", "zz_own"):
        inside = QuantumCircuit(1)
        inside.ry(0.8, 0)
        gate = Gate(name, 1, [])
        gate.definition = inside
        circuit = QuantumCircuit(2, 2)
        circuit.h(0)
        circuit.append(AnnotatedOperation(gate, ControlModifier(1)), [0, 1])
        circuit.measure([0, 1], [0, 1])
        native = transpile(expand_definitions(circuit), architecture("garnet"))
        distributions.append(distribution(to_qiskit(native)))
    assert distance(*distributions) < 1e-9
    assert distributions[0]["11"] == pytest.approx(np.sin(0.4) ** 2 / 2)


def test_a_gate_that_has_a_matrix_alone_is_that_matrix() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.append(Named(), [0])
    circuit.measure(0, 0)
    assert distribution(expand_definitions(circuit)) == pytest.approx({"0": 0.5, "1": 0.5})


def test_a_gate_that_nothing_tells_of_is_refused() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.append(Gate("magic", 1, []), [0])
    with pytest.raises(CircuitError, match="`magic` is opaque"):
        expand_definitions(circuit)


def test_qubits_are_in_one_register_where_some_were_in_none() -> None:
    circuit = QuantumCircuit([Qubit()], QuantumRegister(2, "q"), global_phase=0.5)
    circuit.cx(0, 2)
    whole = expand_definitions(circuit)
    assert [register.size for register in whole.qregs] == [3]
    assert whole.global_phase == 0.5
    assert [whole.find_bit(qubit).index for qubit in whole.data[0].qubits] == [0, 2]
