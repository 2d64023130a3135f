"""From a record's key to its place: one small derived text file per pack, rebuilt when missing.

`index/<kind>/<sha256 of the pack>`: first `iqm-spec/index/1 <kind> <sha256 of the rest>`, then
a line `key offset length` per record. A damaged file is worth nothing and is made anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

from attrs import define, field, frozen

from iqm_spec.canonical import sha256
from iqm_spec.errors import JobFailed
from iqm_spec.json_types import Json
from iqm_spec.store import records as types
from iqm_spec.store.folder import Folder
from iqm_spec.store.large import LONG, read_json
from iqm_spec.store.layout import INDEX, KIND, LARGEST_VALUE, OBJECT_NAME, OBJECTS, object_path
from iqm_spec.store.objects import check_file, corrupt, opened
from iqm_spec.store.packs import Place, read_header, read_records
from iqm_spec.store.reading import open_regular
from iqm_spec.store.structure import MisfitError, structure_known

R = TypeVar("R")

_BATCH = 1024  # records that are read together
_FORMAT = "iqm-spec/index/1"

Table = dict[str, str]
"""Key to `offset length`, as it stands in the file: parsed only for keys that are asked."""


@frozen
class Found(Generic[R]):
    """A record and the pack it stands in."""

    digest: str
    record: R


@define
class Index:
    """What one process knows of the packs of a folder; loaded when first asked, per kind."""

    folder: Folder
    _kinds: dict[str, str] = field(factory=dict, init=False)
    """Pack to kind."""
    _tables: dict[str, Table] = field(factory=dict, init=False)
    _checked: set[str] = field(factory=set, init=False)
    """Packs whose sha256 this process has compared with their name."""

    def add(self, kind: str, digest: str, places: Iterable[Place]) -> None:
        """Notes a pack that was just written."""
        self._kinds[digest] = kind
        self._tables[digest] = {key: f"{offset} {length}" for key, offset, length in places}
        self._checked.add(digest)
        _write(self.folder, kind, digest, self._tables[digest])

    def find(
        self, kind: str, keys: Iterable[str], within: Collection[str] | None = None
    ) -> dict[str, Found[Any]]:
        """Those of the keys that some pack of this kind has, the smallest digest first."""
        missing = set(keys)
        found: dict[str, Found[Any]] = {}
        packs = self._packs(kind)
        for digest in packs if within is None else [item for item in packs if item in within]:
            if not missing:
                break
            hits = self._table(kind, digest).keys() & missing
            if hits:
                found |= self._read(kind, digest, hits)
                missing -= hits
        return found

    def holders(self, kind: str, keys: Iterable[str]) -> dict[str, str]:
        """The pack of each of the keys that some pack of this kind has; no record is read."""
        missing = set(keys)
        found: dict[str, str] = {}
        for digest in self._packs(kind) if missing else ():
            hits = self._table(kind, digest).keys() & missing
            found |= dict.fromkeys(hits, digest)
            missing -= hits
        return found

    def _packs(self, kind: str) -> list[str]:
        """Packs of one kind that are there now, sorted."""
        present = packs_in(self.folder.root)
        if not self._kinds.keys() >= present:
            self._kinds |= _indexed(self.folder.root)
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

    def _read(self, kind: str, digest: str, keys: set[str]) -> dict[str, Found[Any]]:
        """The records of one pack; an index that leads astray is rebuilt, once."""
        self._check(digest)
        path = object_path(self.folder.root, digest, "jsonl")
        found = _read_all(path, self._tables[digest], keys)
        if found is None:
            found = _read_all(path, self._rebuild(kind, digest), keys)
        if found is None:
            raise corrupt(path, "holds other records than its lines say")
        records = {}
        for key, record in found.items():
            try:
                records[key] = Found(digest, structure_known(types.RECORDS, kind, record))
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


def _indexed(root: Path) -> dict[str, str]:
    """Pack to kind, as the names of the index files say."""
    kinds = (kind for kind in _names(root / INDEX) if KIND.fullmatch(kind))
    return {digest: kind for kind in kinds for digest in _names(root / INDEX / kind)}


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
    wanted = sorted(keys)
    found: dict[str, dict[str, Json]] = {}
    with opened(path) as file:
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
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
            found |= zip(batch, records, strict=True)
    return found


def _line(descriptor: int, place: str) -> bytes:
    offset, length = map(int, place.split())
    return os.pread(descriptor, min(length, LARGEST_VALUE), offset)
