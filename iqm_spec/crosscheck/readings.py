"""Programs of what is compared: circuit files, Qiskit circuits, native circuits."""

from __future__ import annotations

from cmath import exp
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import cos, pi, sin
from typing import TYPE_CHECKING, Any

from attrs import define, field

from iqm_spec.circuits.qasm.tokens import tokenize
from iqm_spec.crosscheck.library import phase, swap
from iqm_spec.crosscheck.program import (
    MOST_STEPS,
    WIDEST_STEP,
    Allowance,
    BitTest,
    Conditional,
    Measure,
    NotReadable,
    Program,
    ProgramStep,
    Reset,
    Unitary,
    controlled,
)
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from iqm_spec.crosscheck.program import Matrix


LONGEST_TEXT = 200_000
"""Bytes of a file; to read more takes too long beside the check."""

_DEEPEST = 100

_NOTHING = ("barrier", "delay")


def readings_of_file(data: bytes, parameters: Mapping[str, Json] | None = None) -> list[Program]:
    """Programs of an OpenQASM file with values for its inputs. Raises `NotReadable`.

    More than one where the versions of OpenQASM 3 leave a controlled gate's phase open.
    """
    if len(data) > LONGEST_TEXT:
        raise NotReadable(f"a file of more than {LONGEST_TEXT // 1000} kB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotReadable("a file that is not UTF-8 text") from None
    # each reader is imported where it is needed
    tokens = tokenize(text)
    if len(tokens) > 1 and tokens[0].text == "OPENQASM" and not tokens[1].text.startswith("3"):
        from iqm_spec.crosscheck.qasm2 import read_qasm2

        return [read_qasm2(text)]
    from iqm_spec.crosscheck.qasm3 import read_qasm3

    inputs = {
        name: value
        for name, value in (parameters or {}).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return read_qasm3(text, inputs)


def readings_of_circuit(circuit: QuantumCircuit) -> list[Program]:
    """The program of a Qiskit circuit. Raises `NotReadable`."""

    return [program_of_circuit(circuit)]


def program_of_circuit(circuit: QuantumCircuit) -> Program:
    """The program of `circuit`, whose parameters are bound. Raises `NotReadable`."""
    registers, places = _registers(circuit)
    qubits = {qubit: number for number, qubit in enumerate(circuit.qubits)}
    reader = _CircuitReader()
    try:
        reader.walk(circuit, qubits, places, reader.steps, 0)
    except RecursionError:
        raise NotReadable("nested too deep") from None
    return Program(registers, tuple(reader.steps))


def program_of_native(native: NativeCircuit) -> Program:
    """The program that a machine runs; a MOVE exchanges a qubit and a resonator."""
    steps = tuple(_step(op) for op in native.ops if op.name not in _NOTHING)
    return Program(native.registers, steps)


def _registers(circuit: QuantumCircuit) -> tuple[tuple[tuple[str, int], ...], dict[Any, int]]:
    """Registers in the order of a bitstring, and the place of every bit."""
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
class _CircuitReader:
    steps: list[ProgramStep] = field(factory=list)
    _left: Allowance = field(factory=Allowance)

    def walk(
        self,
        circuit: QuantumCircuit,
        qubits: Mapping[Any, int],
        bits: Mapping[Any, int],
        out: list[ProgramStep],
        depth: int,
    ) -> None:
        """Append the steps of `circuit`, whose qubits and bits have these numbers, to `out`."""
        if depth > _DEEPEST:
            raise NotReadable("nested too deep")
        for item in circuit.data:
            self._left.spend(1)
            targets = [qubits[qubit] for qubit in item.qubits]
            into = [bits[bit] for bit in item.clbits]
            self._take(item, targets, into, bits, out, depth)

    def _take(
        self,
        item: Any,
        targets: Sequence[int],
        into: Sequence[int],
        bits: Mapping[Any, int],
        out: list[ProgramStep],
        depth: int,
    ) -> None:
        operation = item.operation
        if item.is_standard_gate():
            self._unitary(_matrix(operation), targets, out)
            return
        from qiskit.circuit import Barrier, ControlFlowOp, Delay, Instruction
        from qiskit.circuit import Measure as QiskitMeasure
        from qiskit.circuit import Reset as QiskitReset
        from qiskit.circuit.library import UnitaryGate

        match operation:
            case Barrier() | Delay():
                pass
            case QiskitMeasure():
                out.append(Measure(targets[0], into[0]))
            case QiskitReset():
                out.append(Reset(targets[0]))
            case ControlFlowOp():
                self._control(operation, targets, into, bits, out, depth)
            case UnitaryGate():
                self._unitary(_matrix(operation), targets, out)
            case Instruction():
                try:
                    definition = operation.definition
                except Exception as error:
                    reason = f"the gate `{operation.name[:40]}`, which has no definition"
                    raise NotReadable(reason) from error
                if definition is None:
                    self._unitary(_matrix(operation), targets, out)
                    return
                inner = dict(zip(definition.qubits, targets, strict=True))
                cells = dict(zip(definition.clbits, into, strict=True))
                self.walk(definition, inner, cells, out, depth + 1)
            case _ if hasattr(operation, "to_matrix"):
                self._unitary(_matrix(operation), targets, out)
            case _:
                raise NotReadable(f"the instruction `{operation.name[:40]}`")

    def _unitary(self, matrix: Any, targets: Sequence[int], out: list[ProgramStep]) -> None:
        self._left.spend(0, [matrix])
        if targets:
            out.append(Unitary(matrix, tuple(targets)))

    def _control(
        self,
        operation: Any,
        targets: Sequence[int],
        into: Sequence[int],
        bits: Mapping[Any, int],
        out: list[ProgramStep],
        depth: int,
    ) -> None:
        from qiskit.circuit import ForLoopOp, IfElseOp
        from qiskit.circuit.controlflow import BoxOp

        blocks: list[tuple[ProgramStep, ...]] = []
        bodies = list(operation.blocks)
        if isinstance(operation, ForLoopOp):
            bodies = list(_unrolled(operation))
        for body in bodies:
            inner: list[ProgramStep] = []
            qubits = dict(zip(body.qubits, targets, strict=True))
            cells = {**bits, **dict(zip(body.clbits, into, strict=True))}
            self.walk(body, qubits, cells, inner, depth + 1)
            blocks.append(tuple(inner))
        if isinstance(operation, ForLoopOp | BoxOp):
            out += [step for block in blocks for step in block]
        elif isinstance(operation, IfElseOp):
            condition = _condition(operation.condition, bits)
            out.append(Conditional(condition, blocks[0], blocks[1] if len(blocks) > 1 else ()))
        else:
            raise NotReadable(f"`{operation.name}`")


def _unrolled(operation: Any) -> Any:
    indices, parameter, body = operation.params
    if len(indices) > MOST_STEPS:
        raise NotReadable(f"more than {MOST_STEPS:,} gates")
    for index in indices:
        for item in body.data:
            if item.operation.name in ("break_loop", "continue_loop"):
                raise NotReadable("a loop that is left early")
        yield body.assign_parameters({parameter: index}) if parameter in body.parameters else body


def _condition(condition: Any, bits: Mapping[Any, int]) -> BitTest:
    from qiskit.circuit import ClassicalRegister, Clbit

    if not isinstance(condition, tuple):
        raise NotReadable("a condition that is an expression")
    target, value = condition
    if isinstance(target, Clbit):
        place = bits[target]
        return BitTest(frozenset({place}), lambda state: state >> place & 1 == int(value))
    if not isinstance(target, ClassicalRegister):
        raise NotReadable("a condition that is an expression")
    places = [bits[bit] for bit in target]

    def holds(state: int) -> bool:
        return sum((state >> place & 1) << i for i, place in enumerate(places)) == int(value)

    return BitTest(frozenset(places), holds)


def _matrix(operation: Any) -> Any:
    import numpy as np

    if operation.num_qubits > WIDEST_STEP or operation.num_clbits:
        raise NotReadable(f"the gate `{operation.name[:40]}` on {operation.num_qubits} qubits")
    try:
        return np.asarray(operation.to_matrix(), dtype=complex)
    except Exception as error:
        raise NotReadable(f"the gate `{operation.name[:40]}`, which has no matrix") from error


def _step(op: Op) -> ProgramStep:
    match op.name:
        case "r":
            return Unitary(_r(*op.params), op.qubits)
        case "cz":
            return Unitary(_cz(), op.qubits)
        case "move":
            return Unitary(_swap(), op.qubits)
        case "measure":
            return Measure(op.qubits[0], op.clbits[0])
        case "reset":
            return Reset(op.qubits[0])
        case "cc_r":
            (bit,) = op.clbits
            condition = BitTest(frozenset({bit}), lambda bits: bool(bits >> bit & 1))
            return Conditional(condition, (Unitary(_r(*op.params), op.qubits),))
        case _:
            raise NotReadable(f"the native instruction `{op.name}`")


@lru_cache(maxsize=4096)
def _r(theta: float, phi: float) -> Matrix:
    import numpy as np

    c, s = cos(theta / 2), -1j * sin(theta / 2)
    return np.array([[c, exp(-1j * phi) * s], [exp(1j * phi) * s, c]])


@lru_cache(maxsize=1)
def _cz() -> Matrix:
    return controlled(phase(pi))


@lru_cache(maxsize=1)
def _swap() -> Matrix:
    return swap()
