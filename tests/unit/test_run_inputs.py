"""What a run is made of stands in the folder, and is read as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from iqm_spec.engine.inputs import keep_inputs, read_inputs
from iqm_spec.errors import StoreCorrupt
from iqm_spec.spec.examine import examine
from iqm_spec.store import Store
from iqm_spec.targets import error_profile

QASM = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\ncreg c[1];\nmeasure q -> c;\n'


@pytest.mark.parametrize("noise", ["ideal", "device", "mine.json"])
def test_machines_noise_and_files_are_kept(tmp_path: Path, noise: str) -> None:
    (tmp_path / "one.qasm").write_text(QASM)
    (tmp_path / "mine.json").write_text(json.dumps(error_profile("garnet").to_json()))
    spec = tmp_path / "x.yaml"
    spec.write_text(
        "iqm_spec: 1\nname: x\ntarget: '${m}'\ncircuits: [{qasm: one.qasm}]\n"
        f"sweep: [{{grid: {{m: [garnet, sirius]}}}}]\naer: {{noise: {noise}}}\n"
        if noise != "mine.json"
        else f"iqm_spec: 1\nname: x\ntarget: garnet\ncircuits: [{{qasm: one.qasm}}]\n"
        f"aer: {{noise: {noise}}}\n"
    )
    checked, diagnostics, _ = examine(spec)
    assert diagnostics == []
    assert checked is not None
    store = Store(tmp_path / "results")
    found = read_inputs(store, keep_inputs(store, checked))
    assert {a: m.digest for a, m in found.architectures.items()} == {
        a: m.digest for a, m in checked.architectures.items()
    }
    assert {a: p and p.digest for a, p in found.profiles.items()} == {
        a: p and p.digest for a, p in checked.profiles.items()
    }
    assert store.get_file(found.files["one.qasm"]) == QASM.encode()


def test_another_object_is_told(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    with pytest.raises(StoreCorrupt, match="it is no iqm-spec/inputs/1"):
        read_inputs(store, store.put_json({"architectures": 3}))
