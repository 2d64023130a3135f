"""Programs with feed-forward through all three stages: teleportation, active reset, a code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from math import cos, sin
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]
CIRCUITS = Path(__file__).parents[1] / "circuits"


def measured(
    cli: Callable[..., Any], answer: Ask, spec: Path, noise: str
) -> dict[str, list[dict[str, Any]]]:
    """Rows of the run of a spec by stage; all three stages pass."""
    ran = answer("run", spec, "--server", "emulator", "--yes", "--set", f"aer.noise={noise}")
    assert [stage["status"] for stage in ran["stages"]] == ["passed"] * 3
    told = json.loads(cli("export", ran["run"], "--format", "json").stdout)["rows"]
    return {stage: [row for row in told if row["stage"] == stage] for stage in ("aer", "hardware")}


def share(row: dict[str, Any], wanted: Callable[[str], bool]) -> float:
    counts = row["counts"]
    return sum(n for text, n in counts.items() if wanted(text)) / sum(counts.values())


@pytest.fixture
def experiments(root: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "experiments"
    shutil.copytree(root / "experiments", copied, ignore=shutil.ignore_patterns("archives"))
    return copied


def test_teleportation(cli: Callable[..., Any], answer: Ask, experiments: Path) -> None:
    rows = measured(cli, answer, experiments / "teleportation.yaml", "ideal")
    for stage, most in (("aer", 0.06), ("hardware", 0.2)):
        assert len(rows[stage]) == 5
        for row in rows[stage]:
            expected = sin(row["values"]["theta"] / 2) ** 2
            assert abs(share(row, lambda text: text[0] == "1") - expected) < most
            for bits in ("0 0", "0 1", "1 0", "1 1"):  # what is sent tells nothing of the state
                assert abs(share(row, lambda text, b=bits: text[2:] == b) - 0.25) < 0.07
    assert set(rows["aer"][0]["gates"]) == {"cc_r", "cz", "measure", "r"}


def test_a_repetition_code_corrects_what_is_turned(
    cli: Callable[..., Any], answer: Ask, experiments: Path
) -> None:
    rows = measured(cli, answer, experiments / "repetition_code.yaml", "ideal")
    for row in rows["aer"]:
        assert share(row, lambda text: text.startswith("000")) == 1.0
        # of the last round: its error is on the third qubit, which the second ancilla sees
        expected = sin(row["values"]["error"] / 2) ** 2
        assert abs(share(row, lambda text: text.endswith("10")) - expected) < 0.06
    for row in rows["hardware"]:
        assert share(row, lambda text: text[:3].count("1") <= 1) > 0.6
        assert row["gates"]["cc_r"] == 3 * 3 * 4


def test_active_reset(cli: Callable[..., Any], answer: Ask, tmp_path: Path) -> None:
    shutil.copy(CIRCUITS / "active_reset.qasm", tmp_path)
    spec = tmp_path / "x.yaml"
    spec.write_text(
        "iqm_spec: 1\nname: x\ntarget: emerald\nstages: [aer, mock, hardware]\n"
        "circuits: [{qasm: active_reset.qasm}]\n"
    )
    rows = measured(cli, answer, spec, "device")
    for stage in ("aer", "hardware"):
        (row,) = rows[stage]
        assert abs(share(row, lambda text: text[2] == "1") - cos(0.25 * 3.14159265) ** 2) < 0.08
        assert share(row, lambda text: text[0] == "0") > 0.85
