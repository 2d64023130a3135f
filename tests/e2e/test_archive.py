"""`archive`: one zip that holds a run and all that it needs, described for people and machines."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import re
import shutil
import socket
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from iqm_spec.archive.archive import Added, prepare
from iqm_spec.archive.citation import given_citation
from iqm_spec.archive.contents import Contents, contents_of
from iqm_spec.archive.texts import about
from iqm_spec.emulator import Emulator
from iqm_spec.engine.saved import load_run
from iqm_spec.errors import StoreCorrupt
from iqm_spec.store import Store, verify
from tests.conftest import Cli
from tests.folders import copied, digests, named, paths
from tests.forgery import forge_object
from tools import check_crate

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]

ARCHIVES = Path(__file__).parents[2] / "experiments" / "archives"
SPECS = sorted(path.stem for path in ARCHIVES.parent.iterdir() if path.suffix in (".yaml", ".toml"))
ORCID = "https://orcid.org/0000-0002-1825-0097"
WHO = ("--license", "CC-BY-4.0", "--author", f"Carberry, Josiah <{ORCID}>")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return copied(ARCHIVES, tmp_path / "results", derived=False)


def unzipped(path: Path) -> Path:
    target = path.with_suffix("")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(target)
    return target


def graph(folder: Path) -> dict[str, dict[str, Any]]:
    told = json.loads((folder / "ro-crate-metadata.json").read_text())
    return {entity["@id"]: entity for entity in told["@graph"]}


@pytest.mark.parametrize("name", SPECS)
def test_what_is_unzipped_is_a_results_folder(
    name: str, results: Path, tmp_path: Path, answer: Ask, cli: Cli
) -> None:
    before = cli("export", name, "--format", "json").stdout
    told = answer("archive", name, "-o", "run.zip", *WHO)
    folder = unzipped(tmp_path / "run.zip")
    assert hashlib.sha256((tmp_path / "run.zip").read_bytes()).hexdigest() == told["sha256"]
    assert told["bytes"] == (tmp_path / "run.zip").stat().st_size
    assert told["files"] == sum(path.is_file() for path in folder.rglob("*"))
    assert not {path for path in folder.rglob("*") if path.is_symlink()}
    shutil.rmtree(results)
    at = ("--results", folder)
    answer("verify", folder)
    assert [run["run"] for run in answer("status", *at)["runs"]] == [told["run"]]
    exported = cli("export", name, "--format", "json", *at)
    assert (exported.returncode, exported.stdout) == (0, before)
    assert json.loads(before)["rows"]


@pytest.mark.parametrize("name", ["ghz", "bell"])
def test_a_run_is_reproduced_from_its_archive_and_its_spec_is_answered(
    name: str, results: Path, tmp_path: Path, answer: Ask
) -> None:
    run = answer("archive", name, "-o", "run.zip", *WHO)["run"]
    folder = unzipped(tmp_path / "run.zip")
    shutil.rmtree(results)
    assert answer("reproduce", run, "--results", folder)["same"]
    spec = next((folder / "experiment").glob(f"{name}.*"))
    again = answer("run", spec, "--server", "emulator", "--yes", "--results", folder)
    assert again["run"] == run
    assert all(stage["submitted"] == 0 for stage in again["stages"])
    assert all(stage["cached"] == stage["points"] for stage in again["stages"])


def test_the_same_run_gives_the_same_bytes(
    results: Path, tmp_path: Path, cli: Cli, spawned: Cli
) -> None:
    other = copied(results, tmp_path / "other")
    for path in other.rglob("*"):
        os.utime(path, (1e9, 1e9))
    env = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "3", "LC_ALL": "C"}
    assert cli("archive", "ghz", "-o", "one.zip", *WHO).returncode == 0
    done = spawned("archive", "ghz", "--results", other, "-o", "two.zip", *WHO, env=env)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert cli("archive", "ghz", "-o", "one.zip", *WHO).returncode == 2  # it is there already
    assert cli("archive", "ghz", "-o", "one.zip", "--force", *WHO).returncode == 0


def test_it_holds_what_the_run_needs_and_nothing_else(
    results: Path, tmp_path: Path, cli: Cli
) -> None:
    cli("archive", "ghz", "-o", "run.zip", *WHO)
    folder = unzipped(tmp_path / "run.zip")
    assert set(digests(folder)) < set(digests(results))
    assert {path.name[:4] for path in (folder / "runs").iterdir()} == {"ghz-"}
    for path in paths(folder):
        assert path.read_bytes() == (results / path.relative_to(folder)).read_bytes()
    names = {path.relative_to(folder).parts[0] for path in folder.rglob("*")}
    assert names == {
        ".gitattributes", ".gitignore", "CITATION.cff", "report.html", "README.md", "asks",
        "experiment", "jobs", "objects", "ro-crate-metadata.json", "runs",
    }  # fmt: skip
    needed = set(digests(folder).values())
    for path in needed:  # nothing that another run alone leads to
        data = b"".join(other.read_bytes() for other in paths(folder) if other != path)
        derived = b"-derived/1" in path.read_bytes()[:60]
        pointed = any(path.stem in other.name for other in paths(folder, "asks"))
        assert path.stem.encode() in data or derived or pointed, path


def test_nothing_tells_of_the_machine_it_was_made_on(
    results: Path, tmp_path: Path, cli: Cli
) -> None:
    env = {"IQM_TOKEN": "sesame-open-the-door", "USER": "mallory", "HOSTNAME": "mallorys-laptop"}
    assert cli("archive", "ghz", "-o", "run.zip", *WHO, env=env).returncode == 0
    folder = unzipped(tmp_path / "run.zip")
    words = ["sesame", "mallory", str(tmp_path), str(Path.home()), socket.gethostname()]
    words += [getpass.getuser()] if len(getpass.getuser()) > 4 else []
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert not [word for word in words if len(word) > 4 and word.encode() in data], path


def test_entities_name_what_is_there(results: Path, tmp_path: Path, cli: Cli) -> None:
    cli("archive", "ghz", "-o", "run.zip", "--agent", "Ada Lovelace", *WHO)
    folder = unzipped(tmp_path / "run.zip")
    entities = graph(folder)
    for entity in entities.values():
        for id_ in references(entity):
            assert id_ in entities or id_.startswith("https://w3id.org/ro/crate/"), id_
    files = {id_: one for id_, one in entities.items() if "File" in kinds(one)}
    for id_, entity in files.items():
        data = (folder / id_).read_bytes()
        assert entity["contentSize"] == str(len(data))
        assert entity["sha256"] == hashlib.sha256(data).hexdigest()
        assert {"@id": id_} in entities["./"]["hasPart"]
    assert entities["./"]["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
    assert entities[ORCID]["name"] == "Josiah Carberry"
    run, hardware = entities["#run"], entities["#stage-hardware"]
    assert run["startTime"] <= hardware["startTime"] <= hardware["endTime"] <= run["endTime"]
    assert run["instrument"] == entities["./"]["mainEntity"] == {"@id": "experiment/ghz.yaml"}
    assert entities["#agent-1"]["name"] == "Ada Lovelace"
    assert run["agent"] == {"@id": "#agent-1"}
    assert entities["#hardware-garnet"]["description"].startswith("An emulator")
    aer = entities[entities["#stage-aer"]["instrument"]["@id"]]
    assert (aer["name"], aer["softwareVersion"]) == ("Qiskit Aer", "0.17.2")


def references(value: Any) -> Iterator[str]:
    """Ids that an entity refers to."""
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict) and set(item) == {"@id"}:
            yield item["@id"]
        elif isinstance(item, dict | list):
            yield from references(item)


def kinds(entity: dict[str, Any]) -> list[str]:
    found = entity["@type"]
    return [found] if isinstance(found, str) else found


def test_its_readme_and_citation(results: Path, tmp_path: Path, cli: Cli) -> None:
    words = ("--title", "GHZ <b>*states*</b>", "--date", "2026-12-01")
    assert cli("archive", "ghz", "-o", "run.zip", *WHO, *words).returncode == 0
    folder = unzipped(tmp_path / "run.zip")
    cited = yaml.safe_load((folder / "CITATION.cff").read_text())
    assert cited["authors"] == [
        {"family-names": "Carberry", "given-names": "Josiah", "orcid": ORCID}
    ]
    assert str(cited["date-released"]) == "2026-12-01"
    assert cited["title"] == "GHZ <b>*states*</b>"
    readme = (folder / "README.md").read_text()
    assert "# GHZ \\<b>\\*states\\*\\</b>\n" in readme
    assert "experiment/ghz.yaml" in readme
    assert graph(folder)["./"]["datePublished"] == "2026-12-01"


def test_a_citation_file_goes_in_as_it_is(results: Path, tmp_path: Path, cli: Cli) -> None:
    text = (
        "cff-version: 1.2.0\nmessage: hello\ntitle: Mine\nlicense: CC0-1.0\n"
        "authors:\n  - name: The Team\n"
    )
    (tmp_path / "cite.cff").write_text(text)
    assert cli("archive", "ghz", "-o", "run.zip", "--citation", "cite.cff").returncode == 0
    folder = unzipped(tmp_path / "run.zip")
    assert (folder / "CITATION.cff").read_text() == text
    assert graph(folder)["./"]["name"] == "Mine"
    assert graph(folder)["./"]["license"] == {"@id": "https://spdx.org/licenses/CC0-1.0"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((), "needs a license"),
        (("--license", "CC-BY-4.0"), "needs authors"),
        (("--anonymous",), "needs a license"),
        (("--license", "mine", "--anonymous"), "neither an SPDX license nor a URL"),
        (("--license", "MIT", "--author", "A <1>"), "not an ORCID"),
        ((*WHO, "--anonymous"), "exclude each other"),
        ((*WHO, "--citation", "none.cff"), "names the authors"),
        (("--citation", "none.cff"), "cannot be read"),
        ((*WHO, "--date", "soon"), "not a date"),
        ((*WHO, "-o", "no/such/folder.zip"), "cannot be written"),
        ((*WHO, "nobody"), "no run"),
    ],
)
def test_what_is_missing_is_asked_for(
    asked: tuple[str, ...], message: str, results: Path, tmp_path: Path, answer: Ask
) -> None:
    error = answer("archive", *asked, exit_code=2)["error"]
    assert message in error["message"]
    assert error["hint"]
    assert not list(tmp_path.glob("*.zip"))
    assert not list(tmp_path.glob(".*.zip*"))


def test_a_damaged_run_is_not_archived(results: Path, tmp_path: Path, answer: Ask) -> None:
    """Every file of it in turn: changed, and away where something names it."""

    def contents() -> Contents:
        store = Store(results)
        return contents_of(store, load_run(store, "ghz"))

    files = [results / path for path in contents().files]
    assert len(files) > 25
    missed = named(results)
    for path in [path for path in files if path.parent.parent.name != "asks"]:
        data = path.read_bytes()
        for change in (data[:-1] + bytes([data[-1] ^ 1]), None):
            path.write_bytes(change) if change else path.unlink()
            if change or path in missed:
                with pytest.raises(StoreCorrupt) as error:
                    contents()
                assert error.value.hint
        path.write_bytes(data)
    files[-1].write_bytes(b"{}")
    answer("archive", "ghz", "-o", "x.zip", *WHO, exit_code=7)
    assert not (tmp_path / "x.zip").exists()


GROWN = """\
iqm_spec: 1
name: grown
target: garnet
shots: 100
circuits:
  - {generator: ghz, args: {num_qubits: "${n}"}}
sweep: [{grid: {n: NUMBERS}}]
"""


def test_a_sweep_that_grew_takes_what_earlier_runs_got_along(
    tmp_path: Path, answer: Ask, cli: Cli, emulator: Emulator
) -> None:
    """Records of the Aer stage, and jobs with the plans that they were made of."""
    at = {"env": {"IQM_TOKEN": "any"}}
    for numbers in ("[2, 3]", "[2, 3, 4]"):
        text = GROWN.replace("NUMBERS", numbers) + "stages: [aer, mock, hardware]\n"
        (tmp_path / "grown.yaml").write_text(text)
        run = answer("run", "grown.yaml", "--server", emulator.url, "--yes", **at)["run"]
    answer("archive", run, "-o", "run.zip", *WHO)
    folder = unzipped(tmp_path / "run.zip")
    shutil.rmtree(tmp_path / "results")
    answer("verify", folder)
    assert len(list((folder / "runs").iterdir())) == 1
    assert len(list((folder / "jobs").iterdir())) == 4
    told = answer("reproduce", run, "--results", folder)
    totals = {check["name"]: check["total"] for check in told["checks"]}
    assert (totals["Aer records"], totals["hardware requests"]) == (3, 2)
    assert totals["hardware counts"] == totals["hardware distances"] == 3
    before = len(emulator.submissions())
    again = ("run", "grown.yaml", "--server", emulator.url, "--yes", "--results", folder)
    assert answer(*again, **at)["run"] == run
    assert len(emulator.submissions()) == before
    assert cli("export", run, "--results", folder).returncode == 0


FILES = """\
iqm_spec: 1
name: files
target: garnet
shots: 100
circuits:
  - {name: one, qasm: "./circuits/my é circuit.qasm"}
  - {name: two, qasm: other.qasm}
  - {name: three, qasm: "at:3/it's & so #1?.qasm"}
"""


def test_circuit_files_have_their_places(tmp_path: Path, answer: Ask, cli: Cli) -> None:
    """In the spec's folder only: no archive writes beside the folder it is unpacked in."""
    (tmp_path / "mine" / "circuits").mkdir(parents=True)
    (tmp_path / "mine" / "files.yaml").write_text(FILES)
    qasm = (ARCHIVES.parent / "circuits" / "bell.qasm").read_text()
    (tmp_path / "mine" / "circuits" / "my é circuit.qasm").write_text(qasm)
    (tmp_path / "mine" / "other.qasm").write_text(qasm + "// another\n")
    (tmp_path / "mine" / "at:3").mkdir()
    (tmp_path / "mine" / "at:3" / "it's & so #1?.qasm").write_text(qasm + "// a third\n")
    answer("run", "mine/files.yaml")

    def moved(inputs: dict[str, Any]) -> None:
        inputs["files"]["../../outside.qasm"] = inputs["files"].pop("other.qasm")

    forge_object(tmp_path / "results", "inputs", moved)
    done = cli("archive", "-o", "run.zip", *WHO)
    assert "note: the path of the circuit file ../../outside.qasm may lead out" in done.stderr
    folder = unzipped(tmp_path / "run.zip")
    files = {p.relative_to(folder).as_posix() for p in (folder / "experiment").rglob("*.*")}
    odd = "experiment/at:3/it's & so #1?.qasm"
    assert files == {"experiment/files.yaml", "experiment/circuits/my é circuit.qasm", odd}
    used = graph(folder)["#run"]["object"]
    assert {"@id": "experiment/circuits/my%20%C3%A9%20circuit.qasm"} in used
    assert set(references(used)) <= graph(folder).keys()
    assert answer("reproduce", "--results", folder)["same"]


NAMES = (
    *("a b.qasm", 'it\'s "so".qasm', "é ü 漢 😀.qasm", "e\u0301.qasm", "nb\u00a0sp.qasm"),
    *("-dash.qasm", ".hidden.qasm", "...qasm", "trail .qasm", "sub dir/-x:y.qasm", "at:3.qasm"),
    *("a%20b.qasm", "q#1?.qasm", "x&y*<z>|.qasm", "`tick`.qasm", "$(x);y.qasm", "[a](b)_{c}.qasm"),
)


def test_the_spec_of_an_archive_finds_its_files(tmp_path: Path, answer: Ask, cli: Cli) -> None:
    """Whatever signs their names have; ids in the crate are URIs."""
    qasm = (ARCHIVES.parent / "circuits" / "bell.qasm").read_text()
    text = "iqm_spec: 1\nname: odd\ntarget: garnet\nshots: 20\nstages: [aer]\ncircuits:\n"
    for number, name in enumerate(NAMES):
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{qasm}// {number}\n")
        text += f"  - {{name: c{number}, qasm: {json.dumps(name, ensure_ascii=False)}}}\n"
    (tmp_path / "mine" / "odd.yaml").write_text(text)
    answer("run", "mine/odd.yaml")
    done = cli("archive", "-o", "run.zip", *WHO)
    assert (done.returncode, done.stderr) == (0, "")
    folder = unzipped(tmp_path / "run.zip")
    for name in NAMES:
        data = (tmp_path / "mine" / name).read_bytes()
        assert (folder / "experiment" / name).read_bytes() == data
    ids = [entity for entity in graph(folder) if entity.startswith("experiment/")]
    assert {unquote(one) for one in ids} == {f"experiment/{n}" for n in (*NAMES, "odd.yaml")}
    assert all(re.fullmatch(r"[\w./~%-]+", one, re.ASCII) for one in ids)
    again = answer("run", folder / "experiment" / "odd.yaml", "--results", folder)
    assert [stage["cached"] for stage in again["stages"]] == [len(NAMES)]


def test_files_can_be_added(results: Path, tmp_path: Path) -> None:
    store = Store(results)
    contents = contents_of(store, load_run(store, "ghz"))
    words = about(contents, given_citation("MIT", [], anonymous=True))
    added = [Added("report.html", "Report", b"<p>ghz</p>")]
    with (tmp_path / "run.zip").open("wb") as file:
        prepare(store, contents, words, added).write(file)
    folder = unzipped(tmp_path / "run.zip")
    assert (folder / "report.html").read_bytes() == b"<p>ghz</p>"
    assert graph(folder)["report.html"]["name"] == "Report"
    assert graph(folder)["report.html"]["encodingFormat"] == "text/html"
    assert "| [`report.html`](report.html) | Report |" in (folder / "README.md").read_text()
    assert verify(store).ok


def test_a_run_that_failed_or_has_not_ended_says_so(tmp_path: Path, answer: Ask, cli: Cli) -> None:
    text = GROWN.replace("NUMBERS", "[2]") + "require: {aer: {hellinger_fidelity: {min: 0.999}}}\n"
    (tmp_path / "grown.yaml").write_text(text)
    run = answer("run", "grown.yaml", exit_code=4)["run"]
    done = cli("archive", "-o", "failed.zip", *WHO)
    assert "note: run grown-" in done.stderr
    action = graph(unzipped(tmp_path / "failed.zip"))["#run"]
    assert action["actionStatus"] == "http://schema.org/FailedActionStatus"
    assert "hellinger_fidelity" in action["error"]
    sorted((tmp_path / "results" / "runs" / run).iterdir())[-1].unlink()
    assert cli("archive", "-o", "begun.zip", *WHO).returncode == 0
    action = graph(unzipped(tmp_path / "begun.zip"))["#run"]
    assert action["actionStatus"] == "http://schema.org/ActiveActionStatus"
    assert not {"endTime", "error"} & action.keys()


@pytest.mark.skipif(
    not check_crate.VALIDATOR.exists() or not check_crate.CACHE.with_suffix(".sqlite").exists(),
    reason="the validator is not there: `make crate-check` brings it",
)
@pytest.mark.parametrize("profile", check_crate.PROFILES)
def test_the_public_validator_finds_it_valid(
    profile: str, results: Path, tmp_path: Path, cli: Cli
) -> None:
    cli("archive", "ghz", "-o", "run.zip", *WHO)
    assert check_crate.invalid(tmp_path / "run.zip", profile) == ""
    folder = unzipped(tmp_path / "run.zip")
    metadata = folder / "ro-crate-metadata.json"
    metadata.write_text(metadata.read_text().replace('"instrument"', '"instruments"'))
    if profile != "ro-crate-1.1":  # it looks at what these profiles ask for
        assert "instrument" in check_crate.invalid(folder, profile)
