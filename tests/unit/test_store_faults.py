"""A full disk or a sudden end at every single file operation of a session."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from iqm_spec.errors import JobFailed
from iqm_spec.store import Disk, Store, verify
from tests.faulty_disk import FaultyDisk, Killed, full, read_only

pytestmark = pytest.mark.usefixtures("any_shape")

NOW = datetime(2026, 11, 22, 21, 30, 5, tzinfo=UTC)
ASK = "a" * 64
RECORDS = [{"key": f"k{n}", "counts": {"0": n}} for n in range(6)]


def session(root: Path, disk: Disk) -> Store:
    """What a run does to a folder, in small; goes on where an earlier one was cut short."""
    store = Store(root, disk)
    plan = store.find_answer(ASK)
    if plan is None:
        circuits = store.put_pack("circuits", {}, [{"key": "c", "ops": [["r", [0]]]}])
        plan = store.put_pack("plan", {"circuits": [circuits]}, [{"key": "0", "native": "c"}])
        store.link_answer(ASK, plan)
    run = store.start_run("ghz", NOW, {"plan": plan, "text": store.put_file(b"iqm_spec: 1\n")})
    for start in range(0, len(RECORDS), 2):
        batch = RECORDS[start : start + 2]
        if len(store.find("aer-records", [str(item["key"]) for item in batch])) < len(batch):
            pack = store.put_pack("aer-records", {}, batch, spill_bytes=100)
            store.append_event(run, "job", {"records": pack})
    store.append_event(run, "ended", {"exit": 0})
    return store


def failure(root: Path, disk: Disk) -> JobFailed | None:
    """What a session tells of a fault; None where it could tell nothing or did without."""
    try:
        session(root, disk)
    except JobFailed as error:
        return error
    except Killed:
        return None
    return None


def objects(root: Path) -> set[str]:
    return {path.name for path in (root / "objects").rglob("*.json*")}


def count_operations(root: Path) -> int:
    disk = FaultyDisk(10**9, full)
    session(root, disk)
    return len(disk.log)


FAULTS: dict[str, tuple[Callable[[], BaseException], bool]] = {
    "killed": (Killed, True),
    "disk full": (full, True),
    "disk full for a moment": (full, False),
    "read only": (read_only, True),
}


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "lasting"), FAULTS.values(), ids=FAULTS)
def test_a_fault_at_any_operation_leaves_a_sound_folder(
    tmp_path: Path, fault: Callable[[], BaseException], lasting: bool
) -> None:
    total = count_operations(tmp_path / "clean")
    expected = objects(tmp_path / "clean")
    assert total > 100
    for fails_at in range(total):
        root = tmp_path / str(fails_at)
        error = failure(root, FaultyDisk(fails_at, fault, lasting))
        if error is not None:
            assert error.code == "disk"
            assert str(root) in error.message
            assert "run again" in error.hint
        assert verify(Store(root)).problems == (), f"after a fault at operation {fails_at}"
        store = session(root, FaultyDisk(10**9, full))
        assert verify(store).problems == ()
        assert objects(root) == expected
        assert set(store.find("aer-records", [str(item["key"]) for item in RECORDS])) == {
            str(item["key"]) for item in RECORDS
        }
        assert store.load_run(store.resolve("latest").id).name == "ghz"


@pytest.mark.slow
def test_only_a_crash_leaves_temporary_files(tmp_path: Path) -> None:
    total = count_operations(tmp_path / "clean")
    for fails_at in range(total):
        root = tmp_path / str(fails_at)
        disk = FaultyDisk(fails_at, full, lasting=False)
        with suppress(JobFailed):
            session(root, disk)
        left = list((root / "tmp").iterdir()) if (root / "tmp").is_dir() else []
        assert len(left) == (disk.log[fails_at][0] == "remove")


def test_a_name_is_on_the_disk_before_the_next_one_is_given(tmp_path: Path) -> None:
    """So that a loss of power takes away the last steps only, never one in the middle."""
    disk = FaultyDisk(10**9, full)
    session(tmp_path / "results", disk)
    unsettled: set[Path] = set()
    for name, first, second in disk.log:
        if name == "sync_dir":
            unsettled.discard(Path(first))
        elif name == "make_dir":
            unsettled.add(Path(first).parent)
        elif name == "place":
            assert not unsettled, f"{second} is named while a name in {unsettled} may be lost"
            unsettled.add(Path(second).parent)
    assert not unsettled


def test_bytes_are_synced_before_they_are_named(tmp_path: Path) -> None:
    disk = FaultyDisk(10**9, full)
    session(tmp_path / "results", disk)
    names = [name for name, _, _ in disk.log]
    places = [i for i, name in enumerate(names) if name == "place"]
    assert len(places) > 15
    for i in places:
        since = max(k for k in range(i) if names[k] in ("write", "place"))
        assert names[since] == "write"
        assert "sync" in names[since:i]
