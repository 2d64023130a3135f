"""Fuses single-qubit gates between other instructions into one `r` each; z rotations are virtual.

Every 2x2 unitary is RZ(frame) R(theta, phi). RZ commutes with CZ, is undone by a pair of MOVEs,
does not change a measurement, and merges with the next gate on its qubit: so it is carried along as
the qubit's frame and never played. What remains at the end changes no outcome and is dropped.

`fuse` takes one circuit; `fuse_arrays` takes many circuits that differ in angles, as arrays.
"""

from __future__ import annotations

from cmath import exp, phase
from collections.abc import Iterable
from math import atan2, cos, pi, sin
from typing import TYPE_CHECKING, Any

from attrs import evolve

from iqm_spec.model import Op

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


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
                # a qubit in a basis state has no phase: its frame restarts at 0
                del pending[qubit]
        if op.name == "cc_r":
            # R(theta, phi) RZ(frame) is RZ(frame) R(theta, phi - frame)
            theta, phi = op.params
            op = evolve(op, params=(tidy(theta), tidy(phi - frame)))
        fused.append(op)
    for qubit in list(pending):
        _play(qubit, pending, fused)
    return fused


def _play(qubit: int, pending: dict[int, Matrix], fused: list[Op]) -> float:
    """Emit the qubit's pending product as one `r`; its frame stays pending and is returned."""
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
    # exact where a is small, but known up to half turns; the rough value selects the half
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


Matrices = tuple[Any, Any, Any, Any]
"""2x2 matrices row by row; each entry is an array over circuits, or a number for all."""


def fuse_arrays(ops: Iterable[Op], turns: Floats) -> tuple[list[Op], Floats, Floats]:
    """As `fuse`, for circuits whose `r` have columns of `turns` as parameters.

    Args:
        ops: Instructions that all circuits share.
        turns: Angles in radians, shape (circuits, columns).

    Returns:
        The fused instructions, and arrays of thetas and phis of shape (circuits, fused `r`); an `r`
        has its column as its only parameter. The instructions depend on `ops` only: a circuit does
        not play an `r` whose theta is negligible.
    """
    import numpy as np

    fused: list[Op] = []
    played: list[tuple[Any, Any]] = []
    pending: dict[int, Matrices] = {}
    turned: dict[int, None] = {}

    def play(qubit: int) -> None:
        if qubit in turned:
            del turned[qubit]
            theta, phi, frame = split_arrays(pending[qubit])
            fused.append(Op("r", (qubit,), (float(len(played)),)))
            played.append((theta, phi))
            pending[qubit] = (np.exp(-0.5j * frame), 0, 0, np.exp(0.5j * frame))

    for op in ops:
        if op.name == "r":
            (qubit,) = op.qubits
            theta, phi = (turns[:, int(column)] for column in op.params)
            pending[qubit] = product(rotation_arrays(theta, phi), pending.get(qubit, IDENTITY))
            turned[qubit] = None
            continue
        for qubit in op.qubits:
            play(qubit)
            if op.name in ("measure", "reset"):
                pending.pop(qubit, None)
        fused.append(op)
    for qubit in [qubit for qubit in pending if qubit in turned]:
        play(qubit)
    shape = (len(turns), len(played))
    thetas, phis = np.empty(shape), np.empty(shape)
    for i, (theta, phi) in enumerate(played):
        thetas[:, i], phis[:, i] = theta, phi
    return fused, thetas, phis


def rotation_arrays(theta: Floats, phi: Floats) -> Matrices:
    """R(theta, phi) of each entry."""
    import numpy as np

    c, s = np.cos(theta / 2), np.sin(theta / 2)
    turn = np.exp(1j * phi)
    return c, -1j * s / turn, -1j * s * turn, c


def split_arrays(matrices: Matrices) -> tuple[Floats, Floats, Floats]:
    """(theta, phi, frame) of each entry, as `split`."""
    import numpy as np

    a, b, c, d = (np.asarray(entry, dtype=complex) for entry in matrices)
    theta = 2 * np.arctan2(np.abs(c), np.abs(a))
    twice_phi = np.angle(c) - np.angle(b)
    frame = np.angle(d) - np.angle(a)
    phi, rough = (twice_phi - frame) / 2, np.angle(a) - np.angle(b) - np.pi / 2
    phi = phi + np.pi * np.round((rough - phi) / np.pi)
    half = np.pi - theta < NEGLIGIBLE
    return theta, np.where(half, twice_phi / 2, phi), np.where(half, 0.0, frame)


def tidy_arrays(angles: Floats) -> Floats:
    """Each angle as by `tidy`."""
    import numpy as np

    angles = angles % (2 * np.pi)
    eighths = np.round(angles / (np.pi / 4))
    near = np.abs(angles - eighths * np.pi / 4) < 1e-12
    exact = np.where(eighths <= 4, eighths, eighths - 8) * np.pi / 4
    inside = np.where(angles <= np.pi, angles, angles - 2 * np.pi)
    return np.where(near, exact, np.round(inside, 12)) + 0.0
