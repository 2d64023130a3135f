"""Other orders of the same circuit, in which CZs that share a qubit stand together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush

from iqm_spec.model import Op

TURNINGS = 3
"""Ways of breaking ties that are tried: more than three find next to nothing (docs/transpiling)."""


def orders(ops: Sequence[Op], shared: Callable[[Op], bool]) -> Iterator[list[Op]]:
    """`ops` as they are and in orders that need few MOVEs, built from either end.

    `shared` tells the CZs that go through a resonator. Instructions keep their order on every
    qubit and bit, but that CZs commute with each other.
    """
    yield list(ops)
    for turning in range(TURNINGS):
        yield _grouped(ops, shared, turning)
        yield _grouped(ops[::-1], shared, turning)[::-1]


def _grouped(ops: Sequence[Op], shared: Callable[[Op], bool], turning: int) -> list[Op]:
    """Turns of CZs with a qubit in common, the longest first; ties go round by `turning`."""
    agenda = _Agenda(ops, shared)
    order = agenda.commit(agenda.turn(None))
    shift = 0
    while agenda.ready:
        movers = sorted({qubit for i in agenda.ready for qubit in ops[i].qubits})
        first = shift % len(movers)
        turns = [agenda.turn(qubit) for qubit in movers[first:] + movers[:first]]
        order += agenda.commit(max(turns, key=lambda turn: sum(shared(ops[i]) for i in turn)))
        order += agenda.commit(agenda.turn(None))
        shift += turning
    return [ops[i] for i in order]


class _Agenda:
    """Which instructions are ready, and how many others each of the rest still waits for."""

    def __init__(self, ops: Sequence[Op], shared: Callable[[Op], bool]) -> None:
        self._ops = ops
        self._shared = shared
        self._followers: list[list[int]] = [[] for _ in ops]
        self._waits: list[int] = []
        for i, before in enumerate(_predecessors(ops)):
            self._waits.append(len(before))
            for j in before:
                self._followers[j].append(i)
        self.ready = {i for i, waits in enumerate(self._waits) if not waits}

    def turn(self, mover: int | None) -> list[int]:
        """What can run while `mover` is in the resonator (while it is empty, for None)."""
        heap = [i for i in self.ready if self._fits(i, mover)]
        heapify(heap)
        done: dict[int, int] = {}
        order = []
        while heap:
            order.append(heappop(heap))
            for i in self._followers[order[-1]]:
                done[i] = done.get(i, 0) + 1
                if done[i] == self._waits[i] and self._fits(i, mover):
                    heappush(heap, i)
        return order

    def commit(self, order: list[int]) -> list[int]:
        """Marks `order` as run, and returns it."""
        for i in order:
            self.ready.remove(i)
            for j in self._followers[i]:
                self._waits[j] -= 1
                if not self._waits[j]:
                    self.ready.add(j)
        return order

    def _fits(self, i: int, mover: int | None) -> bool:
        return self._shared(self._ops[i]) is (mover in self._ops[i].qubits)


def _predecessors(ops: Sequence[Op]) -> Iterable[set[int]]:
    """Per instruction, those that must be before it; CZs do not wait for CZs."""
    last: dict[tuple[str, int], int] = {}
    since: dict[tuple[str, int], list[int]] = {}
    for i, op in enumerate(ops):
        wires = [("q", qubit) for qubit in op.qubits] + [("c", bit) for bit in op.clbits]
        before = {last[wire] for wire in wires if wire in last}
        for wire in wires:
            if op.name == "cz":
                since.setdefault(wire, []).append(i)
            else:
                before |= set(since.pop(wire, ()))
                last[wire] = i
        yield before
