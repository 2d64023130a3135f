"""What `verify` finds, and what it does not mind."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from iqm_spec.canonical import sha256
from iqm_spec.store import Finding, Store, verify
from iqm_spec.store.events import StageUsed
from iqm_spec.store.layout import object_path
from iqm_spec.store.references import objects_in, reached, roots
from iqm_spec.store.scan import CHECKS
from iqm_spec.version import __version__

pytestmark = pytest.mark.usefixtures("any_shape")

NOW = datetime(2026, 11, 22, 21, 30, 5, tzinfo=UTC)
ASK, ABSENT = "a" * 64, "0" * 64


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A folder with one of everything."""
    store = Store(tmp_path / "results")
    circuits = store.put_pack("circuits", {}, [{"key": "c1", "ops": []}])
    plan = store.put_pack("plan", {"circuits": [circuits]}, [{"key": "0", "shots": 10}])
    store.link_answer(ASK, plan)
    text = store.put_file(b"iqm_spec: 1\n")
    run = store.start_run("ghz", NOW, {"plan": plan, "text": text})
    records = store.put_pack("aer-records", {}, [{"key": f"{n}", "n": n} for n in range(3)])
    store.append_event(run, "job", {"records": records, "job": 0})
    return store


def findings(store: Store) -> list[tuple[str, str]]:
    """Code and the path's folder of every problem."""
    return [(item.code, item.path.split("/")[0]) for item in verify(store).problems]


def put(store: Store, path: str, data: bytes = b"") -> Path:
    target = store.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target


def put_object(store: Store, data: bytes, suffix: str) -> None:
    name = sha256(data)
    put(store, f"objects/{name[:2]}/{name}.{suffix}", data)


def unreferenced(store: Store) -> list[Path]:
    objects = objects_in(store.root)
    return [objects[digest] for digest in objects.keys() - reached(objects, roots(store.root))]


def files(store: Store, folder: str) -> list[Path]:
    return sorted(path for path in (store.root / folder).rglob("*") if path.is_file())


def test_a_sound_folder(store: Store) -> None:
    found = verify(store)
    kept = [*files(store, "objects"), *files(store, "runs"), *files(store, "asks")]
    assert found.ok
    assert found.checked == len(kept) == 7
    assert found.bytes == sum(path.stat().st_size for path in kept)
    assert (found.foreign, found.leftovers) == ((), ())
    assert unreferenced(store) == []


def test_every_file_is_checked_byte_by_byte(store: Store) -> None:
    for path in [*files(store, "objects"), *files(store, "runs")]:
        data = path.read_bytes()
        for bad in (data[:-1], data + b"\n", b"", data.replace(b"e", b"f", 1)):
            path.write_bytes(bad)
            (problem,) = [item for item in verify(store).problems if item.path.endswith(path.name)]
            assert problem.code == "hash"
        path.write_bytes(data)
    assert verify(store).ok


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", "is empty"),
        (lambda data: data.replace(b"\n", b"\r\n"), "line endings were changed"),
        (lambda data: b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (lambda data: data[1:], "checksum mismatch: its sha256 is not the one in its name"),
    ],
)
def test_what_happened_to_a_file_is_told(
    store: Store, change: Callable[[bytes], bytes], message: str
) -> None:
    (path,) = [path for path in files(store, "objects") if b"aer-records" in path.read_bytes()]
    path.write_bytes(change(path.read_bytes()))
    (problem,) = verify(store).problems
    assert problem.code == "hash"
    assert message in problem.message


HEAD = b'{"format":"iqm-spec/r/1"}\n'


@pytest.mark.parametrize(
    ("suffix", "data", "code"),
    [
        ("json", b"", "form"),
        ("json", b"{", "form"),
        ("json", b'{"a": 1}', "form"),
        ("json", b'{"b":1,"a":2}', "form"),
        ("json", b'{"a":1,"a":1}', "form"),
        ("json", b"1.0", "form"),
        ("json", b"1e3", "form"),
        ("json", b"-0", "form"),
        ("json", b"9007199254740993", "form"),
        ("json", b"NaN", "form"),
        ("json", b'"\\u0041"', "form"),
        ("json", b'"\\ud800"', "form"),
        ("json", b'"\xff"', "form"),
        ("json", b"[1]\n", "form"),
        ("json", b"[" * 100_000, "form"),
        ("jsonl", b"", "form"),
        ("jsonl", b"[]\n", "form"),
        ("jsonl", b'{"format":"x"}\n', "form"),
        ("jsonl", HEAD[:-1], "form"),
        ("jsonl", HEAD + b'{"key":"a"}', "form"),
        ("jsonl", HEAD + b'{"key": "a"}\n', "form"),
        ("jsonl", HEAD + b"\n", "form"),
        ("jsonl", HEAD + b'{"kex":"a"}\n', "form"),
        ("jsonl", HEAD + b'{"key":"a b"}\n', "form"),
        ("jsonl", HEAD + b'{"a":[{}\n{}],"key":"a"},{"key":"b"}\n', "form"),
        ("jsonl", HEAD + b'{"key":"a"},{"key":"b"}\n', "form"),
        ("jsonl", HEAD + b'{"key":"b"}\n{"key":"a"}\n', "order"),
        ("jsonl", HEAD + b'{"key":"a"}\n{"key":"a"}\n', "order"),
    ],
)
def test_the_right_hash_is_not_enough(store: Store, suffix: str, data: bytes, code: str) -> None:
    put_object(store, data, suffix)
    problems = verify(store).problems
    assert {item.code for item in problems} == {code}
    assert all(item.path.endswith(f"{sha256(data)}.{suffix}") for item in problems)


def test_a_file_full_of_mistakes_is_told_briefly(store: Store) -> None:
    put_object(store, HEAD + b"{}\n" * 10_000, "jsonl")
    assert len(verify(store).problems) == 10


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"plan": ABSENT}, "missing"),
        ({"records": [ABSENT]}, "missing"),
        ({"derived": {"0": ABSENT}}, "missing"),
        ({"plan": "the one before"}, "reference"),
        ({"plan": None}, None),
        ({"key": ABSENT, "spec": {"plan": ABSENT}}, None),
    ],
)
def test_what_an_event_names_must_be_there(
    store: Store, fields: dict[str, object], code: str | None
) -> None:
    run = store.resolve("latest").id
    store.append_event(run, "job", fields)  # type: ignore[arg-type]
    assert findings(store) == ([] if code is None else [(code, "runs")])


def test_what_a_plan_names_must_be_there(store: Store) -> None:
    store.put_pack("plan", {"circuits": [ABSENT]}, [])
    assert findings(store) == [("missing", "objects")]


def test_what_an_ask_points_to_must_be_there_and_say_nothing_else(store: Store) -> None:
    pointer = put(store, f"asks/{'b' * 64}/1-{ABSENT}")
    (problem,) = verify(store).problems
    path = pointer.relative_to(store.root).as_posix()
    assert problem == Finding(path, "missing", f"names the object {ABSENT}, which is missing")
    pointer.write_bytes(b"\n")
    assert findings(store) == [("form", "asks"), ("missing", "asks")]


@pytest.mark.parametrize(
    "path",
    [
        "objects/ab/notes.txt",
        "objects/notes.txt",
        f"objects/ab/{'c' * 64}.json",
        f"objects/ab/deep/{'ab' * 32}.json",
        f"objects/ab/{'ab' * 32}.json.orig",
        "asks/x",
        f"asks/{ASK}/0-{ABSENT}",
        f"asks/{ASK}/1-plan",
        "runs/notes.txt",
        "runs/ghz/0001-started-00000000.json",
        "runs/ghz-20261122-213005-abcdef/started.json",
        "runs/ghz-20261122-213005-abcdef/deep/0001-started-00000000.json",
        "jobs/ghz-20261122-213005-abcdef/0001-started-00000000.json",
    ],
)
def test_stray_files_are_problems(store: Store, path: str) -> None:
    put(store, path)
    (problem,) = verify(store).problems
    assert (problem.path, problem.code) == (path, "stray")


def test_two_files_for_one_object_are_told(store: Store) -> None:
    (path,) = [path for path in files(store, "objects") if path.suffix == ".json"]
    put(store, path.with_suffix(".jsonl").relative_to(store.root).as_posix(), path.read_bytes())
    assert findings(store) == [("stray", "objects")]


def test_an_event_in_another_run_is_found(store: Store) -> None:
    (run,) = (store.root / "runs").iterdir()
    run.rename(run.with_name("ghz-20261122-213005-abcdef01"))
    assert findings(store) == [("hash", "runs"), ("hash", "runs")]


def test_links_are_told_and_not_followed(store: Store, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").write_text("")
    (store.root / "objects" / "zz").symlink_to(tmp_path / "elsewhere")
    (store.root / "jobs").symlink_to(tmp_path / "elsewhere")
    assert findings(store) == [("link", "jobs"), ("link", "objects")]


def test_what_is_no_problem_is_told(store: Store) -> None:
    put(store, "tmp/0123456789abcdef", b"half")
    put(store, "figures/ghz.png")
    put(store, "objects/.DS_Store")
    put(store, "index/r/nonsense")
    found = verify(store)
    assert found.ok
    assert found.leftovers == ("tmp/0123456789abcdef",)
    assert found.foreign == ("figures", "objects/.DS_Store")


def test_objects_are_in_use_where_a_run_leads_to_them(store: Store) -> None:
    deep = store.put_json({"note": "inner"})
    outer = store.put_json({"anything": [deep]})
    alone = store.put_json({"outer": outer})
    store.append_event(store.resolve("latest").id, "note", {"see": outer})
    assert unreferenced(store) == [object_path(store.root, alone, "json")]


def test_a_mention_is_seen_wherever_a_file_is_cut(store: Store) -> None:
    used = store.put_json({"used": True})
    for padding in range((1 << 20) - 100, (1 << 20) + 10, 13):
        folder = store.start_run("x", NOW, {"note": "-" * padding, "see": used})
        assert unreferenced(store) == []
        shutil.rmtree(store.root / "runs" / folder)
        assert unreferenced(store) == [object_path(store.root, used, "json")]


def test_what_was_in_form_is_hashed_again_and_not_parsed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IQM_SPEC_CACHE", str(tmp_path / "cache"))
    strange = b'{"format":"iqm-spec/strange/1"}\n{"key":"b"}\n{"key":"a"}\n'
    pack = store.put_pack("good", {}, [{"key": "k", "n": 1}])
    put_object(store, strange, "jsonl")
    for _ in range(2):  # a form that is wrong is never remembered as right
        assert [item.code for item in verify(store).problems] == ["order"]
    monkeypatch.setattr("iqm_spec.store.scan._scan_record", None)
    os.remove(object_path(store.root, sha256(strange), "jsonl"))
    assert verify(store).ok
    path = object_path(store.root, pack, "jsonl")
    path.write_bytes(path.read_bytes().replace(b"1}", b"2}"))
    monkeypatch.undo()
    assert [item.code for item in verify(store).problems] == ["hash"]


@pytest.mark.parametrize("bad", [b"half", b"x" * 33, None], ids=["short", "odd", "a folder"])
def test_a_damaged_memory_is_no_memory(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: bytes | None
) -> None:
    monkeypatch.setenv("IQM_SPEC_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "cache" / "forms" / f"{__version__}-{CHECKS}"
    path.parent.mkdir(parents=True)
    path.mkdir() if bad is None else path.write_bytes(bad)
    for _ in range(2):
        assert verify(store).ok
    if bad is not None:
        assert len(path.read_bytes()) % 32 == 0


def test_verifying_changes_nothing(store: Store) -> None:
    def state() -> list[tuple[str, int]]:
        return [(str(p), p.stat().st_mtime_ns) for p in sorted(store.root.rglob("*"))]

    before = state()
    assert verify(Store(store.root)).ok
    assert state() == before


def test_nothing_of_the_machine_is_in_a_folder(store: Store, tmp_path: Path) -> None:
    everything = b"".join(
        path.relative_to(store.root).as_posix().encode() + b"\n" + path.read_bytes()
        for path in store.root.rglob("*")
        if path.is_file()
    )
    for secret in (str(tmp_path), socket.gethostname(), getpass.getuser(), str(os.getpid())):
        if len(secret) > 4:  # a shorter one is in any hex number
            assert secret.encode() not in everything


def test_a_journal_without_a_gap_and_every_job_that_a_run_names(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iqm_spec.store.events.EVENTS", {("runs", "used"): StageUsed})
    job = "a" * 64
    journal = store.job(job)
    journal.claim("claimed", 1)
    for kind in ("intent", "submitted"):
        journal.append(kind, {"attempt": 1})
    store.add_event(store.runs()[0].id, StageUsed("mock", "emulator", ((job, 1, "id"),)))
    assert findings(store) == []
    kept = {path: path.read_bytes() for path in files(store, f"jobs/{job}")}
    (_, intent, _) = kept
    intent.unlink()
    assert [(one.code, one.path) for one in verify(store).problems] == [("missing", f"jobs/{job}")]
    for path in files(store, f"jobs/{job}"):
        path.unlink()
    assert findings(store) == [("missing", "runs")]
    for path, data in kept.items():
        path.write_bytes(data)
    assert findings(store) == []
