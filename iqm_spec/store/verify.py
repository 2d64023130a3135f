"""Checks a results folder: the checksum of every file, and that every referenced object exists.

Reads only, so it works on a folder that cannot be written to; reports files that it does not know.
All bytes are hashed each time; the form of a pack is checked once for its sha256 (`Forms`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from iqm_spec import packed_shots
from iqm_spec.canonical import canonical, sha256
from iqm_spec.errors import StoreCorrupt
from iqm_spec.json_types import Json
from iqm_spec.store.files import open_regular
from iqm_spec.store.journals import missing_numbers
from iqm_spec.store.layout import (
    ASKS,
    DIGEST,
    EVENT_NAME,
    INDEX,
    JOBS,
    OBJECT_NAME,
    OBJECTS,
    POINTER_NAME,
    README,
    RUN_ID,
    RUNS,
    STARTING_FILES,
    TMP,
)
from iqm_spec.store.packs import read_records, structure_record
from iqm_spec.store.references import lost_completions
from iqm_spec.store.scan import Forms, Scan, remembered_forms, scan_event, scan_object, scan_pack
from iqm_spec.store.store import Store
from iqm_spec.store.structure import MisfitError

_KEPT = (OBJECTS, ASKS, RUNS, JOBS)
"""Folders whose files are checked."""

_OURS = {*STARTING_FILES, *_KEPT, INDEX, TMP}


@frozen(order=True)
class Finding:
    """Something wrong with one file. `path` is relative to the results folder.

    Codes: `hash` (checksum mismatch), `form` (not canonical JSON, no pack, no
    pointer), `order` (a pack's records), `shots` (they do not agree with the counts), `too-large`,
    `missing` (a referenced object does not exist), `reference` (a reference is not a digest),
    `stray` (a file that does not belong there),
    `link` (a symbolic link), `unreadable`.
    """

    path: str
    code: str
    message: str


@frozen
class Verification:
    """The result: `checked` files of `bytes` bytes in all, and all problems.

    `foreign` are files that are not iqm-spec's, `leftovers` files in tmp/. Neither is a problem.
    """

    checked: int
    bytes: int
    problems: tuple[Finding, ...]
    foreign: tuple[str, ...]
    leftovers: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True where nothing is wrong."""
        return not self.problems


@define
class _Walk:
    """What is collected while the folder is read."""

    root: Path
    objects: dict[str, str] = field(factory=dict)
    """Digest to path, of all files in objects/ that are named as objects."""
    checked: int = 0
    bytes: int = 0
    problems: list[Finding] = field(factory=list)
    foreign: list[str] = field(factory=list)
    numbers: dict[str, set[int]] = field(factory=dict)
    """Journal's folder to the numbers of its events."""
    jobs: dict[str, str] = field(factory=dict)
    """Job key that a run names to the event that does."""
    kinds: dict[str, list[str]] = field(factory=dict)
    """Kind to the paths of its packs without problems."""

    def fail(self, path: str, code: str, message: str) -> None:
        self.problems.append(Finding(path, code, message))

    def scan(self, path: str, scanner: Callable[[Path], Scan]) -> Scan:
        """Reads one file with the scanner for its kind."""
        try:
            scan = scanner(self.root / path)
        except OSError as error:
            self.fail(path, "unreadable", error.strerror or str(error))
            return Scan()
        self.checked += 1
        self.bytes += scan.size
        self.problems += [Finding(path, item.code, item.message) for item in scan.problems]
        for name in sorted(scan.named):
            self.refer(path, name)
        return scan

    def refer(self, path: str, digest: str) -> None:
        """Adds a problem unless the object `digest` exists."""
        if not DIGEST.fullmatch(digest):
            self.fail(
                path, "reference", f"names an object by {digest[:80]!r}, which is not a sha256"
            )
        elif digest not in self.objects:
            self.fail(path, "missing", f"names the object {digest}, which is missing")


def is_results_folder(root: Path) -> bool:
    """True where a folder has one of the store's folders, or the README of a new results folder."""
    if any(os.path.lexists(root / name) for name in _KEPT):
        return True
    try:
        with open_regular(root / "README.md") as file:
            return file.readline(_LONGEST_TITLE) == README.partition("\n")[0].encode() + b"\n"
    except OSError:
        return False


def verify(store: Store) -> Verification:
    """Checks everything in a results folder. A folder that does not exist has nothing wrong."""
    walk = _Walk(store.root)
    files = dict(_sorted_files(walk))
    for path in files.get(OBJECTS, []):
        *folders, name = path.split("/")
        match = OBJECT_NAME.fullmatch(name)
        if match is None or folders[1:] != [match[1][:2]]:
            walk.fail(path, "stray", _STRAY)
        elif match[1] in walk.objects:
            walk.fail(path, "stray", f"has the sha256 of {walk.objects[match[1]]} in its name")
        else:
            walk.objects[match[1]] = path
    forms = remembered_forms()
    for digest, path in walk.objects.items():
        _check_object(walk, forms, digest, path)
    forms.save()
    for kind, counts_kind in COUNTS_OF.items():
        shots = [walk.root / path for path in walk.kinds.get(kind, [])]
        counts = [walk.root / path for path in walk.kinds.get(counts_kind, [])]
        for pack, message in wrong_shots(kind, shots, counts):
            walk.fail(pack.relative_to(walk.root).as_posix(), "shots", message)
    for path in [*files.get(RUNS, []), *files.get(JOBS, [])]:
        _check_event(walk, path)
    _check_journals(walk, store)
    for path in files.get(ASKS, []):
        _check_pointer(walk, path)
    return Verification(
        checked=walk.checked,
        bytes=walk.bytes,
        problems=tuple(sorted(walk.problems)),
        foreign=tuple(sorted(walk.foreign)),
        leftovers=tuple(files.get(TMP, [])),
    )


def _sorted_files(walk: _Walk) -> Iterator[tuple[str, list[str]]]:
    """Files of each of our folders, as sorted paths; what lies beside them is foreign."""
    if not walk.root.is_dir():
        return
    for entry in sorted(os.scandir(walk.root), key=lambda entry: entry.name):
        starting = entry.name in STARTING_FILES
        if entry.name not in _OURS or (starting and not entry.is_file()):
            walk.foreign.append(entry.name)
        elif entry.is_symlink():
            walk.fail(entry.name, "link", "is a symbolic link")
        elif entry.is_dir():
            yield entry.name, sorted(_files(walk, entry.name))
        elif not starting:
            walk.fail(entry.name, "stray", "is not a folder")


def _files(walk: _Walk, folder: str) -> Iterator[str]:
    """Paths of the files below a folder; links are reported and not followed, dot files foreign."""
    try:
        entries = list(os.scandir(walk.root / folder))
    except OSError as error:
        walk.fail(folder, "unreadable", error.strerror or str(error))
        return
    for entry in entries:
        path = f"{folder}/{entry.name}"
        if entry.is_symlink():
            walk.fail(path, "link", "is a symbolic link")
        elif entry.is_dir():
            yield from _files(walk, path)
        elif entry.name.startswith("."):
            walk.foreign.append(path)
        else:
            yield path


def _check_object(walk: _Walk, forms: Forms, digest: str, path: str) -> None:
    """Checks one file of objects/."""
    if not path.endswith(".jsonl"):
        walk.scan(path, scan_object)
        return
    in_form = digest in forms
    scan = walk.scan(path, partial(scan_pack, in_form=in_form))
    if scan.lines and not scan.problems:
        walk.kinds.setdefault(scan.kind, []).append(path)
    if scan.lines and not scan.problems and not in_form:
        forms.add(digest)


def _check_event(walk: _Walk, path: str) -> None:
    kind, *folders, name = path.split("/")
    journal = DIGEST if kind == JOBS else RUN_ID
    match = EVENT_NAME.fullmatch(name)
    if len(folders) != 1 or not journal.fullmatch(folders[0]) or match is None:
        walk.fail(path, "stray", _STRAY)
        return
    walk.numbers.setdefault(f"{kind}/{folders[0]}", set()).add(int(match[1]))
    scan = walk.scan(path, scan_event)
    walk.jobs |= dict.fromkeys(scan.jobs, path)


def _check_journals(walk: _Walk, store: Store) -> None:
    """Events are numbered without a gap; jobs of runs have journals, completed if they passed."""
    for folder, numbers in walk.numbers.items():
        for number in missing_numbers(numbers):
            walk.fail(folder, "missing", f"lacks its event number {number}")
    for job, path in walk.jobs.items():
        if f"{JOBS}/{job}" not in walk.numbers:
            walk.fail(path, "missing", f"names the job {job}, whose journal is missing")
    lost: dict[str, str] = {}
    for folder in [name for name in walk.numbers if name.startswith(f"{RUNS}/")]:
        with suppress(StoreCorrupt, OSError):  # reported already
            state = store.load_run(folder.partition("/")[2])
            lost |= dict.fromkeys(lost_completions(walk.root, state), state.id)
    for job, run in lost.items():
        if f"{JOBS}/{job}" in walk.numbers:
            walk.fail(f"{JOBS}/{job}", "missing", f"lacks its `completed` event, which {run} used")


def _check_pointer(walk: _Walk, path: str) -> None:
    """A pointer is an empty file in a key's folder, named after an object that exists."""
    _, *folders, name = path.split("/")
    match = POINTER_NAME.fullmatch(name)
    if match is None or len(folders) != 1 or not DIGEST.fullmatch(folders[0]):
        walk.fail(path, "stray", _STRAY)
        return
    walk.checked += 1
    if (walk.root / path).stat().st_size:
        walk.fail(path, "form", "is not empty, as a pointer must be")
    walk.refer(path, match[2])


_LONGEST_TITLE = 80
_STRAY = "does not belong here: move it away"


COUNTS_OF: Mapping[str, str] = {
    "aer-memory": "aer-records",
    "hardware-memory": "hardware-records",
}
"""Kind of the packs that hold shots to the kind of those with their counts, key by key."""

Wrong = tuple[Path, str]
"""A pack, and a message of what is wrong with it."""


def wrong_shots(kind: str, shots: Sequence[Path], counts: Sequence[Path]) -> Iterator[Wrong]:
    """Shots in the packs `shots`, of one kind, that do not agree with those of their `counts`.

    One record is in memory at a time. Shots whose counts are missing are ignored.
    """
    digests: dict[str, list[tuple[Path, str]]] = {}
    for path in shots:
        for key, record in _sound(path, kind):
            try:
                bits = packed_shots.unpack(record.shots, record.width, record.bits)
                digest = _digest(packed_shots.counted(bits))
            except ValueError as error:
                yield path, f"has the shots of {key}, which cannot be read: {error}"
            else:
                digests.setdefault(key, []).append((path, digest))
    for path in counts if digests else ():
        for key, record in _sound(path, COUNTS_OF[kind]):
            if key in digests:
                expected = _digest(packed_shots.without_spaces(record.counts))
                for holder, digest in digests[key]:
                    if digest != expected:
                        yield holder, f"has other shots of {key} than {path.name} counts"


def _sound(path: Path, kind: str) -> Iterator[tuple[str, Any]]:
    """Records of the right type; others are reported where every file is scanned."""
    try:
        for _, _, record in read_records(path):
            with suppress(MisfitError):
                yield str(record["key"]), structure_record(kind, record)
    except StoreCorrupt:
        return


def _digest(counts: Mapping[str, int]) -> str:
    members: dict[str, Json] = {**counts}
    return sha256(canonical(members))
