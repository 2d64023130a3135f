"""The door for Python: where it ends, what it says then, and where every point stands in arrays."""

from __future__ import annotations

import io
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve

import iqm_spec
from iqm_spec.api import tables
from iqm_spec.api.stored import html
from iqm_spec.emulator import Emulator
from iqm_spec.engine import session
from iqm_spec.errors import StoreCorrupt, UsageError
from iqm_spec.results.export import axis_columns, tidy, write_parquet
from iqm_spec.store import Store
from iqm_spec.store.records import SimulatedRecord

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ARCHIVES = ROOT / "experiments" / "archives"
BELL: dict[str, Any] = {
    "iqm_spec": 1,
    "name": "small",
    "target": "garnet",
    "shots": 50,
    "aer": {"noise": "ideal"},
    "circuits": [{"generator": "bell"}],
}
GHZ = {"generator": "ghz", "args": {"num_qubits": "${n}"}}


def quiet(_: str) -> None:
    pass


@pytest.mark.parametrize(
    ("spec", "options", "what"),
    [
        (3, {}, "not a value of type int"),
        ({**BELL, 3: 4}, {}, "the fields of a spec are texts"),
        ({**BELL, "shots": {1, 2}}, {}, "not a value of type set"),
        (BELL, {"until": "qpu"}, "unknown stage"),
        (BELL, {"until": "hardware"}, "this spec has no such stage"),
        (BELL, {"workers": 0}, "workers=0"),
        (BELL, {"wait": float("nan")}, "wait=nan"),
        (BELL, {"max_credits": -1}, "max_credits=-1"),
    ],
)
def test_wrong_calls_are_refused_in_words(
    tmp_path: Path, spec: Any, options: dict[str, Any], what: str
) -> None:
    with pytest.raises(UsageError, match=what):
        iqm_spec.run(spec, tmp_path / "results", tell=quiet, **options)
    assert not (tmp_path / "results").exists()


def test_errors_bring_their_hints(tmp_path: Path) -> None:
    with pytest.raises(iqm_spec.IqmSpecError) as caught:
        iqm_spec.load(tmp_path / "nowhere")
    assert "no results folder" in str(caught.value)
    assert caught.value.__notes__ == ["hint: `iqm_spec.run(spec)` creates it"]


def test_mistakes_of_a_mapping_and_a_text_show_their_lines(tmp_path: Path) -> None:
    with pytest.raises(iqm_spec.SpecError) as caught:
        iqm_spec.run({**BELL, "shotss": 3, "shots": "many"}, tmp_path / "results", tell=quiet)
    message = str(caught.value)
    assert message.startswith("2 errors in the spec\n<mapping>.yaml:4:8: error[S203]")
    assert "    9 | shotss: 3\n      | ^^^^^^\n   hint: did you mean shots?" in message
    with pytest.raises(iqm_spec.SpecError, match=r"<text>.yaml:2:\d") as caught:
        iqm_spec.run("iqm_spec: 1\nname: [\n", tmp_path / "results", tell=quiet)
    assert "    2 | name: [" in str(caught.value)


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    circuits = [GHZ]
    plain = {**BELL, "circuits": circuits, "sweep": [{"grid": {"n": [2, 3]}}]}
    theirs = {**plain, "shots": np.int64(50), "sweep": ({"grid": {"n": np.arange(2, 4)}},)}
    first = iqm_spec.run(plain, tmp_path / "results", tell=quiet)
    heard: list[str] = []
    again = iqm_spec.run(theirs, tmp_path / "results", tell=heard.append)
    assert again.id == first.id
    assert heard[-1] == f"run {first.id}, as before"
    assert "aer: passed" in heard
    assert again.spec.digest == first.spec.digest


@pytest.mark.parametrize(("yes", "ended"), [(False, "refused"), (True, "passed")])
def test_what_costs_needs_a_word(
    yes: bool, ended: str, tmp_path: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An emulator that is not known as one is asked for like a machine."""
    monkeypatch.setattr(session, "_is_emulator", lambda _: False)
    monkeypatch.setenv("IQM_TOKEN", "a-token-of-the-emulator")
    heard: list[str] = []
    spec = {**BELL, "stages": ["aer", "mock", "hardware"]}
    run = iqm_spec.run(spec, tmp_path / "results", emulator.url, yes=yes, tell=heard.append)
    assert [verdict.status for verdict in run.verdicts] == ["passed", "passed", ended]
    assert [verdict.emulated for verdict in run.verdicts] == [False, False, False]
    assert any(line.startswith("about to submit 1 job (1 circuit, 50 shots") for line in heard)
    assert ("nothing is submitted without `yes=True`" in heard) is not yes
    assert [point.stage for point in run.points] == ["aer", "hardware"][: 1 + yes]


def test_a_script_needs_no_main_guard(tmp_path: Path) -> None:
    """Processes of the Aer stage do not run the script that asked for them again."""
    script = tmp_path / "script.py"
    script.write_text(
        "import iqm_spec\n"
        f"spec = {{**{BELL!r}, 'repeat': 40}}\n"
        "with open('times', 'a') as file:\n"
        "    file.write('once')\n"
        "run = iqm_spec.run(spec, workers=2)\n"
        "print(len(run.points), __file__ is not None)\n"
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stdout == "40 True\n", done.stderr
    assert (tmp_path / "times").read_text() == "once"
    assert "Traceback" not in done.stderr


def test_reading_loads_nothing_heavy() -> None:
    code = (
        "import sys, iqm_spec\n"
        f"run = iqm_spec.load({str(ARCHIVES)!r}, 'ghz')\n"
        "for point in run.each_point(): point.outcomes, point.comparison, repr(point)\n"
        "run._repr_html_()\n"
        "heavy = {'qiskit', 'pandas', 'xarray', 'pydantic', 'iqm', 'scipy', 'click', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", ["bell", "ghz", "mirror", "qaoa", "qft", "rabi", "tfim"])
def test_every_point_stands_in_the_array_once(name: str) -> None:
    run = iqm_spec.load(ARCHIVES, name)
    grid, table = run.to_xarray(), run.to_dataframe()
    assert int(grid.shots_returned.notnull().sum()) == len(table) == len(run.points)
    flat = grid.to_dataframe().reset_index()
    flat = flat[flat.point != ""].set_index(["point", "stage"]).sort_index()
    ours = table.set_index(["point", "stage"]).sort_index()
    for column in ("hellinger_fidelity", "native_depth", "shots_returned"):
        assert flat[column].tolist() == ours[column].tolist()
    for axis in run.points[0].values:
        column = axis if axis in ours else f"axis_{axis}"
        texts = [str(" ".join(v) if isinstance(v, list) else v) for v in ours[column]]
        assert [str(value) for value in flat[column]] == texts


def test_axes_that_go_together_share_a_dimension(tmp_path: Path) -> None:
    spec = {
        **BELL,
        "shots": "${s}",
        "circuits": [{**GHZ, "repeat": "${times}"}],
        "sweep": [{"zip": [{"n": [2, 3, 4], "s": [30, 20, 20]}], "grid": {"times": [1, 2]}}],
    }
    grid = iqm_spec.run(spec, tmp_path / "results", tell=quiet).to_xarray()
    assert dict(grid.sizes) == {"circuit": 1, "stage": 1, "repeat": 2, "n": 3, "times": 2}
    assert grid.s.dims == ("n",)
    assert grid.s.values.tolist() == [30, 20, 20]
    assert grid.target.item() == "garnet"
    shots = grid.shots_returned.sel(circuit="ghz", stage="aer", n=3)
    assert shots.sel(repeat=1, times=2).item() == 20
    assert math.isnan(shots.sel(repeat=2, times=1).item())


def test_what_follows_from_a_dimension_is_a_coordinate() -> None:
    machines = iqm_spec.load(ARCHIVES, "qft").to_xarray()
    assert machines.target.dims == ("machine",)
    stages = iqm_spec.load(ARCHIVES, "ghz").to_xarray()
    assert stages.emulated.dims == stages.calibration_set_id.dims == ("stage",)
    assert stages.emulated.values.tolist() == [False, True]


def test_calibration_sets_are_a_dimension_where_a_point_has_several() -> None:
    import pandas as pd

    table = iqm_spec.load(ARCHIVES, "ghz").to_dataframe()
    later = table[(table.stage == "hardware") & (table.n == 2)].copy()
    later["calibration_set_id"], later["hellinger_fidelity"] = "later", 0.25
    both = pd.concat([table, later], ignore_index=True)
    grid = tables.dataset(both, ["n"], {})
    assert grid.sizes["calibration_set_id"] == 3
    fidelity = grid.hellinger_fidelity.sel(calibration_set_id="later", stage="hardware", n=2)
    assert fidelity.item() == 0.25
    assert int(grid.shots.notnull().sum()) == len(both)


def test_scattered_points_are_no_array(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_CELLS", 3)
    with pytest.raises(UsageError, match="too scattered for an array: 10 of them in"):
        iqm_spec.load(ARCHIVES, "ghz").to_xarray()


def test_what_a_strangers_folder_lacks_is_told(tmp_path: Path) -> None:
    shutil.copytree(ARCHIVES, tmp_path / "results")
    store = Store(tmp_path / "results")
    run = iqm_spec.load(store.root, "bell")
    store.append_event(run.id, "ended", {"stages": [{"stage": "aer", "status": "passed"}]})
    with pytest.raises(StoreCorrupt, match=r"`stages\[0\]\.jobs` is missing"):
        iqm_spec.load(store.root, "bell")
    wide = iqm_spec.load(store.root, "ghz")
    store.append_event(wide.id, "more", {"spec": 3})
    with pytest.raises(StoreCorrupt, match="`spec` is not what it must be"):
        _ = iqm_spec.load(store.root, "ghz").spec


def test_texts_of_strangers_are_escaped_in_a_notebook() -> None:
    run = iqm_spec.load(ARCHIVES, "ghz")
    (row,) = list(run.saved.each_row(run.store))[:1]
    planned = evolve(row.point, name="<script>", values=(("n", "</td><img src=x>"),))
    hostile = evolve(row, point=planned, record=SimulatedRecord("0", {"<b>": 0}, 0))
    point = iqm_spec.Point(hostile, run.store, run.saved, lambda: run.subject)
    page = html("<i>", "&amp;", [point])
    assert page.startswith("<div><strong>&lt;i&gt;</strong> &amp;amp;<table>")
    assert not {"<script>", "<img", "<b>"} & set(re.findall(r"<\w+>?", page))
    assert "<td>&lt;script&gt;</td><td>n=&lt;/td&gt;&lt;img src=x&gt;</td>" in page
    with pytest.raises(StoreCorrupt, match="outcomes that are not bitstrings"):
        _ = point.counts


def test_columns_of_axes_never_meet() -> None:
    taken = {"shots", "point"}
    assert axis_columns(["n", "shots", "axis_shots"], taken) == {
        "n": "n",
        "shots": "axis_axis_shots",
        "axis_shots": "axis_shots",
    }


def test_parquet_has_the_same_types_without_rows_and_names_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pyarrow import parquet

    file = io.BytesIO()
    write_parquet(tidy([]), file, {"run": "x"})
    kinds = [str(kind) for kind in parquet.read_schema(file).types]
    assert kinds == [
        *("string", "string", "bool", "string", "string", "int64"),
        *("int64", "int64", "string", "string", "int64", *["double"] * 4),
    ]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="Parquet needs pyarrow") as caught:
        write_parquet(tidy([]), io.BytesIO(), {})
    assert "pip install 'iqm-spec[parquet]'" in caught.value.hint
