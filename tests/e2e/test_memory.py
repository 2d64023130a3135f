"""Specs with `memory: true`: shots beside counts, kept, checked, had later, and exported."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import iqm_spec
from iqm_spec import packed_shots
from iqm_spec.emulator import Emulator
from iqm_spec.results.garbage import drop, find_garbage
from iqm_spec.store import Store, verify
from tests.conftest import Cli
from tests.forgery import forge_record
from tests.processes import end, start_run, until

pytestmark = pytest.mark.slow

TOKEN = "any-token"

SPEC = """\
iqm_spec: 1
name: pair
target: garnet
shots: 200
stages: [STAGES]
MEMORY
circuits:
  - {generator: ghz, args: {num_qubits: "${n}"}}
  - {generator: w_state, args: {num_qubits: 3}, memory: false}
sweep: [{grid: {n: [2, 3]}}]
"""


def write(folder: Path, *, kept: bool, stages: str = "aer") -> None:
    text = SPEC.replace("STAGES", stages).replace("MEMORY", "memory: true" if kept else "")
    (folder / "spec.yaml").write_text(text if kept else text.replace(", memory: false", ""))


def points(folder: Path) -> tuple[iqm_spec.api.point.Point, ...]:
    return iqm_spec.load(folder / "results", "latest").points


def all_agree(folder: Path, number: int) -> None:
    found = [point for point in points(folder) if point.circuit_name == "ghz"]
    assert len(found) == number
    for point in found:
        assert point.memory is not None
        assert packed_shots.agrees(point.memory, point.outcomes)
    assert all(p.memory is None for p in points(folder) if p.circuit_name == "w_state")
    assert verify(Store(folder / "results")).ok


def test_counts_stay_and_shots_come_later(tmp_path: Path, cli: Cli) -> None:
    write(tmp_path, kept=False)
    assert cli("run", "spec.yaml").returncode == 0
    before = {p.id: dict(p.outcomes) for p in points(tmp_path)}
    assert all(point.memory is None for point in points(tmp_path))
    write(tmp_path, kept=True)
    told = json.loads(cli("run", "spec.yaml", "--json").stdout)
    assert told["stages"][0]["cached"] == 3
    assert {p.id: dict(p.outcomes) for p in points(tmp_path)} == before
    all_agree(tmp_path, 2)
    fresh = tmp_path / "fresh"
    assert cli("run", "spec.yaml", "--results", fresh).returncode == 0
    anew = iqm_spec.load(fresh, "latest").points
    for one, other in zip(points(tmp_path), anew, strict=True):
        assert dict(one.outcomes) == dict(other.outcomes)
        if one.memory is not None:
            assert other.memory is not None
            assert (one.memory == other.memory).all()


def test_a_spec_without_memory_keeps_none_and_has_the_digest_that_it_had(
    tmp_path: Path, cli: Cli
) -> None:
    write(tmp_path, kept=False)
    assert cli("run", "spec.yaml").returncode == 0
    first = iqm_spec.load(tmp_path / "results", "latest")
    (tmp_path / "spec.yaml").write_text((tmp_path / "spec.yaml").read_text() + "memory: false\n")
    assert cli("run", "spec.yaml").returncode == 0
    assert iqm_spec.load(tmp_path / "results", "latest").spec.digest == first.spec.digest
    kinds = [p.read_bytes()[:60] for p in (tmp_path / "results/objects").glob("*/*.jsonl")]
    assert not any(b"memory" in kind for kind in kinds)


def test_shots_are_fetched_with_the_counts_or_later_and_never_submitted_again(
    tmp_path: Path, cli: Cli, emulator: Emulator
) -> None:
    write(tmp_path, kept=False, stages="aer, mock, hardware")
    server = ("--server", emulator.url, "--yes")
    env = {"IQM_TOKEN": TOKEN}
    assert cli("run", "spec.yaml", *server, env=env).returncode == 0
    submitted = len(emulator.submissions())
    write(tmp_path, kept=True, stages="aer, mock, hardware")
    assert cli("run", "spec.yaml", *server, env=env).returncode == 0
    assert len(emulator.submissions()) == submitted
    all_agree(tmp_path, 4)
    other = tmp_path / "other"
    assert cli("run", "spec.yaml", *server, "--results", other, env=env).returncode == 0
    found = iqm_spec.load(other, "latest").points
    assert sum(point.memory is not None for point in found) == 4


def test_a_run_that_left_its_jobs_to_the_server_brings_their_shots_in(
    tmp_path: Path, cli: Cli, emulator: Emulator
) -> None:
    write(tmp_path, kept=True, stages="mock, hardware")
    server = ("--server", emulator.url, "--yes")
    env = {"IQM_TOKEN": TOKEN}
    assert cli("run", "spec.yaml", *server, "--detach", env=env).returncode in (0, 9)
    assert cli("resume", "latest", *server[:2], env=env).returncode == 0
    all_agree(tmp_path, 2)


def test_explain_tells_that_shots_are_wanted(tmp_path: Path, cli: Cli) -> None:
    write(tmp_path, kept=False)
    (tmp_path / "other.yaml").write_text((tmp_path / "spec.yaml").read_text())
    write(tmp_path, kept=True)
    told = cli("explain", "other.yaml", "spec.yaml").stdout
    assert "memory" in told


def test_a_server_that_lost_the_shots_is_told(tmp_path: Path, cli: Cli, emulator: Emulator) -> None:
    write(tmp_path, kept=False, stages="mock, hardware")
    server = ("--server", emulator.url, "--yes")
    env = {"IQM_TOKEN": TOKEN}
    assert cli("run", "spec.yaml", *server, env=env).returncode == 0
    write(tmp_path, kept=True, stages="mock, hardware")
    emulator.faults([{"fault": "status", "on": "measurements", "status": 404, "times": None}])
    told = cli("run", "spec.yaml", *server, env=env)
    assert told.returncode == 0
    assert "could not be fetched" in told.stderr
    assert all(point.memory is None for point in points(tmp_path))
    assert all(point.counts for point in points(tmp_path))
    (tmp_path / "spec.yaml").write_text((tmp_path / "spec.yaml").read_text() + "seed: 3\n")
    emulator.faults([])
    assert cli("run", "spec.yaml", *server, env=env).returncode == 0
    all_agree(tmp_path, 2)


def test_counts_are_had_where_a_server_does_not_give_the_shots(
    tmp_path: Path, cli: Cli, emulator: Emulator
) -> None:
    write(tmp_path, kept=True, stages="mock, hardware")
    emulator.faults([{"fault": "status", "on": "measurements", "status": 404, "times": None}])
    told = cli("run", "spec.yaml", "--server", emulator.url, "--yes", env={"IQM_TOKEN": TOKEN})
    assert told.returncode == 0
    assert "its shots are not kept" in told.stderr
    assert all(point.counts for point in points(tmp_path))


@pytest.fixture
def stored(tmp_path: Path, cli: Cli) -> Path:
    write(tmp_path, kept=True)
    assert cli("run", "spec.yaml").returncode == 0
    return tmp_path / "results"


def unpacked(record: dict[str, Any]) -> Any:
    return packed_shots.unpack(record["shots"], record["width"], record["bits"])


def other_shots(record: dict[str, Any]) -> None:
    bits = unpacked(record).copy()
    bits[0] ^= 1
    record |= packed_shots.pack(iter(bits.T), len(bits))


def other_order(record: dict[str, Any]) -> None:
    bits = unpacked(record)[::-1]
    record |= packed_shots.pack(iter(bits.T), len(bits))


def test_verify_finds_shots_that_are_not_those_counted(stored: Path, cli: Cli) -> None:
    forge_record(stored, "aer-memory", other_shots)
    told = cli("verify", stored)
    assert told.returncode == 7
    assert "has other shots" in told.stdout + told.stderr
    assert "shots" in {one.code for one in verify(Store(stored)).problems}
    assert cli("export", "latest", "--memory", "--format", "json").returncode == 7


def test_reproduce_finds_shots_in_another_order(stored: Path, cli: Cli) -> None:
    assert "Aer shots: 2 of 2" in cli("reproduce").stdout
    forge_record(stored, "aer-memory", other_order)
    assert cli("verify", stored).returncode == 0
    told = cli("reproduce")
    assert told.returncode == 7
    assert "another order" in told.stdout


def test_verify_finds_lost_shots_and_gc_and_archives_keep_them(
    stored: Path, cli: Cli, tmp_path: Path
) -> None:
    store = Store(stored)
    drop(store, find_garbage(store, 4e9))
    all_agree(tmp_path, 2)
    archived = cli("archive", "latest", "-o", "a.zip", "--license", "CC-BY-4.0", "--author", "A B")
    assert archived.returncode == 0, archived.stderr
    pack = next(p for p in stored.glob("objects/*/*.jsonl") if b"aer-memory" in p.read_bytes()[:60])
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert any(pack.name in name for name in archive.namelist())
    pack.unlink()
    assert "missing" in {one.code for one in verify(Store(stored)).problems}


def test_exports(stored: Path, cli: Cli, tmp_path: Path) -> None:
    assert cli("export", "latest", "--memory", "-o", "x.npz").returncode == 0
    held = np.load(tmp_path / "x.npz", allow_pickle=False)
    index = json.loads(str(held["index"]))
    assert [one["values"] for one in index] == [{"n": 2}, {"n": 3}]
    rows = json.loads(cli("export", "latest", "--memory", "--format", "json").stdout)["rows"]
    for row, one in zip(rows[:2], index, strict=True):
        bits = held[one["array"]]
        assert packed_shots.agrees(bits, row["counts"])
        assert row["memory"] == ["".join(map(str, shot[::-1])) for shot in bits.tolist()]
    assert rows[2]["memory"] is None
    assert cli("export", "latest", "--memory").returncode == 2
    assert cli("export", "latest", "-o", "x.npz").returncode == 2


def test_a_killed_run_is_completed(tmp_path: Path, cli: Cli) -> None:
    process = start_run(tmp_path, SLOW)
    try:
        until(lambda: any((tmp_path / "results").glob("objects/*/*.jsonl")))
        process.send_signal(signal.SIGKILL)
    finally:
        end(process)
    assert verify(Store(tmp_path / "results")).ok
    (tmp_path / "spec.yaml").write_text(SLOW)
    assert cli("run", "spec.yaml").returncode == 0
    assert all(p.memory is not None and len(p.memory) == 20 for p in points(tmp_path))
    assert verify(Store(tmp_path / "results")).ok


SLOW = """\
iqm_spec: 1
name: slow
target: garnet
shots: 20
memory: true
circuits: [{generator: ghz, args: {num_qubits: "${n}"}}]
sweep: [{grid: {n: {range: [2, 12]}}}]
"""


def test_too_many_bits_are_a_mistake_of_the_spec(tmp_path: Path, cli: Cli) -> None:
    write(tmp_path, kept=True)
    text = (tmp_path / "spec.yaml").read_text().replace("200", "20000000")
    (tmp_path / "spec.yaml").write_text(text)
    told = cli("validate", "spec.yaml")
    assert told.returncode == 3
    assert "S205" in told.stderr + told.stdout
