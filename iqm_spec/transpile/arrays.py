"""The fusion of `fuse` for many circuits at once: numbers are arrays, an entry per circuit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from iqm_spec.model import Op
from iqm_spec.transpile.fuse import IDENTITY, NEGLIGIBLE, product

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Matrices = tuple[Any, Any, Any, Any]
"""2x2 matrices row by row, each entry an array or one number for all."""


def fuse_arrays(ops: Iterable[Op], turns: Floats) -> tuple[list[Op], Floats, Floats]:
    """As `fuse.fuse`, for circuits whose `r` name columns of `turns` as their parameters.

    The `r` that are left name columns of the two arrays returned, thetas and phis, a row per
    circuit. Which are left depends on `ops` alone: where its theta is negligible a circuit does
    not play an `r`.
    """
    import numpy as np

    fused: list[Op] = []
    played: list[tuple[Any, Any]] = []
    pending: dict[int, Matrices] = {}
    turned: dict[int, None] = {}

    def play(qubit: int) -> None:
        if qubit in turned:
            del turned[qubit]
            theta, phi, frame = split(pending[qubit])
            fused.append(Op("r", (qubit,), (float(len(played)),)))
            played.append((theta, phi))
            pending[qubit] = (np.exp(-0.5j * frame), 0, 0, np.exp(0.5j * frame))

    for op in ops:
        if op.name == "r":
            (qubit,) = op.qubits
            theta, phi = (turns[:, int(column)] for column in op.params)
            pending[qubit] = product(rotation(theta, phi), pending.get(qubit, IDENTITY))
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


def rotation(theta: Floats, phi: Floats) -> Matrices:
    """R(theta, phi) of each entry."""
    import numpy as np

    c, s = np.cos(theta / 2), np.sin(theta / 2)
    turn = np.exp(1j * phi)
    return c, -1j * s / turn, -1j * s * turn, c


def split(matrices: Matrices) -> tuple[Floats, Floats, Floats]:
    """(theta, phi, frame) of each entry, as `fuse.split`."""
    import numpy as np

    a, b, c, d = (np.asarray(entry, dtype=complex) for entry in matrices)
    theta = 2 * np.arctan2(np.abs(c), np.abs(a))
    both = np.angle(c) - np.angle(b)
    frame = np.angle(d) - np.angle(a)
    phi, rough = (both - frame) / 2, np.angle(a) - np.angle(b) - np.pi / 2
    phi = phi + np.pi * np.round((rough - phi) / np.pi)
    half = np.pi - theta < NEGLIGIBLE
    return theta, np.where(half, both / 2, phi), np.where(half, 0.0, frame)


def tidy_arrays(angles: Floats) -> Floats:
    """Each angle as `fuse.tidy` has it."""
    import numpy as np

    angles = angles % (2 * np.pi)
    eighths = np.round(angles / (np.pi / 4))
    near = np.abs(angles - eighths * np.pi / 4) < 1e-12
    exact = np.where(eighths <= 4, eighths, eighths - 8) * np.pi / 4
    inside = np.where(angles <= np.pi, angles, angles - 2 * np.pi)
    return np.where(near, exact, np.round(inside, 12)) + 0.0
