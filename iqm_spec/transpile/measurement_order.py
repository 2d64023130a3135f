"""Keeps the order of measurements that write the same classical bit: the last write counts.

Qiskit's `BarrierBeforeFinalMeasurements` looks at qubits only: it moves final measurements to the
end in an order of its own, in which another write may be the last. So a measurement whose outcome
is overwritten unread, and whose qubit is not used again, is removed before routing. A measurement
that another qubit overwrites goes through routing as an opaque instruction, which keeps the order
of its bit. Afterwards the order is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from iqm_spec.errors import Refused

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Clbit, Instruction, Qubit


WriteStep = tuple[str, Sequence[Any], Sequence[Any]]
"""An instruction's name, qubits and classical bits."""

EARLY_MEASURE = "early_measure"
"""Name of the opaque instruction in the place of a measurement that is overwritten."""

_LABEL = "write "


def early_measure(label: str | None = None) -> Instruction:
    """The opaque instruction, on one qubit and one bit."""
    from qiskit.circuit import Instruction

    return Instruction(EARLY_MEASURE, 1, 1, [], label=label)


def in_order(circuit: QuantumCircuit) -> QuantumCircuit:
    """`circuit` prepared for routing, so that the last write to each bit stays the last."""
    circuit = _without_lost_writes(circuit)
    # a measurement whose bit another qubit writes later becomes an opaque instruction
    next_writer: dict[Clbit, Qubit] = {}
    early: set[int] = set()
    for place, item in reversed(list(enumerate(circuit.data))):
        if item.operation.name != "measure":
            continue
        (qubit,), (bit,) = item.qubits, item.clbits
        if next_writer.get(bit, qubit) != qubit:
            early.add(place)
        next_writer[bit] = qubit
    if not early:
        return circuit
    marked = circuit.copy_empty_like()
    for place, item in enumerate(circuit.data):
        operation = early_measure(item.operation.label) if place in early else item.operation
        marked.append(operation, item.qubits, item.clbits, copy=False)
    return marked


def _without_lost_writes(circuit: QuantumCircuit) -> QuantumCircuit:
    """`circuit` without unobservable measurements; labels number those that share a bit."""
    from qiskit.circuit import Measure

    written: dict[Clbit, int] = {}
    for item in circuit.data:
        if item.operation.name == "measure":
            written[item.clbits[0]] = written.get(item.clbits[0], 0) + 1
    if max(written.values(), default=0) < 2:
        return circuit
    lost = lost_writes((i.operation.name, i.qubits, i.clbits) for i in circuit.data)
    reduced = circuit.copy_empty_like()
    for place, item in enumerate(circuit.data):
        if place in lost:
            continue
        if item.operation.name == "measure" and written[item.clbits[0]] > 1:
            reduced.append(Measure(label=f"{_LABEL}{place}"), item.qubits, item.clbits, copy=False)
        else:
            reduced.append(item, copy=False)
    return reduced


def lost_writes(steps: Iterable[WriteStep]) -> dict[int, int]:
    """Measurements that nothing follows on their qubit, and whose bit is overwritten unread.

    By their places among the steps (instructions of any kind of circuit), with the place of the
    measurement that overwrites each.
    """
    used: set[Any] = set()
    overwriting: dict[Any, int] = {}
    lost: dict[int, int] = {}
    for place, (name, qubits, bits) in reversed(list(enumerate(steps))):
        if name in ("barrier", "delay"):
            continue
        if name != "measure":
            for bit in bits:  # the instruction may read them
                overwriting.pop(bit, None)
        elif bits[0] in overwriting and qubits[0] not in used:
            lost[place] = overwriting[bits[0]]
            continue
        else:
            overwriting[bits[0]] = place
        used |= set(qubits)
    return lost


def require_order(routed: QuantumCircuit) -> None:
    """Raises `Refused` where measurements that share a bit changed their order."""
    last: dict[Clbit, int] = {}
    for item in routed.data:
        label = getattr(item.operation, "label", None)
        is_measure = item.operation.name in ("measure", EARLY_MEASURE)
        if not is_measure or not str(label).startswith(_LABEL):
            continue
        (bit,), place = item.clbits, int(str(label).removeprefix(_LABEL))
        if last.get(bit, -1) > place:
            raise Refused(
                f"circuit {routed.name} measures several qubits into one classical bit, and "
                "routing does not keep their order",
                hint="measure into different bits",
                code="refused.circuit",
            )
        last[bit] = place
