"""Nothing of a results folder changes or goes unnoticed, and folders of two people unite in git."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.emulator import Emulator
from iqm_spec.store import Store, verify
from tests.conftest import Cli
from tests.folders import copied, named, paths
from tests.forgery import exchange_value

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]

SPEC = """\
iqm_spec: 1
name: pair
target: garnet
shots: 200
stages: [aer, mock, hardware]
circuits:
  - {generator: ghz, args: {num_qubits: "${n}"}}
  - {qasm: one.qasm, parameters: by-name}
sweep: [{grid: {n: [2, 3]}}, {grid: {theta: [0.3, 0.7]}}]
"""
QASM = """\
OPENQASM 3.0;
include "stdgates.inc";
input float[64] theta;
qubit[2] q; bit[2] c;
rx(theta) q[0];
cx q[0], q[1];
c = measure q;
"""
SEED = 20261123


def write_spec(folder: Path, text: str = SPEC) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "pair.yaml").write_text(text)
    (folder / "one.qasm").write_text(QASM)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("original")


@pytest.fixture
def results(original: Path, cli: Cli, tmp_path: Path) -> Path:
    """A copy of a run's folder: Aer, mock and emulated hardware."""
    if not (original / "results").exists():
        write_spec(original)
        done = cli("run", "pair.yaml", "--server", "emulator", "--yes", cwd=original)
        assert done.returncode == 0, done.stderr
    return copied(original / "results", tmp_path / "results")


def found(root: Path) -> set[str]:
    """Paths that `verify` finds something wrong with."""
    return {item.path for item in verify(Store(root)).problems}


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_flipped_bit_in_any_file_is_found(results: Path) -> None:
    """In every file the first bit, the last, and some between; in an event a bit of every byte."""
    chance = random.Random(SEED)
    assert not found(results)
    files = paths(results, "objects", "runs", "jobs")
    assert len(files) >= 25
    event = min(paths(results, "jobs"), key=lambda path: path.stat().st_size)
    for path in files:
        data = path.read_bytes()
        bits = len(data) * 8
        tried = {0, bits - 1, *chance.sample(range(bits), 6)}
        if path == event:
            tried = {8 * byte + chance.randrange(8) for byte in range(len(data))}
        for bit in sorted(tried):
            path.write_bytes(flipped(data, bit))
            assert path.relative_to(results).as_posix() in found(results), (path, bit, SEED)
        path.write_bytes(data)
    for path in paths(results, "asks"):
        path.write_bytes(b"\x00")
        assert found(results) == {path.relative_to(results).as_posix()}
        path.write_bytes(b"")
    assert not found(results)


def test_a_flipped_bit_in_the_index_changes_no_answer(results: Path) -> None:
    """What is derived is not checked by `verify`, and is not believed."""
    chance = random.Random(SEED)
    first = rows(results)
    files = paths(results, "index")
    assert len(files) >= 6
    for path in files:
        data = path.read_bytes()
        for bit in {0, len(data) * 8 - 1, *chance.sample(range(len(data) * 8), 6)}:
            path.write_bytes(flipped(data, bit))
            assert not found(results)
            assert rows(results) == first, (path, bit, SEED)
            path.write_bytes(data)


def rows(root: Path) -> list[dict[str, Any]]:
    from iqm_spec.engine.saved import load_run

    store = Store(root)
    return [row.to_json() for row in load_run(store, "latest").each_row(store)]


def test_every_file_that_something_names_is_missed(results: Path) -> None:
    missed = set()
    for path in paths(results):
        data = path.read_bytes()
        path.unlink()
        if found(results):
            missed.add(path)
        path.write_bytes(data)
    assert missed == named(results)
    unnamed = {path.relative_to(results).parts[0] for path in set(paths(results)) - missed}
    assert unnamed == {"asks", "runs"}  # pointers, and the last event of each run


def test_every_file_under_another_name_is_found(results: Path) -> None:
    for path in paths(results):
        digit = "0" if path.name[0] != "0" else "1"
        moved = path.with_name(digit + path.name[1:])
        if moved.exists():
            continue
        path.rename(moved)
        assert found(results), path
        moved.rename(path)


# --- two people ----------------------------------------------------------------------------------


def git(folder: Path, *args: str) -> str:
    name = ("-c", "user.name=A Person", "-c", "user.email=person@example.org")
    done = subprocess.run(
        ["git", *name, "-C", str(folder), *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commit(folder: Path, text: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", text)


OTHER = SPEC.replace("name: pair", "name: other").replace("[2, 3]", "[3, 4]")
MORE = SPEC.replace("[2, 3]", "[2, 3, 5]").replace("[0.3, 0.7]", "[0.7, 1.1]")


@pytest.mark.parametrize(
    ("first", "second"), [(SPEC, SPEC), (SPEC, MORE), (SPEC, OTHER)],
    ids=["one spec", "a spec that grew", "two specs"],
)  # fmt: skip
def test_two_peoples_folders_unite_in_git(
    first: str, second: str, tmp_path: Path, cli: Cli, answer: Ask, emulator: Emulator
) -> None:
    """Both run against one emulator, from clones of one repository that do not know each other."""
    write_spec(tmp_path / "origin", SPEC.replace("[aer, mock, hardware]", "[aer]"))
    git(tmp_path, "init", "-q", "-b", "main", "origin")
    at = {"env": {"IQM_TOKEN": "any"}}
    assert cli("run", "pair.yaml", cwd=tmp_path / "origin").returncode == 0
    commit(tmp_path / "origin", "Simulated")
    git(tmp_path, "clone", "-q", "origin", "ann")
    git(tmp_path, "clone", "-q", "origin", "bob")
    runs = []
    for name, text in (("ann", first), ("bob", second)):
        write_spec(tmp_path / name, text)
        asked = ("run", "pair.yaml", "--server", emulator.url, "--yes")
        runs.append(answer(*asked, cwd=tmp_path / name, **at)["run"])
        git(tmp_path / name, "checkout", "-q", "--", "pair.yaml")
        commit(tmp_path / name, f"{name} ran it")
    git(tmp_path / "ann", "pull", "-q", "--no-rebase", "--no-edit", "../bob", "main")
    assert git(tmp_path / "ann", "status", "--porcelain") == ""
    answer("verify", cwd=tmp_path / "ann")
    listed = {run["run"] for run in answer("status", cwd=tmp_path / "ann")["runs"]}
    assert listed > set(runs)
    for run in listed:
        assert answer("reproduce", run, cwd=tmp_path / "ann")["same"]
    git(tmp_path / "bob", "pull", "-q", "--no-rebase", "--no-edit", "../ann", "main")
    trees = {git(tmp_path / name, "rev-parse", "HEAD^{tree}") for name in ("ann", "bob")}
    assert len(trees) == 1


def test_a_lost_event_is_told_by_every_command_that_reads_the_run(
    results: Path, cli: Cli, tmp_path: Path
) -> None:
    (run,) = (results / "runs").iterdir()
    events = sorted(run.iterdir())
    for event in events[1:-1]:
        data = event.read_bytes()
        event.unlink()
        number = int(event.name[:4])
        for command in (
            *(("status",), ("status", "latest"), ("export", "latest"), ("diff", "pair", "latest")),
            *(("report", "-o", "r.html"), ("reproduce", "latest"), ("verify",)),
        ):
            done = cli(*command, cwd=tmp_path)
            assert done.returncode == 7, (command, event.name, done.stdout, done.stderr)
            assert "Traceback" not in done.stderr
            if command[0] in ("export", "diff", "report"):
                assert f"has lost the event number {number}" in done.stderr, command
        assert "damaged" in cli("status", cwd=tmp_path).stdout
        event.write_bytes(data)
    assert cli("status", cwd=tmp_path).returncode == 0


def test_a_lost_event_of_a_job_is_told_too(results: Path, cli: Cli, tmp_path: Path) -> None:
    """Of the mock's job and the machine's, whether it leaves a gap or was the last."""
    archive = ("archive", "-o", "x.zip", "--license", "CC-BY-4.0", "--anonymous")
    for event in paths(results, "jobs"):
        data = event.read_bytes()
        event.unlink()
        for command in (("status",), ("export",), ("report", "-o", "r.html"), archive, ("verify",)):
            done = cli(*command, cwd=tmp_path)
            assert done.returncode == 7, (command, event, done.stdout, done.stderr)
            assert "Traceback" not in done.stderr
        if "intent" not in event.name:  # without it no results can be told
            told = cli("export", cwd=tmp_path).stderr
            assert f"the journal of job {event.parent.name[:12]}" in told
        event.write_bytes(data)


def test_a_journal_with_a_number_out_of_all_bounds_is_told_at_once(results: Path) -> None:
    from iqm_spec.store.journals import event_bytes, event_name

    (run,) = (results / "runs").iterdir()
    data = event_bytes(run.name, 999_999_999, "ended", {})
    (run / event_name(999_999_999, "ended", data)).write_bytes(data)
    problems = verify(Store(results)).problems
    assert {item.path for item in problems} == {f"runs/{run.name}"}
    assert len(problems) == 1000


STRANGE = (None, -1, 0, 1.5, "x", [], {}, True, 10**15, [1, 2], {"a": 1})
COMMANDS = (
    *("status latest", "export latest", "report -o r.html", "analyze", "reproduce", "verify"),
    *("diff latest latest", "ledger"),
)


@pytest.mark.parametrize("seed", range(4))
def test_what_strangers_wrote_is_told_and_crashes_nothing(
    seed: int, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One value anywhere is exchanged for another kind of value, and every hash is mended."""
    from iqm_spec.cli.app import run

    monkeypatch.chdir(tmp_path)
    chance = random.Random(SEED + seed)
    for number in range(4):
        folder = copied(results, tmp_path / f"strange-{number}")
        told = exchange_value(folder, chance, STRANGE)
        for command in COMMANDS:
            code = run([*command.split(), "--results", folder.name])
            assert code in (0, 2, 7), (command, told, seed)
