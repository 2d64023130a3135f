"""What journals of jobs lack, as far as what is left can tell.

Events are numbered, so one that is gone between two others leaves a gap. The last one leaves none;
but where a stage of a run has passed, the jobs that it had were all completed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from iqm_spec.json_types import Json
from iqm_spec.store.journal import event_files, missing_numbers
from iqm_spec.store.layout import DIGEST, EVENT_NAME, JOBS
from iqm_spec.store.references import named_jobs
from iqm_spec.store.runs import RunState

COMPLETED = "completed"
"""Kind of the event by which a job ends well."""


def lost_of_jobs(root: Path, state: RunState) -> dict[str, str]:
    """The jobs that a run names and whose journals lack something, with what that is, in words.

    Names of files are looked at, and no bytes.
    """
    named = sorted({job for event in state.events for job in named_jobs(event.fields)})
    found = {job: why for job in named if (why := _lacks(root, job))}
    return {**dict.fromkeys(lost_completions(root, state), "lacks its `completed` event"), **found}


def lost_completions(root: Path, state: RunState) -> list[str]:
    """Jobs of stages that passed whose journals have fewer `completed` events than they had."""
    found = []
    for job, attempts in sorted(_completed(state).items()):
        names = (EVENT_NAME.fullmatch(name) for _, name in _files(root, job))
        if sum(1 for match in names if match and match[2] == COMPLETED) < attempts:
            found.append(job)
    return found


def _lacks(root: Path, job: str) -> str:
    numbers = {number for number, _ in _files(root, job)}
    if not numbers:
        return "is not there"
    gone = missing_numbers(numbers, 1)
    return f"has lost its event number {gone[0]}" if gone else ""


def _files(root: Path, job: str) -> list[tuple[int, str]]:
    return event_files(root / JOBS / job) if DIGEST.fullmatch(job) else []


def _completed(state: RunState) -> Counter[str]:
    """Jobs, and how many attempts of each were completed when the run's stages were judged."""
    used: dict[str, Mapping[str, Json]] = {}
    judged: dict[str, Mapping[str, Json]] = {}
    passed: set[str] = set()
    for event in state.events:
        if "attempts" in event.fields:
            used[str(event.fields.get("stage"))] = event.fields
        if "stages" in event.fields:  # attempts that are told behind it may be waiting
            passed, judged = _passed(event.fields["stages"]), dict(used)
    named = (named_jobs(fields) for stage, fields in judged.items() if stage in passed)
    return Counter(job for jobs in named for job in jobs)


def _passed(stages: Json) -> set[str]:
    told = [one for one in stages if isinstance(one, dict)] if isinstance(stages, list) else []
    return {str(one.get("stage")) for one in told if one.get("status") == "passed"}
