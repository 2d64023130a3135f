"""Placements: schedules, predicted success, and the search beside every placement there is."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from iqm_spec.emulator.deviation import Deviation, deviating_profile
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.placement.place import best_placement, relabeled
from iqm_spec.placement.schedule import Idle, idles, with_idles
from iqm_spec.placement.search import Problem, loss_of, solve
from iqm_spec.placement.success import predicted_success
from iqm_spec.targets import Architecture, ErrorProfile, architecture, error_profile
from iqm_spec.targets.profile import average_fidelity
from iqm_spec.transpile import transpile

DURATIONS = {"prx": 20.0, "cz": 40.0, "move": 100.0}


def turn(qubit: int) -> Op:
    return Op("r", (qubit,), (1.0, 0.0))


def measure(qubit: int) -> Op:
    return Op("measure", (qubit,), (), (qubit,))


def circuit(*ops: Op, width: int = 3, names: tuple[str, ...] = ()) -> NativeCircuit:
    components = names or tuple(f"QB{i + 1}" for i in range(width))
    return NativeCircuit(components, (("c", width),), ops)


@pytest.mark.parametrize(
    ("ops", "expected"),
    [
        pytest.param([turn(0), Op("cz", (0, 1))], [], id="what holds no state does not relax"),
        pytest.param(
            [turn(0), turn(0), turn(1), Op("cz", (0, 1))], [Idle(3, 1, 20)], id="waits for another"
        ),
        pytest.param(
            [turn(0), Op("delay", (0,), (1e-6,)), turn(0)], [Idle(1, 0, 1000)], id="a delay"
        ),
        pytest.param(
            [turn(0), Op("delay", (1,), (1e-6,)), Op("cz", (0, 1))],
            [Idle(2, 0, 980)],
            id="waits for a delay of another",
        ),
        pytest.param(
            [turn(0), turn(1), turn(1), Op("barrier", (0, 1)), turn(0)],
            [Idle(4, 0, 20)],
            id="a barrier holds back",
        ),
        pytest.param(
            [
                turn(0),
                turn(1),
                turn(1),
                Op("measure", (0,), (), (0,)),
                Op("measure", (1,), (), (1,)),
            ],
            [Idle(3, 0, 20)],
            id="measurements begin together",
        ),
        pytest.param(
            [turn(0), Op("reset", (0,)), Op("delay", (0,), (1e-6,)), turn(0)],
            [],
            id="nothing relaxes after a reset",
        ),
        pytest.param(
            [
                turn(0),
                Op("move", (0, 2)),
                turn(1),
                turn(1),
                turn(1),
                turn(1),
                turn(1),
                turn(1),
                turn(1),
                Op("cz", (1, 2)),
                Op("move", (0, 2)),
            ],
            [Idle(9, 2, 20)],
            id="a state in a resonator relaxes there, and its qubit does not",
        ),
    ],
)
def test_idle_times(ops: list[Op], expected: list[Idle]) -> None:
    found = idles(circuit(*ops), DURATIONS)
    assert [(item.op, item.component) for item in found] == [
        (item.op, item.component) for item in expected
    ]
    assert [item.duration for item in found] == pytest.approx([item.duration for item in expected])


def test_idles_as_delays() -> None:
    ops = [turn(0), Op("delay", (0,), (1e-6,)), turn(1), Op("cz", (0, 1))]
    delay = Op("delay", (1,), (1e-6,))
    explicit = with_idles(circuit(*ops), DURATIONS)
    assert explicit.ops == (turn(0), ops[1], turn(1), delay, ops[3])
    assert with_idles(explicit, DURATIONS) == explicit


def test_predicted_success_is_the_product_of_fidelities() -> None:
    profile = ErrorProfile(
        t1={"QB1": 1e4, "QB2": 2e4},
        t2={"QB1": 1e4, "QB2": 1e4},
        depolarizing={"prx": {("QB1",): 0.01, ("QB2",): 0.02}, "cz": {("QB1", "QB2"): 0.05}},
        durations={"prx": 20.0, "cz": 40.0},
        readout={"QB1": (0.01, 0.03), "QB2": (0.0, 0.1)},
        source="",
    )
    ops = [turn(0), turn(0), turn(1), Op("cz", (1, 0)), Op("measure", (1,), (), (0,))]
    one, two = (1e4, 1e4), (2e4, 1e4)
    expected = (
        average_fidelity(0.01, [one], 20) ** 2
        * average_fidelity(0.02, [two], 20)
        * average_fidelity(0.05, [one, two], 40)
        * average_fidelity(0.0, [two], 20)  # QB2 waits for QB1
        * 0.95
    )
    assert predicted_success(circuit(*ops, width=2), profile) == pytest.approx(expected)


def test_what_has_no_figure_is_predicted_to_fail() -> None:
    profile = error_profile("garnet")
    assert profile is not None
    broken = evolve(profile, depolarizing={"prx": {}})
    assert predicted_success(circuit(turn(0)), broken) == 0


# --- the search ----------------------------------------------------------------------------------


def problem(
    rng: np.random.Generator, size: int, places: int, edges: list[tuple[int, int]]
) -> Problem:
    """Random losses on a random graph of places."""
    singles = rng.exponential(size=(size, places))
    singles[rng.random(singles.shape) < 0.1] = math.inf
    able = np.triu(rng.random((places, places)) < 0.5, 1)
    able |= able.T
    pairs = {}
    for edge in edges:
        table = np.where(able, rng.exponential(size=able.shape), math.inf)
        pairs[edge] = np.minimum(table, table.T)
    return Problem(singles, pairs)


@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(5, 7), st.data())
@settings(max_examples=150)
def test_the_search_finds_the_optimum(
    seed: int, size: int, places: int, data: st.DataObject
) -> None:
    possible = list(itertools.combinations(range(size), 2))
    edges = data.draw(st.lists(st.sampled_from(possible), unique=True)) if possible else []
    task = problem(np.random.default_rng(seed), size, places, edges)
    losses = [loss_of(task, chosen) for chosen in itertools.permutations(range(places), size)]
    found = solve(task)
    if found is None:
        assert min(losses) == math.inf
        return
    assert found.is_optimal
    assert found.loss == pytest.approx(min(losses))
    assert loss_of(task, found.places) == pytest.approx(found.loss)
    assert len(set(found.places)) == size


def random_circuit(machine: Architecture, rng: random.Random, width: int) -> NativeCircuit:
    """A circuit on a connected part of a square machine."""
    near: dict[str, list[str]] = {}
    for a, b in machine.gates["cz"]:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    chosen = [rng.choice(machine.qubits)]
    while len(chosen) < width:
        chosen.append(rng.choice([b for a in chosen for b in near[a] if b not in chosen]))
    names = tuple(sorted(chosen, key=machine.qubits.index))
    ops = [turn(q) for q in range(width)]
    for _ in range(3 * width):
        a = rng.randrange(width)
        partners = [names.index(b) for b in near[names[a]] if b in names]
        ops += [Op("cz", (a, rng.choice(partners))), turn(a)] if partners else [turn(a)]
    ops += [measure(q) for q in range(width)]
    return circuit(*ops, width=width, names=names)


@pytest.mark.parametrize("alias", ["garnet", "emerald"])
@given(st.integers(0, 2**32), st.integers(1, 9))
@settings(max_examples=40)
def test_a_placement_is_the_same_circuit_and_no_worse(alias: str, seed: int, width: int) -> None:
    rng = random.Random(seed)
    machine = architecture(alias)
    profile = deviating_profile(alias, Deviation(0.5, seed))
    before = random_circuit(machine, rng, width)
    found = best_placement(before, machine, profile)
    assert found is not None
    assert found.success >= predicted_success(before, profile) * (1 - 1e-9)
    assert found.success == pytest.approx(predicted_success(found.circuit, profile))
    assert all(
        machine.has(op.name, tuple(found.circuit.components[q] for q in op.qubits))
        for op in found.circuit.ops
    )
    back = relabeled(found.circuit, _names_of(found.circuit, before), machine)
    assert back == before


def _names_of(placed: NativeCircuit, before: NativeCircuit) -> list[str]:
    """The names that the components of `placed` had before, by the order of instructions."""
    names: dict[int, str] = {}
    for new, old in zip(placed.ops, before.ops, strict=True):
        for q, p in zip(new.qubits, old.qubits, strict=True):
            names[q] = before.components[p]
    return [names[q] for q in range(len(placed.components))]


def test_qubits_to_keep_out_of_are_not_used() -> None:
    machine, profile = architecture("garnet"), error_profile("garnet")
    assert profile is not None
    before = random_circuit(machine, random.Random(1), 5)
    allowed = set(machine.qubits) - {"QB3", "QB8"}
    found = best_placement(before, machine, profile, allowed, [("QB1", "QB2")])
    assert found is not None
    used = {
        frozenset(found.circuit.components[q] for q in op.qubits)
        for op in found.circuit.ops
        if op.name == "cz"
    }
    assert not {"QB3", "QB8"} & set(found.circuit.components)
    assert frozenset(("QB1", "QB2")) not in used
    assert best_placement(before, machine, profile, ["QB1", "QB2"]) is None


@pytest.mark.parametrize("alias", ["garnet", "emerald"])
def test_routing_that_sees_errors_prefers_good_couplings(alias: str) -> None:
    """On lattices: on a star, which qubit is moved is decided after routing."""
    from qiskit import QuantumCircuit

    pair = QuantumCircuit(2)
    pair.h(0)
    pair.cx(0, 1)
    pair.measure_all()
    machine = architecture(alias)
    better = 0
    for seed in range(6):
        profile = deviating_profile(alias, Deviation(0.8, seed))
        blind, seeing = (
            predicted_success(transpile(pair, machine, {}, errors=errors), profile)
            for errors in (None, profile)
        )
        assert seeing >= blind * (1 - 1e-9)
        better += seeing > blind
    assert better >= 4
