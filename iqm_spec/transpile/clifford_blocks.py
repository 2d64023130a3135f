"""Shortens two-qubit blocks of Clifford circuits so that every gate stays Clifford.

From level 2 on Qiskit resynthesizes a block numerically, in one of many equivalent ways, most of
which are not Clifford gate by gate; stabilizers can no longer simulate the circuit. Qiskit's
synthesis of a two-qubit Clifford operation is optimal in its CNOTs (arXiv:2003.09412), needs no
more gates than the general one, and keeps them Clifford.
"""

from __future__ import annotations

from functools import lru_cache
from math import pi
from typing import TYPE_CHECKING

from iqm_spec.transpile.measurement_order import EARLY_MEASURE

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Operation
    from qiskit.transpiler import PassManager, Target


_ALWAYS = frozenset(
    {"id", "x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "cx", "cy", "cz", "swap", "iswap", "dcx"}
    | {"ecr", "barrier", "measure", EARLY_MEASURE, "reset", "delay"}
)
_AT_QUARTER_TURNS = frozenset(
    {"r", "rx", "ry", "rz", "p", "u", "u1", "u2", "u3", "rxx", "ryy", "rzz", "rzx"}
)
_BASIS = ["id", "h", "s", "sdg", "x", "y", "z", "sx", "sxdg", "r", "rx", "ry", "rz", "u", "cz"]
_OTHERS = ["measure", EARLY_MEASURE, "reset", "delay", "barrier", "cc_r"]
_TOLERANCE = 1e-9
_DEEPEST = 8  # nested definitions


def is_clifford(circuit: QuantumCircuit, depth: int = 0) -> bool:
    """Whether every gate is Clifford by its name, its angles or its definition."""
    return all(_is_clifford(item.operation, depth) for item in circuit.data)


def _is_clifford(operation: Operation, depth: int) -> bool:
    if operation.name in _ALWAYS:
        return True
    if operation.name == "cc_r":
        # half turns about eight axes, quarter turns about four
        theta, phi = operation.params
        if _is_quarter_turn(theta / 2):
            return _is_quarter_turn(2 * phi)
        return _is_quarter_turn(theta) and _is_quarter_turn(phi)
    if operation.name in _AT_QUARTER_TURNS:
        return all(map(_is_quarter_turn, operation.params))
    inside = getattr(operation, "definition", None)
    return inside is not None and depth < _DEEPEST and is_clifford(inside, depth + 1)


def _is_quarter_turn(angle: object) -> bool:
    if not isinstance(angle, int | float):
        return False
    return abs(angle - round(angle / (pi / 2)) * pi / 2) < _TOLERANCE


def prepare(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit in single-qubit gates and cz with shortened blocks, to be routed."""
    return shorten(_preparation().run(circuit))


def finish(circuit: QuantumCircuit, target: Target) -> QuantumCircuit:
    """A routed circuit with shortened blocks, in the target's gates."""
    return _cleaning(target).run(shorten(circuit))


def shorten(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit with two-qubit blocks replaced where that saves a two-qubit gate."""
    from qiskit import QuantumCircuit
    from qiskit.converters import circuit_to_dag, dag_to_circuit
    from qiskit.quantum_info import Clifford
    from qiskit.transpiler.passes import Collect2qBlocks

    dag = circuit_to_dag(circuit)
    collect = Collect2qBlocks()
    collect.run(dag)
    for block in collect.property_set["block_list"]:
        two_qubit_gates = sum(len(node.qargs) == 2 for node in block)
        if two_qubit_gates < 2:
            continue
        qubits = sorted({q for node in block for q in node.qargs}, key=dag.qubits.index)
        place = {qubit: i for i, qubit in enumerate(qubits)}
        inside = QuantumCircuit(2)
        for node in block:
            inside.append(node.op, [place[qubit] for qubit in node.qargs])
        shortest = _synthesize(Clifford(inside).tableau.tobytes())
        if shortest.count_ops().get("cz", 0) < two_qubit_gates:
            dag.replace_block_with_op(block, shortest.to_gate(), place)
    return dag_to_circuit(dag)


@lru_cache(maxsize=1 << 14)
def _synthesize(tableau: bytes) -> QuantumCircuit:
    """The shortest circuit of a two-qubit Clifford operation in single-qubit gates and cz."""
    import numpy as np
    from qiskit.quantum_info import Clifford
    from qiskit.synthesis import synth_clifford_full

    clifford = Clifford(np.frombuffer(tableau, dtype=bool).reshape(4, 5))
    return _preparation().run(synth_clifford_full(clifford))


@lru_cache(maxsize=1)
def _preparation() -> PassManager:
    from qiskit.circuit.equivalence_library import SessionEquivalenceLibrary
    from qiskit.transpiler import PassManager
    from qiskit.transpiler.passes import (
        BasisTranslator,
        CommutativeCancellation,
        ElidePermutations,
        UnrollCustomDefinitions,
    )

    basis = [*_BASIS, *_OTHERS]
    return PassManager(
        [
            ElidePermutations(),
            UnrollCustomDefinitions(SessionEquivalenceLibrary, basis_gates=basis),
            BasisTranslator(SessionEquivalenceLibrary, basis),
            CommutativeCancellation(basis_gates=basis),
        ]
    )


@lru_cache(maxsize=32)
def _cleaning(target: Target) -> PassManager:
    from qiskit.circuit.equivalence_library import SessionEquivalenceLibrary
    from qiskit.transpiler import PassManager
    from qiskit.transpiler.passes import (
        BasisTranslator,
        CommutativeCancellation,
        Optimize1qGatesDecomposition,
        UnrollCustomDefinitions,
    )

    return PassManager(
        [
            UnrollCustomDefinitions(SessionEquivalenceLibrary, target=target),
            BasisTranslator(SessionEquivalenceLibrary, None, target=target),
            Optimize1qGatesDecomposition(target=target),
            CommutativeCancellation(target=target),
            Optimize1qGatesDecomposition(target=target),
        ]
    )
