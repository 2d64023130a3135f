"""The part of a results folder that one run needs, with every file checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from unicodedata import category

from attrs import frozen

from iqm_spec.engine.inputs import read_inputs
from iqm_spec.engine.saved import SavedRun
from iqm_spec.errors import StoreCorrupt
from iqm_spec.model import StageName
from iqm_spec.results.garbage import Needs, needs_of
from iqm_spec.store import Store
from iqm_spec.store.files import names_in
from iqm_spec.store.journals import event_files, missing_numbers
from iqm_spec.store.layout import ASKS, JOBS, OBJECTS, POINTER_NAME, RUNS
from iqm_spec.store.objects import StoredText
from iqm_spec.store.references import lost_of_jobs, mentioned, objects_in, reached
from iqm_spec.store.scan import scan_event, scan_object, scan_pack

EXPERIMENT = "experiment"
"""Folder of the archive with the spec and its circuit files, as written."""


@frozen
class Contents:
    """Files of the results folder, and the spec and its circuit files.

    `files` are paths in the results folder, `objects` such paths by digest. `texts` are bytes by
    path in the archive, `spec` is one of these paths. `left_out` are circuit files whose path in
    the spec may lead out of the spec's folder: the archive has them only as objects. `versions` are
    those of the packages that ran it.
    """

    saved: SavedRun
    needs: Needs
    files: tuple[str, ...]
    objects: Mapping[str, str]
    texts: Mapping[str, bytes]
    spec: str
    left_out: tuple[str, ...]
    versions: Mapping[str, str | None]


def contents_of(store: Store, saved: SavedRun) -> Contents:
    """The contents of a run's archive; raises StoreCorrupt if any of it is damaged or lost."""
    needs = needs_of(store, saved)
    if needs.missing and StageName.AER.value in saved.judged:
        raise _damaged(f"some simulated results of run {saved.state.id} are lost")
    events = []
    for journal in (f"{RUNS}/{saved.state.id}", *(f"{JOBS}/{job}" for job in needs.jobs)):
        journal_events = event_files(store.root / journal)
        numbers = {number for number, _ in journal_events}
        if not numbers or missing_numbers(numbers, 1):
            raise _damaged(f"{journal} has lost an event")
        events += [f"{journal}/{name}" for _, name in journal_events]
    named = {digest for path in events for digest in mentioned(store.root / path)}
    existing = objects_in(store.root)
    used = reached(existing, (*sorted(named), *needs.objects))
    objects = {digest: f"{OBJECTS}/{digest[:2]}/{existing[digest].name}" for digest in sorted(used)}
    files = [*events, *_pointers(store.root, used), *objects.values()]
    for job, why in lost_of_jobs(store.root, saved.state).items():
        raise _damaged(f"{JOBS}/{job} {why}")
    _check(store.root, files, objects, set(needs.jobs))
    if lost := set(needs.objects) - used:
        raise _damaged(f"the object {min(lost)} is lost")
    texts, spec, left_out = _plain_files(store, saved)
    versions = saved.versions(store)
    return Contents(saved, needs, tuple(sorted(files)), objects, texts, spec, left_out, versions)


def _pointers(root: Path, used: set[str]) -> Iterator[str]:
    """Files of asks/ whose plan is among the used objects."""
    for ask in names_in(root / ASKS):
        for name in names_in(root / ASKS / ask):
            match = POINTER_NAME.fullmatch(name)
            if match and match[2] in used:
                yield f"{ASKS}/{ask}/{name}"


def _check(root: Path, files: Iterable[str], objects: Mapping[str, str], jobs: set[str]) -> None:
    """Raises StoreCorrupt if a file does not match its name or refers to something missing."""
    for path in files:
        kind = path.partition("/")[0]
        if kind == ASKS:
            continue
        try:
            if kind != OBJECTS:
                scan = scan_event(root / path)
            elif path.endswith(".jsonl"):
                scan = scan_pack(root / path, in_form=True)
            else:
                scan = scan_object(root / path)
        except OSError as error:
            raise _damaged(f"{path} cannot be read: {error.strerror}") from error
        problems = [f"{item.code}: {item.message}" for item in scan.problems]
        problems += [f"refers to the lost object {name}" for name in scan.named - objects.keys()]
        problems += [f"refers to job {job}, whose journal is lost" for job in scan.jobs - jobs]
        if problems:
            raise _damaged(f"{path}: {problems[0]}")


def _damaged(what: str) -> StoreCorrupt:
    return StoreCorrupt(
        what,
        hint="`iqm-spec verify` lists all damaged files; restore them with `git checkout` or from "
        "a colleague's copy",
    )


def _plain_files(store: Store, saved: SavedRun) -> tuple[dict[str, bytes], str, tuple[str, ...]]:
    """The spec and its circuit files by path, the spec's path, and files that are left out."""
    start = saved.state.start
    text = store.get(start.text, StoredText)
    spec = f"{EXPERIMENT}/{saved.state.name}.{'toml' if text.language == 'toml' else 'yaml'}"
    texts = {spec: text.text.encode()}
    left_out = []
    named = {} if start.inputs is None else read_inputs(store, start.inputs).files
    for path, digest in sorted(named.items()):
        target = f"{EXPERIMENT}/{PurePosixPath(path)}"
        data = store.get_file(digest)
        if inside(path) and texts.get(target, data) == data:
            texts[target] = data
        else:
            left_out.append(path)
    return texts, spec, tuple(left_out)


_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories of control and format characters, surrogates and line ends."""


def inside(path: str) -> bool:
    """Whether a relative path stays below its folder, with any program that unpacks it.

    Some programs read a backslash as a slash and `C:` as a drive, so paths with these may lead
    anywhere. Other colons are harmless. Paths with invisible characters, or with characters that
    change the text direction, are rejected, too.
    """
    parts = PurePosixPath(path).parts
    unsafe = "\\" in path or bool(PureWindowsPath(path).drive)
    unsafe = unsafe or any(category(char) in _INVISIBLE for char in path)
    return bool(parts) and not unsafe and not path.startswith("/") and ".." not in parts
