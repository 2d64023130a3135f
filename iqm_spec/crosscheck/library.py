"""Gates of qelib1.inc and stdgates.inc as matrices, from the languages' specifications.

Global phases are those of OpenQASM 3's stdgates.inc, where a control makes them matter; `u2` and
`u3` come without the specification's extra phase (see `qasm3`).
"""

from __future__ import annotations

from cmath import exp
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from math import cos, pi, sin
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.crosscheck.program import Unitary, controlled, product

if TYPE_CHECKING:
    from iqm_spec.crosscheck.program import Matrix


@frozen
class LibraryGate:
    """A gate of the library: numbers of angles and qubits, and its matrix at given angles."""

    angles: int
    qubits: int
    matrix: Callable[..., Matrix]

    def at(self, angles: tuple[float, ...]) -> Matrix:
        """The matrix at these angles, cached: equal calls return the same object."""
        return _at(self, angles)


@lru_cache(maxsize=4096)
def _at(gate: LibraryGate, angles: tuple[float, ...]) -> Matrix:
    return gate.matrix(*angles)


def u(theta: float, phi: float, lam: float) -> Matrix:
    """The general rotation of one qubit, whose first entry is real."""
    import numpy as np

    c, s = cos(theta / 2), sin(theta / 2)
    return np.array([[c, -exp(1j * lam) * s], [exp(1j * phi) * s, exp(1j * (phi + lam)) * c]])


def phase(angle: float) -> Matrix:
    """1 and a phase, on the diagonal."""
    import numpy as np

    return np.diag([1, exp(1j * angle)])


def scalar(angle: float) -> Matrix:
    """A global phase."""
    import numpy as np

    return np.array([[exp(1j * angle)]])


def _rx(theta: float) -> Matrix:
    return u(theta, -pi / 2, pi / 2)


def _ry(theta: float) -> Matrix:
    return u(theta, 0, 0)


def _rz(angle: float) -> Matrix:
    import numpy as np

    return np.diag([exp(-0.5j * angle), exp(0.5j * angle)])


def _x() -> Matrix:
    import numpy as np

    return np.array([[0, 1], [1, 0]], dtype=complex)


def _y() -> Matrix:
    import numpy as np

    return np.array([[0, -1j], [1j, 0]])


def _h() -> Matrix:
    import numpy as np

    half = 0.5**0.5 + 0j
    return np.array([[half, half], [half, -half]])


def _sx() -> Matrix:
    import numpy as np

    return np.array([[0.5 + 0.5j, 0.5 - 0.5j], [0.5 - 0.5j, 0.5 + 0.5j]])


def _identity(*_: float) -> Matrix:
    import numpy as np

    return np.eye(2, dtype=complex)


def swap() -> Matrix:
    """The exchange of two qubits."""
    import numpy as np

    matrix: Matrix = np.eye(4, dtype=complex)[[0, 2, 1, 3]]
    return matrix


def _pair(pauli: Callable[[], Matrix], angle: float) -> Matrix:
    """Rotation by `angle` about the product of the same Pauli matrix on two qubits."""
    import numpy as np

    both = np.kron(pauli(), pauli())
    matrix: Matrix = cos(angle / 2) * np.eye(4, dtype=complex) - 1j * sin(angle / 2) * both
    return matrix


def _z() -> Matrix:
    return phase(pi)


def _under(controls: int, of: Callable[..., Matrix]) -> Callable[..., Matrix]:
    def matrix(*angles: float) -> Matrix:
        result = of(*angles)
        for _ in range(controls):
            result = controlled(result)
        return result

    return matrix


def _cu(theta: float, phi: float, lam: float, gamma: float) -> Matrix:
    return controlled(u(theta, phi, lam) * exp(1j * gamma))


def _sequence(width: int, *calls: tuple[Any, ...]) -> Callable[[], Matrix]:
    """The matrix of calls: (matrix, qubits...)."""

    def matrix() -> Matrix:
        steps = [Unitary(call[0](), call[1:]) for call in calls]
        return product(steps, range(width))

    return matrix


def _t() -> Matrix:
    return phase(pi / 4)


def _tdg() -> Matrix:
    return phase(-pi / 4)


_cx = _under(1, _x)
_RCCX = _sequence(
    3, (_h, 2), (_t, 2), (_cx, 1, 2), (_tdg, 2), (_cx, 0, 2), (_t, 2), (_cx, 1, 2), (_tdg, 2),
    (_h, 2),
)  # fmt: skip
_RC3X = _sequence(
    4, (_h, 3), (_t, 3), (_cx, 2, 3), (_tdg, 3), (_h, 3), (_cx, 0, 3), (_t, 3), (_cx, 1, 3),
    (_tdg, 3), (_cx, 0, 3), (_t, 3), (_cx, 1, 3), (_tdg, 3), (_h, 3), (_t, 3), (_cx, 2, 3),
    (_tdg, 3), (_h, 3),
)  # fmt: skip


@cache
def _common() -> dict[str, LibraryGate]:
    """Gates that both languages have."""
    return {
        "id": LibraryGate(0, 1, _identity),
        "x": LibraryGate(0, 1, _x),
        "y": LibraryGate(0, 1, _y),
        "z": LibraryGate(0, 1, _z),
        "h": LibraryGate(0, 1, _h),
        "s": LibraryGate(0, 1, lambda: phase(pi / 2)),
        "sdg": LibraryGate(0, 1, lambda: phase(-pi / 2)),
        "t": LibraryGate(0, 1, _t),
        "tdg": LibraryGate(0, 1, _tdg),
        "sx": LibraryGate(0, 1, _sx),
        "rx": LibraryGate(1, 1, _rx),
        "ry": LibraryGate(1, 1, _ry),
        "rz": LibraryGate(1, 1, _rz),
        "p": LibraryGate(1, 1, phase),
        "u1": LibraryGate(1, 1, phase),
        "u2": LibraryGate(2, 1, lambda phi, lam: u(pi / 2, phi, lam)),
        "u3": LibraryGate(3, 1, u),
        "CX": LibraryGate(0, 2, _cx),
        "cx": LibraryGate(0, 2, _cx),
        "cy": LibraryGate(0, 2, _under(1, _y)),
        "cz": LibraryGate(0, 2, _under(1, _z)),
        "ch": LibraryGate(0, 2, _under(1, _h)),
        "swap": LibraryGate(0, 2, swap),
        "ccx": LibraryGate(0, 3, _under(2, _x)),
        "cswap": LibraryGate(0, 3, _under(1, swap)),
        "cp": LibraryGate(1, 2, _under(1, phase)),
        "crx": LibraryGate(1, 2, _under(1, _rx)),
        "cry": LibraryGate(1, 2, _under(1, _ry)),
        "crz": LibraryGate(1, 2, _under(1, _rz)),
        "cu": LibraryGate(4, 2, _cu),
    }


@cache
def qelib1() -> Mapping[str, LibraryGate]:
    """OpenQASM 2: `U`, `CX`, the paper's qelib1.inc and what was added to it since."""
    return _common() | {
        "U": LibraryGate(3, 1, u),
        "u": LibraryGate(3, 1, u),
        "u0": LibraryGate(1, 1, _identity),
        "sxdg": LibraryGate(0, 1, lambda: _sx().conj()),
        "cu1": LibraryGate(1, 2, _under(1, phase)),
        "cu3": LibraryGate(3, 2, _under(1, u)),
        "csx": LibraryGate(0, 2, _under(1, _sx)),
        "rxx": LibraryGate(1, 2, lambda angle: _pair(_x, angle)),
        "rzz": LibraryGate(1, 2, lambda angle: _pair(_z, angle)),
        "rccx": LibraryGate(0, 3, _RCCX),
        "rc3x": LibraryGate(0, 4, _RC3X),
        "c3x": LibraryGate(0, 4, _under(3, _x)),
        "c3sqrtx": LibraryGate(0, 4, _under(3, _sx)),
        "c4x": LibraryGate(0, 5, _under(4, _x)),
    }


@cache
def stdgates() -> Mapping[str, LibraryGate]:
    """OpenQASM 3's stdgates.inc."""
    return _common() | {
        "phase": LibraryGate(1, 1, phase),
        "cphase": LibraryGate(1, 2, _under(1, phase)),
    }
