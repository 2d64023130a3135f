"""The data files against the iqm-client that is installed."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.targets import architecture, error_profile, known_targets

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tool(root: Path) -> dict[str, Any]:
    return runpy.run_path(str(root / "tools" / "make_target_data.py"))


def test_the_data_files_are_what_the_library_says(tool: dict[str, Any], root: Path) -> None:
    made = tool["make"]()
    assert set(made) == set(known_targets())
    for alias, content in made.items():
        stored = json.loads((root / "iqm_spec/targets/data" / f"{alias}.json").read_text())
        for part in ("architecture", "error_profile", "assumptions"):
            assert stored[part] == content[part], alias


def test_the_library_accepts_sirius_as_a_machine_of_its_own() -> None:
    from iqm.qiskit_iqm.fake_backends.iqm_fake_backend import IQMErrorProfile, IQMFakeBackend
    from iqm.station_control.interface.models import StaticQuantumArchitecture

    machine, profile = architecture("sirius"), error_profile("sirius")
    assert profile is not None
    gates = profile.depolarizing
    backend = IQMFakeBackend(
        StaticQuantumArchitecture(
            dut_label="sirius",
            qubits=list(machine.qubits),
            computational_resonators=list(machine.resonators),
            connectivity=list(machine.gates["cz"]),
        ),
        IQMErrorProfile(
            t1s=dict(profile.t1),
            t2s=dict(profile.t2),
            single_qubit_gate_depolarizing_error_parameters={
                "prx": {locus[0]: error for locus, error in gates["prx"].items()}
            },
            two_qubit_gate_depolarizing_error_parameters={
                name: dict(gates[name]) for name in ("cz", "move")
            },
            single_qubit_gate_durations={"prx": profile.durations["prx"]},
            two_qubit_gate_durations={name: profile.durations[name] for name in ("cz", "move")},
            readout_errors={
                qubit: {"0": zero, "1": one} for qubit, (zero, one) in profile.readout.items()
            },
        ),
    )
    loci = {name: set(info.loci) for name, info in backend.architecture.gates.items()}
    assert loci == {name: set(loci) for name, loci in machine.gates.items()}
