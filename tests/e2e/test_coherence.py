"""T1, Ramsey and echo experiments from a spec to times with errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from iqm_spec.emulator import Emulator
from iqm_spec.targets.built_in import error_profile
from tests.conftest import Cli

Ask = Callable[..., Any]

pytestmark = pytest.mark.slow

SPEC = """\
iqm_spec: 1
name: memory
target: TARGET
layout: LAYOUT
shots: 1500
seed: 4
aer: {noise: device, idle: true}
circuits:
  - {generator: t1, args: {num_qubits: 3, delay: "${delay}"}}
  - {name: fringes, generator: ramsey, args: {num_qubits: 3, delay: "${delay}", detuning: 2.0e+5}}
  - {generator: echo, args: {num_qubits: 3, delay: "${delay}"}}
sweep:
  - grid: {delay: {linspace: [0, 60.0e-6, LENGTH]}}
analysis:
  coherence: {ramsey: [fringes]}
"""
LAYOUTS = {"garnet": "[QB12, QB4, QB8]", "deneb": "[QB1, QB2, QB6]"}
TOKEN = {"IQM_TOKEN": "a-token"}


def write(path: Path, target: str = "garnet", length: int = 41, more: str = "") -> Path:
    text = SPEC.replace("TARGET", target).replace("LAYOUT", LAYOUTS[target])
    path.write_text(text.replace("LENGTH", str(length)) + more)
    return path


def times(document: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Figures by their name and qubit."""
    return {
        (merit["name"], result["values"]["qubit"]): merit
        for result in document["analyses"]
        for merit in result["merits"]
    }


@pytest.mark.parametrize("target", LAYOUTS)
def test_times_are_those_of_the_profile(target: str, tmp_path: Path, answer: Ask) -> None:
    write(tmp_path / "memory.yaml", target)
    run = answer("run", "memory.yaml")["run"]
    document = answer("analyze", run)
    merits = times(document)
    profile = error_profile(target)
    qubits = LAYOUTS[target].strip("[]").split(", ")
    assert [name[1] for name in merits if name[0] == "t1_us"] == qubits
    for qubit in qubits:
        expected = {
            "t1_us": profile.t1[qubit] / 1000,
            "t2_star_us": profile.t2[qubit] / 1000,
            "t2_us": profile.t2[qubit] / 1000,
            "frequency_khz": 200,
        }
        for name, value in expected.items():
            merit = merits[name, qubit]
            assert abs(merit["value"] - value) < 4 * merit["error"], (name, qubit)
            assert merit["error"] < 0.15 * value
            assert merit["low"] < merit["value"] < merit["high"]
    for result in document["analyses"]:
        assert result["details"]["qubit"] == result["values"]["qubit"]
        assert len(result["points"]) == len(result["curve"]["x"]) == 41
        assert 0.85 < result["details"]["amplitude"] / (1, 0.5)[result["circuit"] != "t1"] < 1.05
    assert answer("analyze", run) == document
    checks = {check["name"]: check for check in answer("reproduce", run)["checks"]}
    assert checks["analyses"]["same"] == 9
    assert answer("verify")["problems"] == []


def test_what_a_person_sees(tmp_path: Path, cli: Cli, snapshot: SnapshotAssertion) -> None:
    write(tmp_path / "memory.yaml")
    assert cli("run", "memory.yaml").returncode == 0
    assert cli("analyze", columns=140).stdout == snapshot
    report = cli("report", "-o", "memory.html")
    assert report.returncode == 0
    page = (tmp_path / "memory.html").read_text()
    for caption in (
        "Probability of 1 against delay, t1; aer, with noise. Bars are standard errors. Lines",
        "Probability of 1 against delay, fringes; aer",
        "T1 (µs) (coherence) against qubit",
        "T2 star (µs) (coherence) against qubit",
    ):
        assert caption in page
    assert "(coherence) against circuit" not in page


def test_experiments_that_give_no_time_say_why(
    tmp_path: Path, cli: Cli, snapshot: SnapshotAssertion
) -> None:
    write(tmp_path / "memory.yaml", length=3)
    assert cli("run", "memory.yaml").returncode == 0
    few = cli("analyze")
    assert few.returncode == 2
    assert few.stderr == snapshot(name="few delays")
    text = write(tmp_path / "still.yaml", length=9).read_text()
    (tmp_path / "still.yaml").write_text(text.replace("idle: true", "idle: false"))
    assert cli("run", "still.yaml").returncode == 0
    still = cli("analyze", columns=140)
    assert still.returncode == 0
    assert still.stdout == snapshot(name="no decay")


def test_a_machine_and_its_simulation_are_compared_qubit_by_qubit(
    tmp_path: Path, answer: Ask, emulator: Emulator
) -> None:
    more = "stages: [aer, mock, hardware]\n"
    text = write(tmp_path / "memory.yaml", length=9, more=more).read_text()
    (tmp_path / "memory.yaml").write_text(text.replace("idle: true", "idle: false"))
    asked = ("run", "memory.yaml", "--server", emulator.url, "--yes")
    run = answer(*asked, env=TOKEN)["run"]
    document = answer("analyze", run)
    compared = [item for item in document["predictions"] if item["figure"] == "t1_at_least_us"]
    assert [item["values"]["qubit"] for item in compared] == ["QB12", "QB4", "QB8"]
    assert len({json.dumps(item["predicted"]) for item in compared}) == 3
