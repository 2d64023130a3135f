"""Packs: many records in one object, one canonical JSON record per line, sorted by `key`.

Line 1 is the header `{"format": "iqm-spec/<kind>/1", ...}`; every line ends with a newline.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

from attrs import frozen

from iqm_spec.canonical import canonical
from iqm_spec.json_types import Json
from iqm_spec.store import records as types
from iqm_spec.store.disk import translated
from iqm_spec.store.folder import Folder
from iqm_spec.store.large import LONG
from iqm_spec.store.layout import LARGEST_VALUE, RECORD_KEY, kind_of, object_path, pack_format
from iqm_spec.store.objects import check_file, corrupt, opened, parse, place_object
from iqm_spec.store.structure import MisfitError, structure_known, to_json

R = TypeVar("R")

SPILL_BYTES = 1 << 26
"""Bytes of records held in memory before they are sorted and put aside in tmp/."""

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
                yield structure_known(types.RECORDS, self.kind, record)
            except MisfitError as error:
                what = f"has a record at byte {offset} that cannot be read: {error}"
                raise corrupt(self.path, what) from error


def write_pack(
    folder: Folder,
    kind: str,
    header: Mapping[str, Json],
    records: Iterable[Mapping[str, Json] | types.Record],
    spill_bytes: int = SPILL_BYTES,
) -> tuple[str, list[Place]]:
    """Stores the records; returns the pack's sha256 and the place of each record.

    Equal records collapse; two that share a key and differ are a `ValueError`.
    """
    if "format" in header:
        raise ValueError("a pack's `format` is given by its kind")
    places: list[Place] = []
    with folder.temp() as temp, ExitStack() as spills:
        runs = _sorted_runs(folder, records, spill_bytes, spills)
        temp.write(canonical({"format": pack_format(kind), **header}) + b"\n")
        for key, line in _unique(heapq.merge(*runs)):
            places.append((key, temp.size, len(line)))
            if len(line) > LONG:  # no copy of it
                temp.write(line)
                temp.write(b"\n")
            else:
                temp.write(line + b"\n")
        return place_object(folder, temp, "jsonl"), places


def _sorted_runs(
    folder: Folder,
    records: Iterable[Mapping[str, Json] | types.Record],
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


def _encode(record: Mapping[str, Json] | types.Record) -> Line:
    record = record if isinstance(record, Mapping) else to_json(record)
    key = record.get("key")
    if not isinstance(key, str) or not RECORD_KEY.fullmatch(key):
        raise ValueError(f"a record's key is printable ASCII without spaces, got {key!r}")
    line = canonical(record if type(record) is dict else dict(record))
    if len(line) > LARGEST_VALUE:
        raise ValueError(f"the record {key} is too large: {len(line)} bytes")
    return key, line


@contextmanager
def _spilled(folder: Folder, lines: list[Line]) -> Iterator[Iterator[Line]]:
    """Puts sorted lines aside in a temporary file and reads them back when asked."""
    with folder.temp() as temp:
        for key, line in lines:
            temp.write(key.encode() + b" " + line + b"\n")
        temp.flush()
        lines.clear()
        with translated(folder.root):
            file = temp.path.open("rb")
        with file:
            yield (_parse_spilled(line) for line in file)


def _parse_spilled(line: bytes) -> Line:
    key, _, rest = line.rstrip(b"\n").partition(b" ")
    return key.decode(), rest


def _unique(lines: Iterable[Line]) -> Iterator[Line]:
    last: Line = ("", b"")
    for line in lines:
        if line == last:
            continue
        if line[0] == last[0]:
            raise ValueError(f"two different records have the key {line[0]}")
        yield line
        last = line


def read_pack(root: Path, digest: str, expected: str | None = None) -> Pack[Any]:
    """The pack, its whole file checked against its name; StoreCorrupt for another kind."""
    path = object_path(root, digest, "jsonl")
    check_file(path)
    kind, header = read_header(path)
    if expected is not None and kind != expected:
        raise corrupt(path, f"is a pack of the kind {kind}, not {expected}")
    try:
        return Pack(digest, kind, structure_known(types.HEADERS, kind, header), path)
    except MisfitError as error:
        raise corrupt(path, f"has a header that cannot be read: {error}") from error


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
