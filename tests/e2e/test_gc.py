"""`gc`: what nothing leads to is shown, and dropped if asked; no run loses anything."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.results.garbage import LEFTOVER, OBJECT, STALE, drop, find_garbage
from iqm_spec.store import Store, verify
from tests.conftest import Cli
from tests.folders import copied, paths

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]

ARCHIVES = Path(__file__).parents[2] / "experiments" / "archives"
SPEC = """\
iqm_spec: 1
name: pair
target: garnet
shots: 100
circuits:
  - {generator: ghz, args: {num_qubits: "${n}"}}
sweep: [{grid: {n: [2, 3]}}]
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Runs of all experiments, some hours old."""
    root = copied(ARCHIVES, tmp_path / "results", derived=False)
    age(root)
    return root


def age(root: Path, hours: float = 2) -> None:
    then = time.time() - hours * 3600
    for path in root.rglob("*"):
        os.utime(path, (then, then))


def litter(root: Path) -> list[str]:
    """What a killed run and a spec that changed leave, with the paths of it all."""
    before = set(root.rglob("*"))
    store = Store(root)
    circuits = store.put_pack("toys", {}, [{"key": "lost", "angles": [], "skeleton": ""}])
    store.put_pack("toy-plans", {"circuits": [circuits]}, [{"key": "0"}])
    store.put_json({"note": circuits})
    (root / "tmp" / "0123456789abcdef").write_bytes(b"half")  # made by the first write
    stale = root / "index" / "aer-records"
    stale.mkdir(parents=True, exist_ok=True)
    (stale / ("ab" * 32)).write_bytes(b"of a pack that is gone")
    made = {path for path in set(root.rglob("*")) - before if path.is_file()}
    ours = {".gitattributes", ".gitignore", "README.md"}
    return sorted(p.relative_to(root).as_posix() for p in made if p.name not in ours)


def test_it_shows_and_drops_what_nothing_leads_to(results: Path, answer: Ask, cli: Cli) -> None:
    made = litter(results)
    age(results)
    kept = {path: path.read_bytes() for path in paths(results)}
    shown = answer("gc")
    assert sorted(one["path"] for one in shown["files"]) == made
    assert {one["why"] for one in shown["files"]} == {OBJECT, LEFTOVER, STALE}
    assert not shown["dropped"]
    assert all((results / path).exists() for path in made)
    assert "hint: `iqm-spec gc --yes` deletes these files" in cli("gc").stderr
    told = answer("gc", results, "--yes")
    assert told["dropped"]
    assert told["bytes"] == shown["bytes"] > 0
    assert not any((results / path).exists() for path in made)
    assert not answer("gc")["files"]
    assert cli("gc").stdout == "results: nothing to delete\n"
    left = {path: path.read_bytes() for path in paths(results)}
    assert left == {path: data for path, data in kept.items() if path in left}
    assert {path.relative_to(results).as_posix() for path in kept.keys() - left.keys()} < set(made)


def test_every_run_is_as_it_was(results: Path, answer: Ask) -> None:
    litter(results)
    age(results)
    runs = [run["run"] for run in answer("status")["runs"]]
    assert len(runs) > 5
    answer("gc", "--yes")
    answer("verify")
    for run in runs:
        assert answer("reproduce", run)["same"]


def test_what_is_young_is_kept_with_what_it_names(results: Path, cli: Cli) -> None:
    store = Store(results)
    old = store.put_pack("toys", {}, [{"key": "lost"}])
    gone = store.put_json({"note": "gone"})
    age(results)
    plan = store.put_pack("toy-plans", {"circuits": [old]}, [{"key": "0"}])
    (results / "tmp" / "0123456789abcdef").write_bytes(b"half")
    done = cli("gc", "--yes")
    assert done.returncode == 0
    assert "kept 3 files younger than an hour, and what they refer to" in done.stderr
    assert store.has(old)
    assert store.has(plan)
    assert not store.has(gone)
    assert verify(store).ok


def test_a_kill_at_any_moment_leaves_a_sound_folder(results: Path) -> None:
    litter(results)
    age(results)
    store = Store(results)
    garbage = find_garbage(store, time.time())
    assert len(garbage.items) >= 5
    for item in garbage.items:
        drop(store, type(garbage)((item,), 0))
        assert verify(store).ok


def test_records_that_a_killed_run_left_and_another_used(
    tmp_path: Path, answer: Ask, cli: Cli
) -> None:
    """The later run's journal need not name them: they are found by their keys."""
    (tmp_path / "pair.yaml").write_text(SPEC)
    run = answer("run", "pair.yaml")["run"]
    for event in (tmp_path / "results" / "runs" / run).iterdir():
        event.unlink()
    age(tmp_path / "results")
    again = answer("run", "pair.yaml")
    assert again["run"] != run
    assert again["stages"][0]["cached"] == 2
    age(tmp_path / "results")
    answer("gc", "--yes")
    assert answer("reproduce")["same"]
    done = cli("archive", "-o", "run.zip", "--license", "MIT", "--anonymous")
    assert done.returncode == 0, done.stderr


def test_a_damaged_folder_is_left_alone(results: Path, answer: Ask) -> None:
    made = litter(results)
    age(results)
    path = paths(results, "objects")[0]
    data = path.read_bytes()
    for change in (data + b"\n", None):
        path.write_bytes(change) if change else path.unlink()
        error = answer("gc", "--yes", exit_code=7)["error"]
        assert "damaged" in error["message"]
        assert all((results / one).exists() for one in made if results / one != path)
        path.write_bytes(data)


def test_what_is_no_results_folder_is_refused(tmp_path: Path, answer: Ask) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    assert "not a results folder" in answer("gc", "mine", exit_code=2)["error"]["message"]
    assert answer("gc", "none", exit_code=2)["error"]["hint"]
