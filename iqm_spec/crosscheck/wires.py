"""Programs without measurement on the way: gates on wires, some of which are read at the end.

What is measured and used again is first copied to a wire of its own, a reset takes a new wire, and
a condition is a control on the wires that hold its bits: outcomes have the same distribution.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from iqm_spec.crosscheck.program import (
    WIDEST_STEP,
    Branch,
    Condition,
    Measure,
    NotReadable,
    Program,
    Reset,
    Step,
    Unitary,
    controlled,
)

if TYPE_CHECKING:
    from iqm_spec.crosscheck.program import Matrix

MOST_WIRES = 400


@frozen(eq=False)
class Wired:
    """Gates on wires that begin at 0, and the wire that each written bit is read from."""

    gates: tuple[Unitary, ...]
    reading: Mapping[int, int]


def wired(program: Program) -> Wired:
    """`program` with its measurements at the end. Raises `NotReadable` for wide conditions."""
    work = _Wiring()
    work.take(program.steps)
    return Wired(tuple(work.gates), dict(work.reading))


@frozen(eq=False)
class _Guard:
    """A condition with the wires of its bits as they were when it was looked at."""

    condition: Condition
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

    def take(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Unitary():
                    self._apply(step.matrix, [self._of(qubit) for qubit in step.qubits])
                case Measure():
                    self._measure(step.qubit, step.bit)
                case Reset():
                    self._reset(step.qubit)
                case Branch():
                    self._branch(step)

    def _new(self) -> int:
        if self._count >= MOST_WIRES:
            raise NotReadable(f"more than {MOST_WIRES} qubits, measurements and resets")
        self._count += 1
        self._fresh.add(self._count - 1)
        return self._count - 1

    def _of(self, qubit: int) -> int:
        if qubit not in self._wire:
            self._wire[qubit] = self._new()
        return self._wire[qubit]

    def _measure(self, qubit: int, bit: int) -> None:
        wire = self._of(qubit)
        if not self._guards:
            self._measured.add(wire)
            self.reading[bit] = wire
            return
        kept, target = self.reading.get(bit), self._new()
        self._add(_copy(), [wire, target])
        if kept is not None:
            self._add(_copy(), [kept, target], unless=True)
        self.reading[bit] = target
        self._measured.add(target)

    def _reset(self, qubit: int) -> None:
        wire = self._of(qubit)
        if self._guards:
            fresh = self._new()
            self._apply(_exchange(), [wire, fresh])
        elif wire not in self._fresh:
            self._wire[qubit] = self._new()

    def _branch(self, step: Branch) -> None:
        wires = {bit: self.reading[bit] for bit in step.condition.bits if bit in self.reading}
        self._measured.update(wires.values())
        for value, steps in ((True, step.then), (False, step.otherwise)):
            if steps:
                self._guards.append(_Guard(step.condition, wires, value))
                self.take(steps)
                self._guards.pop()

    def _apply(self, matrix: Matrix, wires: Sequence[int]) -> None:
        self._add(matrix, [self._kept_apart(wire) for wire in wires])

    def _add(self, matrix: Matrix, wires: Sequence[int], *, unless: bool = False) -> None:
        """`matrix` where all conditions hold, or `unless` they do."""
        gate = _guarded(matrix, wires, self._guards, unless=unless)
        self._fresh.difference_update(gate.qubits)
        self.gates.append(gate)

    def _kept_apart(self, wire: int) -> int:
        """`wire`, what was measured on it copied to a wire that nothing else will use."""
        if wire not in self._measured:
            return wire
        kept = self._new()
        self.gates.append(Unitary(_copy(), (wire, kept)))
        self._fresh.discard(kept)
        self._measured.discard(wire)
        self._measured.add(kept)
        for bit, read in self.reading.items():
            if read == wire:
                self.reading[bit] = kept
        for guard in self._guards:
            for bit, read in guard.wires.items():
                if read == wire:
                    guard.wires[bit] = kept
        return wire


def _guarded(
    matrix: Matrix, wires: Sequence[int], guards: Sequence[_Guard], *, unless: bool
) -> Unitary:
    import numpy as np

    if not guards:
        return Unitary(matrix, tuple(wires))
    # a copy may be controlled by the very wire that it copies from, which it does not change
    controls = sorted({wire for guard in guards for wire in guard.wires.values()} - set(wires))
    if len(controls) + len(wires) > WIDEST_STEP + 1:
        raise NotReadable("a condition on many bits")
    size = len(matrix)
    whole = np.eye(size << len(controls), dtype=complex)
    every = [*wires, *controls]
    for number in range(len(whole)):
        held = {wire: number >> place & 1 for place, wire in enumerate(every)}
        if all(_holds(guard, held) for guard in guards) != unless:
            rest, inner = divmod(number, size)
            whole[:, number] = 0
            whole[rest * size : (rest + 1) * size, number] = matrix[:, inner]
    return Unitary(whole, tuple(every))


def _holds(guard: _Guard, held: Mapping[int, int]) -> bool:
    bits = sum(held[wire] << bit for bit, wire in guard.wires.items())
    return bool(guard.condition.test(bits)) == guard.value


@lru_cache(maxsize=1)
def _copy() -> Matrix:
    import numpy as np

    return controlled(np.array([[0, 1], [1, 0]], dtype=complex))


@lru_cache(maxsize=1)
def _exchange() -> Matrix:
    import numpy as np

    return np.eye(4, dtype=complex)[[0, 2, 1, 3]]
