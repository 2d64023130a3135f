"""References between objects, objects in use, and events that journals of jobs lack.

`REFERENCES` has, by format, the fields that hold the digest of an object, a list of digests or a
mapping to digests: these objects must exist. 64 hex digits anywhere else may be another digest (a
job key, a circuit file); where an object has it, that object counts as in use.
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
    "iqm-spec/plan/1": frozenset({"circuits", "placement"}),
    "iqm-spec/inputs/1": frozenset({"files"}),
}
"""Format of an event, of a JSON object or of a pack's header to the fields that name objects."""

_ANY_DIGEST = re.compile(rb'"([0-9a-f]{64})"')


def mentions(data: bytes) -> set[bytes]:
    """Every string in some JSON bytes that looks like a digest."""
    return set(_ANY_DIGEST.findall(data))


def references(value: Json) -> Iterator[str]:
    """What a value refers to by the fields of its format: digests, if the value is sound."""
    if isinstance(value, dict):
        fields = value.get("fields", value)
        for key in REFERENCES.get(str(value.get("format")), ()):
            match fields.get(key) if isinstance(fields, dict) else None:
                case None:
                    pass
                case dict() as digests:
                    yield from map(str, digests.values())
                case list() as digests:
                    yield from map(str, digests)
                case digest:
                    yield str(digest)


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
    """The objects in `start`, and all that they refer to. Each is read once."""
    waiting = [digest for digest in dict.fromkeys(start) if digest in objects]
    digests = set(waiting)
    while waiting:
        more = mentioned(objects[waiting.pop()]) & objects.keys() - digests
        digests |= more
        waiting += more
    return digests


def roots(root: Path) -> Iterator[str]:
    """Everything that looks like a digest in runs, jobs and `asks/`."""
    for path in _files(root / ASKS):
        if match := POINTER_NAME.fullmatch(path.name):
            yield match[2]
    for folder in (RUNS, JOBS):
        for path in _files(root / folder):
            yield from mentioned(path)


def mentioned(path: Path) -> set[str]:
    """Everything that looks like a digest in a file, read in pieces."""
    digests: set[bytes] = set()
    rest = b""
    with open_regular(path) as file:
        while piece := file.read(_PIECE):
            digests |= mentions(rest + piece)
            rest = piece[-_OVERLAP:]
    return {digest.decode() for digest in digests}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def named_jobs(event: Event) -> list[str]:
    """The keys of the jobs that an event of a run names."""
    from iqm_spec.store.events import StageUsed

    return event.data.jobs if isinstance(event.data, StageUsed) else []


COMPLETED = "completed"
"""Kind of the event by which a job ends well."""


def lost_of_jobs(root: Path, state: RunState) -> dict[str, str]:
    """The jobs of a run whose journals lack something, with a message of what they lack.

    Only names of files are read.
    """
    named = sorted({job for event in state.events for job in named_jobs(event)})
    lost = {}
    for job in named:
        numbers = {number for number, _ in _event_files_of_job(root, job)}
        if not numbers:
            lost[job] = "is not there"
        elif missing := missing_numbers(numbers, 1):
            lost[job] = f"lacks its event number {missing[0]}"
    return {**dict.fromkeys(lost_completions(root, state), "lacks its `completed` event"), **lost}


def lost_completions(root: Path, state: RunState) -> list[str]:
    """Jobs of stages that passed whose journals have fewer `completed` events than the run used."""
    lost = []
    for job, attempts in sorted(_completed(state).items()):
        names = (EVENT_NAME.fullmatch(name) for _, name in _event_files_of_job(root, job))
        if sum(1 for match in names if match and match[2] == COMPLETED) < attempts:
            lost.append(job)
    return lost


def _event_files_of_job(root: Path, job: str) -> list[tuple[int, str]]:
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
