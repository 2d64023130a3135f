"""What decides how a native circuit can be simulated: width, measurements, Clifford or not."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from math import pi

from attrs import evolve, frozen

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.native import Native, Template

_TOLERANCE = 1e-9
"""Radians by which an angle may miss a multiple of pi/4 and still count as it."""


@frozen
class Shape:
    """A circuit's properties that choose a simulation method.

    `measured` are (classical bit, component) of the last measurement into each bit, by bit.
    `final` is true where no component is used again after it was measured, none is reset, and
    nothing depends on an outcome.
    `bond_bits` bounds the logarithm to base 2 of the bonds of a matrix product state of the
    components `in_line`.
    """

    width: int
    gates: int
    measured: tuple[tuple[int, int], ...]
    final: bool
    clifford: bool
    bond_bits: int


def shape_of(native: Native) -> Shape:
    """The circuit's shape."""
    turns = [*zip(native.angles[::2], native.angles[1::2], strict=True)]
    turns += [
        (op.params[0], op.params[1]) for op in native.template.structure.ops if op.name == "cc_r"
    ]
    if all(quarter_turns(theta, phi) is not None for theta, phi in turns):
        return evolve(shape_of_skeleton(native.template), clifford=True)
    return shape_of_skeleton(native.template)


@lru_cache(maxsize=4096)
def shape_of_skeleton(skeleton: Template) -> Shape:
    """The shape of the circuits of a skeleton that are not Clifford."""
    circuit = skeleton.structure
    gates = [op for op in circuit.ops if op.name in ("r", "cc_r", "cz", "move")]
    return Shape(
        width=len(circuit.components),
        gates=len(gates),
        measured=_measured(circuit),
        final=_is_final(circuit),
        clifford=False,
        bond_bits=_bond_bits(line_order(circuit), gates),
    )


def quarter_turns(theta: float, phi: float) -> tuple[int, int] | None:
    """The angle of an `r` in units of pi/2 and its axis in units of pi/4, or None.

    None unless the gate is Clifford: half turns about any of eight axes, quarter turns about four.
    """
    turns, axis = round(theta / (pi / 2)), round(phi / (pi / 4))
    if abs(theta - turns * pi / 2) > _TOLERANCE:
        return None
    if turns % 4 == 0:
        return 0, 0
    if abs(phi - axis * pi / 4) > _TOLERANCE or (turns % 2 and axis % 2):
        return None
    return turns % 4, axis % 8


def in_line(native: Native) -> Native:
    """The same circuit with its components in `line_order`: smaller bonds, fewer swaps in Aer."""
    return Native(Template(_in_line(native.template.structure)), native.angles)


def _in_line(circuit: NativeCircuit) -> NativeCircuit:
    order = line_order(circuit)
    new = {old: index for index, old in enumerate(order)}
    return evolve(
        circuit,
        components=tuple(circuit.components[q] for q in order),
        ops=tuple(evolve(op, qubits=tuple(new[q] for q in op.qubits)) for op in circuit.ops),
    )


def line_order(circuit: NativeCircuit) -> list[int]:
    """Components in a line in which those that interact are near each other.

    The better of the order given and Cuthill and McKee's.
    """
    gates = [op for op in circuit.ops if op.name in ("cz", "move")]
    orders = (list(range(len(circuit.components))), _breadth_first(circuit))
    return min(orders, key=lambda order: _bond_bits(order, gates))


def _breadth_first(circuit: NativeCircuit) -> list[int]:
    """Cuthill and McKee: breadth first from a component of few neighbours, fewest first."""
    near: dict[int, set[int]] = {q: set() for q in range(len(circuit.components))}
    for op in circuit.ops:
        if op.name in ("cz", "move"):
            a, b = op.qubits
            near[a].add(b)
            near[b].add(a)
    found: dict[int, None] = {}
    for start in sorted(near, key=lambda q: (len(near[q]), q)):
        waiting = deque([] if start in found else [start])
        while waiting:
            here = waiting.popleft()
            if here not in found:
                found[here] = None
                waiting += sorted(near[here] - found.keys(), key=lambda q: (len(near[q]), q))
    return list(found)


def without_moves(native: Native) -> Native:
    """The same ideal circuit with each `move` made a change of names.

    Delays and barriers go, and so do components that are then neither measured nor acted on: a
    star's resonator.
    """
    return Native(_without_moves(native.template), native.angles)


@lru_cache(maxsize=1024)
def _without_moves(skeleton: Template) -> Template:
    circuit = skeleton.structure
    place = list(range(len(circuit.components)))
    ops = []
    for op in circuit.ops:
        if op.name == "move":
            a, b = op.qubits
            place[a], place[b] = place[b], place[a]
        elif op.name not in ("delay", "barrier"):
            ops.append(evolve(op, qubits=tuple(place[q] for q in op.qubits)))
    used = sorted({q for op in ops for q in op.qubits})
    new = {old: index for index, old in enumerate(used)}
    bare = NativeCircuit(
        components=tuple(circuit.components[q] for q in used),
        registers=circuit.registers,
        ops=tuple(evolve(op, qubits=tuple(new[q] for q in op.qubits)) for op in ops),
    )
    return Template(bare)


def unmeasured(circuit: NativeCircuit) -> NativeCircuit:
    """The circuit's gates alone, without classical registers."""
    gates = tuple(op for op in circuit.ops if op.name in ("r", "cz", "move"))
    return NativeCircuit(circuit.components, (), gates)


def _measured(circuit: NativeCircuit) -> tuple[tuple[int, int], ...]:
    last = {op.clbits[0]: op.qubits[0] for op in circuit.ops if op.name == "measure"}
    return tuple(sorted(last.items()))


def _is_final(circuit: NativeCircuit) -> bool:
    done: set[int] = set()
    for op in circuit.ops:
        if op.name in ("barrier", "delay"):
            continue
        if op.name not in ("r", "cz", "move", "measure") or not done.isdisjoint(op.qubits):
            return False
        if op.name == "measure":
            done.update(op.qubits)
    return True


def _bond_bits(order: list[int], gates: list[Op]) -> int:
    """A cz across a cut at most doubles the Schmidt rank there; a move, a swap, fourfolds it."""
    width = len(order)
    place = {component: index for index, component in enumerate(order)}
    crossing = [0] * (width + 1)
    for op in gates:
        if len(op.qubits) == 2:
            low, high = sorted(place[q] for q in op.qubits)
            for cut in range(low + 1, high + 1):
                crossing[cut] += 2 if op.name == "move" else 1
    return max((min(cut, width - cut, crossing[cut]) for cut in range(width + 1)), default=0)
