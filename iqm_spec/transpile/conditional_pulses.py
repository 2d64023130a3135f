"""Conditionals by the only one that quantum computers have: an `r` played where one bit is 1.

Every gate V on one qubit is one or two rotations about axes in the xy-plane, so V under one bit is
one or two `cc_r`. V where a bit is 0 is V, undone where the bit is 1. V where two bits are both 1
comes from rotations that do not commute: up to a phase V = W^-1 (A B A B) W, where A and B are half
turns about two axes; A is played under one bit and B under the other. Where only one of the bits is
1, A A or B B is left, which is nothing. More bits: B is itself under the rest of them.

Phases are no matter: under a classical condition no global phase can be observed.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from math import acos, atan2, pi, sqrt
from typing import TYPE_CHECKING

from iqm_spec.circuits.conditionals import (
    Assignment,
    Condition,
    Inexpressible,
    conditional_gates,
    conditionals,
)
from iqm_spec.errors import Refused
from iqm_spec.transpile.fuse import NEGLIGIBLE, Matrix, product, rotation, split, tidy

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import CircuitInstruction, Clbit, Gate, Instruction, Parameter, Qubit


CONDITIONAL_R = "cc_r"

Cube = tuple[tuple[int, bool], ...]
"""Places of bits with the values that they must have."""

Pulse = tuple[int | None, float, float]
"""Place of the bit that is the condition (None: always), theta and phi in radians."""

_PULSES = (0, 1, 4, 10, 22)
"""Approximate number of conditional pulses by number of bits: the cost of a cube."""


def lower_conditionals(circuit: QuantumCircuit) -> QuantumCircuit:
    """`circuit` with every `if` as instructions `cc_r` (theta, phi; a qubit, a bit), r and rz.

    A bit that is not yet written is 0. Raises `Refused` for what no target does conditionally.
    """
    ifs = conditionals(circuit)
    if all(item.operation.name != "if_else" for item in circuit.data):
        return circuit
    lowered = circuit.copy_empty_like()
    for item in circuit.data:
        if item.operation.name != "if_else":
            lowered.append(item)
            continue
        try:
            _append_if(lowered, *next(ifs))
        except Inexpressible as reason:
            raise Refused(
                f"circuit {circuit.name} has what no machine does under a condition: {reason.kind}",
                hint="gates on one qubit can be put under a condition on at most four bits",
                code="refused.circuit",
            ) from reason
    return lowered


def _append_if(
    lowered: QuantumCircuit, item: CircuitInstruction, written: Collection[Clbit]
) -> None:
    """Append the gates of an `if`; gates of one qubit under one condition are multiplied."""
    pending: dict[Qubit, tuple[Condition, Matrix]] = {}
    for step in conditional_gates(item, written):
        previous = pending.get(step.qubit)
        matrix = _matrix(step.gate, lowered.name)
        if previous is not None and previous[0] == step.condition:
            pending[step.qubit] = step.condition, product(matrix, previous[1])
            continue
        if previous is not None:
            _append(lowered, step.qubit, *previous)
        pending[step.qubit] = step.condition, matrix
    for qubit, (condition, matrix) in pending.items():
        _append(lowered, qubit, condition, matrix)


def _matrix(gate: Gate, circuit: str) -> Matrix:
    from qiskit.quantum_info import Operator

    if any(getattr(param, "parameters", None) for param in gate.params):
        raise Refused(
            f"circuit {circuit} has a parameter without a value under a condition",
            code="refused.circuit",
        )
    (a, b), (c, d) = Operator(gate).data.tolist()
    return a, b, c, d


def _append(lowered: QuantumCircuit, qubit: Qubit, condition: Condition, matrix: Matrix) -> None:
    from qiskit.circuit.library import RGate

    for bit, theta, phi in pulses(condition.holds, len(condition.bits), matrix):
        if bit is None:
            lowered.append(RGate(theta, phi), [qubit], copy=False)
        else:
            operation = conditional_r(theta, phi)
            lowered.append(operation, [qubit], [condition.bits[bit]], copy=False)


def conditional_r(theta: float | Parameter, phi: float | Parameter) -> Instruction:
    """The instruction `cc_r` as Qiskit sees it: opaque, on one qubit and one bit."""
    from qiskit.circuit import Instruction

    return Instruction(CONDITIONAL_R, 1, 1, [theta, phi])


# --- pulses --------------------------------------------------------------------------------------


def pulses(holds: frozenset[Assignment], bits: int, matrix: Matrix) -> list[Pulse]:
    """Rotations that are `matrix` where the values of `bits` bits are in `holds`, else nothing.

    In order of time, up to a phase that depends on the bits only.
    """
    direct = cubes(holds, bits)
    complement = cubes(_all_values(bits) - holds, bits)
    if _cost(complement) < _cost(direct):
        undo = [pulse for cube in complement for pulse in _under(cube, adjoint(matrix))]
        return _always(matrix) + undo
    return [pulse for cube in direct for pulse in _under(cube, matrix)]


@lru_cache(maxsize=1024)
def cubes(holds: frozenset[Assignment], bits: int) -> tuple[Cube, ...]:
    """`holds` as few disjoint cubes."""

    def within(places: tuple[int, ...], fixed: Cube) -> tuple[Cube, ...]:
        matching = [
            v for v in _all_values(bits) if all(v[place] is value for place, value in fixed)
        ]
        num_true = sum(values in holds for values in matching)
        if num_true in (0, len(matching)):
            return (fixed,) if num_true else ()
        ways = []
        for place in places:
            rest = tuple(p for p in places if p != place)
            halves = [within(rest, (*fixed, (place, value))) for value in (True, False)]
            ways.append((*halves[0], *halves[1]))
        return min(ways, key=_cost)

    return within(tuple(range(bits)), ())


@lru_cache(maxsize=8)
def _all_values(bits: int) -> frozenset[Assignment]:
    return frozenset(itertools.product((False, True), repeat=bits))


def _cost(cubes: Sequence[Cube]) -> int:
    return sum(_PULSES[len(cube)] for cube in cubes)


def _under(cube: Cube, matrix: Matrix) -> Iterator[Pulse]:
    if not cube:
        yield from _always(matrix)
    elif len(cube) == 1:
        ((place, value),) = cube
        if not value:
            yield from _always(matrix)
        for theta, phi in _rotations(matrix if value else adjoint(matrix)):
            yield place, theta, phi
    else:
        turn, tilt, axis = _as_rotation(matrix)
        if turn < NEGLIGIBLE:
            return
        # W, twice (a half turn under all but the first bit, another under the first), then W^-1
        upright = rotation(tilt, axis - pi / 2)
        half_turn = rotation(pi, -turn / 4)
        yield from _always(upright)
        for _ in range(2):
            yield from _under(cube[1:], half_turn)
            yield from _under(cube[:1], rotation(pi, 0.0))
        yield from _always(adjoint(upright))


def _as_rotation(matrix: Matrix) -> tuple[float, float, float]:
    """(angle, polar angle, azimuth) of `matrix` as a rotation, up to a phase; radians."""
    a, b, c, d = matrix
    root = (a * d - b * c) ** 0.5
    a, b, c, d = a / root, b / root, c / root, d / root
    # cos(angle/2) - i sin(angle/2) (x X + y Y + z Z)
    x, y, z = -(b + c).imag / 2, (c - b).real / 2, (d - a).imag / 2
    length = sqrt(x * x + y * y + z * z)
    if length < NEGLIGIBLE / 2:
        return 0.0, 0.0, 0.0
    angle = 2 * atan2(length, (a + d).real / 2)
    return angle, acos(max(-1.0, min(1.0, z / length))), atan2(y, x)


def _always(matrix: Matrix) -> list[Pulse]:
    return [(None, theta, phi) for theta, phi in _rotations(matrix)]


def _rotations(matrix: Matrix) -> list[tuple[float, float]]:
    """`matrix` as at most two rotations (theta, phi) about axes in the xy-plane, in time order."""
    theta, phi, frame = split(matrix)
    if abs(tidy(frame)) < NEGLIGIBLE:
        return [(tidy(theta), tidy(phi))] if theta > NEGLIGIBLE else []
    last = phi + frame / 2
    # what remains after a half turn about this axis is a rotation about an axis in the plane
    first = product(adjoint(rotation(pi, last)), matrix)
    theta, phi, _ = split(first)
    return [(tidy(theta), tidy(phi)), (pi, tidy(last))]


def adjoint(matrix: Matrix) -> Matrix:
    """The inverse of a unitary matrix."""
    a, b, c, d = (complex(entry).conjugate() for entry in matrix)
    return a, c, b, d
