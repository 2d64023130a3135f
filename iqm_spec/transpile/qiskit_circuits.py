"""Qiskit circuits to native instructions, and native circuits to Qiskit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from iqm_spec.circuits import is_physical
from iqm_spec.errors import Refused
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import Architecture, features
from iqm_spec.transpile.measurement_order import EARLY_MEASURE, lost_writes

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Clbit, Delay, Instruction, ParameterExpression


_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12}
_PLAIN = {"r", "cz", "barrier", "reset"}
_WITH_BITS = {"measure": "measure", EARLY_MEASURE: "measure", "cc_r": "cc_r"}


def check_circuit(
    circuit: QuantumCircuit, architecture: Architecture, layout: tuple[str, ...] | None
) -> None:
    """Raises `Refused` for circuits that the target cannot run however they are transpiled."""
    name, machine = circuit.name, architecture.alias
    if circuit.num_qubits > architecture.num_qubits:
        raise _refused(
            f"circuit {name} has {circuit.num_qubits} qubits, {machine} {architecture.num_qubits}"
        )
    require_bound(circuit)
    check_layout(circuit, architecture, layout)
    for item in circuit.data:
        if hasattr(item.operation, "blocks") and (
            item.operation.name != "if_else" or "if_else" not in features(architecture)
        ):
            raise _refused(f"circuit {name} has control flow ({item.operation.name})")
        if item.operation.name == "reset" and "reset" not in features(architecture):
            raise _refused(f"circuit {name} resets a qubit, which {machine} cannot")


def require_bound(circuit: QuantumCircuit) -> None:
    """Raises `Refused` where a parameter has no value."""
    if circuit.parameters:
        listed = ", ".join(parameter.name for parameter in circuit.parameters)
        raise _refused(f"circuit {circuit.name} has parameters without a value: {listed}")


def physical_layout(
    circuit: QuantumCircuit, architecture: Architecture, layout: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """The layout; for a circuit on physical qubits, these qubits."""
    if not is_physical(circuit):
        return layout
    if layout is not None:
        raise _refused(
            f"circuit {circuit.name} names the machine's own qubits ($0) and has a layout, too",
            hint="remove the layout, or declare qubits: `qubit[2] q;`",
        )
    if circuit.num_qubits > architecture.num_qubits:
        raise _refused(
            f"circuit {circuit.name} names ${circuit.num_qubits - 1}, {architecture.alias} has "
            f"$0 to ${architecture.num_qubits - 1}"
        )
    return architecture.qubits[: circuit.num_qubits]


def check_layout(
    circuit: QuantumCircuit, architecture: Architecture, layout: tuple[str, ...] | None
) -> None:
    """Raises `Refused` unless a layout names a different qubit of the target per circuit qubit."""
    if layout is None:
        return
    if unknown := [name for name in layout if name not in architecture.qubits]:
        raise _refused(f"layout names {unknown[0]}, which is no qubit of {architecture.alias}")
    if len(layout) != circuit.num_qubits or len(set(layout)) < len(layout):
        raise _refused(
            f"layout must name {circuit.num_qubits} different qubits, one per circuit qubit, "
            f"got {', '.join(layout)}"
        )


def registers_of(
    circuit: QuantumCircuit,
) -> tuple[tuple[tuple[str, int], ...], dict[Clbit, int]]:
    """Classical registers as (name, size), and every bit's place in them.

    A bit outside of all registers (OpenQASM 3's `bit b;`) becomes a register of its own, which
    stands among the others where Qiskit prints the bit: in the order of the circuit's bits.
    """
    groups = {register.name: list(register) for register in circuit.cregs}
    loose = [bit for bit in circuit.clbits if not circuit.find_bit(bit).registers]
    for bit in loose:
        name = f"bit{circuit.find_bit(bit).index}"
        while name in groups:
            name += "_"
        groups[name] = [bit]
    if loose:
        first = {name: circuit.find_bit(bits[0]).index for name, bits in groups.items() if bits}
        groups = dict(sorted(groups.items(), key=lambda group: first.get(group[0], -1)))
    places: dict[Clbit, int] = {}
    for bits in groups.values():
        places |= {bit: len(places) + i for i, bit in enumerate(bits)}
    if sum(map(len, groups.values())) > len(places):
        raise _refused(f"circuit {circuit.name} has classical registers that share bits")
    return tuple((name, len(bits)) for name, bits in groups.items()), places


def read_ops(
    routed: QuantumCircuit,
    places: dict[Clbit, int],
    numbers: Callable[[Sequence[Any]], tuple[float, ...]] = lambda params: tuple(
        map(float, params)
    ),
) -> list[Op]:
    """Instructions of a routed circuit in order, on the indices of its qubits; without `id`.

    `numbers` maps an instruction's Qiskit parameters to those of the op.
    """
    index = {qubit: i for i, qubit in enumerate(routed.qubits)}
    ops = []
    for item in routed.data:
        name = item.operation.name
        qubits = tuple(index[qubit] for qubit in item.qubits)
        if name in _PLAIN:
            ops.append(Op(name, qubits, numbers(item.operation.params)))
        elif name in _WITH_BITS:
            bits = tuple(places[bit] for bit in item.clbits)
            params = tuple(map(float, item.operation.params))
            ops.append(Op(_WITH_BITS[name], qubits, params, bits))
        elif name == "delay":
            ops.append(Op(name, qubits, (seconds(item.operation),)))
        elif name != "id":
            raise _refused(f"circuit {routed.name} has the instruction {name!r}: not supported")
    return ops


def seconds(delay: Delay) -> float:
    """Length of a delay; Refused where it is not known."""
    if delay.unit not in _SECONDS or not isinstance(delay.duration, int | float):
        raise _refused(
            f"a delay of {delay.duration} {delay.unit}: its length in seconds is not known",
            hint="write it in s, ms, us, ns or ps",
        )
    return round(float(delay.duration) * _SECONDS[delay.unit], 15)


def measures_last(ops: Sequence[Op]) -> list[Op]:
    """`ops` with every measurement after which nothing uses its qubit or bit put at the end.

    Same circuit; a simulator can then sample the final state once for all shots. One whose outcome
    is overwritten unread, and whose qubit nothing uses any more, is left out.
    """
    lost = lost_writes((op.name, op.qubits, op.clbits) for op in ops)
    used: set[tuple[str, int]] = set()
    early: list[Op] = []
    final: list[Op] = []
    for place, op in reversed(list(enumerate(ops))):
        if place in lost:
            continue
        wires = {("q", qubit) for qubit in op.qubits} | {("c", bit) for bit in op.clbits}
        (early if op.name != "measure" or wires & used else final).append(op)
        used |= wires
    return early[::-1] + final[::-1]


def _refused(message: str, hint: str = "") -> Refused:
    return Refused(message, hint=hint, code="refused.circuit")


_SWAP = ((1, 0, 0, 0), (0, 0, 1, 0), (0, 1, 0, 0), (0, 0, 0, 1))


def to_qiskit(
    native: NativeCircuit, angles: Sequence[ParameterExpression] | None = None
) -> QuantumCircuit:
    """The circuit on `len(native.components)` qubits, with the same classical registers.

    `angles` replace those of all `r`, in order. A MOVE becomes a `UnitaryGate` labelled `move`
    that swaps, which is correct where MOVEs come in pairs.
    """
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    qubits = QuantumRegister(len(native.components), "q")
    bits = [ClassicalRegister(size, name) for name, size in native.registers]
    circuit = QuantumCircuit(qubits, *bits)
    stand_ins = None if angles is None else iter(angles)
    for op in native.ops:
        if op.name == "cc_r":
            with circuit.if_test((circuit.clbits[op.clbits[0]], 1)):
                circuit.r(*op.params, op.qubits[0])
            continue
        params = (next(stand_ins), next(stand_ins)) if stand_ins and op.name == "r" else op.params
        circuit.append(_instruction(op, params), list(op.qubits), list(op.clbits), copy=False)
    return circuit


def _instruction(op: Op, params: Sequence[Any]) -> Instruction:
    from qiskit.circuit import Barrier, Delay, Measure, Reset
    from qiskit.circuit.library import CZGate, RGate, UnitaryGate

    match op.name:
        case "r":
            return RGate(*params)
        case "cz":
            return CZGate()
        case "move":
            return UnitaryGate(_SWAP, label="move")
        case "measure":
            return Measure()
        case "barrier":
            return Barrier(len(op.qubits))
        case "reset":
            return Reset()
        case "delay":
            return Delay(params[0], unit="s")
    raise ValueError(f"no instruction is called {op.name!r}")
