"""Size and features of a Qiskit circuit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iqm_spec.circuits.conditionals import inexpressible
from iqm_spec.model import DELAY_IN_SAMPLES, CircuitFacts, Feature

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Instruction


PHYSICAL = "physical_qubits"
"""Key of a circuit's metadata where its qubits are physical (`$0` in OpenQASM 3)."""


def is_physical(circuit: QuantumCircuit) -> bool:
    """Whether qubit n of the circuit is component n of the target."""
    return bool((circuit.metadata or {}).get(PHYSICAL))


def facts_of(circuit: QuantumCircuit) -> CircuitFacts:
    """Facts of `circuit`; features in order of first occurrence, without lines."""
    measured, kinds = _count(circuit)
    if "if_else" in kinds:
        kinds |= {kind: None for kind in inexpressible(circuit) if kind is not None}
    return CircuitFacts(
        num_qubits=circuit.num_qubits,
        num_clbits=circuit.num_clbits,
        measured=measured,
        inputs=tuple(parameter.name for parameter in circuit.parameters),
        features=tuple(Feature(kind) for kind in kinds),
        physical=is_physical(circuit),
    )


def _count(circuit: QuantumCircuit) -> tuple[int, dict[str, None]]:
    """Number of measurements, and kinds of what is neither gate, barrier nor measurement."""
    measured = 0
    kinds: dict[str, None] = {}
    for instruction in circuit.data:
        operation = instruction.operation
        if instruction.is_standard_gate() or operation.name == "barrier":
            continue
        if operation.name == "measure":
            measured += 1
            continue
        bodies, is_feature = _inside(operation)
        if is_feature:
            in_samples = operation.name == "delay" and operation.unit == "dt"
            kinds.setdefault(DELAY_IN_SAMPLES if in_samples else operation.name)
        for body in bodies:
            inner_measured, inner_kinds = _count(body)
            measured += inner_measured
            kinds |= inner_kinds
    return measured, kinds


def _inside(operation: Instruction) -> tuple[list[QuantumCircuit], bool]:
    """The circuits within an instruction, and whether the instruction itself is a feature."""
    from qiskit.circuit import ControlFlowOp, Gate, Operation
    from qiskit.circuit import Instruction as AnyInstruction

    if isinstance(operation, ControlFlowOp):
        return list(operation.blocks), True
    if isinstance(operation, Gate) or not isinstance(operation, AnyInstruction):
        return [], not isinstance(operation, Operation)
    if type(operation) is AnyInstruction and operation.definition is not None:
        return [operation.definition], False
    return [], True
