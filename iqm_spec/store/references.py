"""Which objects a stored value names, what leads to an object, and what journals of jobs lack.

`REFERENCES` tells, per format, the fields that hold the digest of an object, a list of such or a
mapping to such: what they name must be there. 64 hex digits anywhere else may be the digest of
anything (a job key, a circuit file); where it is an object's, that counts as in use.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from iqm_spec.json_types import Json
from iqm_spec.store.files import open_regular
from iqm_spec.store.journals import Event, RunState, event_files, missing_numbers
from iqm_spec.store.layout import (
    ASKS,
    DIGEST,
    EVENT_NAME,
    JOBS,
    OBJECT_NAME,
    OBJECTS,
    POINTER_NAME,
    RUNS,
)

REFERENCES: Mapping[str, frozenset[str]] = {
    "iqm-spec/event/1": frozenset(
        {
            "plan",
            "text",
            "inputs",
            "analyses",
            "calibrations",
            "environment",
            "records",
            "derived",
            "memory",
            "body",
            "machines",
            "report",
        }
    ),
    "iqm-spec/plan/1": frozenset({"circuits"}),
    "iqm-spec/inputs/1": frozenset({"files"}),
}
"""Format of an event, of a JSON object or of a pack's header to the fields that name objects."""

_ANY_DIGEST = re.compile(rb'"([0-9a-f]{64})"')


def mentions(data: bytes) -> set[bytes]:
    """Every string in some JSON bytes that looks like a digest."""
    return set(_ANY_DIGEST.findall(data))


def references(value: Json) -> Iterator[str]:
    """What a value names by the fields of its format, as text: digests, if all is well."""
    if isinstance(value, dict):
        fields = value.get("fields", value)
        for key in REFERENCES.get(str(value.get("format")), ()):
            if isinstance(fields, dict):
                yield from _leaves(fields.get(key))


def _leaves(item: Json) -> Iterator[str]:
    """The digests of one value, of a list or of a mapping; null refers to nothing."""
    if isinstance(item, dict):
        yield from map(str, item.values())
    elif isinstance(item, list):
        yield from map(str, item)
    elif item is not None:
        yield str(item)


_PIECE = 1 << 20
_OVERLAP = 80  # more than a digest in quotes


def objects_in(root: Path) -> dict[str, Path]:
    """Digest to file of everything in objects/ that is named as an object."""
    return {
        match[1]: path
        for path in _files(root / OBJECTS)
        if (match := OBJECT_NAME.fullmatch(path.name))
    }


def reached(objects: Mapping[str, Path], start: Iterable[str]) -> set[str]:
    """Those of the objects that `start` holds, and what these lead to. Each is read once."""
    waiting = [digest for digest in dict.fromkeys(start) if digest in objects]
    found = set(waiting)
    while waiting:
        more = mentioned(objects[waiting.pop()]) & objects.keys() - found
        found |= more
        waiting += more
    return found


def roots(root: Path) -> Iterator[str]:
    """Whatever looks like a digest in runs, jobs and answered asks."""
    for path in _files(root / ASKS):
        if match := POINTER_NAME.fullmatch(path.name):
            yield match[2]
    for folder in (RUNS, JOBS):
        for path in _files(root / folder):
            yield from mentioned(path)


def mentioned(path: Path) -> set[str]:
    """What looks like a digest in a file, read in pieces."""
    found: set[bytes] = set()
    rest = b""
    with open_regular(path) as file:
        while piece := file.read(_PIECE):
            found |= mentions(rest + piece)
            rest = piece[-_OVERLAP:]
    return {digest.decode() for digest in found}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def named_jobs(event: Event) -> list[str]:
    """The keys of the jobs that an event of a run names."""
    from iqm_spec.store.events import StageUsed

    return event.data.jobs if isinstance(event.data, StageUsed) else []


COMPLETED = "completed"
"""Kind of the event by which a job ends well."""


def lost_of_jobs(root: Path, state: RunState) -> dict[str, str]:
    """The jobs that a run names and whose journals lack something, with what that is, in words.

    Names of files are looked at, and no bytes.
    """
    named = sorted({job for event in state.events for job in named_jobs(event)})
    found = {job: why for job in named if (why := _lacks(root, job))}
    return {**dict.fromkeys(lost_completions(root, state), "lacks its `completed` event"), **found}


def lost_completions(root: Path, state: RunState) -> list[str]:
    """Jobs of stages that passed whose journals have fewer `completed` events than they had."""
    found = []
    for job, attempts in sorted(_completed(state).items()):
        names = (EVENT_NAME.fullmatch(name) for _, name in _lost_files(root, job))
        if sum(1 for match in names if match and match[2] == COMPLETED) < attempts:
            found.append(job)
    return found


def _lacks(root: Path, job: str) -> str:
    numbers = {number for number, _ in _lost_files(root, job)}
    if not numbers:
        return "is not there"
    gone = missing_numbers(numbers, 1)
    return f"has lost its event number {gone[0]}" if gone else ""


def _lost_files(root: Path, job: str) -> list[tuple[int, str]]:
    return event_files(root / JOBS / job) if DIGEST.fullmatch(job) else []


def _completed(state: RunState) -> Counter[str]:
    """Jobs, and how many attempts of each were completed when the run's stages were judged."""
    from iqm_spec.store.events import RunEnded, StageUsed

    used: dict[str, StageUsed] = {}
    judged: dict[str, StageUsed] = {}
    passed: set[str] = set()
    for event in state.events:
        match event.data:
            case StageUsed():
                used[event.data.stage] = event.data
            case RunEnded(stages=tuple(stages)):  # attempts of later events may be waiting
                passed = {stage.stage for stage in stages if stage.status == "passed"}
                judged = dict(used)
    return Counter(job for stage in judged if stage in passed for job in judged[stage].jobs)
