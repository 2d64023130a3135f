"""What journals of jobs lack, as far as what is left can tell.

Events are numbered, so one that is gone between two others leaves a gap. The last one leaves none;
but where a stage of a run has passed, the jobs that it had were all completed.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from iqm_spec.store.events import RunEnded, StageUsed
from iqm_spec.store.journal import event_files, missing_numbers
from iqm_spec.store.layout import DIGEST, EVENT_NAME, JOBS
from iqm_spec.store.runs import RunState

COMPLETED = "completed"
"""Kind of the event by which a job ends well."""


def lost_of_jobs(root: Path, state: RunState) -> dict[str, str]:
    """The jobs that a run names and whose journals lack something, with what that is, in words.

    Names of files are looked at, and no bytes.
    """
    named = sorted({job for used in state.each(StageUsed) for job in used.jobs})
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
