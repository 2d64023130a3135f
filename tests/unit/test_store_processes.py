"""The results folder among real processes, kills, git and sha256sum."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from iqm_spec.store import Store, verify

pytestmark = pytest.mark.usefixtures("any_shape")

NOW = datetime(2026, 11, 22, 21, 30, 5, tzinfo=UTC)

WORKER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from iqm_spec.store import Journal, Store

root, run, first, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
store = Store(root)
claims = Journal(store.folder, root / "jobs" / ("c" * 64))
for n in range(first, last):
    key = f"k{n:03}"
    if not store.find("numbers", [key]):
        pack = store.put_pack("numbers", {}, [{"key": key, "counts": {"0": n}}])
        store.append_event(run, "job", {"records": pack})
    if claims.claim("claimed", n + 1):
        print(n, flush=True)
"""


def start(root: Path, run: str, first: int, last: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, str(root), run, str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_two_processes_on_one_folder_do_no_harm(tmp_path: Path) -> None:
    root = tmp_path / "results"
    run = Store(root).start_run("ghz", NOW, {})
    workers = [start(root, run, 0, 60) for _ in range(3)]
    claimed = [int(line) for worker in workers for line in worker.communicate()[0].split()]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert sorted(claimed) == list(range(60))  # each number was given to one of them
    found = verify(Store(root))
    assert found.problems == ()
    assert found.leftovers == ()
    records = Store(root).find("numbers", [f"k{n:03}" for n in range(60)])
    assert [item.record["counts"] for _, item in sorted(records.items())] == [
        {"0": n} for n in range(60)
    ]
    events = Store(root).load_run(run).events
    stored = {event.fields["records"] for event in events if event.kind == "job"}
    assert stored == {r.digest for r in records.values()}


@pytest.mark.slow
def test_a_killed_process_leaves_a_sound_folder(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    chance = random.Random(seed)
    root = tmp_path / "results"
    run = Store(root).start_run("ghz", NOW, {})
    for _ in range(12):
        worker = start(root, run, 0, 100_000)
        assert worker.stdout is not None
        worker.stdout.readline()
        time.sleep(chance.random() * 0.1)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        assert verify(Store(root)).problems == ()
    done = start(root, run, 0, 20)
    done.communicate()
    assert done.returncode == 0
    assert verify(Store(root)).problems == ()
    assert len(Store(root).find("numbers", [f"k{n:03}" for n in range(20)])) == 20


def git(folder: Path, *args: str) -> str:
    """Runs git without the settings of this machine."""
    names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org"}
    names |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **names}
    done = subprocess.run(
        ["git", "-c", "core.autocrlf=true", *args],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_folders_that_grew_apart_unite_by_git(tmp_path: Path) -> None:
    """With line-ending conversion on, as on some machines: .gitattributes has to stop it."""
    ask = "a" * 64
    base = tmp_path / "base"
    store = Store(base / "results")
    run = store.start_run("ghz", NOW, {})
    git(tmp_path, "init", "-q", "-b", "main", "base")
    git(base, "add", ".")
    git(base, "commit", "-q", "-m", "first")
    tracked = git(base, "ls-files").split()
    assert not [name for name in tracked if "/tmp/" in name or "/index/" in name]
    clones = [tmp_path / name for name in ("one", "two")]
    for n, clone in enumerate(clones):
        git(tmp_path, "clone", "-q", str(base), clone.name)
        store = Store(clone / "results")
        plan = store.put_pack("toy", {"n": n}, [{"key": "0"}])
        store.link_answer(ask, plan)
        store.put_pack("numbers", {}, [{"key": "shared"}])
        store.put_pack("numbers", {}, [{"key": f"own{n}"}])
        store.append_event(run, "ended", {"by": n})
        store.start_run("bell", NOW, {"plan": plan})
        git(clone, "add", ".")
        git(clone, "commit", "-q", "-m", "more")
    for clone, other in (clones, clones[::-1]):
        git(clone, "pull", "-q", "--no-rebase", "--no-edit", str(other), "main")
    merged = [Store(clone / "results") for clone in clones]
    assert merged[0].runs() == merged[1].runs()
    assert len(merged[0].runs()) == 3
    assert merged[0].find_answer(ask) == merged[1].find_answer(ask) is not None
    for store in merged:
        assert verify(store).problems == ()
        assert len(store.find("numbers", ["shared", "own0", "own1"])) == 3


def check_by_hand(root: Path) -> tuple[int, str]:
    """Runs the commands of the folder's own README; exit code and output of all of them."""
    (script,) = re.findall(r"```sh\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    done = subprocess.run(
        ["bash", "-c", "set -o pipefail; worst=0; trap 'worst=1' ERR\n" + script + "exit $worst"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_the_folders_readme_tells_how_to_check_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    plan = store.put_json({"shots": 10})
    store.put_pack("numbers", {}, [{"key": "a"}])
    store.link_answer("a" * 64, plan)
    store.append_event(store.start_run("ghz", NOW, {}), "job-ended", {"n": 1})
    assert check_by_hand(store.root) == (0, "")
    for folder in ("objects", "runs"):
        for path in sorted(p for p in (store.root / folder).rglob("*") if p.is_file()):
            data = path.read_bytes()
            path.write_bytes(data.replace(b'"', b"'", 1))
            code, output = check_by_hand(store.root)
            assert code == 1
            assert path.name in output
            path.write_bytes(data)
    (pointer,) = (store.root / "asks" / ("a" * 64)).iterdir()
    pointer.write_text("x")
    assert pointer.name in check_by_hand(store.root)[1]
    pointer.write_text("")
    (store.root / "objects" / "stray.json").write_text("{}")
    assert check_by_hand(store.root)[0] == 1


def test_docs_and_folder_tell_the_same_check(root: Path) -> None:
    from iqm_spec.store.layout import README

    (script,) = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    assert script in (root / "docs" / "results.md").read_text()
