"""MOVE gates for CZs between qubits that meet in a computational resonator.

A CZ of a and b through resonator r is: MOVE one of them into r, CZ the other with r, MOVE back. A
state may stay in r over many CZs, but must be back before anything else is done to its qubit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from attrs import frozen

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import Architecture
from iqm_spec.transpile.order import orders

MOST_STATES = 64
"""Cheapest ways kept while looking ahead. One resonator needs 2, and the result is the minimum."""

Held = tuple[tuple[int, int], ...]
"""Resonators with the qubit whose state each holds, sorted."""


@frozen
class _Way:
    """One way of doing an instruction: qubits that must be home, and who is in which resonator."""

    op: Op
    home: tuple[int, ...]
    mover: int | None = None
    resonator: int | None = None


@frozen
class _Path:
    """Cheapest found way to a state: (MOVEs, gates that had to wait for one), and the last step."""

    cost: tuple[int, int] = (0, 0)
    step: tuple[_Path, int, tuple[Op, ...], Op | None] | None = None


def insert_moves(ops: Sequence[Op], architecture: Architecture) -> list[Op]:
    """`ops` with CZs through resonators made of native gates; indices of `components`.

    The order of `order.orders` with the fewest MOVEs is taken, then the one of least depth. For
    its order, and with one resonator, the number of MOVEs is the least possible.
    """
    ways = _ways(architecture)

    def shared(op: Op) -> bool:
        return op.name == "cz" and ways[op.qubits][0].mover is not None

    if not any(map(shared, ops)):
        return list(ops)
    found = [_spell(_cheapest(order, ways), order) for order in orders(ops, shared)]
    return min(found, key=_moves_and_depth)


def _moves_and_depth(ops: Sequence[Op]) -> tuple[int, int]:
    whole = NativeCircuit((), (), tuple(ops))
    return whole.counts().get("move", 0), whole.depth()


@lru_cache(maxsize=32)
def _ways(architecture: Architecture) -> dict[tuple[int, ...], list[_Way]]:
    """Pairs of qubit indices with the ways of doing a CZ between them, the direct one first."""
    index = {name: i for i, name in enumerate(architecture.components)}
    qubits = set(architecture.qubits)
    found: dict[tuple[int, ...], list[_Way]] = {}

    def add(pair: tuple[str, str], way: _Way) -> None:
        places = index[pair[0]], index[pair[1]]
        found.setdefault(places, []).append(way)
        found.setdefault(places[::-1], []).append(way)

    pairs = [(locus[0], locus[1]) for locus in architecture.gates.get("cz", ())]
    for a, b in pairs:
        if a in qubits and b in qubits:
            places = index[a], index[b]
            add((a, b), _Way(Op("cz", places), home=places))
    moves = [(locus[0], locus[1]) for locus in architecture.gates.get("move", ())]
    for gate, resonator in pairs:
        for mover, other in moves:
            if other == resonator and mover != gate:
                op = Op("cz", (index[gate], index[resonator]))
                add((gate, mover), _Way(op, (index[gate],), index[mover], index[resonator]))
    return found


def _cheapest(ops: Sequence[Op], ways: dict[tuple[int, ...], list[_Way]]) -> _Path:
    paths: dict[Held, _Path] = {(): _Path()}
    for i, op in enumerate(ops):
        choices = ways[op.qubits] if op.name == "cz" else [_Way(op, op.qubits)]
        if choices[0].mover is not None or any(paths):
            paths = _step(paths, i, choices)
    everyone = {qubit for held in paths for _, qubit in held}
    end = _Way(Op("end", ()), tuple(everyone))
    return min(_step(paths, len(ops), [end]).values(), key=lambda path: path.cost)


def _step(paths: dict[Held, _Path], i: int, choices: Sequence[_Way]) -> dict[Held, _Path]:
    """Cheapest paths to each state after instruction `i`, done in any of the ways."""
    found: dict[Held, _Path] = {}
    for held, path in paths.items():
        for way in choices:
            moves, after = _moves(held, way)
            stalls = len(moves) if way.op.name == "r" else 0
            cost = path.cost[0] + len(moves), path.cost[1] + stalls
            if after in found and found[after].cost <= cost:
                continue
            replaced = way.op if way.mover is not None else None
            changed = moves or replaced
            found[after] = _Path(cost, (path, i, moves, replaced)) if changed else path
    if len(found) <= MOST_STATES:
        return found
    return dict(sorted(found.items(), key=lambda item: item[1].cost)[:MOST_STATES])


def _moves(held: Held, way: _Way) -> tuple[tuple[Op, ...], Held]:
    """MOVEs that `way` needs first, and what is held afterwards."""
    moves, kept = [], {}
    for resonator, qubit in held:
        misplaced = (resonator == way.resonator) != (qubit == way.mover)
        if qubit in way.home or misplaced:
            moves.append(Op("move", (qubit, resonator)))
        else:
            kept[resonator] = qubit
    if way.mover is not None and way.resonator not in kept:
        resonator = cast("int", way.resonator)
        moves.append(Op("move", (way.mover, resonator)))
        kept[resonator] = way.mover
    return tuple(moves), tuple(sorted(kept.items()))


def _spell(path: _Path, ops: Sequence[Op]) -> list[Op]:
    """The instructions along `path`."""
    steps: dict[int, tuple[tuple[Op, ...], Op | None]] = {}
    while path.step is not None:
        path, i, moves, replaced = path.step
        steps[i] = moves, replaced
    spelt: list[Op] = []
    for i, op in enumerate(ops):
        moves, replaced = steps.get(i, ((), None))
        spelt += [*moves, replaced or op]
    spelt += steps.get(len(ops), ((), None))[0]
    return spelt
