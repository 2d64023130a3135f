"""Circuits of which transpiling leaves little are told, and few others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from iqm_spec.circuits.expand import expand_definitions
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.targets import architecture
from iqm_spec.transpile import transpile
from iqm_spec.transpile.pipeline import collapses, gate_numbers
from tests.conftest import Cli


def circuit(name: str) -> QuantumCircuit:
    made = QuantumCircuit(2)
    match name:
        case "four cx":
            [made.cx(0, 1) for _ in range(4)]
        case "four cx, barriers between":
            [(made.cx(0, 1), made.barrier()) for _ in range(4)]
        case "a long Clifford sequence":
            [(made.h(0), made.s(0), made.x(0)) for _ in range(12)]
        case "the same with barriers":
            [(made.h(0), made.barrier(), made.x(0), made.barrier()) for _ in range(9)]
        case "a rotation by nothing":
            [made.rzz(0.0, 0, 1) for _ in range(4)]
        case "turns about z":
            [made.rz(0.1 * i, 0) for i in range(40)]
        case "a swap":
            [made.swap(0, 1) for _ in range(3)]
        case "thirty cx and turns":
            [(made.cx(0, 1), made.rx(0.3, 0)) for _ in range(30)]
    made.measure_all()
    return made


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("four cx", True),
        ("four cx, barriers between", False),
        ("a long Clifford sequence", True),
        ("the same with barriers", False),
        ("a rotation by nothing", False),
        ("turns about z", False),
        ("a swap", False),
        ("thirty cx and turns", True),
    ],
)
@pytest.mark.parametrize("target", ["garnet", "deneb"])
def test_what_collapses_is_told(name: str, told: bool, target: str) -> None:
    made = circuit(name)
    native = transpile(made, architecture(target))
    assert collapses(gate_numbers(made), native.counts()) is told


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT_IN)
def test_the_generators_of_ours_do_not_collapse(name: str) -> None:
    generator = BUILT_IN[name]
    made = expand_definitions(generator.build(generator.example))
    native = transpile(made, architecture("garnet"))
    assert not collapses(gate_numbers(made), native.counts())


@pytest.mark.slow
def test_it_is_told_before_a_run_and_whenever_its_results_are(tmp_path: Path, cli: Cli) -> None:
    lines = ['OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];']
    (tmp_path / "seq.qasm").write_text("\n".join([*lines, *["cx q[0],q[1];"] * 4, "measure q->c;"]))
    spec = tmp_path / "seq.yaml"
    spec.write_text("iqm_spec: 1\nname: seq\ntarget: garnet\ncircuits: [{qasm: seq.qasm}]\n")
    for arguments in (["--dry-run"], [], []):
        done = cli("run", spec, *arguments, "--json")
        (warning,) = json.loads(done.stdout)["warnings"]
        assert warning.startswith(
            "seq is written with 4 gates on several qubits and 0 on one; transpiled it has 0 cz"
        )
    assert cli("reproduce", "seq").returncode == 0
    assert cli("verify").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("level", range(4))
@pytest.mark.parametrize("target", ["garnet", "deneb"])
@given(st.lists(st.sampled_from(["cx", "xc", "h", "x", "t", "rx"]), min_size=2, max_size=8))
@settings(max_examples=25)
def test_nothing_cancels_across_a_barrier(target: str, level: int, names: list[str]) -> None:
    made = QuantumCircuit(2)
    for name in names:
        match name:
            case "cx" | "xc":
                made.cx(*((0, 1) if name == "cx" else (1, 0)))
            case "rx":
                made.rx(0.3, 0)
            case _:
                getattr(made, name)(0)
        made.barrier()
    made.measure_all()
    native = transpile(made, architecture(target), {"optimization_level": level})
    between = [op.name for op in native.ops if op.name in ("cz", "barrier")]
    joined = " ".join(between).split("barrier")
    gates = [part.split() for part in joined[: len(names)]]
    assert [len(part) for part in gates] == [int(name in ("cx", "xc")) for name in names]
    turns = sum(name in ("h", "x", "rx") for name in names)
    assert native.counts().get("r", 0) >= turns
