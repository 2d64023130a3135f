"""Circuits of the plan and of Qiskit as gates on wires, ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from math import isfinite, pi
from typing import TYPE_CHECKING, Any

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.report.figures.wires import MOST_GATES, Gate, Wired

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_BASE = {"cx": "x", "cy": "y", "cz": "z", "ch": "h", "ccx": "x", "ccz": "z", "mcx": "x"}


def of_native(circuit: NativeCircuit) -> Wired:
    """A transpiled circuit: `r` with its angles, perhaps on a bit, `cz`, `move`, measurements."""
    gates = tuple(_native(op) for op in circuit.ops[:MOST_GATES])
    return Wired(circuit.components, gates, max(0, len(circuit.ops) - MOST_GATES))


def _native(op: Op) -> Gate:
    if op.name == "cz":
        return Gate("cz", op.qubits, kind="dots")
    if op.name == "barrier":
        return Gate("barrier", op.qubits, kind="barrier")
    if op.name == "measure":
        return Gate("measure", op.qubits, kind="measure", bits=op.clbits)
    if op.name == "cc_r":
        return Gate(f"r if b{op.clbits[0]}", op.qubits, detail=angles(op.params))
    if op.name == "delay":
        told = f"{op.params[0] * 1e9:.3g} ns" if op.params else ""
        return Gate("delay", op.qubits, detail=told)
    return Gate(op.name, op.qubits, detail=angles(op.params))


def of_qiskit(circuit: QuantumCircuit) -> Wired:
    """A circuit as its author means it; what is not a common gate is a box with its name."""
    place = {bit: i for i, bit in enumerate(circuit.qubits)}
    bits = {bit: i for i, bit in enumerate(circuit.clbits)}
    gates = tuple(_gate(item, place, bits) for item in islice(circuit.data, MOST_GATES))
    names = tuple(f"q{i}" for i in range(circuit.num_qubits))
    return Wired(names, gates, max(0, len(circuit.data) - MOST_GATES))


def _gate(item: Any, place: dict[Any, int], bits: dict[Any, int]) -> Gate:
    operation = item.operation
    wires = tuple(place[qubit] for qubit in item.qubits)
    name = str(operation.name)
    if name == "barrier":
        return Gate(name, wires, kind="barrier")
    if name == "measure":
        return Gate(name, wires, kind="measure", bits=tuple(bits[bit] for bit in item.clbits))
    if name in ("cz", "ccz"):
        return Gate(name, wires, kind="dots")
    if name == "swap":
        return Gate(name, wires, kind="swap")
    told = angles([p for p in getattr(operation, "params", ()) if _is_number(p)])
    controls = int(getattr(operation, "num_ctrl_qubits", 0) or 0)
    if controls and getattr(operation, "ctrl_state", None) == 2**controls - 1:
        base = _BASE.get(name) or str(getattr(operation.base_gate, "name", name))
        return Gate(base, wires[controls:], wires[:controls], detail=told)
    return Gate(name, wires, detail=told)


def _is_number(of: Any) -> bool:
    try:
        return isfinite(float(of))
    except (TypeError, ValueError):
        return False


def angles(params: Sequence[Any]) -> str:
    """Angles in few characters, fractions of π where they are such."""
    return ", ".join(_angle(float(one)) for one in params)


def _angle(of: float) -> str:
    part = Fraction(of / pi).limit_denominator(16)
    if part == 0 and abs(of) < 1e-9:
        return "0"
    if part == 0 or abs(float(part) * pi - of) > 1e-7:
        return f"{of:.2f}"
    sign = "-" if part < 0 else ""
    top = "" if abs(part.numerator) == 1 else str(abs(part.numerator))
    below = "" if part.denominator == 1 else f"/{part.denominator}"
    return f"{sign}{top}π{below}"
