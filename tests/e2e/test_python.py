"""The door for Python: what docs/python.md shows runs, is typed, and agrees with the commands."""

from __future__ import annotations

import csv
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import iqm_spec
from iqm_spec.api.start import consent
from iqm_spec.cost.ranges import Range
from iqm_spec.errors import SpecError
from iqm_spec.stages.server.budget import Bill
from tests.conftest import Cli

Ask = Callable[..., Any]

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.S)
ARCHIVES = ROOT / "experiments" / "archives"


def quiet(_: str) -> None:
    pass


SPEC = {
    "iqm_spec": 1,
    "name": "small",
    "target": "garnet",
    "shots": 100,
    "repeat": 2,
    "circuits": [
        {"generator": "ghz", "args": {"num_qubits": "${n}"}},
        {"generator": "bell", "layout": "${circuit}"},
    ],
    "sweep": [
        {"grid": {"n": [2, 3]}},
        {"grid": {"circuit": [["QB1", "QB2"], ["QB3", "QB4"]]}},
    ],
}


def test_the_blocks_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(BLOCKS) == 6
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {}
    for block in BLOCKS:
        exec(compile(block, "docs/python.md", "exec"), scope)
    assert scope["run"].points[-1].emulated


def test_tables_have_every_point(tmp_path: Path, cli: Cli) -> None:
    run = iqm_spec.run(SPEC, tmp_path / "results", tell=quiet)
    table = run.to_dataframe()
    assert len(table) == len(run.points) == 8
    assert list(table.columns[:8]) == [
        *("point", "stage", "emulated", "circuit", "target", "repeat", "n", "axis_circuit"),
    ]
    assert table.counts.map(lambda counts: sum(counts.values())).eq(100).all()
    assert sorted(table[table.circuit == "ghz"].n) == [2, 2, 3, 3]
    assert table[table.circuit == "bell"].n.isna().all()
    grid = run.to_xarray()
    assert dict(grid.sizes) == {"circuit": 2, "stage": 1, "repeat": 2, "n": 3, "axis_circuit": 3}
    fidelity = grid.hellinger_fidelity.sel(circuit="ghz", stage="aer", repeat=2, n=3)
    first = run.points[3]
    assert first.values == {"n": 3}
    assert first.repeat == 2
    assert float(fidelity.max()) == first.comparison["hellinger_fidelity"]  # type: ignore[index]
    assert math.isnan(float(fidelity.sel(axis_circuit="QB1 QB2")))
    rows = list(csv.DictReader(cli("export").stdout.splitlines()))
    assert {row["point"] for row in rows} == set(table.point)


def test_points_are_what_was_measured() -> None:
    run = iqm_spec.load(ARCHIVES, "ghz")
    assert [verdict.status for verdict in run.verdicts] == ["passed"] * 3
    assert {point.stage for point in run.points} == {"aer", "hardware"}
    point = run.points[-1]
    assert point.emulated
    assert point.calibration_set_id
    assert point.counts.shots() == point.shots_returned == 1000
    assert point.circuit.num_qubits == len(point.components) == 6
    assert point.logical_circuit is not None
    assert point.logical_circuit.count_ops()["cx"] == 5
    assert point.ideal == pytest.approx({"000000": 0.5, "111111": 0.5})
    assert run.spec.name == "ghz"
    assert run.spec.text == (ROOT / "experiments" / "ghz.yaml").read_text()
    assert run.analyses()[0].merits[0].name == "hellinger_fidelity"
    assert run.report().startswith("<!doctype html>")
    assert repr(run).startswith("<Run ghz-")
    assert repr(point) == "<Point ghz n=6 (emulated): 1,000 shots>"


def test_a_notebook_shows_a_table_and_mistakes_have_places(tmp_path: Path) -> None:
    spec = {**SPEC, "repeat": 1, "circuits": [{"generator": "bell", "layout": "${at}"}]}
    spec["sweep"] = [{"grid": {"at": [["QB1", "QB2"]]}}]
    run = iqm_spec.run(spec, tmp_path / "results", tell=quiet)
    assert "<td>bell</td>" in run._repr_html_()
    text = json.dumps({**SPEC, "sweep": [{"grid": {"n": [2]}}]})
    with pytest.raises(SpecError, match=r"<text>.yaml:1:\d+: error\[S302\]"):
        iqm_spec.run(text + "\n", tmp_path / "results", tell=quiet)


@pytest.mark.parametrize("yes", [True, False])
def test_a_bill_is_shown_and_agreed_to_by_a_word_alone(yes: bool) -> None:
    """What an emulator does costs nothing and is not asked; a machine's bill is."""
    heard: list[str] = []
    agree = consent(heard.append, yes=yes)
    cost = Range(0.2, 0.5, 0.9)
    bill = Bill("https://example.org", False, ("garnet",), "pay-as-you-go", 1, 2, 2000, cost, cost)
    assert agree(bill) is yes
    assert heard[0].startswith("about to submit 1 job (2 circuits, 2,000 shots in all) to garnet")
    assert "0.50 credits" in heard[0]
    assert ("nothing is submitted without `yes=True`" in heard) is not yes


def test_parquet_holds_the_rows_of_the_csv(tmp_path: Path, cli: Cli, answer: Ask) -> None:
    from pyarrow import parquet

    answered = answer(
        "export", "tfim", "--results", ARCHIVES, "--format", "parquet", "-o", "tfim.parquet"
    )
    assert answered["file"] == "tfim.parquet"
    table = parquet.read_table(tmp_path / "tfim.parquet")
    text = cli("export", "tfim", "--results", ARCHIVES).stdout
    rows = list(csv.DictReader(text.splitlines()))
    assert table.column_names == list(rows[0])
    assert [str(kind) for kind in table.schema.types[5:9]] == ["int64", "string", "int64", "double"]
    for ours, theirs in zip(table.to_pylist(), rows, strict=True):
        assert str(ours["count"]) == theirs["count"]
        assert ours["outcome"] == theirs["outcome"]
        assert ours["hellinger_fidelity"] == float(theirs["hellinger_fidelity"])
    assert table.schema.metadata[b"spec"] == b"tfim"
    done = cli("export", "tfim", "--results", ARCHIVES, "--format", "parquet")
    assert done.returncode == 2
    assert "-o FILE.parquet" in done.stderr


def test_the_door_is_typed(tmp_path: Path) -> None:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(
        "import iqm_spec\n"
        "run = iqm_spec.load('results', 'latest')\n"
        "shots: int = run.points[0].shots\n"
        "names: list[str] = [point.circuit_name for point in run.each_point()]\n"
        "wrong: int = run.id\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(snippet)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "snippet.py:5" in done.stdout
    assert "Found 1 error" in done.stdout
