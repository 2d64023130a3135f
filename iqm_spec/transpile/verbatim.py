"""Verbatim circuits: native gates in their order, sent unchanged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from math import pi
from typing import TYPE_CHECKING

from iqm_spec.circuits import is_physical
from iqm_spec.circuits.conditionals import Inexpressible, conditional_gates
from iqm_spec.errors import Refused
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import Architecture
from iqm_spec.transpile.qiskit_circuits import check_layout, registers_of, require_bound, seconds
from iqm_spec.transpile.violations import violations

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import CircuitInstruction, Clbit, Operation, Qubit

_ROTATIONS: Mapping[str, Callable[..., tuple[float, float]]] = {
    "r": lambda theta, phi: (theta, phi),
    "rx": lambda theta: (theta, 0.0),
    "ry": lambda theta: (theta, pi / 2),
    "x": lambda: (pi, 0.0),
    "y": lambda: (pi, pi / 2),
    "sx": lambda: (pi / 2, 0.0),
    "sxdg": lambda: (-pi / 2, 0.0),
}
"""theta and phi of gates that are a single `r`."""

_TOLERANCE = 1e-12
_NATIVE = "r, rx, ry, x, y, sx, sxdg, cz, barrier, delay, measure and reset"


def verbatim(
    circuit: QuantumCircuit, architecture: Architecture, layout: tuple[str, ...] | None
) -> NativeCircuit:
    """The circuit's instructions one by one, on the components that they name.

    `$n` is component n of the target, qubits in its order before resonators; other circuits need a
    `layout`. Raises `Refused` for a gate that is not native, or not calibrated on its locus.
    """
    names = _components(circuit, architecture, layout)
    require_bound(circuit)
    registers, places = registers_of(circuit)
    index = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    used = sorted({index[qubit] for item in circuit.data for qubit in item.qubits})
    new = {old: i for i, old in enumerate(used)}
    ops = []
    written: set[Clbit] = set()
    for number, item in enumerate(circuit.data):
        wires = [index[qubit] for qubit in item.qubits]
        listed = ", ".join(names[wire] for wire in wires)
        where = f"circuit {circuit.name}, instruction {number + 1}, on {listed}"
        if item.operation.name == "if_else":
            for bit, qubit, rotation in _conditional(item, written, where):
                ops.append(Op("cc_r", (new[index[qubit]],), rotation, (places[bit],)))
            continue
        written.update(item.clbits)
        op = _native_op(item, [names[wire] for wire in wires], where, architecture)
        bits = tuple(places[bit] for bit in item.clbits)
        ops.append(Op(op.name, tuple(new[wire] for wire in wires), op.params, bits))
    native = NativeCircuit(tuple(names[i] for i in used), registers, tuple(ops))
    if wrong := violations(native, architecture):
        # its instruction is counted from 0
        reason = re.sub(r"(?<=^instruction )\d+", lambda match: str(int(match[0]) + 1), wrong[0])
        raise Refused(
            f"circuit {circuit.name} cannot be sent verbatim: {reason}",
            hint="without `transpile: {verbatim: true}` it is routed to where the gates are"
            if "has none on" in wrong[0]
            else "docs/transpiling.md says what can be sent verbatim",
            code="refused.circuit",
        )
    return native


def _components(
    circuit: QuantumCircuit, architecture: Architecture, layout: tuple[str, ...] | None
) -> tuple[str, ...]:
    """The target's component of each qubit of the circuit."""
    if layout is not None:
        check_layout(circuit, architecture, layout)
        return layout
    if not is_physical(circuit):
        raise Refused(
            f"circuit {circuit.name} is sent verbatim, but nothing says on which qubits",
            hint="give it a `layout`, or name the machine's qubits in OpenQASM 3: `$0`, `$1`",
            code="refused.circuit",
        )
    if circuit.num_qubits > len(architecture.components):
        raise Refused(
            f"circuit {circuit.name} names ${circuit.num_qubits - 1}, {architecture.alias} has "
            f"$0 to ${len(architecture.components) - 1}",
            code="refused.circuit",
        )
    return architecture.components[: circuit.num_qubits]


def _native_op(
    item: CircuitInstruction, locus: list[str], where: str, architecture: Architecture
) -> Op:
    """The native instruction, without its qubits and bits."""
    operation = item.operation
    name: str = operation.name
    if (rotation := _rotation(operation)) is not None:
        return Op("r", (), rotation)
    if name == "swap" and set(locus) & set(architecture.resonators):
        if locus[0] in architecture.resonators:
            raise _refused(where, "a MOVE is written qubit first", "exchange its operands")
        return Op("move", ())
    if name == "delay":
        return Op(name, (), (seconds(operation),))
    if name in ("cz", "barrier", "measure", "reset"):
        return Op(name, ())
    hint = f"those are {_NATIVE}"
    raise _refused(where, f"`{name}` is no native gate", hint)


def _conditional(
    item: CircuitInstruction, written: set[Clbit], where: str
) -> Iterator[tuple[Clbit, Qubit, tuple[float, float]]]:
    """Bit, qubit and rotation of each gate of an `if`.

    Raises `Refused` for all but an `r` where a single bit is 1.
    """
    hint = "without `transpile: {verbatim: true}` other conditions are made of it"
    try:
        gates = conditional_gates(item, written)
    except Inexpressible as reason:
        raise _refused(where, f"a {reason.kind} is no native gate", hint) from reason
    for step in gates:
        if step.condition.holds != {(True,)} or len(step.condition.bits) != 1:
            raise _refused(where, "only a condition that one measured bit is 1 is native", hint)
        rotation = _rotation(step.gate)
        if rotation is None:
            raise _refused(where, f"`{step.gate.name}` is no native gate under a condition", hint)
        yield step.condition.bits[0], step.qubit, rotation


def _rotation(operation: Operation) -> tuple[float, float] | None:
    """theta and phi of a gate that is an `r`; None for other gates."""
    name: str = operation.name
    if name in _ROTATIONS:
        theta, phi = _ROTATIONS[name](*map(float, operation.params))
        return theta + 0.0, phi + 0.0
    return _of_u(*map(float, operation.params)) if name in ("u", "u3") else None


def _of_u(theta: float, phi: float, lam: float) -> tuple[float, float] | None:
    """theta and phi where U(theta, phi, lambda) is an `r`; None where it is not."""
    turns = (phi + lam) / (2 * pi)
    if abs(turns - round(turns)) * 2 * pi > _TOLERANCE:
        return None
    return theta, round(phi + pi / 2, 12) + 0.0


def _refused(where: str, what: str, hint: str) -> Refused:
    return Refused(f"{where}: {what}", hint=hint, code="refused.circuit")
