"""One file of a results folder, read once: its sha256, its form, and what it names."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from attrs import define, field, frozen

from iqm_spec.canonical import cache_folder, sha256
from iqm_spec.json_types import Json
from iqm_spec.store.files import open_regular
from iqm_spec.store.journals import EVENT_FORMAT, parse_event, typed
from iqm_spec.store.json_text import NotCanonicalError, parse_canonical, parse_lines
from iqm_spec.store.layout import LARGEST_EVENT, LARGEST_VALUE, RECORD_KEY, kind_of
from iqm_spec.store.objects import check_content
from iqm_spec.store.packs import structure_header, structure_record
from iqm_spec.store.references import named_jobs, references
from iqm_spec.store.structure import MisfitError
from iqm_spec.version import __version__

_MOST_PROBLEMS = 10  # of one file
_BATCH = 1 << 20  # bytes of lines that are parsed together


@frozen
class FileProblem:
    """One problem of a file: a stable code, and a message."""

    code: str
    message: str


@define
class Scan:
    """What was read from one file; the objects that it `named` must exist."""

    size: int = 0
    lines: int = 0
    problems: list[FileProblem] = field(factory=list)
    named: set[str] = field(factory=set)
    jobs: set[str] = field(factory=set)
    """Jobs that an event of a run names."""
    kind: str = ""
    """Of a pack."""

    def fail(self, code: str, message: str) -> None:
        """Adds a problem, up to `_MOST_PROBLEMS`."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(FileProblem(code, message))


def scan_object(path: Path) -> Scan:
    """Reads a `.json` object."""
    scan = Scan()
    with open_regular(path) as file:
        data = file.read(LARGEST_VALUE + 1)
        if len(data) > LARGEST_VALUE:
            return _failed(scan, "too-large", f"holds a value of more than {LARGEST_VALUE} bytes")
    scan.size = len(data)
    if sha256(data) != path.stem:
        return _failed(scan, "hash", _why(data, path.stem))
    try:
        value = parse_canonical(data)
    except NotCanonicalError as error:
        return _failed(scan, "form", str(error))
    scan.named.update(references(value))
    try:
        check_content(value)
    except MisfitError as error:
        scan.fail("shape", str(error))
    return scan


def scan_pack(path: Path, in_form: bool = False) -> Scan:
    """Reads a `.jsonl` pack line by line, in bounded memory.

    `in_form`: the form of a pack with this sha256 was checked before; only its header is parsed.
    """
    scan = Scan()
    hasher = hashlib.sha256()
    with open_regular(path) as file:
        last = ""
        for lines in _header_and_pieces(file) if in_form else _batches(file):
            data = b"".join(lines)
            hasher.update(data)
            scan.size += len(data)
            if not (in_form and scan.lines):
                last = _scan_lines(scan, lines, last)
    if not scan.lines:
        scan.fail("form", "is empty")
    if hasher.hexdigest() == path.stem:
        return scan
    why = _why(path.read_bytes(), path.stem) if scan.size <= LARGEST_VALUE else _WRONG
    return _failed(Scan(size=scan.size), "hash", why)


def scan_event(path: Path) -> Scan:
    """Reads an event of a journal."""
    scan = Scan()
    with open_regular(path) as file:
        data = file.read(LARGEST_EVENT + 1)
    scan.size = len(data)
    event = parse_event(path, data)
    if event is None:
        return _failed(
            scan, "hash", "checksum mismatch: it is not the event in its name and folder"
        )
    scan.named.update(references({"format": EVENT_FORMAT, "fields": dict(event.fields)}))
    try:
        event = typed(path, event)
    except MisfitError as error:
        scan.fail("shape", str(error))
    scan.jobs.update(named_jobs(event))
    return scan


def _scan_lines(scan: Scan, lines: list[bytes], last: str) -> str:
    """Checks lines of a pack; returns the key of the last, which the next one's must follow."""
    values = parse_lines([line.removesuffix(b"\n") for line in lines])
    for line, value in zip(lines, values, strict=True):
        scan.lines += 1
        if isinstance(value, NotCanonicalError):
            scan.fail("form", f"line {scan.lines} {value}")
        elif not line.endswith(b"\n"):
            scan.fail("form", f"line {scan.lines} has no newline at its end")
        elif scan.lines == 1:
            kind = kind_of(value.get("format")) if isinstance(value, dict) else None
            if kind is None:
                scan.fail("form", "line 1 is not a pack's header")
            scan.kind = kind or ""
            _scan_type(scan, structure_header, value)
            scan.named.update(references(value))
        else:
            last = _scan_record(scan, value, last)
    return last


def _scan_record(scan: Scan, value: Json, last: str) -> str:
    key = value.get("key") if isinstance(value, dict) else None
    if not isinstance(key, str) or not RECORD_KEY.fullmatch(key):
        scan.fail("form", f"line {scan.lines} has no key")
        return last
    if key <= last:
        scan.fail("order", f"line {scan.lines} does not come after the one before by its key")
    _scan_type(scan, structure_record, value)
    return key


def _scan_type(scan: Scan, structured: Callable[[str, Any], Any], value: Json) -> None:
    """Checks a line against the class that its pack's kind has for it."""
    try:
        structured(scan.kind, value)
    except MisfitError as error:
        scan.fail("shape", f"line {scan.lines}: {error}")


def _batches(file: BinaryIO) -> Iterator[list[bytes]]:
    """The lines of a file, some at a time; one longer than any value is cut."""
    batch: list[bytes] = []
    size = 0
    while line := file.readline(LARGEST_VALUE):
        batch.append(line)
        size += len(line)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _header_and_pieces(file: BinaryIO) -> Iterator[list[bytes]]:
    """The first line of a file, then its rest in pieces that end with lines."""
    if header := file.readline(LARGEST_VALUE):
        yield [header]
    while piece := file.read(_BATCH):
        yield [piece, file.readline(LARGEST_VALUE)]


_WRONG = "checksum mismatch: its sha256 is not the one in its name"


def _why(data: bytes, digest: str) -> str:
    """What happened to a file, where its bytes show that."""
    if not data:
        return "is empty"
    if data.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer: `git lfs pull` brings the file"
    if sha256(data.replace(b"\r\n", b"\n")) == digest:
        return "line endings were changed: .gitattributes must say `* -text`"
    return _WRONG


def _failed(scan: Scan, code: str, message: str) -> Scan:
    scan.fail(code, message)
    return scan


_SIZE = 32
CHECKS = 2
"""Version of the checks: raised with every new check, so that it runs on all packs."""

_LARGEST = 1 << 24
"""Bytes of the file beyond which a new one is begun: half a million packs."""


@define
class Forms:
    """Digests of packs whose form a `verify` of this version has checked."""

    _path: Path | None
    _known: set[bytes] = field(factory=set)
    _added: list[bytes] = field(factory=list)

    def __contains__(self, digest: str) -> bool:
        return bytes.fromhex(digest) in self._known

    def add(self, digest: str) -> None:
        """Adds a pack that is in form."""
        self._added.append(bytes.fromhex(digest))

    def save(self) -> None:
        """Stores what was added for the next process; does nothing on a full disk."""
        if self._path is None or not self._added:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self._known else os.O_TRUNC)
            handle = os.open(self._path, flags, 0o600)
            try:
                os.write(handle, b"".join(self._added))
            finally:
                os.close(handle)
        except OSError:
            return


def remembered_forms() -> Forms:
    """The digests stored on this machine; none where the file is missing, cut short or large."""
    folder = cache_folder()
    if folder is None:
        return Forms(None)
    path = folder / "forms" / f"{__version__}-{CHECKS}"
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError:
        return Forms(path)
    if len(data) > _LARGEST or len(data) % _SIZE:
        return Forms(path)
    return Forms(path, {data[at : at + _SIZE] for at in range(0, len(data), _SIZE)})
