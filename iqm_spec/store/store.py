"""`Store`: reads and writes a results folder. Times are arguments: it reads no clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from attrs import field, frozen

from iqm_spec.json_types import Json
from iqm_spec.store import journals, objects, packs
from iqm_spec.store.files import Disk, Folder, names_in
from iqm_spec.store.journals import Journal, RunState
from iqm_spec.store.layout import ASKS, DIGEST, POINTER_NAME, object_path
from iqm_spec.store.objects import Content, check_object
from iqm_spec.store.packs import Index, Pack, PackedRecord
from iqm_spec.store.structure import to_json

if TYPE_CHECKING:
    from iqm_spec.store.events import RunEvent, RunStarted
    from iqm_spec.store.records import Header, PackKind, Record

R = TypeVar("R")
C = TypeVar("C", bound=Content)


@frozen
class Store:
    """A results folder. It is made when first written to; reading never needs it to exist.

    Writing raises JobFailed (code `disk`) where the disk does not take it, reading StoreCorrupt
    where a file is missing or has a checksum mismatch. Every write is on the disk when it
    returns, so what names an object must be written after it.
    """

    root: Path = field(converter=Path)
    disk: Disk = field(factory=Disk)
    folder: Folder = field(init=False, repr=False, eq=False)
    index: Index = field(init=False, repr=False, eq=False)

    @folder.default
    def _make_folder(self) -> Folder:
        return Folder(self.root, self.disk)

    @index.default
    def _make_index(self) -> Index:
        return Index(self.folder)

    # --- objects ---------------------------------------------------------------------------------

    def put_json(self, value: Json) -> str:
        """Stores a JSON value; returns the sha256 of its canonical bytes."""
        return objects.put_json(self.folder, value)

    def get_json(self, digest: str) -> Json:
        """The JSON value of that digest."""
        return objects.get_json(self.root, digest)

    def put(self, content: Content) -> str:
        """Stores what an object of some format holds; returns its digest."""
        return objects.put(self.folder, content)

    def get(self, digest: str, of: type[C]) -> C:
        """What an object of a format holds; StoreCorrupt where it has another."""
        return objects.get(self.root, digest, of)

    def put_file(self, data: bytes) -> str:
        """Stores a file's bytes (spec text, QASM, QPY) in a JSON object; returns its digest."""
        return objects.put_file(self.folder, data)

    def get_file(self, digest: str) -> bytes:
        """The bytes that `put_file` stored under that digest."""
        return objects.get_file(self.root, digest)

    def has(self, digest: str) -> bool:
        """True where an object or a pack of that digest is there (its bytes are not read)."""
        return any(object_path(self.root, digest, suffix).exists() for suffix in ("json", "jsonl"))

    # --- packs and their records -----------------------------------------------------------------

    def put_pack(
        self,
        kind: str,
        header: Mapping[str, Json] | Header,
        records: Iterable[Mapping[str, Json] | Record],
        *,
        spill_bytes: int = packs.SPILL_BYTES,
    ) -> str:
        """Stores records as one object, in any order; returns its digest.

        Each record has a `key` of printable ASCII without spaces. Equal records collapse; two
        different ones with one key are a ValueError. Above `spill_bytes` records wait in tmp/.
        """
        digest, places = packs.write_pack(self.folder, kind, to_json(header), records, spill_bytes)
        self.index.add(kind, digest, places)
        return digest

    @overload
    def read_pack(self, digest: str, kind: PackKind[R]) -> Pack[R]: ...

    @overload
    def read_pack(self, digest: str, kind: str | None = None) -> Pack[Any]: ...

    def read_pack(self, digest: str, kind: str | None = None) -> Pack[Any]:
        """Header and records of a pack, once its whole file has been checked.

        StoreCorrupt where it is not of that `kind`.
        """
        return packs.read_pack(self.root, digest, kind)

    @overload
    def find(
        self, kind: PackKind[R], keys: Iterable[str], *, within: Collection[str] | None = None
    ) -> dict[str, PackedRecord[R]]: ...

    @overload
    def find(
        self, kind: str, keys: Iterable[str], *, within: Collection[str] | None = None
    ) -> dict[str, PackedRecord[Any]]: ...

    def find(
        self, kind: str, keys: Iterable[str], *, within: Collection[str] | None = None
    ) -> dict[str, PackedRecord[Any]]:
        """The records of these keys that packs of this kind hold; keys without one are left out.

        Where several packs hold a key, the pack of the smallest digest is taken; `within` looks
        into these packs only. Look many keys up at once: each call looks for packs that other
        processes have added.
        """
        return self.index.find(kind, keys, within)

    def holders(self, kind: str, keys: Iterable[str]) -> dict[str, str]:
        """Which pack `find` takes the record of each key from; no record is read."""
        return self.index.holders(kind, keys)

    # --- answers ---------------------------------------------------------------------------------

    def link_answer(self, key: str, answer: str, replan: bool = False) -> None:
        """Stores an object (a plan) under a key; `replan`: in place of all others."""
        link_answer(self.folder, key, answer, replan=replan)

    def find_answer(self, key: str) -> str | None:
        """Digest of the object (a plan) that is stored under a key, or None."""
        return find_answer(self.root, key)

    # --- jobs of servers -------------------------------------------------------------------------

    def job(self, key: str) -> Journal:
        """The journal of a server's job."""
        return journals.job_journal(self.folder, key)

    def job_keys(self) -> list[str]:
        """Keys of all jobs that have a journal."""
        return journals.job_keys(self.folder)

    # --- runs ------------------------------------------------------------------------------------

    def start_run(self, name: str, now: datetime, started: RunStarted | Mapping[str, Json]) -> str:
        """Begins a run of the spec `name`; returns `<name>-<YYYYMMDD-HHMMSS>-<8 hex>` (UTC)."""
        return journals.start_run(self.folder, name, now, started)

    def add_event(self, run_id: str, event: RunEvent) -> None:
        """Adds an event to a run; other processes may do so at the same time."""
        journals.run_journal(self.folder, run_id).add(event)

    def append_event(self, run_id: str, kind: str, fields: Mapping[str, Json]) -> None:
        """As `add_event`, for fields of any kind."""
        journals.run_journal(self.folder, run_id).append(kind, fields)

    def load_run(self, run_id: str) -> RunState:
        """The run of exactly this id; UsageError where there is none."""
        return journals.load_run(self.folder, run_id)

    def runs(self) -> list[RunState]:
        """All runs, the oldest first."""
        return [self.load_run(run) for run in journals.run_ids(self.root)]

    def resolve(self, selector: str) -> RunState:
        """The run that an id, a unique prefix, a spec's name (its newest run) or `latest` means."""
        return journals.resolve(self.folder, selector)


# --- answers: empty write-once files `asks/<key>/<n>-<digest of the object>` ----------------------
#
# The highest n wins, then the smallest digest, so that two people's answers merge without conflict.


def link_answer(folder: Folder, key: str, answer: str, *, replan: bool = False) -> None:
    """Stores an object under `key`; with `replan` in place of all others."""
    path = _folder_of(folder.root, key)
    check_object(folder.root, answer)
    known = _pointers(path)
    newest = max((number for number, _ in known), default=0)
    number = newest + 1 if replan or not known else newest
    if (number, answer) not in known and not (replan and _winner(known) == answer):
        folder.write(path / f"{number}-{answer}", b"", exclusive=True)


def find_answer(root: Path, key: str) -> str | None:
    """Digest of the object that is stored under `key`, or None."""
    return _winner(_pointers(_folder_of(root, key)))


def _folder_of(root: Path, key: str) -> Path:
    if not DIGEST.fullmatch(key):
        raise ValueError(f"a key is a sha256 in lower-case hex, got {key!r}")
    return root / ASKS / key


def _pointers(path: Path) -> set[tuple[int, str]]:
    matches = (POINTER_NAME.fullmatch(name) for name in names_in(path))
    return {(int(match[1]), match[2]) for match in matches if match}


def _winner(pointers: set[tuple[int, str]]) -> str | None:
    if not pointers:
        return None
    newest = max(number for number, _ in pointers)
    return min(plan for number, plan in pointers if number == newest)
