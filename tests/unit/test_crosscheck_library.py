"""The independent library's matrices beside Qiskit's, once, for every gate that a file may name."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import qasm2
from qiskit.circuit import library as qiskit_library
from qiskit.quantum_info import Operator
from qiskit_qasm3_import.converter import _STDGATES as STDGATES

from iqm_spec.crosscheck.library import qelib1, stdgates
from iqm_spec.crosscheck.program import controlled, power

ANGLES = (0.3, 1.1, -0.7, 2.3)
LEGACY = {one.name: one for one in qasm2.LEGACY_CUSTOM_INSTRUCTIONS if one.name != "delay"}


def same_up_to_phase(one: np.ndarray, other: np.ndarray) -> bool:
    overlap = np.trace(one.conj().T @ other) / len(one)
    return bool(np.allclose(one * overlap, other, atol=1e-12) and np.isclose(abs(overlap), 1))


@pytest.mark.parametrize("name", sorted(LEGACY))
def test_a_gate_of_openqasm_2_is_qiskits(name: str) -> None:
    ours, legacy = qelib1()[name], LEGACY[name]
    assert (ours.angles, ours.qubits) == (legacy.num_params, legacy.num_qubits)
    angles = ANGLES[: ours.angles]
    gate = legacy.constructor(*([1] if name == "u0" else angles))
    assert same_up_to_phase(ours.matrix(*angles), Operator(gate).data)


@pytest.mark.parametrize("name", sorted(STDGATES))
def test_a_gate_of_openqasm_3_is_qiskits_with_its_phase(name: str) -> None:
    ours = stdgates()[name]
    builder, angles, qubits = STDGATES[name]
    assert (ours.angles, ours.qubits) == (angles, qubits)
    given = ANGLES[:angles]
    assert np.allclose(ours.matrix(*given), np.asarray(builder(*given).to_matrix()), atol=1e-12)


def test_a_control_is_the_first_qubit() -> None:
    gate = qiskit_library.CRYGate(0.4, ctrl_state=0)
    assert np.allclose(controlled(qiskit_library.RYGate(0.4).to_matrix(), 0), gate.to_matrix())


@pytest.mark.parametrize("seed", range(5))
def test_a_power_is_the_principal_one(seed: int) -> None:
    from scipy.linalg import expm, logm
    from scipy.stats import unitary_group

    matrix = unitary_group.rvs(8, random_state=seed)
    assert np.allclose(power(matrix, 0.3), expm(0.3 * logm(matrix)), atol=1e-9)
    assert np.allclose(power(np.diag([1, -1]).astype(complex), 0.5), np.diag([1, 1j]))
