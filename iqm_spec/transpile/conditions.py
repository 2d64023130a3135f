"""Conditions made of the one that machines have: an `r` that is played where one bit is 1.

Every gate V on one qubit is one or two rotations about axes in the xy-plane, so V under one bit is
one or two `cc_r`. V where a bit is 0 is V, undone where the bit is 1. V where two bits are both 1
comes from rotations that do not commute: up to a phase V = W^-1 (A B A B) W, where A and B are half
turns about two axes; A is played under one bit and B under the other. Where only one of the bits is
1, A A or B B is left, which is nothing. More bits: B is itself under the rest of them.

Phases are no matter: under a classical condition no phase of the whole state can be seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import acos, atan2, pi, sqrt
from typing import TYPE_CHECKING, Any

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
    from qiskit.circuit import Instruction

CONDITIONAL_R = "cc_r"

Cube = tuple[tuple[int, bool], ...]
"""Places of bits with the values that they must have."""

Pulse = tuple[int | None, float, float]
"""The place of the bit under which it is played (None: always), theta and phi."""

_PULSES = (0, 1, 4, 10, 22)
"""Conditional pulses under so many bits, roughly: for choosing between ways."""


def lower(circuit: QuantumCircuit) -> QuantumCircuit:
    """`circuit` with every `if` in instructions `cc_r` (theta, phi; a qubit, a bit), r and rz.

    A bit that nothing has written yet is 0. `Refused` says what no machine does under a condition.
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


def _append_if(lowered: QuantumCircuit, item: Any, written: Any) -> None:
    """The gates of an `if`, those of one qubit under one condition as one."""
    pending: dict[Any, tuple[Condition, Matrix]] = {}
    for step in conditional_gates(item, written):
        before = pending.get(step.qubit)
        matrix = _matrix(step.gate, lowered.name)
        if before is not None and before[0] == step.condition:
            pending[step.qubit] = step.condition, product(matrix, before[1])
            continue
        if before is not None:
            _append(lowered, step.qubit, *before)
        pending[step.qubit] = step.condition, matrix
    for qubit, (condition, matrix) in pending.items():
        _append(lowered, qubit, condition, matrix)


def _matrix(gate: Any, circuit: str) -> Matrix:
    from qiskit.quantum_info import Operator

    if any(getattr(param, "parameters", None) for param in gate.params):
        raise Refused(
            f"circuit {circuit} has a parameter without a value under a condition",
            code="refused.circuit",
        )
    (a, b), (c, d) = Operator(gate).data.tolist()
    return a, b, c, d


def _append(lowered: QuantumCircuit, qubit: Any, condition: Condition, matrix: Matrix) -> None:
    from qiskit.circuit.library import RGate

    for bit, theta, phi in pulses(condition.holds, len(condition.bits), matrix):
        if bit is None:
            lowered.append(RGate(theta, phi), [qubit], copy=False)
        else:
            operation = conditional_r(theta, phi)
            lowered.append(operation, [qubit], [condition.bits[bit]], copy=False)


def conditional_r(theta: Any, phi: Any) -> Instruction:
    """The instruction `cc_r` as Qiskit sees it: opaque, on one qubit and one bit."""
    from qiskit.circuit import Instruction

    return Instruction(CONDITIONAL_R, 1, 1, [theta, phi])


# --- pulses --------------------------------------------------------------------------------------


def pulses(holds: frozenset[Assignment], bits: int, matrix: Matrix) -> list[Pulse]:
    """Rotations that are `matrix` where the values of `bits` bits are in `holds`, else nothing.

    In order of time, up to a phase that depends on the bits alone.
    """
    direct = cubes(holds, bits)
    others = cubes(_every(bits) - holds, bits)
    if _cost(others) < _cost(direct):
        undone = [pulse for cube in others for pulse in _under(cube, adjoint(matrix))]
        return _always(matrix) + undone
    return [pulse for cube in direct for pulse in _under(cube, matrix)]


@lru_cache(maxsize=1024)
def cubes(holds: frozenset[Assignment], bits: int) -> tuple[Cube, ...]:
    """`holds` as few conditions on bits, no two of which are ever true at once."""

    def within(places: tuple[int, ...], fixed: Cube) -> tuple[Cube, ...]:
        alike = [v for v in _every(bits) if all(v[place] is value for place, value in fixed)]
        true = sum(values in holds for values in alike)
        if true in (0, len(alike)):
            return (fixed,) if true else ()
        ways = []
        for place in places:
            rest = tuple(other for other in places if other != place)
            halves = [within(rest, (*fixed, (place, value))) for value in (True, False)]
            ways.append((*halves[0], *halves[1]))
        return min(ways, key=_cost)

    return within(tuple(range(bits)), ())


@lru_cache(maxsize=8)
def _every(bits: int) -> frozenset[Assignment]:
    from itertools import product as every

    return frozenset(every((False, True), repeat=bits))


def _cost(some: Sequence[Cube]) -> int:
    return sum(_PULSES[len(cube)] for cube in some)


def _under(cube: Cube, matrix: Matrix) -> Iterator[Pulse]:
    if not cube:
        yield from _always(matrix)
    elif len(cube) == 1:
        ((place, value),) = cube
        if not value:
            yield from _always(matrix)
        yield from _played(place, matrix if value else adjoint(matrix))
    else:
        yield from _commutator(cube, matrix)


def _commutator(cube: Cube, matrix: Matrix) -> Iterator[Pulse]:
    """W, then twice a half turn under all but the first bit and one under the first, then W^-1."""
    turn, tilt, axis = _as_rotation(matrix)
    if turn < NEGLIGIBLE:
        return
    upright = rotation(tilt, axis - pi / 2)
    half_turn = rotation(pi, -turn / 4)
    yield from _always(upright)
    for _ in range(2):
        yield from _under(cube[1:], half_turn)
        yield from _under(cube[:1], rotation(pi, 0.0))
    yield from _always(adjoint(upright))


def _as_rotation(matrix: Matrix) -> tuple[float, float, float]:
    """(angle, polar angle, azimuth) of the rotation that `matrix` is, up to a phase."""
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


def _played(place: int, matrix: Matrix) -> list[Pulse]:
    return [(place, theta, phi) for theta, phi in _rotations(matrix)]


def _rotations(matrix: Matrix) -> list[tuple[float, float]]:
    """`matrix` as at most two rotations about axes in the xy-plane, the first one first."""
    theta, phi, frame = split(matrix)
    if abs(tidy(frame)) < NEGLIGIBLE:
        return [(tidy(theta), tidy(phi))] if theta > NEGLIGIBLE else []
    last = phi + frame / 2
    # what a half turn about this axis leaves to do is a rotation about an axis in the plane
    first = product(adjoint(rotation(pi, last)), matrix)
    theta, phi, _ = split(first)
    return [(tidy(theta), tidy(phi)), (pi, tidy(last))]


def adjoint(matrix: Matrix) -> Matrix:
    """The inverse of a unitary matrix."""
    a, b, c, d = (complex(entry).conjugate() for entry in matrix)
    return a, c, b, d
