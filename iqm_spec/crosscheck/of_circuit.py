"""A Qiskit circuit as a program, instruction by instruction: matrices and definitions, no names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, field

from iqm_spec.crosscheck.program import (
    MOST_STEPS,
    WIDEST_STEP,
    Branch,
    Condition,
    Measure,
    NotReadable,
    Program,
    Reset,
    Step,
    Unitary,
)

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_DEEPEST = 100


def program_of_circuit(circuit: QuantumCircuit) -> Program:
    """The program of `circuit`, whose parameters are bound. Raises `NotReadable`."""
    registers, places = _registers(circuit)
    qubits = {qubit: number for number, qubit in enumerate(circuit.qubits)}
    walk = _Walk()
    try:
        walk.walk(circuit, qubits, places, walk.steps, 0)
    except RecursionError:
        raise NotReadable("nested too deep") from None
    return Program(registers, tuple(walk.steps))


def _registers(circuit: QuantumCircuit) -> tuple[tuple[tuple[str, int], ...], dict[Any, int]]:
    """Registers of a bitstring, and the place of every bit: all in the order of their bits."""
    inside = {bit for register in circuit.cregs for bit in register}
    if sum(register.size for register in circuit.cregs) > len(inside):
        raise NotReadable("classical registers that share bits")
    number = {bit: i for i, bit in enumerate(circuit.clbits)}
    groups = {register.name: list(register) for register in circuit.cregs}
    for bit in circuit.clbits:
        if bit not in inside:
            own = f"bit{number[bit]}"
            while own in groups:
                own += "_"
            groups[own] = [bit]
    if len(inside) < len(circuit.clbits):
        first = {name: number[bits[0]] if bits else -1 for name, bits in groups.items()}
        groups = {name: groups[name] for name in sorted(groups, key=first.__getitem__)}
    places: dict[Any, int] = {}
    for bits in groups.values():
        places |= {bit: len(places) + i for i, bit in enumerate(bits)}
    return tuple((name, len(bits)) for name, bits in groups.items()), places


@define(eq=False)
class _Walk:
    steps: list[Step] = field(factory=list)
    _count: int = 0

    def walk(
        self,
        circuit: QuantumCircuit,
        qubits: Mapping[Any, int],
        bits: Mapping[Any, int],
        out: list[Step],
        depth: int,
    ) -> None:
        """Appends the steps of `circuit`, whose qubits and bits have these numbers."""
        if depth > _DEEPEST:
            raise NotReadable("nested too deep")
        for item in circuit.data:
            self._count += 1
            if self._count > MOST_STEPS:
                raise NotReadable(f"more than {MOST_STEPS:,} gates")
            on = [qubits[qubit] for qubit in item.qubits]
            into = [bits[bit] for bit in item.clbits]
            self._take(item, on, into, bits, out, depth)

    def _take(
        self,
        item: Any,
        on: Sequence[int],
        into: Sequence[int],
        bits: Mapping[Any, int],
        out: list[Step],
        depth: int,
    ) -> None:
        from qiskit.circuit import Barrier, ControlFlowOp, Delay, Instruction
        from qiskit.circuit import Measure as QiskitMeasure
        from qiskit.circuit import Reset as QiskitReset
        from qiskit.circuit.library import UnitaryGate

        if item.is_standard_gate():
            self._unitary(_matrix(item.operation), on, out)
            return
        operation = item.operation
        match operation:
            case Barrier() | Delay():
                pass
            case QiskitMeasure():
                out.append(Measure(on[0], into[0]))
            case QiskitReset():
                out.append(Reset(on[0]))
            case ControlFlowOp():
                self._control(operation, on, into, bits, out, depth)
            case UnitaryGate():
                self._unitary(_matrix(operation), on, out)
            case Instruction():
                definition = _definition(operation)
                if definition is None:
                    self._unitary(_matrix(operation), on, out)
                    return
                inner = dict(zip(definition.qubits, on, strict=True))
                cells = dict(zip(definition.clbits, into, strict=True))
                self.walk(definition, inner, cells, out, depth + 1)
            case _ if hasattr(operation, "to_matrix"):
                self._unitary(_matrix(operation), on, out)
            case _:
                raise NotReadable(f"the instruction `{operation.name[:40]}`")

    def _unitary(self, matrix: Any, on: Sequence[int], out: list[Step]) -> None:
        if on:
            out.append(Unitary(matrix, tuple(on)))

    def _control(
        self,
        operation: Any,
        on: Sequence[int],
        into: Sequence[int],
        bits: Mapping[Any, int],
        out: list[Step],
        depth: int,
    ) -> None:
        from qiskit.circuit import ForLoopOp, IfElseOp
        from qiskit.circuit.controlflow import BoxOp

        blocks: list[tuple[Step, ...]] = []
        bodies = list(operation.blocks)
        if isinstance(operation, ForLoopOp):
            bodies = list(_rounds(operation))
        for body in bodies:
            inner: list[Step] = []
            qubits = dict(zip(body.qubits, on, strict=True))
            cells = {**bits, **dict(zip(body.clbits, into, strict=True))}
            self.walk(body, qubits, cells, inner, depth + 1)
            blocks.append(tuple(inner))
        if isinstance(operation, ForLoopOp | BoxOp):
            out += [step for block in blocks for step in block]
        elif isinstance(operation, IfElseOp):
            condition = _condition(operation.condition, bits)
            out.append(Branch(condition, blocks[0], blocks[1] if len(blocks) > 1 else ()))
        else:
            raise NotReadable(f"`{operation.name}`")


def _definition(operation: Any) -> Any:
    try:
        return operation.definition
    except Exception as error:
        raise NotReadable(f"the gate `{operation.name[:40]}`, which has no definition") from error


def _rounds(operation: Any) -> Any:
    indices, parameter, body = operation.params
    if len(indices) > MOST_STEPS:
        raise NotReadable(f"more than {MOST_STEPS:,} gates")
    for index in indices:
        for item in body.data:
            if item.operation.name in ("break_loop", "continue_loop"):
                raise NotReadable("a loop that is left early")
        given = {} if parameter is None else {parameter: index}
        yield body.assign_parameters(given) if parameter in body.parameters else body


def _condition(condition: Any, bits: Mapping[Any, int]) -> Condition:
    from qiskit.circuit import ClassicalRegister, Clbit

    if not isinstance(condition, tuple):
        raise NotReadable("a condition that is an expression")
    target, value = condition
    if isinstance(target, Clbit):
        place = bits[target]
        return Condition(frozenset({place}), lambda state: state >> place & 1 == int(value))
    if not isinstance(target, ClassicalRegister):
        raise NotReadable("a condition that is an expression")
    places = [bits[bit] for bit in target]

    def holds(state: int) -> bool:
        return sum((state >> place & 1) << i for i, place in enumerate(places)) == int(value)

    return Condition(frozenset(places), holds)


def _matrix(operation: Any) -> Any:
    import numpy as np

    if operation.num_qubits > WIDEST_STEP or operation.num_clbits:
        raise NotReadable(f"the gate `{operation.name[:40]}` on {operation.num_qubits} qubits")
    try:
        return np.asarray(operation.to_matrix(), dtype=complex)
    except Exception as error:
        raise NotReadable(f"the gate `{operation.name[:40]}`, which has no matrix") from error
