"""A circuit as plain steps on numbered qubits and bits, whatever it was read from.

A matrix on qubits (a, b, ...) has a as the lowest bit of its row and column numbers. Classical bits
count through the registers in order, as in `NativeCircuit`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.complex128]

MOST_STEPS = 20_000
"""Steps of a program with everything expanded."""

WIDEST_STEP = 7
"""Qubits of a single step."""


class NotReadable(Exception):
    """What the independent reading does not interpret; `reason` says it in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@frozen(eq=False)
class Unitary:
    """A matrix applied to qubits."""

    matrix: Matrix
    qubits: tuple[int, ...]


@frozen
class Measure:
    """A qubit measured into a classical bit."""

    qubit: int
    bit: int


@frozen
class Reset:
    """A qubit put to 0."""

    qubit: int


@frozen(eq=False)
class Condition:
    """Holds where `test` of all classical bits, as a number, is true; it looks at `bits` alone."""

    bits: frozenset[int]
    test: Callable[[int], bool]


@frozen(eq=False)
class Branch:
    """Steps taken where a condition holds, and those taken where it does not."""

    condition: Condition
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...] = ()


Step = Unitary | Measure | Reset | Branch


@frozen(eq=False)
class Program:
    """A circuit's classical registers as (name, size) and its steps in order."""

    registers: tuple[tuple[str, int], ...]
    steps: tuple[Step, ...] = field(repr=False)


def laid_out(
    declared: Sequence[tuple[str, int | None]],
) -> tuple[tuple[tuple[str, int], ...], list[int]]:
    """Registers in the order of a bitstring, and the first place of each of `declared`.

    A size of None is a bit outside of all registers: it stands among them where it was declared, as
    a register of its own that is named by how many bits were declared before.
    """
    names = {name for name, size in declared if size is not None}
    registers: list[tuple[str, int]] = []
    first: list[int] = []
    place = 0
    for name, size in declared:
        first.append(place)
        if size is None:
            own = f"bit{place}"
            while own in names:
                own += "_"
            names.add(own)
            registers.append((own, 1))
            place += 1
        else:
            registers.append((name, size))
            place += size
    return tuple(registers), first


def controlled(matrix: Matrix, value: int = 1) -> Matrix:
    """`matrix` applied where a new first qubit is `value`."""
    import numpy as np

    on, off = np.diag([1 - value, value]), np.diag([value, 1 - value])
    made = np.kron(matrix, on) + np.kron(np.eye(len(matrix)), off)
    found: Matrix = made.astype(np.complex128)
    return found


def inverse(matrix: Matrix) -> Matrix:
    """The inverse of a unitary matrix."""
    found: Matrix = matrix.conj().T
    return found


def power(matrix: Matrix, exponent: float) -> Matrix:
    """The principal power of a unitary matrix: phases of eigenvalues in (-pi, pi]."""
    import numpy as np

    # a unitary is normal: the triangular part of its Schur form is diagonal, its basis orthonormal
    values, basis = _diagonalized(matrix)
    phases = np.angle(values)
    phases = np.where(phases < -np.pi + 1e-9, np.pi, phases)
    found: Matrix = (basis * np.exp(1j * phases * exponent)) @ basis.conj().T
    return found


def _diagonalized(matrix: Matrix) -> tuple[Any, Matrix]:
    """Eigenvalues and an orthonormal basis of eigenvectors of a unitary matrix."""
    import numpy as np

    # a generic combination of its two commuting hermitian parts has the same eigenvectors
    real, imaginary = (matrix + matrix.conj().T) / 2, (matrix - matrix.conj().T) / 2j
    _, basis = np.linalg.eigh(real + 0.7320508 * imaginary)
    rotated = basis.conj().T @ matrix @ basis
    values = np.diag(rotated)
    if not np.allclose(rotated, np.diag(values), atol=1e-9):
        raise NotReadable("the power of a gate cannot be taken with certainty")
    return values, basis


def product(steps: Sequence[Unitary], qubits: Sequence[int]) -> Matrix:
    """The matrix of `steps` on `qubits`."""
    import numpy as np

    place = {qubit: i for i, qubit in enumerate(qubits)}
    whole: Matrix = np.eye(2 ** len(qubits), dtype=complex)
    for step in steps:
        whole = applied(whole, step.matrix, [place[qubit] for qubit in step.qubits], len(qubits))
    return whole


def played(state: Matrix, matrix: Matrix, places: Sequence[int], width: int) -> Matrix:
    """As `applied`, in place, for a large state: only amplitudes that change are touched.

    Without BLAS, whose threads wait for each other where others use the processor.
    """
    split = state.reshape((2,) * width)
    parts = []
    for number in range(len(matrix)):
        index: list[Any] = [slice(None)] * width
        for i, place in enumerate(places):
            index[width - 1 - place] = number >> i & 1
        parts.append(split[tuple(index)])
    changed = {}
    for row, factors in enumerate(matrix.tolist()):
        terms = [(column, factor) for column, factor in enumerate(factors) if factor]
        if terms != [(row, 1)]:
            changed[row] = sum(factor * parts[column] for column, factor in terms)
    for row, part in changed.items():
        parts[row][...] = part
    return state


def applied(state: Matrix, matrix: Matrix, places: Sequence[int], width: int) -> Matrix:
    """`matrix` on the qubits at `places` of the first index of `state`, of `width` qubits."""
    split = state.reshape((2,) * width + (-1,))
    front = [width - 1 - place for place in reversed(places)]
    order = front + [axis for axis in range(width + 1) if axis not in front]
    moved = split.transpose(order)
    changed = (matrix @ moved.reshape(len(matrix), -1)).reshape(moved.shape)
    back = sorted(range(width + 1), key=order.__getitem__)
    found: Matrix = changed.transpose(back).reshape(state.shape)
    return found
