"""Shots of jobs whose counts alone are in the folder: fetched by their ids, never submitted."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from iqm_spec.memory import without_spaces
from iqm_spec.model import NativeCircuit
from iqm_spec.runs.server_stage import ServerStage
from iqm_spec.stages.server.collect import SHOTS_SECONDS, put_shots, records_kind
from iqm_spec.stages.server.keys import record_key
from iqm_spec.stages.server.state import Attempt, Phase
from iqm_spec.stages.server.work import ServerWork, circuits_of_attempts
from iqm_spec.store.events import JobMemory
from iqm_spec.store.records import HARDWARE_MEMORY


def fetch_late(it: ServerStage, work: ServerWork, wanted: Collection[str]) -> None:
    """Store what shots the server still has of completed jobs; `it.lacking` says which it has not.

    `wanted` are point keys. What this run has tried already is left alone.
    """
    done = work.attempts(Phase.COMPLETED)
    left = [a for a in done if (a.job, a.number) not in it.lacking and _lacks(it, a, wanted)]
    circuits = circuits_of_attempts(it.store, left)
    for attempt in left:
        if why := _fetch(it, attempt, circuits, wanted):
            it.lacking[attempt.job, attempt.number] = why


def _lacks(it: ServerStage, attempt: Attempt, wanted: Collection[str]) -> bool:
    keys = [_record(attempt, key) for key, _ in attempt.parts if key in wanted]
    return it.store.holders(HARDWARE_MEMORY, keys).keys() < set(keys)


def _fetch(
    it: ServerStage,
    attempt: Attempt,
    circuits: Mapping[str, NativeCircuit],
    wanted: Collection[str],
) -> str:
    """Store the shots of one job; why they cannot be had, or an empty string."""
    from iqm_spec.errors import Refused, Unreachable
    from iqm_spec.server.errors import BadAnswer
    from iqm_spec.server.patience import Patience
    from iqm_spec.server.results import read_shots

    job_id = attempt.completion.id
    asked = [circuits[key] for key, _ in attempt.parts]
    numbers = {number for number, (key, _) in enumerate(attempt.parts) if key in wanted}
    patience = Patience(total=SHOTS_SECONDS, tell=it.tell)
    try:
        shots = read_shots(it.session.connection, job_id, asked, patience, numbers)
    except (BadAnswer, Refused, Unreachable) as error:
        return f"the shots of job {job_id} could not be had: {error.message}"
    keys = [_record(attempt, key) for key, _ in attempt.parts]
    stored = it.store.find(records_kind(it.stage), keys, within=[attempt.completion.records])
    for key, one in zip(keys, shots, strict=True):
        counts = stored[key].record.counts if key in stored else {}
        if without_spaces(one.counts) != without_spaces(counts):
            return f"job {job_id}: the server has other shots now than were counted; none are kept"
    if pack := put_shots(it.store, attempt, job_id, shots):
        it.store.job(attempt.job).add(JobMemory(attempt.number, job_id, pack))
    return next((f"job {job_id}: its shots are not kept ({s.why})" for s in shots if s.why), "")


def _record(attempt: Attempt, key: str) -> str:
    return record_key(key, attempt.job, attempt.number, attempt.completion.id)
