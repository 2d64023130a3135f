"""A spec is read once, also where the server describes its machine otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from iqm_spec.canonical import sha256
from iqm_spec.engine.prepare import UserSpec, prepare
from iqm_spec.server_api.connection import Connection
from iqm_spec.stages.server.server_info import Session
from iqm_spec.stages.server.stored_machines import Machines, keep_machines, machines_key
from iqm_spec.store import Store
from iqm_spec.targets import architecture

MODULE = """
from pathlib import Path
from qiskit import QuantumCircuit

def chain(num_qubits):
    with Path(__file__).with_name("calls").open("a") as calls:
        calls.write(f"{num_qubits} ")
    circuit = QuantumCircuit(num_qubits)
    circuit.h(range(num_qubits))
    circuit.measure_all()
    return circuit
"""


def _no_connection() -> Connection:
    raise AssertionError("the server was asked")


def test_generators_run_once_for_a_machine_that_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"their_circuits_{sha256(str(tmp_path).encode())[:12]}"
    (tmp_path / f"{module}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "spec.yaml"
    path.write_text(
        "iqm_spec: 1\nname: x\ntarget: garnet\nstages: [mock, hardware]\n"
        f"circuits: [{{generator: 'python:{module}:chain', args: {{num_qubits: '${{n}}'}}}}]\n"
        "sweep: [{grid: {n: [2, 3]}}]\n"
    )
    session = Session("https://iqm.example.org", _no_connection, lambda: False)
    store, given = Store(tmp_path / "results"), UserSpec(path, (), (module,))
    offline = prepare(given, store, None, lambda _: None, replan=False)
    key = machines_key(offline.checked.digest, session.server_id)
    built_in = architecture("garnet")
    gates = {**built_in.gates, "cz": built_in.gates["cz"][1:]}
    theirs = evolve(built_in, gates=gates, calibration_set_id="of-the-server")
    keep_machines(store, key, Machines({"garnet": theirs}), replan=False)
    (tmp_path / "calls").unlink()
    ready = prepare(given, store, session, lambda _: None, replan=False)
    assert ready.checked.architectures["garnet"].digest == theirs.digest != built_in.digest
    assert ready.calibration_sets == {"garnet": "of-the-server"}
    assert (tmp_path / "calls").read_text().split() == ["2", "3"]
