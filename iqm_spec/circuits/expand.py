"""Expands definitions, so that every gate means what its definition says, whatever its name.

Qiskit translates and synthesizes gates by name: a gate called `rzz` becomes the library's RZZ, with
any other body too. So definitions replace all gates but Qiskit's standard gates before anything
looks at names, and the qubits are put into registers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from iqm_spec.circuits.problems import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import (
        AnnotatedOperation,
        CircuitInstruction,
        Clbit,
        ForLoopOp,
        Gate,
        Operation,
        Qubit,
    )


NAME_MARK = "@"
"""Separates the name that a file gives a gate from a suffix that makes it unique."""

_LONGEST_LOOP = 100_000
"""Instructions that a loop may become; longer loops stay, and no machine runs them."""

_WIDEST_MATRIX = 8
"""Qubits of a gate that has a matrix and no definition."""


def expand_definitions(circuit: QuantumCircuit) -> QuantumCircuit:
    """`circuit` in Qiskit's standard gates; the same object where it has no others.

    Raises `CircuitError` where a gate has neither a definition nor a matrix.
    """
    listed = [qubit for register in circuit.qregs for qubit in register]
    regular = bool(listed == circuit.qubits)
    if regular and all(map(_is_expanded, circuit.data)):
        return circuit
    return _rebuild(circuit, regular=regular)


def _rebuild(circuit: QuantumCircuit, *, regular: bool) -> QuantumCircuit:
    from qiskit import QuantumCircuit, QuantumRegister

    if regular:
        built = circuit.copy_empty_like()
    else:
        built = QuantumCircuit(
            QuantumRegister(circuit.num_qubits, "q"),
            name=circuit.name,
            global_phase=circuit.global_phase,
            metadata=circuit.metadata,
        )
        built.add_bits(circuit.clbits)
        for register in circuit.cregs:
            built.add_register(register)
    qubits = dict(zip(circuit.qubits, built.qubits, strict=True))
    _append_all(circuit, built, qubits, {bit: bit for bit in circuit.clbits})
    return built


def _is_expanded(item: CircuitInstruction) -> bool:
    if item.is_standard_gate():
        return True
    blocks = getattr(item.operation, "blocks", None)
    if blocks is not None and item.operation.name != "for_loop":
        return all(_is_expanded(inner) for block in blocks for inner in block.data)
    return _is_known(item.operation)


def _is_known(operation: Operation) -> bool:
    """Whether Qiskit identifies the operation by its class, not by its name."""
    from qiskit.circuit import Barrier, BreakLoopOp, ContinueLoopOp, Delay, Measure, Reset, Store

    plain = Barrier | BreakLoopOp | ContinueLoopOp | Delay | Measure | Reset | Store
    if isinstance(operation, plain):
        return True
    module = getattr(operation, "base_class", type(operation)).__module__
    return module.startswith("qiskit.circuit.library.") and operation.name not in _standard_names()


@lru_cache(maxsize=1)
def _standard_names() -> frozenset[str]:
    from qiskit.circuit.library import get_standard_gate_name_mapping

    return frozenset(get_standard_gate_name_mapping())


def _append_all(
    circuit: QuantumCircuit,
    built: QuantumCircuit,
    qubits: dict[Qubit, Qubit],
    clbits: dict[Clbit, Clbit],
) -> None:
    """Append the instructions of `circuit` to `built`, definitions expanded, its bits mapped."""
    from qiskit.circuit import AnnotatedOperation, ControlFlowOp, ForLoopOp

    for item in circuit.data:
        operation = item.operation
        targets = [qubits[qubit] for qubit in item.qubits]
        bits = [clbits[bit] for bit in item.clbits]
        if item.is_standard_gate():
            built.append(item.replace(qubits=targets, clbits=bits), copy=False)
        elif isinstance(operation, ForLoopOp) and (values := _loop_values(operation)) is not None:
            _, parameter, body = operation.params
            for value in values:
                bound = body if parameter is None else body.assign_parameters({parameter: value})
                _inline(bound, built, targets, bits)
        elif isinstance(operation, ControlFlowOp):
            blocks = [_rebuild(block, regular=True) for block in operation.blocks]
            built.append(operation.replace_blocks(blocks), targets, bits, copy=False)
        elif isinstance(operation, AnnotatedOperation):
            built.append(_annotated(operation), targets, bits, copy=False)
        elif _is_known(operation):
            built.append(item.replace(qubits=targets, clbits=bits), copy=False)
        elif (rotation := _native_rotation(operation)) is not None:
            built.append(rotation, targets, copy=False)
        else:
            _inline(definition_of(operation), built, targets, bits)


def _native_rotation(operation: Operation) -> Gate | None:
    """Qiskit's `r` for a gate that a file calls `r` or `prx` and defines equivalently."""
    from qiskit.circuit.library import RGate
    from qiskit.quantum_info import Operator

    name = operation.name.partition(NAME_MARK)[0]
    if name not in ("r", "prx") or operation.num_qubits != 1 or len(operation.params) != 2:
        return None
    rotation = RGate(*operation.params)
    standard, own = rotation.definition, expand_definitions(definition_of(operation))
    probe = {parameter: 0.37 + 0.61 * i for i, parameter in enumerate(standard.parameters)}
    if set(own.parameters) - probe.keys():
        return None
    standard_matrix, own_matrix = (
        Operator(circuit.assign_parameters({p: probe[p] for p in circuit.parameters}))
        for circuit in (standard, own)
    )
    return rotation if standard_matrix.equiv(own_matrix, atol=1e-12) else None


def _inline(
    inside: QuantumCircuit, built: QuantumCircuit, qubits: list[Qubit], clbits: list[Clbit]
) -> None:
    built.global_phase += inside.global_phase
    _append_all(
        inside,
        built,
        dict(zip(inside.qubits, qubits, strict=True)),
        dict(zip(inside.clbits, clbits, strict=True)),
    )


def _loop_values(loop: ForLoopOp) -> Sequence[int] | None:
    """The values over which a loop is unrolled; None where it is too long, or may end early."""
    values: Sequence[int]
    values, _, body = loop.params
    if len(values) * max(len(body.data), 1) > _LONGEST_LOOP or _may_end_early(body):
        return None
    return values


def _may_end_early(body: QuantumCircuit) -> bool:
    return any(
        item.operation.name in ("break_loop", "continue_loop")
        or any(map(_may_end_early, getattr(item.operation, "blocks", ())))
        for item in body.data
    )


def _annotated(operation: AnnotatedOperation) -> AnnotatedOperation:
    """A controlled, inverted or powered gate whose base has no name that Qiskit might mistake."""
    from qiskit.circuit import AnnotatedOperation

    base = operation.base_op
    if getattr(base, "_standard_gate", None) is None and not _is_known(base):
        base = expand_definitions(definition_of(base)).to_gate()
    return AnnotatedOperation(base, operation.modifiers)


def definition_of(operation: Operation) -> QuantumCircuit:
    """The definition of an operation; raises `CircuitError` S402 where it is opaque."""
    from qiskit import QuantumCircuit
    from qiskit.circuit.library import UnitaryGate

    definition: QuantumCircuit | None = getattr(operation, "definition", None)
    if definition is not None:
        return definition
    if hasattr(operation, "to_matrix") and operation.num_qubits <= _WIDEST_MATRIX:
        try:
            matrix = UnitaryGate(operation.to_matrix())
        except Exception:  # noqa: BLE001 - a stranger's class: it has no matrix
            matrix = None
        if matrix is not None:
            inside = QuantumCircuit(operation.num_qubits)
            inside.append(matrix, inside.qubits)
            return inside
    raise CircuitError(
        "S402",
        f"the gate `{operation.name}` is opaque: nothing says what it does",
        hint="give the gate a definition",
    )
