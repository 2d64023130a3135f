"""MOVE insertion: the fewest that can be, and native everywhere."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from iqm_spec.model import Op
from iqm_spec.targets import Architecture, architecture_from_json
from iqm_spec.transpile import violations
from iqm_spec.transpile.moves import grouped_orders, insert_moves
from iqm_spec.transpile.pipeline import on_used_components

QUBITS = ["QB1", "QB2", "QB3", "QB4", "QB5"]


def machine(cz: list[list[str]], move: list[list[str]]) -> Architecture:
    ones = [[qubit] for qubit in QUBITS]
    gates = {"prx": ones, "measure": ones, "cz": cz, "move": move}
    data = {"qubits": QUBITS, "computational_resonators": ["CR1", "CR2"], "gates": gates}
    return architecture_from_json(data, "test")


STAR = machine([[q, "CR1"] for q in QUBITS], [[q, "CR1"] for q in QUBITS])
ONE_MOVES = machine([[q, "CR1"] for q in QUBITS], [["QB1", "CR1"], ["QB2", "CR1"]])
TWO_STARS = machine(
    [[q, "CR1"] for q in QUBITS[:3]] + [[q, "CR2"] for q in QUBITS[2:]] + [["QB1", "QB5"]],
    [[q, "CR1"] for q in QUBITS[:3]] + [[q, "CR2"] for q in QUBITS[2:]],
)


def cz(a: int, b: int) -> Op:
    return Op("cz", (a, b))


def r(qubit: int) -> Op:
    return Op("r", (qubit,), (1.0, 0.5))


def moves(ops: list[Op], on: Architecture) -> int:
    made = insert_moves(ops, on)
    assert violations(on_used_components(made, on, (("c", 5),)), on) == []
    return sum(op.name == "move" for op in made)


CASES = [
    ("nothing to move", [r(0), r(1)], STAR, 0),
    ("one CZ", [cz(0, 1)], STAR, 2),
    ("the same pair twice", [cz(0, 1), cz(1, 0)], STAR, 2),
    ("a fan", [cz(0, i) for i in range(1, 5)], STAR, 2),
    ("a fan from behind", [cz(i, 4) for i in range(4)], STAR, 2),
    ("a chain shares two by two", [cz(0, 1), cz(1, 2), cz(2, 3), cz(3, 4)], STAR, 4),
    ("the right one stays", [cz(0, 1), r(0), cz(0, 1)], STAR, 2),
    ("both are played on", [cz(0, 1), r(0), r(1), cz(0, 1)], STAR, 4),
    ("a gate elsewhere is no matter", [cz(0, 1), r(3), cz(0, 2)], STAR, 2),
    ("a barrier closes", [cz(0, 1), Op("barrier", (0, 1)), cz(0, 1)], STAR, 4),
    ("CZs commute into turns", [cz(0, 1), cz(2, 3), cz(0, 4), cz(2, 1)], STAR, 4),
    ("but not past a gate", [cz(0, 1), r(0), r(1), cz(2, 3), r(2), cz(0, 1)], STAR, 6),
    ("only some can move", [cz(0, 3), cz(1, 3)], ONE_MOVES, 4),
    ("two resonators at once", [cz(0, 1), cz(3, 4), cz(0, 2), cz(3, 2)], TWO_STARS, 4),
    ("a direct coupling", [cz(0, 4), r(0), r(4), cz(4, 0)], TWO_STARS, 0),
    ("one qubit, two resonators", [cz(0, 2), cz(2, 4)], TWO_STARS, 4),
]


@pytest.mark.parametrize(("ops", "on", "least"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_number_of_moves(ops: list[Op], on: Architecture, least: int) -> None:
    assert moves(ops, on) == least


def fewest_by_trying(ops: list[Op]) -> int:
    """The least number of MOVEs on a star for the order given, over all choices of movers."""

    def after(place: int, held: int | None) -> int:
        if place == len(ops):
            return int(held is not None)
        op = ops[place]
        if op.name != "cz":
            if held in op.qubits:
                return 1 + after(place + 1, None)
            return after(place + 1, held)
        costs = []
        for mover in op.qubits:
            cost = 0 if held == mover else 1 if held is None else 2
            costs.append(cost + after(place + 1, mover))
        return min(costs)

    return after(0, None)


def random_ops(seed: int) -> list[Op]:
    random = Random(seed)
    ops = []
    for _ in range(14):
        a, b = random.sample(range(5), 2)
        ops.append(cz(a, b) if random.random() < 0.6 else r(a))
    return ops


@pytest.mark.parametrize("seed", range(25))
def test_no_choice_of_movers_needs_fewer(seed: int) -> None:
    ops = random_ops(seed)
    assert moves(ops, STAR) <= fewest_by_trying(ops)
    tried = [fewest_by_trying(order) for order in grouped_orders(ops, lambda op: op.name == "cz")]
    assert moves(ops, STAR) == min(tried)


@pytest.mark.parametrize("seed", range(10))
def test_orders_keep_what_does_not_commute(seed: int) -> None:
    ops = random_ops(seed)
    for order in grouped_orders(ops, lambda op: op.name == "cz"):
        assert sorted(map(id, order)) == sorted(map(id, ops))
        place = {id(op): i for i, op in enumerate(order)}
        for qubit in range(5):
            on_wire = [op for op in ops if qubit in op.qubits]
            for one, other in pairwise(on_wire):
                if not one.name == other.name == "cz":
                    assert place[id(one)] < place[id(other)]
