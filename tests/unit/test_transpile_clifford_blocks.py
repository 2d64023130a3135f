"""Clifford circuits: still Clifford when they are native, and no longer than otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from math import pi

import pytest
from exact import distance, distribution
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import random_clifford

from iqm_spec.model import NativeCircuit
from iqm_spec.native import Native
from iqm_spec.stages.aer.method import shape_of
from iqm_spec.targets import architecture
from iqm_spec.transpile import clifford_blocks, to_qiskit, transpile, violations

MACHINES = ("garnet", "emerald", "deneb", "sirius")


def random(size: int, seed: int) -> QuantumCircuit:
    circuit = QuantumCircuit(size)
    circuit.compose(random_clifford(size, seed=seed).to_circuit(), inplace=True)
    circuit.measure_all()
    return circuit


def star(size: int) -> QuantumCircuit:
    circuit = QuantumCircuit(size)
    circuit.h(0)
    for other in range(1, size):
        circuit.cx(0, other)
    circuit.measure_all()
    return circuit


def everything() -> QuantumCircuit:
    """Every gate that counts as Clifford, barriers, a delay and a measurement in the middle."""
    circuit = QuantumCircuit(4, 6)
    circuit.h(range(4))
    for name in ("id", "x", "y", "z", "s", "sdg", "sx", "sxdg"):
        getattr(circuit, name)(1)
        circuit.cx(1, 2)
    for name in ("cx", "cy", "cz", "swap", "iswap", "dcx", "ecr"):
        getattr(circuit, name)(0, 3)
        circuit.rx(pi / 2, 0)
        circuit.rzz(-pi / 2, 0, 2)
        circuit.rxx(pi / 2, 3, 1)
    circuit.barrier()
    circuit.u(pi / 2, pi, -pi / 2, 2)
    circuit.p(3 * pi / 2, 2)
    circuit.delay(40, 1, unit="ns")
    circuit.measure(2, 4)
    circuit.h(2)
    inner = QuantumCircuit(2, name="inner")
    inner.h(0)
    inner.cx(0, 1)
    inner.swap(0, 1)
    circuit.append(inner.to_gate(), [2, 0])
    circuit.measure(range(4), [3, 1, 0, 2])
    return circuit


def is_clifford_now(native: NativeCircuit) -> bool:
    return shape_of(Native.of(native)).clifford


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("alias", MACHINES)
def test_it_does_the_same_and_stays_clifford(alias: str, level: int) -> None:
    machine = architecture(alias)
    for circuit in (everything(), star(5), *(random(size, size) for size in (2, 3, 4, 5))):
        native = transpile(circuit, machine, {"optimization_level": level, "seed": 7})
        assert is_clifford_now(native)
        assert violations(native, machine) == []
        assert distance(distribution(circuit), distribution(to_qiskit(native))) < 1e-9


@pytest.mark.parametrize(
    ("alias", "circuit"),
    [("garnet", random(10, 10)), ("garnet", star(20)), ("emerald", random(22, 22))],
    ids=["10 random", "star of 20", "22 random"],
)
@pytest.mark.slow
def test_wide_ones_are_no_longer_than_by_resynthesis(
    alias: str, circuit: QuantumCircuit, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = transpile(circuit, architecture(alias))
    monkeypatch.setattr(clifford_blocks, "is_clifford", lambda _: False)
    other = transpile(circuit, architecture(alias))
    assert is_clifford_now(native)
    assert native.counts()["cz"] <= other.counts()["cz"]
    assert native.counts()["r"] <= other.counts()["r"]


def not_clifford() -> list[QuantumCircuit]:
    made = []
    for name, params in (("t", ()), ("rx", (0.3,)), ("rz", (pi / 4,)), ("ry", (Parameter("a"),))):
        made.append(QuantumCircuit(2, name=name))
        made[-1].cx(0, 1)
        getattr(made[-1], name)(*params, 0)
    made.append(QuantumCircuit(3, name="ccx"))
    made[-1].ccx(0, 1, 2)
    made.append(QuantumCircuit(2, name="inside"))
    made[-1].append(made[0].to_gate(), [0, 1])
    return made


@pytest.mark.parametrize("circuit", not_clifford(), ids=lambda circuit: circuit.name)
def test_what_is_not_clifford_is_left_to_qiskit(circuit: QuantumCircuit) -> None:
    assert not clifford_blocks.is_clifford(circuit)


@pytest.mark.slow
def test_the_order_of_sets_does_not_matter() -> None:
    code = (
        "from qiskit import QuantumCircuit\n"
        "from qiskit.quantum_info import random_clifford\n"
        "from iqm_spec.targets import architecture\n"
        "from iqm_spec.transpile import transpile\n"
        "for size in (3, 6, 9):\n"
        "    circuit = QuantumCircuit(size)\n"
        "    circuit.compose(random_clifford(size, seed=1).to_circuit(), inplace=True)\n"
        "    circuit.measure_all()\n"
        "    print(transpile(circuit, architecture('garnet')).digest)\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
