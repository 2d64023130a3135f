"""Packs: many records in one object, one canonical JSON record per line, sorted by `key`.

Line 1 is the header `{"format": "iqm-spec/<kind>/1", ...}`; every line ends with a newline.

The index gives a record's place by its key: `index/<kind>/<sha256 of the pack>` is
`iqm-spec/index/1 <kind> <sha256 of the rest>`, then a line `key offset length` per record. It is
derived: every record read through it is checked, and a missing or damaged index is made again.
"""

from __future__ import annotations

import heapq
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import define, field, frozen

from iqm_spec.canonical import canonical, sha256
from iqm_spec.errors import JobFailed
from iqm_spec.json_types import Json
from iqm_spec.store.files import Folder, open_regular, translated
from iqm_spec.store.json_text import LONG, read_json
from iqm_spec.store.layout import (
    INDEX,
    KIND,
    LARGEST_VALUE,
    OBJECT_NAME,
    OBJECTS,
    RECORD_KEY,
    kind_of,
    object_path,
    pack_format,
)
from iqm_spec.store.objects import check_file, corrupt, opened, parse, place_object
from iqm_spec.store.structure import MisfitError, structure_known, to_json

if TYPE_CHECKING:
    from iqm_spec.store.records import Record

R = TypeVar("R")

SPILL_BYTES = 1 << 26
"""Bytes of records held in memory before they are sorted and written to tmp/."""

_OVERHEAD = 200  # bytes that a buffered record takes beside its line, roughly

Line = tuple[str, bytes]
"""A record's key and its canonical bytes, without the newline."""

Place = tuple[str, int, int]
"""A record's key, its offset in the pack in bytes, and its length without the newline."""


@frozen
class Pack(Generic[R]):
    """A stored pack: its header, and its records in the order of their keys.

    Both are of the classes in `records.py`; of a kind that is not known there, plain JSON.
    """

    digest: str
    kind: str
    header: Any
    path: Path

    @property
    def records(self) -> Iterator[R]:
        """Reads the records one by one, from the start each time."""
        for offset, _, record in read_records(self.path):
            try:
                yield structure_record(self.kind, record)
            except MisfitError as error:
                what = f"has a record at byte {offset} that cannot be read: {error}"
                raise corrupt(self.path, what) from error


def write_pack(
    folder: Folder,
    kind: str,
    header: Mapping[str, Json],
    records: Iterable[Mapping[str, Json] | Record],
    spill_bytes: int = SPILL_BYTES,
) -> tuple[str, list[Place]]:
    """Stores the records; returns the pack's sha256 and the place of each record.

    Equal records collapse; two that share a key and differ are a `ValueError`.
    """
    if "format" in header:
        raise ValueError("a pack's `format` follows from its kind")
    places: list[Place] = []
    with folder.temp() as temp, ExitStack() as spills:
        runs = _sorted_runs(folder, records, spill_bytes, spills)
        temp.write(canonical({"format": pack_format(kind), **header}) + b"\n")
        last: Line = ("", b"")
        for key, line in runs[0] if len(runs) == 1 else heapq.merge(*runs):
            if key == last[0]:
                if line == last[1]:
                    continue
                raise ValueError(f"two different records have the key {key}")
            last = key, line
            places.append((key, temp.size, len(line)))
            if len(line) > LONG:  # no copy of it
                temp.write(line)
                temp.write(b"\n")
            else:
                temp.write(line + b"\n")
        return place_object(folder, temp, "jsonl"), places


def _sorted_runs(
    folder: Folder,
    records: Iterable[Mapping[str, Json] | Record],
    spill_bytes: int,
    spills: ExitStack,
) -> list[Iterable[Line]]:
    """The records as sorted runs, all but the last in files of tmp/."""
    runs: list[Iterable[Line]] = []
    buffer: list[Line] = []
    size = 0
    for record in records:
        buffer.append(_encode(record))
        size += len(buffer[-1][1]) + _OVERHEAD
        if size > spill_bytes:
            runs.append(spills.enter_context(_spilled(folder, sorted(buffer))))
            buffer, size = [], 0
    return [*runs, sorted(buffer)]


def _encode(record: Mapping[str, Json] | Record) -> Line:
    members: Mapping[str, Json] = record if isinstance(record, Mapping) else to_json(record)
    key = members.get("key")
    if not isinstance(key, str) or not RECORD_KEY.fullmatch(key):
        raise ValueError(f"a record's key is printable ASCII without spaces, got {key!r}")
    line = canonical(members if type(members) is dict else dict(members))
    if len(line) > LARGEST_VALUE:
        raise ValueError(f"the record {key} is too large: {len(line)} bytes")
    return key, line


@contextmanager
def _spilled(folder: Folder, lines: list[Line]) -> Iterator[Iterator[Line]]:
    """Writes sorted lines to a temporary file; yields an iterator that reads them back."""
    with folder.temp() as temp:
        for key, line in lines:
            temp.write(key.encode() + b" " + line + b"\n")
        temp.flush()
        lines.clear()
        with translated(folder.root):
            file = temp.path.open("rb")
        with file:
            pairs = (line.rstrip(b"\n").split(b" ", 1) for line in file)
            yield ((key.decode(), line) for key, line in pairs)


def read_pack(root: Path, digest: str, expected: str | None = None) -> Pack[Any]:
    """The pack, its whole file checked against its name; StoreCorrupt for another kind."""
    path = object_path(root, digest, "jsonl")
    check_file(path)
    kind, header = read_header(path)
    if expected is not None and kind != expected:
        raise corrupt(path, f"is a pack of the kind {kind}, not {expected}")
    try:
        return Pack(digest, kind, structure_header(kind, header), path)
    except MisfitError as error:
        raise corrupt(path, f"has a header that cannot be read: {error}") from error


def structure_header(kind: str, value: Any) -> Any:
    """The header of a pack in the class of its kind; MisfitError where it does not fit."""
    from iqm_spec.store import records  # its classes take milliseconds to make

    return structure_known(records.HEADERS, kind, value)


def structure_record(kind: str, value: Any) -> Any:
    """A record in the class of its pack's kind; MisfitError where it does not fit."""
    from iqm_spec.store import records

    return structure_known(records.RECORDS, kind, value)


def read_header(path: Path) -> tuple[str, dict[str, Json]]:
    """Kind and header of a pack; the header comes without its `format`."""
    with opened(path) as file:
        line = file.readline(LARGEST_VALUE)
    header = parse(path, line)
    kind = kind_of(header.get("format")) if isinstance(header, dict) else None
    if kind is None or not isinstance(header, dict):
        raise corrupt(path, "does not begin with the header of a pack that this program knows")
    return kind, {name: value for name, value in header.items() if name != "format"}


def read_records(path: Path) -> Iterator[tuple[int, int, dict[str, Json]]]:
    """Offset in bytes, length without the newline, and record, for each record of a pack."""
    with opened(path) as file:
        offset = len(file.readline(LARGEST_VALUE))
        while line := file.readline(LARGEST_VALUE):
            record = parse(path, line)
            if not isinstance(record, dict) or not isinstance(record.get("key"), str):
                raise corrupt(path, f"has a record without a key at byte {offset}")
            yield offset, len(line) - 1, record
            offset += len(line)


_BATCH = 1024  # records that are read together
_FORMAT = "iqm-spec/index/1"

Table = dict[str, str]
"""Key to `offset length`, as it stands in the file: parsed only for keys that are looked up."""


@frozen
class PackedRecord(Generic[R]):
    """A record and the pack it stands in."""

    digest: str
    record: R


@define
class Index:
    """One process's index of the packs of a folder; loaded at first use, by kind."""

    folder: Folder
    _kinds: dict[str, str] = field(factory=dict, init=False)
    """Pack to kind."""
    _tables: dict[str, Table] = field(factory=dict, init=False)
    _checked: set[str] = field(factory=set, init=False)
    """Packs whose sha256 this process has compared with their name."""

    def add(self, kind: str, digest: str, places: Iterable[Place]) -> None:
        """Adds a pack that was just written."""
        self._kinds[digest] = kind
        self._tables[digest] = {key: f"{offset} {length}" for key, offset, length in places}
        self._checked.add(digest)
        _write(self.folder, kind, digest, self._tables[digest])

    def find(
        self, kind: str, keys: Iterable[str], within: Collection[str] | None = None
    ) -> dict[str, PackedRecord[Any]]:
        """Those of the keys that some pack of this kind has, the smallest digest first."""
        missing = set(keys)
        records: dict[str, PackedRecord[Any]] = {}
        packs = self._packs(kind)
        for digest in packs if within is None else [item for item in packs if item in within]:
            if not missing:
                break
            keys_in_pack = self._table(kind, digest).keys() & missing
            if keys_in_pack:
                records |= self._read(kind, digest, keys_in_pack)
                missing -= keys_in_pack
        return records

    def holders(self, kind: str, keys: Iterable[str]) -> dict[str, str]:
        """The pack of each of the keys that some pack of this kind has; no record is read."""
        missing = set(keys)
        holders: dict[str, str] = {}
        for digest in self._packs(kind) if missing else ():
            keys_in_pack = self._table(kind, digest).keys() & missing
            holders |= dict.fromkeys(keys_in_pack, digest)
            missing -= keys_in_pack
        return holders

    def _packs(self, kind: str) -> list[str]:
        """Packs of one kind that are there now, sorted."""
        present = packs_in(self.folder.root)
        if not self._kinds.keys() >= present:
            index = self.folder.root / INDEX
            for known_kind in filter(KIND.fullmatch, _names(index)):
                self._kinds |= dict.fromkeys(_names(index / known_kind), known_kind)
        for digest in present - self._kinds.keys():
            path = object_path(self.folder.root, digest, "jsonl")
            self._check(digest)
            self._kinds[digest] = read_header(path)[0]
        return sorted(digest for digest in present if self._kinds[digest] == kind)

    def _table(self, kind: str, digest: str) -> Table:
        if digest not in self._tables:
            table = _load(self.folder.root / INDEX / kind / digest)
            if table is None:
                return self._rebuild(kind, digest)
            self._tables[digest] = table
        return self._tables[digest]

    def _rebuild(self, kind: str, digest: str) -> Table:
        self._check(digest)
        path = object_path(self.folder.root, digest, "jsonl")
        self._kinds[digest] = read_header(path)[0]
        if self._kinds[digest] != kind:  # the index file stood in another kind's folder
            return {}
        table = {str(rec["key"]): f"{at} {length}" for at, length, rec in read_records(path)}
        self._tables[digest] = table
        _write(self.folder, kind, digest, table)
        return table

    def _check(self, digest: str) -> None:
        if digest not in self._checked:
            check_file(object_path(self.folder.root, digest, "jsonl"))
            self._checked.add(digest)

    def _read(self, kind: str, digest: str, keys: set[str]) -> dict[str, PackedRecord[Any]]:
        """The records of one pack; a wrong index is rebuilt, once."""
        self._check(digest)
        path = object_path(self.folder.root, digest, "jsonl")
        stored = _read_all(path, self._tables[digest], keys)
        if stored is None:
            stored = _read_all(path, self._rebuild(kind, digest), keys)
        if stored is None:
            raise corrupt(path, "holds other records than its lines say")
        records = {}
        for key, record in stored.items():
            try:
                records[key] = PackedRecord(digest, structure_record(kind, record))
            except MisfitError as error:
                what = f"has a record {key} that cannot be read: {error}"
                raise corrupt(path, what) from error
        return records


def packs_in(root: Path) -> set[str]:
    """Digests of the packs in objects/."""
    packs: set[str] = set()
    for folder in _names(root / OBJECTS):
        for name in _names(root / OBJECTS / folder):
            if name.endswith(".jsonl") and OBJECT_NAME.fullmatch(name) and name[:2] == folder:
                packs.add(name[:64])
    return packs


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _load(path: Path) -> Table | None:
    """The table of an index file; None where it is missing or damaged."""
    try:
        with open_regular(path) as file:
            head, _, body = file.read().partition(b"\n")
    except OSError:
        return None
    if head.decode(errors="replace") != f"{_FORMAT} {path.parent.name} {sha256(body)}":
        return None
    try:
        return dict(line.split(" ", 1) for line in body.decode().splitlines())
    except ValueError:
        return None


def _write(folder: Folder, kind: str, digest: str, table: Table) -> None:
    """Keeps a table for the next process, where the folder can be written to."""
    body = "".join(f"{key} {place}\n" for key, place in table.items()).encode()
    try:
        folder.write(
            folder.root / INDEX / kind / digest,
            f"{_FORMAT} {kind} {sha256(body)}\n".encode() + body,
        )
    except JobFailed:
        return  # a full or read-only disk costs time, not results


def _read_all(path: Path, table: Table, keys: set[str]) -> dict[str, dict[str, Json]] | None:
    """The records at the places of `keys`; None where one of them is not what it should be."""
    sorted_keys = sorted(keys)
    records_by_key: dict[str, dict[str, Json]] = {}
    with opened(path) as file:
        for start in range(0, len(sorted_keys), _BATCH):
            batch = sorted_keys[start : start + _BATCH]
            try:
                if sum(int(table[key].split()[1]) for key in batch) > LONG:
                    records = [read_json(_line(file.fileno(), table[key])) for key in batch]
                else:  # one by one takes twice as long
                    lines = [_line(file.fileno(), table[key]) for key in batch]
                    records = json.loads(b"[" + b",".join(lines) + b"]")
            except (ValueError, KeyError, OSError, OverflowError, RecursionError):
                return None
            if [rec.get("key") if isinstance(rec, dict) else None for rec in records] != batch:
                return None
            records_by_key |= zip(batch, records, strict=True)
    return records_by_key


def _line(descriptor: int, place: str) -> bytes:
    offset, length = map(int, place.split())
    return os.pread(descriptor, min(length, LARGEST_VALUE), offset)
