"""Objects and plans of the results folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from iqm_spec.canonical import canonical, digest, sha256
from iqm_spec.errors import JobFailed, StoreCorrupt
from iqm_spec.store import Disk, Store, verify

pytestmark = pytest.mark.usefixtures("any_shape")

PLAN, OTHER = {"format": "x", "n": 1}, {"format": "x", "n": 2}
ASK = "a" * 64


def test_a_value_is_found_under_the_sha256_of_its_canonical_bytes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    name = store.put_json({"b": 1, "a": [1.0, "é"]})
    path = tmp_path / "objects" / name[:2] / f"{name}.json"
    assert path.read_bytes() == b'{"a":[1,"\xc3\xa9"],"b":1}'
    assert name == sha256(path.read_bytes()) == digest({"a": [1, "é"], "b": 1})
    assert store.get_json(name) == {"a": [1, "é"], "b": 1}
    assert store.has(name)
    assert not store.has("0" * 64)


@pytest.mark.parametrize("data", [b"", b"iqm_spec: 1\r\n", "θ".encode(), b"QISKIT\xff\x00"])
def test_a_file_comes_back_byte_by_byte(tmp_path: Path, data: bytes) -> None:
    store = Store(tmp_path)
    assert store.get_file(store.put_file(data)) == data


def test_what_is_no_file_is_not_read_as_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(StoreCorrupt, match="holds no file"):
        store.get_file(store.put_json([1]))


def test_storing_twice_changes_nothing(tmp_path: Path) -> None:
    name = Store(tmp_path).put_json([1])
    path = tmp_path / "objects" / name[:2] / f"{name}.json"
    before = path.stat().st_ino, path.stat().st_mtime_ns
    assert Store(tmp_path).put_json([1]) == name
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("bad", [b"", b"[2]", b"[1]\n"])
def test_bytes_that_are_not_their_name_are_neither_served_nor_overwritten(
    tmp_path: Path, bad: bytes
) -> None:
    name = Store(tmp_path).put_json([1])
    path = tmp_path / "objects" / name[:2] / f"{name}.json"
    path.write_bytes(bad)
    store = Store(tmp_path)
    for attempt in (lambda: store.get_json(name), lambda: store.put_json([1])):
        with pytest.raises(StoreCorrupt, match="has a checksum mismatch") as caught:
            attempt()
        assert name in caught.value.message
        assert "git checkout" in caught.value.hint
    assert path.read_bytes() == bad


def test_a_missing_object_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreCorrupt, match=f"{'0' * 64}.json is missing"):
        Store(tmp_path).get_json("0" * 64)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "/x"])
def test_only_a_sha256_is_looked_up(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="sha256"):
        Store(tmp_path).get_json(name)
    with pytest.raises(ValueError, match="sha256"):
        Store(tmp_path).find_answer(name)


def test_reading_makes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    assert store.runs() == []
    assert store.find("records", ["a"]) == {}
    assert store.find_answer(ASK) is None
    assert verify(store).ok
    assert not store.root.exists()


def test_the_folder_says_what_it_is_and_keeps_what_people_wrote(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "results"
    Store(root).put_json(1)
    assert "sha256sum" in (root / "README.md").read_text()
    assert (root / ".gitattributes").read_text().splitlines()[1] == "* -text -ident"
    assert (root / ".gitignore").read_text() == "/index/\n/tmp/\n/emulator/\n"
    (root / "README.md").write_text("ours")
    Store(root).put_json(2)
    assert (root / "README.md").read_text() == "ours"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    name = sha256(canonical([1]))
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "results" / "objects").mkdir(parents=True)
    (tmp_path / "results" / "objects" / name[:2]).symlink_to(outside)
    with pytest.raises(StoreCorrupt, match="symbolic link"):
        Store(tmp_path / "results").put_json([1])
    assert list(outside.iterdir()) == []


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "scratch")
    store = Store(tmp_path / "results")
    assert store.get_json(store.put_json([1])) == [1]
    assert verify(store).ok


def test_a_file_in_the_way_says_so(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(JobFailed, match="File exists") as caught:
        Store(tmp_path / "results").put_json([1])
    assert caught.value.code == "disk"
    assert "nothing stored is lost" in caught.value.hint


class NoLinks(Disk):
    """A file system without hard links."""

    def link(self, source: Path, target: Path) -> None:
        self._copy_new(source, target)


@pytest.mark.parametrize("disk", [Disk(), NoLinks()])
def test_a_name_is_given_once(tmp_path: Path, disk: Disk) -> None:
    folder = Store(tmp_path, disk).folder
    assert folder.write(tmp_path / "runs" / "a", b"first", exclusive=True)
    assert not folder.write(tmp_path / "runs" / "a", b"second", exclusive=True)
    assert (tmp_path / "runs" / "a").read_bytes() == b"first"
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_first_plan_answers_until_a_new_one_is_asked_for(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, second = store.put_json(PLAN), store.put_pack("plan", {"n": 2}, [])
    assert store.find_answer(ASK) is None
    store.link_answer(ASK, first)
    store.link_answer(ASK, first)
    assert store.find_answer(ASK) == first
    store.link_answer(ASK, second, replan=True)
    store.link_answer(ASK, second, replan=True)
    assert store.find_answer(ASK) == second
    store.link_answer(ASK, first, replan=True)
    assert store.find_answer(ASK) == first
    names = sorted(path.name for path in (tmp_path / "asks" / ASK).iterdir())
    assert names == [f"1-{first}", f"2-{second}", f"3-{first}"]


def test_two_first_plans_are_settled_alike_everywhere(tmp_path: Path) -> None:
    store = Store(tmp_path)
    plans = [store.put_json(PLAN), store.put_json(OTHER)]
    for plan in plans:
        store.link_answer(ASK, plan)
    assert store.find_answer(ASK) == min(plans)
    store.link_answer(ASK, max(plans), replan=True)
    assert store.find_answer(ASK) == max(plans)


def test_a_plan_is_stored_before_it_is_linked(tmp_path: Path) -> None:
    with pytest.raises(StoreCorrupt, match="is missing"):
        Store(tmp_path).link_answer(ASK, "0" * 64)
