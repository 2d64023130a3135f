"""Our transpiling against iqm-client's `transpile_to_IQM`, which also judges what we make."""

from __future__ import annotations

import runpy
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from exact import distance, distribution
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit.library import quantum_volume
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import random_clifford

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import architecture
from iqm_spec.transpile import to_qiskit, transpile, violations
from iqm_spec.transpile.clifford_blocks import is_clifford
from iqm_spec.transpile.moves import insert_moves
from iqm_spec.transpile.pipeline import on_used_components

pytestmark = pytest.mark.slow

TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "compare_transpile.py"))
MACHINES = ("garnet", "deneb", "sirius", "emerald")
SEEDS = {0: (0,), 1: (0, 3), 2: (0, 3), 3: (0,)}
WIDEST = {"garnet": 12, "deneb": 6, "sirius": 11, "emerald": 6}
"""Circuits are compared up to this many qubits, to keep the exact distributions affordable."""


@cache
def circuits() -> dict[str, QuantumCircuit]:
    made = dict(TOOL["circuits"]())
    made["ghz 3"] = TOOL["_ghz"](3)
    made["ghz 3"].measure_all()
    for seed in range(3):
        # not random_clifford_circuit: what it draws changes with the hash seed of the process
        made[f"clifford {seed}"] = QuantumCircuit(4)
        made[f"clifford {seed}"].compose(random_clifford(4, seed=seed).to_circuit(), inplace=True)
        made[f"random 5 {seed}"] = random_circuit(5, 6, max_operands=3, seed=seed)
        made[f"volume 4 {seed}"] = quantum_volume(4, seed=seed)
        for name in ("clifford", "random 5", "volume 4"):
            made[f"{name} {seed}"].measure_all()
    return {name: without_id(circuit) for name, circuit in made.items()} | special()


def without_id(circuit: QuantumCircuit) -> QuantumCircuit:
    """At level 0 the vendor's own pass raises on Qiskit's `id`."""
    kept = circuit.copy_empty_like()
    kept.data = [item for item in circuit.data if item.operation.name != "id"]
    return kept


def special() -> dict[str, QuantumCircuit]:
    registers = QuantumCircuit(4)
    registers.add_register(ClassicalRegister(2, "a"), ClassicalRegister(3, "b"))
    middle = QuantumCircuit(3, 4)
    partial = QuantumCircuit(5, 2)
    for circuit in (registers, middle, partial):
        circuit.h(0)
        circuit.ry(0.4, 1)
        circuit.cx(0, 1)
        circuit.rzz(0.7, 1, 2)
        circuit.sx(2)
        circuit.barrier()
        circuit.cx(2, 0)
    registers.measure([0, 3, 2], [4, 0, 2])
    middle.measure(0, 0)
    middle.t(0)
    middle.h(0)
    middle.cx(0, 2)
    middle.measure([0, 1, 2], [1, 2, 3])
    partial.cx(2, 3)
    partial.t(3)
    partial.measure([0, 2], [1, 0])
    return {"two registers": registers, "mid circuit": middle, "partly measured": partial}


@cache
def backend(alias: str) -> Any:
    return TOOL["vendor_backend"](architecture(alias))


def vendor_circuit(native: NativeCircuit) -> Any:
    """`native` in iqm-client's own format."""
    from iqm.pulse import Circuit, CircuitOperation

    names = {"r": "prx"}
    instructions = []
    for i, op in enumerate(native.ops):
        args: dict[str, Any] = {}
        if op.name == "r":
            args = {"angle": op.params[0], "phase": op.params[1]}
        if op.name == "measure":
            args = {"key": f"m{i}"}
        locus = tuple(native.components[q] for q in op.qubits)
        instructions.append(
            CircuitOperation(name=names.get(op.name, op.name), locus=locus, args=args)
        )
    return Circuit(name="ours", instructions=tuple(instructions), metadata=None)


@pytest.mark.parametrize("level", SEEDS)
@pytest.mark.parametrize("alias", MACHINES)
def test_as_good_as_the_vendor(alias: str, level: int) -> None:
    from iqm.iqm_client.validation import validate_circuit_instructions

    machine = architecture(alias)
    for name, circuit in circuits().items():
        if circuit.num_qubits > WIDEST[alias]:
            continue
        wanted = distribution(circuit)
        for seed in SEEDS[level]:
            native = transpile(circuit, machine, {"optimization_level": level, "seed": seed})
            theirs = TOOL["vendor"](circuit, backend(alias), level, seed).count_ops()
            ours = native.counts()
            where = (alias, level, seed, name, ours, theirs)
            if level >= 2 and is_clifford(circuit):  # blocks are made shorter in another way
                assert ours.get("cz", 0) <= theirs.get("cz", 0), where
                assert ours.get("r", 0) <= 1.15 * theirs.get("r", 0), where
            else:
                assert ours.get("cz", 0) == theirs.get("cz", 0), where
                assert ours.get("r", 0) <= theirs.get("r", 0), where
            assert ours.get("move", 0) <= theirs.get("move", 0), where
            assert violations(native, machine) == [], where
            validate_circuit_instructions(backend(alias).architecture, [vendor_circuit(native)])
            assert distance(wanted, distribution(to_qiskit(native))) < 1e-9, where


@pytest.mark.parametrize("alias", ["garnet", "sirius"])
def test_wide_circuits_have_the_vendors_gates(alias: str) -> None:
    machine = architecture(alias)
    for size in range(2, machine.num_qubits + 1):
        circuit = TOOL["_ghz"](size)
        circuit.measure_all()
        ours = transpile(circuit, machine).counts()
        theirs = TOOL["vendor"](circuit, backend(alias), 2, 0).count_ops()
        assert ours["cz"] == theirs["cz"], size
        assert ours["r"] <= theirs["r"], size
        assert ours.get("move", 0) <= theirs.get("move", 0), size


def test_final_rotations_about_z_are_all_that_the_vendor_adds_by_default() -> None:
    from iqm.qiskit_iqm.iqm_naive_move_pass import transpile_to_IQM

    circuit = special()["partly measured"]
    ours = transpile(circuit, architecture("garnet"), {"optimization_level": 3}).counts()
    theirs = transpile_to_IQM(
        circuit, backend("garnet"), optimization_level=3, seed_transpiler=0
    ).count_ops()
    assert ours["cz"] == theirs["cz"]
    assert ours["r"] < theirs["r"]


@pytest.mark.parametrize("seed", range(20))
def test_never_more_moves_than_the_vendors_insertion(seed: int) -> None:
    from iqm.iqm_client.transpile import transpile_insert_moves

    machine, random = architecture("deneb"), Random(seed)
    ops = []
    for _ in range(30):
        a, b = random.sample(range(6), 2)
        ops.append(Op("cz", (a, b)) if random.random() < 0.6 else Op("r", (a,), (1.0, 0.5)))
    native = on_used_components(ops, machine, ())
    theirs = transpile_insert_moves(vendor_circuit(native), backend("deneb").architecture)
    count = sum(instruction.name == "move" for instruction in theirs.instructions)
    assert sum(op.name == "move" for op in insert_moves(ops, machine)) <= count


SWEPT = {
    "hardware_efficient": {"num_qubits": 5, "reps": 2, "angles": 0.5},
    "tfim": {"num_qubits": 5, "steps": 3, "time": 0.5},
    "qaoa_maxcut": {"num_qubits": 5, "edges": [[0, 1], [1, 2], [2, 3], [3, 4], [4, 0]]},
}
FREE = {"hardware_efficient": ["angles"], "tfim": ["time"], "qaoa_maxcut": ["betas", "gammas"]}


@pytest.mark.parametrize("alias", ["garnet", "deneb"])
@pytest.mark.parametrize("name", SWEPT)
def test_a_sweep_has_the_vendors_gates_at_every_point(name: str, alias: str) -> None:
    """Routed once for all points, and still the counts of transpiling each one by itself."""
    import numpy as np

    from iqm_spec.circuits import find_generator, parametric_circuit
    from iqm_spec.model import SourceKind
    from iqm_spec.transpile.family import family_of

    machine, generator = architecture(alias), find_generator(name)
    sample = SWEPT[name] | dict.fromkeys(FREE[name], 0.5)
    free = parametric_circuit(SourceKind.GENERATOR, name, None, sample, None)
    assert free
    family = family_of(*free, machine, {}, None)
    assert family
    random = Random(5)
    values = np.array([[random.uniform(0.1, 3) for _ in FREE[name]] for _ in range(4)])
    assert family.serves(values).all()
    for native, row in zip(family.natives(values), values.tolist(), strict=True):
        given = [argument for argument in sample if argument in FREE[name]]
        circuit = generator.build(sample | dict(zip(given, row, strict=True)))
        theirs = TOOL["vendor"](circuit, backend(alias), 2, 0).count_ops()
        ours = native.circuit()
        for gate in ("r", "cz", "move"):
            assert ours.counts().get(gate, 0) <= theirs.get(gate, 0), (gate, row)
        assert distance(distribution(circuit), distribution(to_qiskit(ours))) < 1e-9
