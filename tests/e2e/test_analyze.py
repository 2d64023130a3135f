"""`analyze`: declared in the spec or asked for, shown, stored, and reproduced."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.conftest import Cli
from tests.forgery import forge_record

Ask = Callable[..., Any]

pytestmark = pytest.mark.slow

SPEC = """\
iqm_spec: 1
name: states
target: garnet
shots: 4000
seed: 5
aer: {noise: ideal}
circuits:
  - {generator: ghz, args: {num_qubits: "${n}"}}
  - {generator: ghz_parity, args: {num_qubits: "${n}", phase: "${phase}"}}
  - {generator: mirror, args: {num_qubits: 3, depth: "${depth}", seed: "${draw}"}}
  - {generator: quantum_volume, args: {num_qubits: 3, seed: "${model}"}}
  - {name: turned, qasm: "turned_${basis}.qasm"}
sweep:
  - {grid: {n: [2, 3], phase: {linspace: [0, 3, 9]}}}
  - {grid: {depth: [1, 3], draw: [1, 2]}}
  - {grid: {model: {range: [0, 6]}}}
  - {grid: {basis: [XX, ZZ]}}
"""
ANALYSIS = """\
analysis:
  ghz_fidelity: {}
  mirror_polarization: {over: [draw]}
  quantum_volume: {over: [model]}
  expectation:
    circuits: [turned]
    basis: basis
    observables: {xx: XX, energy: {ZZ: 0.5, XX: 0.5, IX: 3.0}, wrong: ZZZ, other: YY}
"""
TURNED = """\
OPENQASM 2.0;
include "qelib1.inc";
qreg q[2]; creg c[2];
h q[0]; cx q[0],q[1];
{turn}measure q -> c;
"""


@pytest.fixture
def run(tmp_path: Path, answer: Ask) -> str:
    for basis, turn in (("XX", "h q[0]; h q[1]; "), ("ZZ", "")):
        (tmp_path / f"turned_{basis}.qasm").write_text(TURNED.replace("{turn}", turn))
    (tmp_path / "plain.yaml").write_text(SPEC)
    (tmp_path / "states.yaml").write_text(SPEC + ANALYSIS)
    return str(answer("run", "states.yaml")["run"])


def merits(document: Any, analysis: str) -> list[dict[str, Any]]:
    return [
        {merit["name"]: merit for merit in one["merits"]}
        for one in document["analyses"]
        if one["analysis"] == analysis
    ]


def test_perfect_states_have_perfect_figures(run: str, answer: Ask) -> None:
    told = answer("analyze", run)
    for found in merits(told, "ghz_fidelity"):
        assert found["ghz_fidelity"]["value"] == pytest.approx(1, abs=0.01)
        assert found["population"]["value"] == 1
    (decay,) = merits(told, "mirror_polarization")
    assert decay["error_per_layer"]["value"] == pytest.approx(0, abs=1e-3)
    (heavy,) = merits(told, "quantum_volume")
    assert 0.75 < heavy["heavy_output_probability"]["value"] < 0.95
    (turned,) = merits(told, "expectation")
    assert turned["xx"]["value"] == turned["xx_ideal"]["value"] == 1
    assert turned["energy_ideal"]["value"] == pytest.approx(1)
    assert abs(turned["energy"]["value"] - 1) < 5 * turned["energy"]["error"]
    (notes,) = [one["notes"] for one in told["analyses"] if one["analysis"] == "expectation"]
    assert notes == [
        "other: no point measures YY",
        "wrong: ZZZ has 3 letters, and 2 bits are measured",
    ]


@pytest.mark.parametrize("columns", [60, 140])
def test_what_a_person_sees(run: str, cli: Cli, columns: int, snapshot: SnapshotAssertion) -> None:
    shown = cli("analyze", run, columns=columns)
    assert shown.returncode == 0
    assert shown.stdout == snapshot


def test_outcomes_are_stored_once_and_reproduced(
    run: str, answer: Ask, cli: Cli, tmp_path: Path
) -> None:
    first, again = answer("analyze", run), answer("analyze", run)
    assert first == again
    events = [path.name for path in (tmp_path / "results" / "runs" / run).glob("*-analysed-*")]
    assert len(events) == 1
    assert answer("verify")["problems"] == []
    checks = {check["name"]: check for check in answer("reproduce", run)["checks"]}
    assert checks["analyses"]["same"] == len(first["analyses"])

    def better(line: dict[str, Any]) -> None:
        line["merits"][0]["value"] += 0.01

    forge_record(tmp_path / "results", "analyses", better)
    told = answer("reproduce", run, exit_code=7)
    assert [c["name"] for c in told["checks"] if c["mismatches"]] == ["analyses"]


def test_analyses_change_nothing_that_is_asked(run: str, answer: Ask, cli: Cli) -> None:
    assert answer("run", "plain.yaml")["run"] == run
    assert answer("explain", "plain.yaml", run)["same"]
    default = answer("analyze", run, "--analysis", "distances")
    assert {one["analysis"] for one in default["analyses"]} == {"distances"}
    rows = list(csv.DictReader(cli("export", run).stdout.splitlines()))
    fidelity = {row["point"]: float(row["hellinger_fidelity"]) for row in rows}
    for one in default["analyses"]:
        merit = one["merits"][0]
        assert merit["value"] == pytest.approx(fidelity[one["points"][0]])
        if merit["error"] is None:
            assert one["notes"] == ["all shots agree: how far they would scatter is not known"]
        else:
            assert merit["low"] <= merit["value"] <= merit["high"]
    assert len(answer("analyze", run, "--spec", "states.yaml")["analyses"]) == 5


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["--analysis", "distance"], "did you mean distances?"),
        (["--analysis", "distances", "--spec", "plain.yaml"], "exclude each other"),
    ],
)
def test_what_cannot_be_done_is_told(run: str, cli: Cli, asked: list[str], words: str) -> None:
    done = cli("analyze", run, *asked)
    assert done.returncode == 2
    assert words in done.stderr


MITIGATED = """\
iqm_spec: 1
name: mitigated
target: garnet
shots: 2000
stages: [aer, mock, hardware]
readout_mitigation: true
circuits: [{generator: ghz, args: {num_qubits: "${n}"}}]
sweep: [{grid: {n: [2, 4]}}]
analysis:
  distances: {}
  expectation: {observables: {parity: ZZ}}
"""


def test_readout_mitigation_adds_two_circuits_and_takes_errors_off(
    tmp_path: Path, answer: Ask, cli: Cli
) -> None:
    (tmp_path / "mitigated.yaml").write_text(MITIGATED)
    told = answer("run", "mitigated.yaml", "--server", "emulator", "--yes")
    assert told["plan"]["points"] == 4
    rows = answer_rows(cli)
    added = [row["circuit"] for row in rows if row["stage"] == "hardware"]
    assert added == ["ghz", "ghz", "readout_zeros", "readout_ones"]
    found = answer("analyze")
    assert {one["circuit"] for one in found["analyses"]} == {"ghz"}
    for stage in ("aer", "hardware"):
        for one in merits({"analyses": of_stage(found, stage)}, "distances"):
            raw, better = one["hellinger_fidelity"], one["hellinger_fidelity_mitigated"]
            assert raw["value"] + raw["error"] < better["value"] <= 1
        two, four = merits({"analyses": of_stage(found, stage)}, "expectation")
        assert two["parity"]["value"] < two["parity_mitigated"]["value"] <= 1.05
        assert not four  # ZZ has two letters, and four bits are measured
    assert answer("reproduce")["same"]
    (tmp_path / "plain.yaml").write_text(MITIGATED.replace("readout_mitigation: true\n", ""))
    assert answer("run", "plain.yaml", "--until", "aer")["plan"]["points"] == 2


def test_axes_that_are_no_numbers_are_told(tmp_path: Path, answer: Ask) -> None:
    (tmp_path / "odd.yaml").write_text(
        "iqm_spec: 1\nname: odd\ntarget: garnet\nshots: 100\naer: {noise: ideal}\ncircuits:\n"
        "  - {name: flat, generator: mirror, args: {num_qubits: 2, depth: 1}}\n"
        "  - {generator: mirror, args: {num_qubits: 2, depth: '${d}', pairs: '${kind}'}}\n"
        "sweep: [{grid: {kind: [line], d: [1, 2]}}]\n"
        "analysis: {mirror_polarization: {circuits: [mirror, flat], against: kind}}\n"
    )
    answer("run", "odd.yaml")
    told = answer("analyze", exit_code=2)["error"]["message"]
    assert "no analysis has a result: mirror_polarization: 1 point left out: `kind` is no" in told


def test_circuits_of_several_widths_are_not_averaged(tmp_path: Path, answer: Ask) -> None:
    (tmp_path / "wide.yaml").write_text(
        "iqm_spec: 1\nname: wide\ntarget: garnet\nshots: 50\naer: {noise: ideal}\ncircuits:\n"
        "  - {generator: quantum_volume, args: {num_qubits: '${w}', seed: '${s}'}}\n"
        "  - {generator: mirror, args: {num_qubits: '${w}', depth: '${d}'}}\n"
        "sweep: [{grid: {w: [2, 3], s: [1, 2], d: [1, 2]}}]\n"
        "analysis:\n  distances: {}\n  quantum_volume: {over: [w, s]}\n"
        "  mirror_polarization: {over: [w], against: d}\n"
    )
    answer("run", "wide.yaml")
    told = [one for one in answer("analyze")["analyses"] if one["analysis"] != "distances"]
    assert len(told) == 2
    for one in told:
        assert one["merits"] == []
        assert one["notes"] == [
            "circuits of 2, 3 qubits are not averaged: take the axis of their width out of `over`"
        ]


def test_an_analysis_is_done_as_the_spec_of_the_run_declares_it(
    run: str, answer: Ask, cli: Cli, root: Path
) -> None:
    (decay,) = answer("analyze", run, "--analysis", "mirror_polarization")["analyses"]
    assert decay["details"]["circuits"] == 4  # two depths, two draws: `over` is the spec's
    archives = root / "experiments" / "archives"
    done = cli("analyze", "ghz", "--analysis", "expectation", "--results", archives)
    assert done.returncode == 2
    assert "expectation needs observables" in done.stderr
    done = cli("analyze", run, "--spec", "plain.yaml")
    assert (done.returncode, "plain.yaml declares no `analysis`" in done.stderr) == (2, True)


def test_repeats_are_one_sample_and_no_circuits_of_their_own(tmp_path: Path, answer: Ask) -> None:
    (tmp_path / "again.yaml").write_text(
        "iqm_spec: 1\nname: again\ntarget: garnet\nshots: 50\ncircuits:\n"
        "  - {generator: quantum_volume, args: {num_qubits: 2, seed: '${s}'}, repeat: 60}\n"
        "  - {generator: mirror, args: {num_qubits: 2, depth: '${d}'}, repeat: 3}\n"
        "sweep: [{grid: {s: [1, 2]}}, {grid: {d: [1, 2]}}]\n"
        "analysis: {quantum_volume: {over: [s]}, mirror_polarization: {against: d}}\n"
    )
    answer("run", "again.yaml")
    decay, volume = answer("analyze")["analyses"]
    assert (decay["details"]["circuits"], volume["details"]["circuits"]) == (2, 2)
    (heavy,) = volume["merits"]
    share = heavy["value"]
    assert heavy["error"] == pytest.approx(sqrt(share * (1 - share) / 2))


def of_stage(document: Any, stage: str) -> list[Any]:
    return [one for one in document["analyses"] if one["stage"] == stage]


def answer_rows(cli: Cli) -> list[Any]:
    rows: list[Any] = json.loads(cli("export", "--format", "json").stdout)["rows"]
    return rows
