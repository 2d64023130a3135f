"""A circuit as plain steps on numbered qubits and bits, and with its measurements deferred.

A matrix on qubits (a, b, ...) has a as the lowest bit of its row and column numbers. Classical bits
count through the registers in order, as in `NativeCircuit`.

Deferral gives gates on wires, some of which are read at the end. A measured qubit that is used
again is first copied to a new wire, a reset takes a new wire, and a condition becomes a control on
the wires of its bits: the distribution of outcomes stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.complex128]


MOST_STEPS = 20_000
"""Steps of a program, definitions expanded."""

WIDEST_STEP = 7
"""Qubits of a single step."""

MOST_ENTRIES = 4_000_000
"""Entries of all matrices of a program: 64 MB."""

MOST_WIRES = 400


class NotReadable(Exception):
    """The independent reading does not handle `reason`, a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@define
class Allowance:
    """What is left of the limits of a program while it is read."""

    steps: int = MOST_STEPS
    entries: int = MOST_ENTRIES

    def spend(self, steps: int, matrices: Sequence[Matrix] = ()) -> None:
        """Use up steps and matrices. Raises `NotReadable` where too little is left."""
        self.steps -= steps
        self.entries -= sum(matrix.size for matrix in matrices)
        if self.steps < 0:
            raise NotReadable(f"more than {MOST_STEPS:,} gates")
        if self.entries < 0:
            raise NotReadable("many wide gates")


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
class BitTest:
    """Holds where `test` of all classical bits as a number is true; it depends on `bits` only."""

    bits: frozenset[int]
    test: Callable[[int], bool]


@frozen(eq=False)
class Conditional:
    """Steps taken where a condition holds, and those taken where it does not."""

    condition: BitTest
    then: tuple[ProgramStep, ...]
    otherwise: tuple[ProgramStep, ...] = ()


ProgramStep = Unitary | Measure | Reset | Conditional


@frozen(eq=False)
class Program:
    """A circuit's classical registers as (name, size) and its steps in order."""

    registers: tuple[tuple[str, int], ...]
    steps: tuple[ProgramStep, ...] = field(repr=False)


def lay_out_registers(
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
    result: Matrix = made.astype(np.complex128)
    return result


def inverse(matrix: Matrix) -> Matrix:
    """The inverse of a unitary matrix."""
    result: Matrix = matrix.conj().T
    return result


def power(matrix: Matrix, exponent: float) -> Matrix:
    """The principal power of a unitary matrix: phases of eigenvalues in (-pi, pi]."""
    import numpy as np

    # a unitary is normal: the triangular part of its Schur form is diagonal, its basis orthonormal
    values, basis = _diagonalized(matrix)
    phases = np.angle(values)
    phases = np.where(phases < -np.pi + 1e-9, np.pi, phases)
    result: Matrix = (basis * np.exp(1j * phases * exponent)) @ basis.conj().T
    return result


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
    matrix: Matrix = np.eye(2 ** len(qubits), dtype=complex)
    for step in steps:
        matrix = apply_matrix(
            matrix, step.matrix, [place[qubit] for qubit in step.qubits], len(qubits)
        )
    return matrix


def apply_in_place(state: Matrix, matrix: Matrix, places: Sequence[int], width: int) -> Matrix:
    """As `apply_matrix`, in place, for a large state: touches changed amplitudes only.

    It avoids BLAS, whose threads wait for each other on a busy processor.
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


def apply_matrix(state: Matrix, matrix: Matrix, places: Sequence[int], width: int) -> Matrix:
    """`matrix` on the qubits at `places` of the first index of `state`, of `width` qubits."""
    split = state.reshape((2,) * width + (-1,))
    front = [width - 1 - place for place in reversed(places)]
    order = front + [axis for axis in range(width + 1) if axis not in front]
    moved = split.transpose(order)
    changed = (matrix @ moved.reshape(len(matrix), -1)).reshape(moved.shape)
    back = sorted(range(width + 1), key=order.__getitem__)
    result: Matrix = changed.transpose(back).reshape(state.shape)
    return result


@frozen(eq=False)
class DeferredProgram:
    """Gates on wires that begin at 0, and the wire from which each written bit is read."""

    gates: tuple[Unitary, ...]
    reading: Mapping[int, int]


def defer_measurements(program: Program) -> DeferredProgram:
    """`program` with its measurements at the end. Raises `NotReadable` for wide conditions."""
    wiring = _Wiring()
    wiring.take(program.steps)
    return DeferredProgram(tuple(wiring.gates), dict(wiring.reading))


@frozen(eq=False)
class _Guard:
    """A condition, and the wires of its bits when it was evaluated."""

    condition: BitTest
    wires: dict[int, int]
    value: bool


@define(eq=False)
class _Wiring:
    gates: list[Unitary] = field(factory=list)
    reading: dict[int, int] = field(factory=dict)
    _wire: dict[int, int] = field(factory=dict)
    _measured: set[int] = field(factory=set)
    _fresh: set[int] = field(factory=set)
    _guards: list[_Guard] = field(factory=list)
    _count: int = 0
    _left: Allowance = field(factory=Allowance)

    def take(self, steps: Iterable[ProgramStep]) -> None:
        for step in steps:
            match step:
                case Unitary():
                    self._apply(step.matrix, [self._wire_of(qubit) for qubit in step.qubits])
                case Measure():
                    self._measure(step.qubit, step.bit)
                case Reset():
                    wire = self._wire_of(step.qubit)
                    if self._guards:
                        self._apply(_exchange(), [wire, self._new()])
                    elif wire not in self._fresh:
                        self._wire[step.qubit] = self._new()
                case Conditional():
                    self._branch(step)

    def _new(self) -> int:
        if self._count >= MOST_WIRES:
            raise NotReadable(f"more than {MOST_WIRES} qubits, measurements and resets")
        self._count += 1
        self._fresh.add(self._count - 1)
        return self._count - 1

    def _wire_of(self, qubit: int) -> int:
        if qubit not in self._wire:
            self._wire[qubit] = self._new()
        return self._wire[qubit]

    def _measure(self, qubit: int, bit: int) -> None:
        wire = self._wire_of(qubit)
        if not self._guards:
            self._measured.add(wire)
            self.reading[bit] = wire
            return
        previous, target = self.reading.get(bit), self._new()
        self._add(_copy(), [wire, target])
        if previous is not None:
            self._add(_copy(), [previous, target], unless=True)
        self.reading[bit] = target
        self._measured.add(target)

    def _branch(self, step: Conditional) -> None:
        wires = {bit: self.reading[bit] for bit in step.condition.bits if bit in self.reading}
        self._measured.update(wires.values())
        for value, steps in ((True, step.then), (False, step.otherwise)):
            if steps:
                self._guards.append(_Guard(step.condition, wires, value))
                self.take(steps)
                self._guards.pop()

    def _apply(self, matrix: Matrix, wires: Sequence[int]) -> None:
        self._add(matrix, [self._preserve_measured(wire) for wire in wires])

    def _add(self, matrix: Matrix, wires: Sequence[int], *, unless: bool = False) -> None:
        """Apply `matrix` where all conditions hold, or where not all do (`unless`)."""
        gate = _guarded(matrix, wires, self._guards, unless=unless)
        if self._guards:
            self._left.spend(0, [gate.matrix])
        self._fresh.difference_update(gate.qubits)
        self.gates.append(gate)

    def _preserve_measured(self, wire: int) -> int:
        """`wire`, after its measured value was copied to a wire that no gate uses."""
        if wire not in self._measured:
            return wire
        preserved = self._new()
        self.gates.append(Unitary(_copy(), (wire, preserved)))
        self._fresh.discard(preserved)
        self._measured.discard(wire)
        self._measured.add(preserved)
        for bit, read in self.reading.items():
            if read == wire:
                self.reading[bit] = preserved
        for guard in self._guards:
            for bit, read in guard.wires.items():
                if read == wire:
                    guard.wires[bit] = preserved
        return wire


def _guarded(
    matrix: Matrix, wires: Sequence[int], guards: Sequence[_Guard], *, unless: bool
) -> Unitary:
    import numpy as np

    if not guards:
        return Unitary(matrix, tuple(wires))
    # a wire may control a copy of itself, which does not change it
    controls = sorted({wire for guard in guards for wire in guard.wires.values()} - set(wires))
    if len(controls) + len(wires) > WIDEST_STEP + 1:
        raise NotReadable("a condition on many bits")
    size = len(matrix)
    guarded = np.eye(size << len(controls), dtype=complex)
    all_wires = [*wires, *controls]
    for number in range(len(guarded)):
        values = {wire: number >> place & 1 for place, wire in enumerate(all_wires)}
        if all(_holds(guard, values) for guard in guards) != unless:
            rest, inner = divmod(number, size)
            guarded[:, number] = 0
            guarded[rest * size : (rest + 1) * size, number] = matrix[:, inner]
    return Unitary(guarded, tuple(all_wires))


def _holds(guard: _Guard, values: Mapping[int, int]) -> bool:
    bits = sum(values[wire] << bit for bit, wire in guard.wires.items())
    return bool(guard.condition.test(bits)) == guard.value


@lru_cache(maxsize=1)
def _copy() -> Matrix:
    import numpy as np

    return controlled(np.array([[0, 1], [1, 0]], dtype=complex))


@lru_cache(maxsize=1)
def _exchange() -> Matrix:
    import numpy as np

    return np.eye(4, dtype=complex)[[0, 2, 1, 3]]
