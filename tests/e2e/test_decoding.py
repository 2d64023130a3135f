"""A repetition code from its Stim file to its logical error rate, simulated and emulated."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import iqm_spec
from iqm_spec.emulator import Emulator
from iqm_spec.errors import UsageError
from tests.conftest import ROOT, Cli

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]

SPEC = """\
iqm_spec: 1
name: code
target: garnet
stages: [aer, mock, hardware]
shots: 3000
memory: true
aer: {noise: NOISE}
circuits:
  - name: repetition
    stim: repetition_r${rounds}.stim
  - {generator: bell}
sweep: [{grid: {rounds: [1, 3]}}]
analysis: {logical_error: {noise: 0.02}}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    for rounds in (1, 3):
        name = f"repetition_r{rounds}.stim"
        shutil.copy(ROOT / "experiments" / "circuits" / name, tmp_path / name)
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.replace("NOISE", "device"))
    return path


def test_decoding_lowers_the_error_of_a_noisy_code(
    spec: Path, cli: Cli, answer: Ask, emulator: Emulator
) -> None:
    answer("run", spec, "--server", emulator.url, "--yes", env={"IQM_TOKEN": "any-token"})
    found = answer("analyze", "latest")["analyses"]
    rates = {
        (one["stage"], one["values"]["rounds"]): {m["name"]: m for m in one["merits"]}
        for one in found
    }
    assert set(rates) == {(stage, n) for stage in ("aer", "hardware") for n in (1, 3)}
    for merits in rates.values():
        logical, bare = merits["logical_error_rate"], merits["undecoded_error_rate"]
        assert logical["high"] < bare["low"]
        assert 0 < merits["detection_fraction"]["value"] < 0.2
    assert answer("reproduce", "latest")["same"]
    cli("report", "latest", "-o", "r.md")
    assert "Logical error rate" in (spec.parent / "r.md").read_text()


def test_without_noise_no_detector_fires(spec: Path, tmp_path: Path, answer: Ask) -> None:
    spec.write_text(SPEC.replace("NOISE", "ideal"))
    answer("run", spec, "--until", "aer")
    points = iqm_spec.load(tmp_path / "results", "latest").points
    codes = [point for point in points if point.circuit_name == "repetition"]
    assert len(codes) == 2
    for point in codes:
        events = point.detection_events()
        assert events.detectors.shape == (3000, 2 * point.values["rounds"] + 2)
        assert not events.detectors.any()
        assert not events.observables.any()
        assert point.decode().errors == 0
    bell = next(point for point in points if point.circuit_name == "bell")
    with pytest.raises(UsageError, match="no detectors"):
        bell.decode()


def test_shots_that_are_not_kept_are_told(spec: Path, tmp_path: Path, answer: Ask) -> None:
    text = spec.read_text().replace("memory: true\n", "").replace("analysis:", "# analysis:")
    spec.write_text(text)
    answer("run", spec, "--until", "aer")
    point = iqm_spec.load(tmp_path / "results", "latest").points[0]
    with pytest.raises(UsageError, match="not stored"):
        point.decode()


def test_a_spec_with_the_code_is_dry_run_and_archived(
    spec: Path, tmp_path: Path, cli: Cli, answer: Ask
) -> None:
    answer("run", spec, "--until", "aer")
    told = cli("archive", "latest", "-o", "a.zip", "--license", "CC-BY-4.0", "--author", "A B")
    assert told.returncode == 0, told.stderr
    shutil.unpack_archive(tmp_path / "a.zip", tmp_path / "unpacked")
    (place,) = (tmp_path / "unpacked").glob("**/objects")
    run = iqm_spec.load(place.parent, "latest")
    assert run.points[0].decode(0.02).shots == 3000
    rows = json.loads(cli("export", "latest", "--format", "json").stdout)["rows"]
    assert {len(bits) for bits in rows[0]["counts"]} == {5}
