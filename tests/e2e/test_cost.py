"""`iqm-spec cost` through the command line: answers, files, and what people read."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from iqm_spec.cli.app import run
from iqm_spec.cli.cost.fit import the_group
from iqm_spec.cost.timing_tables import MACHINES
from iqm_spec.errors import UsageError
from iqm_spec.stages.server.tariff import Measured
from tools.make_cost_table import INVENTED, invented

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]
Cli = Callable[..., Any]

HEAD = ("num_qubits", "depth", "circuits", "shots")


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with timings.csv (30 jobs of a made-up machine), its model, and jobs.csv."""
    folder = tmp_path_factory.mktemp("cost")
    with (folder / "timings.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*HEAD, "qpu_seconds", "comment"])
        for number, one in enumerate(invented(*INVENTED["no floor"], seed=5)[:30]):
            shape, wild = one.shape, 6 if number == 7 else 1
            circuits = shape.circuits
            sizes = [shape.qubits // circuits, shape.depth // circuits, circuits, shape.shots]
            writer.writerow([*sizes, f"{one.qpu_seconds * wild:.6f}", ""])
    jobs = ["num_qubits,depth,circuits,shots", "5,20,1,1000", "10,50,30,2000", "20,5000,400,100000"]
    (folder / "jobs.csv").write_text("\n".join(jobs) + "\n")
    source, target = str(folder / "timings.csv"), str(folder / "model.json")
    assert run(["cost", "fit", source, "-o", target]) == 0
    return folder


@pytest.fixture
def folder(fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, which is the current one."""
    shutil.copytree(fitted, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def model(folder: Path) -> Path:
    return folder / "model.json"


def digits(text: str) -> str:
    """Text with its numbers cut to two digits: libraries round the last ones differently."""

    return re.sub(r"\d[\d,]*[.,]\d+", lambda match: f"{float(match[0].replace(',', '')):.2g}", text)


@pytest.mark.parametrize("columns", [60, 140])
def test_what_a_person_sees(
    folder: Path, cli: Cli, columns: int, snapshot: SnapshotAssertion
) -> None:
    told = [
        cli("cost", *words, columns=columns)
        for words in (
            ("fit", "timings.csv", "-o", "model.json", "--force"),
            ("predict", "model.json", "jobs.csv"),
            ("predict", "model.json", "timings.csv"),
            ("show", "model.json"),
        )
    ]
    assert [one.returncode for one in told] == [0] * 4, told
    tables = "".join(re.split(r"^[*b]", one.stdout, flags=re.M)[0] for one in told[1:3])
    lines = (tables + told[3].stdout.partition("predicted (s)")[2]).splitlines()
    assert max(map(len, lines)) <= columns
    assert digits("\n=====\n".join(one.stdout for one in told)) == snapshot
    assert told[2].stderr == "note: column not used: comment\n"


def test_fit_tells_law_errors_and_wild_rows(folder: Path, answer: Ask) -> None:
    told = answer("cost", "fit", "timings.csv", "-o", "again.json")
    assert (folder / "again.json").read_bytes() == (folder / "model.json").read_bytes()
    assert told["jobs"] == 30
    assert told["law"]["execution"] == pytest.approx(4e-4, rel=0.1)
    assert len(told["wild"]) == 1
    assert 0 < told["accuracy"]["median_error"] < 0.1
    assert told["notes"] == ["column not used: comment"]
    assert json.loads((folder / "model.json").read_text())["format"] == "iqm-spec/time-model/1"


def test_fit_writes_over_nothing_unless_told(model: Path, cli: Cli) -> None:
    timings = model.parent / "timings.csv"
    timings.write_text("\n".join(timings.read_text().splitlines()[:5]) + "\n")
    before = model.read_bytes()
    refused = cli("cost", "fit", "jobs.csv", "-o", model.name)
    assert (refused.returncode, "--force" in refused.stderr) == (4, True)
    wrong = cli("cost", "fit", "jobs.csv", "-o", model.name, "--force")
    assert wrong.returncode == 2
    assert model.read_bytes() == before
    assert cli("cost", "fit", "timings.csv", "-o", model.name, "--force").returncode == 0
    assert sorted(p.name for p in model.parent.iterdir()) == ["jobs.csv", model.name, "timings.csv"]
    assert model.read_bytes() != before
    assert cli("cost", "fit", "timings.csv", "-o", "nix/model.json").returncode == 2


def test_predict_answers_with_ranges(model: Path, answer: Ask) -> None:
    told = answer("cost", "predict", model, "jobs.csv")
    rows = told["rows"]
    assert len(rows) == 3
    assert all(0 < row["low"] <= row["expected"] <= row["high"] for row in rows)
    assert rows[0]["expected"] == pytest.approx(0.91, rel=0.1)
    assert [row["outside"] for row in rows] == [[], [], ["depth", "circuits", "shots"]]
    for name in ("low", "expected", "high"):
        assert told["total"][name] == pytest.approx(sum(row[name] for row in rows))
    assert told["compared"] is None
    assert told["model"]["jobs"] == 30


def test_predict_compares_with_what_was_measured(model: Path, answer: Ask) -> None:
    told = answer("cost", "predict", model, "timings.csv")
    assert told["compared"]["jobs"] == 30
    assert told["compared"]["median_error"] < 0.05
    assert all(row["measured"] > 0 for row in told["rows"])


class Tags(HTMLParser):
    """The tags of a page, with the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))


@pytest.mark.parametrize("name", ["picture.svg", "picture.png", "picture.html"])
def test_show_draws_a_picture(model: Path, cli: Cli, name: str) -> None:
    assert cli("cost", "show", model, "-o", name).returncode == 0
    data = (model.parent / name).read_bytes()
    if name.endswith(".png"):
        assert data.startswith(b"\x89PNG")
        return
    text = data.decode()
    assert "measured QPU time (s)" in text
    addresses = set(re.findall(r"https?://([^/\"' ]*)", text))
    assert addresses <= {"www.w3.org"}
    if name.endswith(".svg"):
        assert text.count("<use ") >= 30
    else:
        tags = Tags()
        tags.feed(text)
        assert "script" not in {tag for tag, _ in tags.found}
        assert text.count("<title>num_qubits") == 30  # a tip for each job
        assert not {name for _, names in tags.found for name in names} & {"src", "href"}


def test_show_keeps_to_ascii_where_the_terminal_does(model: Path, cli: Cli) -> None:
    shown = cli("cost", "show", model, env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert shown.returncode == 0
    assert shown.stdout.isascii()
    assert "\\u" not in shown.stdout
    assert "us per execution" in shown.stdout


def test_show_of_the_public_tables(cli: Cli, answer: Ask) -> None:
    told = answer("cost", "show")
    assert list(told["models"]) == list(MACHINES)
    assert all(0.8 < one["accuracy"]["coverage"] <= 1 for one in told["models"].values())


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["fit", "nix.csv", "-o", "m.json"], "no such file"),
        (["fit", "jobs.csv", "-o", "m.json"], "`qpu_seconds`"),
        (["fit", "timings.csv"], "--output"),
        (["fit", ".", "-o", "m.json"], "no results folder"),
        (["fit", "timings.csv", "-o", "m.json", "--computer", "garnet"], "results folder"),
        (["predict", "nix.json", "jobs.csv"], "no file"),
        (["predict", "jobs.csv", "jobs.csv"], "is not valid JSON"),
        (["predict", "empty.json", "jobs.csv"], "no time model"),
        (["predict", "model.json", "nix.csv"], "no such file"),
        (["show", "jobs.csv"], "is not valid JSON"),
        (["show", "model.json", "-o", "picture.pdf"], ".svg"),
        (["show", "model.json", "-o", "nix/picture.svg"], "cannot be written"),
        (["ft"], "did you mean fit?"),
    ],
)
def test_mistakes_are_told(
    model: Path, capsys: pytest.CaptureFixture[str], words: list[str], text: str
) -> None:
    (model.parent / "empty.json").write_text("{}")
    assert run(["cost", *words]) == 2
    told = capsys.readouterr()
    assert (told.out, text in told.err) == ("", True)
    assert run(["cost", *words, "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["exit"] == 2
    assert (told.err, text in told.out) == ("", True)


def test_a_bad_table_is_told_row_by_row(folder: Path, cli: Cli, answer: Ask) -> None:
    (folder / "bad.csv").write_text("num_qubits,depth,circuits,shots\n2,5,1,x\n2,5,0,10\n")
    done = cli("cost", "predict", "model.json", "bad.csv")
    assert done.returncode == 2
    assert "bad.csv:2:7: error[table]: `shots` must be" in done.stderr
    assert "bad.csv:3:5: error[table]: `circuits` must be" in done.stderr
    found = answer("cost", "predict", "model.json", "bad.csv", exit_code=2)["error"]
    assert [item["line"] for item in found["diagnostics"]] == [2, 3]


@pytest.mark.parametrize(
    ("kind", "text"), [("endless", "no finite figures"), ("all wild", "no time model")]
)
def test_a_model_without_figures_is_told(model: Path, cli: Cli, kind: str, text: str) -> None:
    data = json.loads(model.read_text())
    if kind == "endless":
        for one in [data["chosen"], *data["folds"], *data["rivals"]]:
            one["coefficients"] = [1e308] * len(data["terms"])
    else:
        data["timings"] = [[*row[:-1], True] for row in data["timings"]]
    model.write_text(json.dumps(data))
    done = cli("cost", "predict", model, "jobs.csv", "--json")
    assert done.returncode == 2, done.stderr
    assert text in done.stdout
    assert done.stderr == ""


SPEC = """\
iqm_spec: 1
name: sizes
target: garnet
stages: [aer, mock, hardware]
circuits:
  - {generator: ghz, args: {num_qubits: 2}, shots: "${s}"}
sweep:
  - grid: {s: [100, 200, 500, 1000]}
aer: {noise: ideal}
"""


def test_a_results_folder_is_fitted_to_what_it_measured(
    tmp_path: Path, cli: Cli, answer: Ask
) -> None:
    (tmp_path / "sizes.yaml").write_text(SPEC)
    assert cli("run", "sizes.yaml", "--server", "emulator", "--yes").returncode == 0
    told = answer("cost", "fit", "results", "-o", "model.json")
    assert told["jobs"] == 4
    assert told["accuracy"]["median_error"] < 0.02
    assert told["origin"]["computer"] == "garnet"
    assert any("emulator" in note for note in told["notes"])
    none = cli("cost", "fit", "results", "-o", "other.json", "--computer", "emerald")
    assert (none.returncode, "no measured job" in none.stderr) == (2, True)
    shown = cli("cost", "show", "model.json").stdout
    assert "model.json (source results, computer garnet, server emulator" in shown


def group(computer: str, server_id: str = "resonance", conditions: str = "plain") -> Measured:
    return Measured(computer, server_id, False, conditions, ())


PLAIN, HERALDED = group("garnet"), group("garnet", conditions="heralding")


@pytest.mark.parametrize(
    ("groups", "conditions", "wanted"),
    [
        ([PLAIN], None, PLAIN),
        ([HERALDED], None, HERALDED),
        ([HERALDED, PLAIN], None, PLAIN),
        ([HERALDED, PLAIN], "heralding", HERALDED),
        ([], None, "no measured job"),
        ([PLAIN], "heralding", "--conditions"),
        ([HERALDED, group("garnet", conditions="active reset 2")], None, "--conditions"),
        ([PLAIN, group("emerald")], None, "--computer"),
        ([PLAIN, group("garnet", "cortex")], None, "--server"),
    ],
)
def test_a_model_is_of_one_machine_and_kind_of_job(
    groups: list[Measured], conditions: str | None, wanted: Measured | str
) -> None:
    if isinstance(wanted, Measured):
        assert the_group(groups, conditions, "results") is wanted
        return
    with pytest.raises(UsageError) as error:
        the_group(groups, conditions, "results")
    assert wanted in error.value.message + error.value.hint
