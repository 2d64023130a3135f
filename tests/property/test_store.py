"""Properties of the results folder, on folders in memory-backed temporary places."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iqm_spec.canonical import canonical
from iqm_spec.store import Disk, Store, verify
from iqm_spec.store.json_text import NotCanonicalError, parse_canonical, parse_lines

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("any_shape")]


NOW = datetime(2026, 11, 22, 21, 30, 5, tzinfo=UTC)

numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
keys = st.text("abc123", min_size=1, max_size=3)
tables = st.dictionaries(keys, values, max_size=8)


class Quick(Disk):
    """Does not wait for the hardware."""

    def sync(self, descriptor: int) -> None:
        assert descriptor >= 0

    def sync_dir(self, path: Path) -> None:
        assert path.is_dir()


@contextmanager
def new_store() -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        yield Store(Path(folder) / "results", Quick())


def records(table: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in table.items()]


def settled(value: Any) -> Any:
    """The value as JSON carries it: 1.0 is 1."""
    return json.loads(canonical(value))


@settings(max_examples=60)
@given(values, st.binary(max_size=40))
def test_what_was_put_is_got(value: Any, data: bytes) -> None:
    with new_store() as store:
        name = store.put_json(value)
        assert store.put_json(store.get_json(name)) == name
        assert store.get_json(name) == settled(value)
        assert store.get_file(store.put_file(data)) == data
        assert verify(store).ok


@settings(max_examples=60)
@given(tables, st.randoms(use_true_random=False), st.integers(0, 2000))
def test_a_pack_does_not_depend_on_the_order_of_records(
    table: dict[str, Any], chance: random.Random, spill_bytes: int
) -> None:
    with new_store() as store:
        lines = records(table)
        first = store.put_pack("r", {}, lines)
        doubled = [*lines, *lines[: len(lines) // 2]]
        chance.shuffle(doubled)
        assert store.put_pack("r", {}, doubled, spill_bytes=spill_bytes) == first
        assert list(store.read_pack(first).records) == sorted(
            map(settled, lines), key=lambda item: item["key"]
        )
        assert verify(store).ok


@settings(max_examples=60)
@given(st.lists(tables, max_size=4), st.sets(keys))
def test_the_index_finds_what_a_linear_scan_finds(
    packs: list[dict[str, Any]], asked: set[str]
) -> None:
    with new_store() as store:
        names = sorted({store.put_pack("r", {}, records(table)) for table in packs})
        expected: dict[str, tuple[str, Any]] = {}
        for name in names:
            for record in store.read_pack(name).records:
                if record["key"] in asked:
                    expected.setdefault(str(record["key"]), (name, record))
        for reader in (store, Store(store.root)):
            found = reader.find("r", asked)
            assert {key: (item.digest, item.record) for key, item in found.items()} == expected


@settings(max_examples=60)
@given(tables, values, st.data())
def test_a_changed_byte_is_found_in_any_file(
    table: dict[str, Any], value: Any, data: st.DataObject
) -> None:
    with new_store() as store:
        pack = store.put_pack("r", {}, records(table))
        store.link_answer("a" * 64, store.put_json({"value": value}))
        run = store.start_run("ghz", NOW, {"records": pack, "value": value})
        store.append_event(run, "ended", {})
        assert verify(store).ok
        for folder in ("objects", "runs"):
            for path in sorted(p for p in (store.root / folder).rglob("*") if p.is_file()):
                good = path.read_bytes()
                at = data.draw(st.integers(0, len(good) - 1))
                change = data.draw(st.integers(1, 255))
                path.write_bytes(good[:at] + bytes([good[at] ^ change]) + good[at + 1 :])
                relative = path.relative_to(store.root).as_posix()
                assert [item.path for item in verify(store).problems] == [relative]
                path.write_bytes(good)
        assert verify(store).ok


@settings(max_examples=400)
@given(values)
def test_canonical_lines_are_accepted(value: Any) -> None:
    assert parse_canonical(canonical(value)) == settled(value)


near_json = st.builds(
    lambda value, indent, sort: json.dumps(value, indent=indent, sort_keys=sort),
    values,
    st.none() | st.just(0),
    st.booleans(),
) | st.text('[]{}",:0123456789.eE+-ab\\u ', max_size=12)


@settings(max_examples=400)
@given(st.lists(near_json | values.map(lambda value: canonical(value).decode()), max_size=4))
def test_only_canonical_lines_are_accepted_together_or_alone(lines: list[str]) -> None:
    def told(data: bytes) -> Any:
        try:
            value = parse_canonical(data)
        except NotCanonicalError as error:
            return str(error)
        assert canonical(value) == data
        return value

    data = [line.encode() for line in lines]
    together = [
        str(item) if isinstance(item, NotCanonicalError) else item for item in parse_lines(data)
    ]
    assert together == [told(line) for line in data]
