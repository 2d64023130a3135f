"""MOVE gates for CZs between qubits that meet in a computational resonator.

A CZ of a and b through resonator r is: MOVE one of them into r, CZ the other with r, MOVE back. A
state may stay in r over many CZs, but must be back before anything else is done to its qubit.
Other orders of the same circuit, in which CZs that share a qubit are adjacent, need fewer MOVEs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from heapq import heapify, heappop, heappush
from typing import cast

from attrs import frozen

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import Architecture

MOST_STATES = 64
"""States kept in the search. With one resonator there are 2, and the result is the minimum."""

TIE_BREAKS = 3
"""Ways to break ties; more than three gain almost nothing (docs/transpiling.md)."""

ResonatorStates = tuple[tuple[int, int], ...]
"""(resonator, qubit whose state it holds), sorted."""


@frozen
class _Way:
    """A way to do an instruction: qubits that must be home, and the mover in its resonator."""

    op: Op
    home: tuple[int, ...]
    mover: int | None = None
    resonator: int | None = None


@frozen
class _Path:
    """Cheapest known path to a state: (MOVEs, gates that wait for one), and the last step."""

    cost: tuple[int, int] = (0, 0)
    step: tuple[_Path, int, tuple[Op, ...], Op | None] | None = None


def insert_moves(ops: Sequence[Op], architecture: Architecture) -> list[Op]:
    """`ops`, on indices of `components`, with CZs through resonators as native gates.

    Among `grouped_orders`, takes the order with the fewest MOVEs, then that of least depth. With
    one resonator the number of MOVEs is minimal for its order.
    """
    ways = _ways(architecture)

    def shared(op: Op) -> bool:
        return op.name == "cz" and ways[op.qubits][0].mover is not None

    if not any(map(shared, ops)):
        return list(ops)
    candidates = [
        _instructions_along(_cheapest(order, ways), order) for order in grouped_orders(ops, shared)
    ]
    return min(candidates, key=_moves_and_depth)


def _moves_and_depth(ops: Sequence[Op]) -> tuple[int, int]:
    circuit = NativeCircuit((), (), tuple(ops))
    return circuit.counts().get("move", 0), circuit.depth()


@lru_cache(maxsize=32)
def _ways(architecture: Architecture) -> dict[tuple[int, ...], list[_Way]]:
    """Ways to do a CZ by pair of qubit indices, the direct one first."""
    index = {name: i for i, name in enumerate(architecture.components)}
    qubits = set(architecture.qubits)
    ways: dict[tuple[int, ...], list[_Way]] = {}

    def add(pair: tuple[str, str], way: _Way) -> None:
        places = index[pair[0]], index[pair[1]]
        ways.setdefault(places, []).append(way)
        ways.setdefault(places[::-1], []).append(way)

    pairs = [(locus[0], locus[1]) for locus in architecture.gates.get("cz", ())]
    for a, b in pairs:
        if a in qubits and b in qubits:
            places = index[a], index[b]
            add((a, b), _Way(Op("cz", places), home=places))
    moves = [(locus[0], locus[1]) for locus in architecture.gates.get("move", ())]
    for qubit, resonator in pairs:
        for mover, move_resonator in moves:
            if move_resonator == resonator and mover != qubit:
                op = Op("cz", (index[qubit], index[resonator]))
                add((qubit, mover), _Way(op, (index[qubit],), index[mover], index[resonator]))
    return ways


def _cheapest(ops: Sequence[Op], ways: dict[tuple[int, ...], list[_Way]]) -> _Path:
    paths: dict[ResonatorStates, _Path] = {(): _Path()}
    for i, op in enumerate(ops):
        choices = ways[op.qubits] if op.name == "cz" else [_Way(op, op.qubits)]
        if choices[0].mover is not None or any(paths):
            paths = _step(paths, i, choices)
    moved = {qubit for states in paths for _, qubit in states}
    end = _Way(Op("end", ()), tuple(moved))
    return min(_step(paths, len(ops), [end]).values(), key=lambda path: path.cost)


def _step(
    paths: dict[ResonatorStates, _Path], i: int, choices: Sequence[_Way]
) -> dict[ResonatorStates, _Path]:
    """Cheapest paths to each state after instruction `i`, done in any of the ways."""
    best: dict[ResonatorStates, _Path] = {}
    for states, path in paths.items():
        for way in choices:
            moves, after = _moves(states, way)
            stalls = len(moves) if way.op.name == "r" else 0
            cost = path.cost[0] + len(moves), path.cost[1] + stalls
            if after in best and best[after].cost <= cost:
                continue
            replaced = way.op if way.mover is not None else None
            changed = moves or replaced
            best[after] = _Path(cost, (path, i, moves, replaced)) if changed else path
    if len(best) <= MOST_STATES:
        return best
    return dict(sorted(best.items(), key=lambda item: item[1].cost)[:MOST_STATES])


def _moves(states: ResonatorStates, way: _Way) -> tuple[tuple[Op, ...], ResonatorStates]:
    """MOVEs that `way` needs first, and the states of resonators afterwards."""
    moves, remaining = [], {}
    for resonator, qubit in states:
        misplaced = (resonator == way.resonator) != (qubit == way.mover)
        if qubit in way.home or misplaced:
            moves.append(Op("move", (qubit, resonator)))
        else:
            remaining[resonator] = qubit
    if way.mover is not None and way.resonator not in remaining:
        resonator = cast("int", way.resonator)
        moves.append(Op("move", (way.mover, resonator)))
        remaining[resonator] = way.mover
    return tuple(moves), tuple(sorted(remaining.items()))


def _instructions_along(path: _Path, ops: Sequence[Op]) -> list[Op]:
    """The instructions along `path`."""
    steps: dict[int, tuple[tuple[Op, ...], Op | None]] = {}
    while path.step is not None:
        path, i, moves, replaced = path.step
        steps[i] = moves, replaced
    result: list[Op] = []
    for i, op in enumerate(ops):
        moves, replaced = steps.get(i, ((), None))
        result += [*moves, replaced or op]
    result += steps.get(len(ops), ((), None))[0]
    return result


def grouped_orders(ops: Sequence[Op], shared: Callable[[Op], bool]) -> Iterator[list[Op]]:
    """`ops` in their own order, then in orders that need few MOVEs, built from either end.

    `shared` tests for CZs through a resonator. Instructions keep their order on every qubit and
    bit, except that CZs commute with each other.
    """
    yield list(ops)
    for tie_break in range(TIE_BREAKS):
        yield _grouped(ops, shared, tie_break)
        yield _grouped(ops[::-1], shared, tie_break)[::-1]


def _grouped(ops: Sequence[Op], shared: Callable[[Op], bool], tie_break: int) -> list[Op]:
    """Groups of CZs with a common qubit, the longest first; `turning` rotates the order of ties."""
    agenda = _Agenda(ops, shared)
    order = agenda.commit(agenda.turn(None))
    shift = 0
    while agenda.ready:
        movers = sorted({qubit for i in agenda.ready for qubit in ops[i].qubits})
        first = shift % len(movers)
        turns = [agenda.turn(qubit) for qubit in movers[first:] + movers[:first]]
        order += agenda.commit(max(turns, key=lambda turn: sum(shared(ops[i]) for i in turn)))
        order += agenda.commit(agenda.turn(None))
        shift += tie_break
    return [ops[i] for i in order]


class _Agenda:
    """Instructions that are ready, and how many others each remaining one waits for."""

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
        """Instructions that can run while `mover` is in the resonator; None: while it is empty."""
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
        """Mark `order` as run, and return it."""
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
    """Per instruction, those that must precede it; CZs do not wait for CZs."""
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
