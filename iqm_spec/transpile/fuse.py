"""Single-qubit gates between two-qubit gates become one `r` each; rotations about z cost nothing.

Every 2x2 unitary is RZ(frame) R(theta, phi). RZ commutes with CZ, is undone by a MOVE pair, does
nothing to a measurement, and merges with the next gate on its qubit: so it is carried along as the
qubit's frame and never played. What is left of it at the end changes no outcome and is dropped.
"""

from __future__ import annotations

from cmath import exp, phase
from collections.abc import Iterable
from math import atan2, cos, pi, sin

from iqm_spec.model import Op

Matrix = tuple[complex, complex, complex, complex]
"""A 2x2 matrix, row by row."""

IDENTITY: Matrix = (1, 0, 0, 1)
NEGLIGIBLE = 1e-9
"""Rotations below this angle (radians) are not played: they change no probability by 1e-9."""


def fuse(ops: Iterable[Op]) -> list[Op]:
    """`ops` with the fewest `r`: at most one per qubit between other instructions of that qubit.

    Barriers are instructions too: gates before and after one stay apart. Same distribution of
    outcomes; the final state may differ by a rotation about z of each qubit.
    """
    fused: list[Op] = []
    pending: dict[int, Matrix] = {}
    for op in ops:
        if op.name == "r":
            (qubit,) = op.qubits
            pending[qubit] = product(rotation(*op.params), pending.get(qubit, IDENTITY))
            continue
        for qubit in op.qubits:
            frame = _play(qubit, pending, fused)
            if op.name in ("measure", "reset"):
                # a qubit in a basis state has no phase: the frame starts anew
                del pending[qubit]
        # R(theta, phi) RZ(frame) is RZ(frame) R(theta, phi - frame)
        fused.append(_turned(op, frame) if op.name == "cc_r" else op)
    for qubit in list(pending):
        _play(qubit, pending, fused)
    return fused


def _turned(op: Op, frame: float) -> Op:
    theta, phi = op.params
    return Op(op.name, op.qubits, (tidy(theta), tidy(phi - frame)), op.clbits)


def _play(qubit: int, pending: dict[int, Matrix], fused: list[Op]) -> float:
    """Emits the qubit's pending product as one `r`, leaving its frame pending; returns it."""
    theta, phi, frame = split(pending.get(qubit, IDENTITY))
    if theta > NEGLIGIBLE:
        fused.append(Op("r", (qubit,), (tidy(theta), tidy(phi))))
    pending[qubit] = (exp(-0.5j * frame), 0, 0, exp(0.5j * frame))
    return frame


def rotation(theta: float, phi: float) -> Matrix:
    """R(theta, phi): by theta about the axis at angle phi in the xy-plane."""
    c, s = cos(theta / 2), sin(theta / 2)
    return c, -1j * exp(-1j * phi) * s, -1j * exp(1j * phi) * s, c


def product(left: Matrix, right: Matrix) -> Matrix:
    """Matrix product: `right` acts first."""
    a, b, c, d = left
    e, f, g, h = right
    return a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h


def split(matrix: Matrix) -> tuple[float, float, float]:
    """(theta, phi, frame) with `matrix` = RZ(frame) R(theta, phi) up to a phase; 0 <= theta <= pi.

    Where theta is pi the frame is free, and 0.
    """
    a, b, c, d = matrix
    theta = 2 * atan2(abs(c), abs(a))
    if pi - theta < NEGLIGIBLE:
        return theta, (phase(c) - phase(b)) / 2, 0.0
    frame = phase(d) - phase(a)
    # exact where a is small, but known up to half turns; the rough value tells which half
    phi, rough = (phase(c) - phase(b) - frame) / 2, phase(a) - phase(b) - pi / 2
    return theta, phi + pi * round((rough - phi) / pi), frame


def tidy(angle: float) -> float:
    """`angle` in (-pi, pi], exact where it is a multiple of pi/4, else to 12 decimals.

    Rounding hides the last bits, which differ between platforms' libm.
    """
    angle = angle % (2 * pi)
    eighths = round(angle / (pi / 4))
    if abs(angle - eighths * pi / 4) < 1e-12:
        return (eighths if eighths <= 4 else eighths - 8) * pi / 4
    return round(angle if angle <= pi else angle - 2 * pi, 12)
