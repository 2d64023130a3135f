"""Every machine, circuits from files of every kind, and machines that are not built in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.emulator import Options
from tests.emulators import start

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]


def rows(cli: Callable[..., Any], run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(cli("export", run, "--format", "json").stdout)["rows"]
    return found


@pytest.mark.parametrize(
    ("machine", "gates"),
    [
        ("garnet", {"cz", "measure", "r"}),
        ("emerald", {"cz", "measure", "r"}),
        ("sirius", {"cz", "measure", "move", "r"}),
        ("deneb", {"cz", "measure", "move", "r"}),
    ],
)
def test_built_in_machines(
    tmp_path: Path, cli: Callable[..., Any], answer: Ask, machine: str, gates: set[str]
) -> None:
    spec = tmp_path / "x.yaml"
    spec.write_text(
        f"iqm_spec: 1\nname: x\ntarget: {machine}\n"
        "circuits: [{generator: ghz, args: {num_qubits: 4}}]\n"
    )
    (row,) = rows(cli, answer("run", spec)["run"])
    assert row["target"] == machine
    assert set(row["gates"]) == gates
    assert 0.5 < row["comparison"]["hellinger_fidelity"] < 0.999


def test_a_machine_and_a_noise_profile_from_files(
    tmp_path: Path, cli: Callable[..., Any], answer: Ask
) -> None:
    names = ["QB1", "QB2", "QB3"]
    pairs = [["QB1", "QB2"], ["QB2", "QB3"]]

    def gate(loci: list[list[str]]) -> dict[str, Any]:
        return {
            "implementations": {"a": {"loci": loci}},
            "default_implementation": "a",
            "override_default_implementation": {},
        }

    single = [[name] for name in names]
    machine = {
        "calibration_set_id": "3902d525-d8f4-42c0-9fa9-6bbd535b6c80",
        "qubits": names,
        "computational_resonators": [],
        "gates": {"prx": gate(single), "measure": gate(single), "cz": gate(pairs)},
    }
    noise = {
        "t1_ns": dict.fromkeys(names, 30000.0),
        "t2_ns": dict.fromkeys(names, 20000.0),
        "depolarizing": {
            "prx": dict.fromkeys(names, 0.001),
            "cz": {"QB1,QB2": 0.01, "QB2,QB3": 0.01},
        },
        "durations_ns": {"prx": 40.0, "cz": 80.0},
        "readout": {name: {"0": 0.2, "1": 0.0} for name in names},
    }
    (tmp_path / "machine.json").write_text(json.dumps(machine))
    (tmp_path / "noise.json").write_text(json.dumps(noise))
    spec = tmp_path / "x.yaml"
    spec.write_text(
        "iqm_spec: 1\nname: x\ntarget: ours\narchitecture: machine.json\n"
        "aer: {noise: noise.json}\nshots: 4000\n"
        "circuits: [{generator: ghz, args: {num_qubits: 3}}]\n"
    )
    (row,) = rows(cli, answer("run", spec)["run"])
    # a readout that errs on 0 only: 000 is read right half as often as 111 (0.8^3)
    assert row["counts"]["111"] / row["counts"]["000"] == pytest.approx(1 / 0.8**3, rel=0.12)
    answer("run", spec, "--set", "aer.noise=device", exit_code=3)


def test_circuits_of_every_kind_agree(tmp_path: Path, cli: Callable[..., Any], answer: Ask) -> None:
    from qiskit import QuantumCircuit, qpy

    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.x(1)
    circuit.measure([0, 1], [0, 1])
    with (tmp_path / "c.qpy").open("wb") as file:
        qpy.dump(circuit, file)
    head = "qreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\nx q[1];\nmeasure q -> c;\n"
    (tmp_path / "c2.qasm").write_text('OPENQASM 2.0;\ninclude "qelib1.inc";\n' + head)
    (tmp_path / "c3.qasm").write_text(
        'OPENQASM 3.0;\ninclude "stdgates.inc";\ninput float flip;\nqubit[2] q;\nbit[2] c;\n'
        "h q[0];\ncx q[0], q[1];\nrx(flip) q[1];\nc = measure q;\n"
    )
    spec = tmp_path / "x.toml"
    spec.write_text(
        'iqm_spec = 1\nname = "x"\ntarget = "deneb"\nshots = 2000\naer = {noise = "ideal"}\n'
        '[[circuits]]\nqpy = "c.qpy"\nname = "qpy"\n[[circuits]]\nqasm = "c2.qasm"\n'
        '[[circuits]]\nqasm = "c3.qasm"\nparameters = {flip = "${flip}"}\n'
        "[[sweep]]\ngrid = {flip = [3.141592653589793, 0]}\n"
    )
    found = rows(cli, answer("run", spec)["run"])
    assert [row["circuit"] for row in found] == ["qpy", "c2", "c3", "c3"]
    for row in found[:3]:
        assert set(row["counts"]) == {"01", "10"}
    assert set(found[3]["counts"]) == {"00", "11"}


def test_several_registers_and_a_measurement_in_the_middle(
    tmp_path: Path, cli: Callable[..., Any], answer: Ask
) -> None:
    (tmp_path / "c.qasm").write_text(
        'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg a[1];\ncreg b[2];\n'
        "x q[0];\nmeasure q[0] -> a[0];\nx q[0];\nx q[1];\nmeasure q[0] -> b[0];\n"
        "measure q[1] -> b[1];\n"
    )
    spec = tmp_path / "x.yaml"
    spec.write_text(
        "iqm_spec: 1\nname: x\ntarget: garnet\naer: {noise: ideal}\ncircuits: [{qasm: c.qasm}]\n"
    )
    (row,) = rows(cli, answer("run", spec)["run"])
    # as Qiskit prints it: the last register first, in a register the highest bit first
    assert row["counts"] == {"10 1": 1000}


def test_what_does_not_fit_in_memory_is_refused_before_it_starts(
    tmp_path: Path, answer: Ask
) -> None:
    spec = tmp_path / "x.yaml"
    spec.write_text(
        "iqm_spec: 1\nname: x\ntarget: emerald\naer: {method: density_matrix}\n"
        "circuits: [{generator: ghz, args: {num_qubits: 40}}]\n"
    )
    error = answer("run", spec, exit_code=4)["error"]
    assert error["code"] == "refused.memory"
    assert "matrix_product_state" in error["message"] + error["hint"]


ON_PREMISES = """\
iqm_spec: 1
name: here
target: default
stages: [aer, hardware]
shots: 500
circuits: [{generator: ghz, args: {num_qubits: 3}}]
require: {mock: {waived: "the machine on premises has none"}}
"""


def test_a_machine_on_premises_is_simulated_by_its_metrics(
    tmp_path: Path, cli: Callable[..., Any], answer: Ask
) -> None:
    spec = tmp_path / "x.yaml"
    spec.write_text(ON_PREMISES)
    with start(Options(on_premises="garnet")) as emulator:
        at = ("--server", emulator.url)
        env = {"IQM_TOKEN": "any"}
        answer("doctor", spec, *at, env=env)
        first = answer("run", spec, "--yes", *at, env=env)
        assert [stage["status"] for stage in first["stages"]] == ["passed", "passed"]
        simulated = next(row for row in rows(cli, first["run"]) if row["stage"] == "aer")
        assert 0.8 < simulated["comparison"]["hellinger_fidelity"] < 0.999
        page = tmp_path / "report.html"
        cli("report", "latest", "-o", page)
        assert "quality metrics of the calibration set" in page.read_text()
        # another calibration set is the default now: what was planned for stays
        emulator.move_calibration("default")
        again = answer("run", spec, "--yes", *at, env=env)
        assert [stage["cached"] for stage in again["stages"]] == [1, 1]
        emulator.faults([{"on": "metrics", "fault": "status", "status": 404, "times": None}])
        done = cli("run", spec, "--set", "shots=400", "--json", *at, env=env)
        assert done.returncode == 3
        (problem,) = json.loads(done.stdout)["error"]["diagnostics"]
        assert problem["code"] == "S507"
        assert "the server gives no quality metrics of default" in problem["message"]
