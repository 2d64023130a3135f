"""Packs of records, and the index that finds them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from iqm_spec.canonical import canonical, sha256
from iqm_spec.errors import StoreCorrupt
from iqm_spec.json_types import Json
from iqm_spec.store import Store, verify

pytestmark = pytest.mark.usefixtures("any_shape")

RECORDS: list[dict[str, Json]] = [{"key": f"k{n:02}", "counts": {"00": n}} for n in range(20)]
KEYS = [str(record["key"]) for record in RECORDS]


def pack_path(root: Path, digest: str) -> Path:
    return root / "objects" / digest[:2] / f"{digest}.jsonl"


def test_a_pack_is_a_header_and_sorted_lines(tmp_path: Path) -> None:
    store = Store(tmp_path)
    name = store.put_pack("aer-records", {"job": 1}, [{"key": "b"}, {"key": "a", "x": 1.0}])
    data = pack_path(tmp_path, name).read_bytes()
    assert data == (
        b'{"format":"iqm-spec/aer-records/1","job":1}\n{"key":"a","x":1}\n{"key":"b"}\n'
    )
    assert name == sha256(data)
    pack = store.read_pack(name)
    assert (pack.digest, pack.kind, pack.header) == (name, "aer-records", {"job": 1})
    assert list(pack.records) == [{"key": "a", "x": 1}, {"key": "b"}]
    assert list(pack.records) == [{"key": "a", "x": 1}, {"key": "b"}]


@pytest.mark.parametrize("spill_bytes", [0, 1000, 10**9])
def test_a_pack_does_not_depend_on_how_it_was_sorted(tmp_path: Path, spill_bytes: int) -> None:
    store = Store(tmp_path)
    expected = store.put_pack("r", {}, RECORDS)
    doubled = [*reversed(RECORDS), *RECORDS]
    assert store.put_pack("r", {}, iter(doubled), spill_bytes=spill_bytes) == expected
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("spill_bytes", [0, 10**9])
def test_two_records_of_one_key_are_refused(tmp_path: Path, spill_bytes: int) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError, match="two different records have the key a"):
        store.put_pack("r", {}, [{"key": "a", "n": n} for n in (1, 2)], spill_bytes=spill_bytes)
    assert not (tmp_path / "objects").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "header", "record", "message"),
    [
        ("r", {}, {}, "key"),
        ("r", {}, {"key": 1}, "key"),
        ("r", {}, {"key": ""}, "key"),
        ("r", {}, {"key": "a b"}, "key"),
        ("r", {}, {"key": "é"}, "key"),
        ("r", {}, {"key": "a", "x": float("nan")}, "(?i)nan|JSON"),
        ("r", {"format": "x"}, {"key": "a"}, "format"),
        ("R/..", {}, {"key": "a"}, "kind"),
    ],
)
def test_what_is_no_pack_is_refused(
    tmp_path: Path, kind: str, header: dict[str, Json], record: dict[str, Json], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Store(tmp_path).put_pack(kind, header, [record])
    assert not (tmp_path / "objects").exists()


def test_a_failing_source_of_records_stores_nothing(tmp_path: Path) -> None:
    def records() -> Iterator[dict[str, Json]]:
        yield from RECORDS
        raise ConnectionError("lost")

    with pytest.raises(ConnectionError):
        Store(tmp_path).put_pack("r", {}, records(), spill_bytes=100)
    assert not (tmp_path / "objects").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_records_are_found_by_key_and_kind(tmp_path: Path) -> None:
    writer = Store(tmp_path)
    first = writer.put_pack("r", {}, RECORDS[:10])
    second = writer.put_pack("r", {}, RECORDS[10:])
    other = writer.put_pack("derived", {}, [{"key": "k00", "fidelity": 0.5}])
    for store in (writer, Store(tmp_path)):
        found = store.find("r", [*KEYS, "unknown"])
        assert {key: item.record for key, item in found.items()} == dict(
            zip(KEYS, RECORDS, strict=True)
        )
        assert found["k00"].digest == first
        assert found["k19"].digest == second
        derived = store.find("derived", ["k00", "k01"])
        assert derived.keys() == {"k00"}
        assert derived["k00"].digest == other
        assert derived["k00"].record == {"key": "k00", "fidelity": 0.5}
        assert store.find("nothing", KEYS) == {}


def test_of_several_records_the_smallest_pack_or_the_named_one_is_taken(tmp_path: Path) -> None:
    store = Store(tmp_path)
    packs = [store.put_pack("r", {"n": n}, [{"key": "a", "n": n}]) for n in range(5)]
    assert store.find("r", ["a"])["a"].digest == min(packs)
    for n, pack in enumerate(packs):
        assert store.find("r", ["a"], within=[pack])["a"].record["n"] == n
    assert store.find("r", ["a"], within=[]) == {}


def test_packs_of_others_come_and_go(tmp_path: Path) -> None:
    reader, writer = Store(tmp_path), Store(tmp_path)
    assert not reader.find("r", ["k00"])
    name = writer.put_pack("r", {}, RECORDS)
    assert reader.find("r", ["k00"])
    pack_path(tmp_path, name).unlink()
    assert not reader.find("r", ["k00"])
    assert not Store(tmp_path).find("r", ["k00"])


def damage_nothing(path: Path) -> None:
    assert path.exists()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def flip(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"k07", b"k97"))


def shift_all(path: Path) -> None:
    """A wrong index that is valid in itself."""
    body = path.read_bytes().partition(b"\n")[2]
    body = b"".join(
        b"%s %d %s\n" % (key, int(offset) + 1, length)
        for key, offset, length in (line.split() for line in body.splitlines())
    )
    path.write_bytes(f"iqm-spec/index/1 r {sha256(body)}\n".encode() + body)


def nonsense(path: Path) -> None:
    body = b"k00\n"
    path.write_bytes(f"iqm-spec/index/1 r {sha256(body)}\n".encode() + body)


def swap_places(path: Path) -> None:
    body = path.read_bytes().partition(b"\n")[2]
    lines = [line.split(b" ", 1) for line in body.splitlines()]
    places = [place for _, place in lines][::-1]
    body = b"".join(b"%s %s\n" % (lines[n][0], places[n]) for n in range(len(lines)))
    path.write_bytes(f"iqm-spec/index/1 r {sha256(body)}\n".encode() + body)


def huge(path: Path) -> None:
    body = b"".join(f"{key} {2**70} {2**70}\n".encode() for key in KEYS)
    path.write_bytes(f"iqm-spec/index/1 r {sha256(body)}\n".encode() + body)


def another_kind(path: Path) -> None:
    folder = path.parent.parent / "other"
    folder.mkdir()
    path.rename(folder / path.name)


@pytest.mark.parametrize(
    "damage",
    [damage_nothing, Path.unlink, cut, flip, shift_all, nonsense, swap_places, huge, another_kind],
)
def test_a_bad_index_never_changes_what_is_found(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    name = Store(tmp_path).put_pack("r", {}, RECORDS)
    good = (tmp_path / "index" / "r" / name).read_bytes()
    damage(tmp_path / "index" / "r" / name)
    store = Store(tmp_path)
    if damage is another_kind:
        assert store.find("other", KEYS) == {}
    found = store.find("r", KEYS)
    assert [found[key].record for key in KEYS] == RECORDS
    assert (tmp_path / "index" / "r" / name).read_bytes() == good


def test_the_index_can_be_deleted(tmp_path: Path) -> None:
    Store(tmp_path).put_pack("r", {}, RECORDS)
    shutil.rmtree(tmp_path / "index")
    store = Store(tmp_path)
    assert len(store.find("r", KEYS)) == len(KEYS)
    assert (tmp_path / "index" / "r").is_dir()


def test_a_folder_that_cannot_keep_an_index_is_read_all_the_same(tmp_path: Path) -> None:
    Store(tmp_path).put_pack("r", {}, RECORDS)
    shutil.rmtree(tmp_path / "index")
    (tmp_path / "index").write_text("in the way")
    store = Store(tmp_path)
    assert len(store.find("r", KEYS)) == len(store.find("r", KEYS)) == len(KEYS)


def test_a_flipped_bit_is_never_served(tmp_path: Path) -> None:
    name = Store(tmp_path).put_pack("r", {}, RECORDS)
    path = pack_path(tmp_path, name)
    path.write_bytes(path.read_bytes().replace(b'{"00":7}', b'{"00":6}'))
    for attempt in (
        lambda: Store(tmp_path).find("r", ["k00"]),
        lambda: Store(tmp_path).read_pack(name),
        lambda: Store(tmp_path).put_pack("r", {}, RECORDS),
    ):
        with pytest.raises(StoreCorrupt, match=f"{name}.jsonl has a checksum mismatch"):
            attempt()


FORGED = {
    "no header": b"",
    "header is a list": b"[]\n",
    "unknown format": b'{"format":"other/1"}\n',
    "not json": b'{"format":"iqm-spec/r/1"}\n{"key"\n',
    "no key": b'{"format":"iqm-spec/r/1"}\n{"k":1}\n',
    "deep": b'{"format":"iqm-spec/r/1"}\n' + b"[" * 100_000 + b"\n",
}


@pytest.mark.parametrize("data", FORGED.values(), ids=FORGED)
def test_a_forged_pack_is_corrupt_not_a_crash(tmp_path: Path, data: bytes) -> None:
    name = sha256(data)
    pack_path(tmp_path, name).parent.mkdir(parents=True)
    pack_path(tmp_path, name).write_bytes(data)
    store = Store(tmp_path)
    with pytest.raises(StoreCorrupt):
        store.find("r", ["a"])
    with pytest.raises(StoreCorrupt):
        list(store.read_pack(name).records)
    assert not verify(store).ok


def test_lines_are_canonical_json(tmp_path: Path) -> None:
    record = {"key": "a", "z": 1e-7, "a": 0.1, "ü": 2.0, "e": "\u2028\x7f\x01"}
    name = Store(tmp_path).put_pack("r", {}, [record])
    line = pack_path(tmp_path, name).read_bytes().splitlines()[1]
    assert line == canonical(record)
    assert json.loads(line) == record
    assert verify(Store(tmp_path)).ok
