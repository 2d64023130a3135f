"""Waits for submitted jobs and brings their results into the folder, whatever the weather."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from attrs import evolve, frozen

from iqm_spec.json_types import Json
from iqm_spec.memory import without_spaces
from iqm_spec.model import NativeCircuit, StageName
from iqm_spec.plan.label import count
from iqm_spec.stages.keys import record_key
from iqm_spec.stages.server.attempts import (
    Attempt,
    AttemptId,
    Phase,
    ServerWork,
    circuits_of_attempts,
    event_time,
)
from iqm_spec.stages.server.server_info import Session
from iqm_spec.store import Store
from iqm_spec.store.events import JobCompleted, JobFailure, JobMemory
from iqm_spec.store.objects import JobReportObject
from iqm_spec.store.records import (
    HARDWARE_MEMORY,
    HARDWARE_RECORDS,
    MOCK_RECORDS,
    MeasuredRecord,
    PackKind,
)

if TYPE_CHECKING:
    from iqm_spec.server_api.jobs import JobReport
    from iqm_spec.server_api.results import Shots
    from iqm_spec.server_api.retry import Retry

_LATE = "completed, its results are not there yet"


@frozen
class JobPoll:
    """A look at a job. `trouble` says why its results are not in the folder and will not come.

    `lacks` says what its counts are without: shots that were wanted, or any at all.
    `ended`: nothing more will be heard. `status` is the server's word.
    """

    attempt: Attempt
    status: str
    queue_position: int | None = None
    ended: bool = False
    trouble: str = ""
    lacks: str = ""


def records_kind(stage: StageName) -> PackKind[MeasuredRecord]:
    """Kind of the packs that hold the counts of a server stage."""
    return MOCK_RECORDS if stage is StageName.MOCK else HARDWARE_RECORDS


def collect(
    waiting: Sequence[Attempt],
    session: Session,
    store: Store,
    circuits: Mapping[str, NativeCircuit],
    deadline: float | None,
    tell: Callable[[str, float], None],
    memory: Collection[str] = (),
) -> Iterator[JobPoll]:
    """Looks at jobs until all have ended or the deadline (of `time.monotonic`) is over.

    Yields a job whenever its status or its place in the queue has changed; what has ended is in
    the folder by then. `circuits` are those of every point key that the attempts carry, `memory`
    the point keys whose shots are kept.
    """
    from iqm_spec.server_api.retry import POLLS, POLLS_PER_SECOND, Backoff, Retry

    left = list(waiting)
    last: dict[str, JobPoll] = {}
    late: dict[str, float] = {}
    seconds = None if deadline is None else deadline - time.monotonic()
    polls = Backoff(Retry(POLLS.within(seconds)))
    while left:
        for attempt in list(left):
            heard = _look(attempt, session, store, circuits, deadline, tell, memory)
            if heard is None:
                return
            if heard.status == _LATE:
                since = late.setdefault(attempt.job, time.monotonic())
                heard = _given_up(heard, time.monotonic() - since)
            if heard.ended:
                left.remove(attempt)
            if last.get(attempt.job) != heard:
                last[attempt.job] = heard
                polls.reset()
                yield heard
            time.sleep(1 / POLLS_PER_SECOND if len(left) > 1 else 0)
        if left and not polls.pause():
            return


def _given_up(heard: JobPoll, seconds: float) -> JobPoll:
    """A job whose results have not come for so long; `resume` looks for them again."""
    from iqm_spec.server_api.retry import LATE_RESULTS_SECONDS

    if seconds < LATE_RESULTS_SECONDS:
        return heard
    minutes = f"{seconds / 60:.0f} min"
    why = f"the server calls it completed, and has given no results of it for {minutes}"
    return evolve(heard, ended=True, trouble=f"job {heard.attempt.ids[0]}: {why}")


def _look(
    attempt: Attempt,
    session: Session,
    store: Store,
    circuits: Mapping[str, NativeCircuit],
    deadline: float | None,
    tell: Callable[[str, float], None],
    memory: Collection[str],
) -> JobPoll | None:
    """One look at a job, or None where the deadline was over before the server answered."""
    from iqm_spec.errors import Unreachable
    from iqm_spec.server_api.errors import BadAnswer, UnknownJob
    from iqm_spec.server_api.jobs import read_job
    from iqm_spec.server_api.retry import LEAST_POLL_SECONDS, WAITING_READS, Retry

    seconds = None if deadline is None else max(LEAST_POLL_SECONDS, deadline - time.monotonic())
    retry = Retry(WAITING_READS.within(seconds), tell)
    try:
        report = read_job(session.connection, _server_id(attempt), retry)
        if report.status == "completed":
            return _store(attempt, report, session, store, circuits, retry, memory)
    except Unreachable:
        return None
    except UnknownJob as error:
        return JobPoll(attempt, "lost", ended=True, trouble=error.message)
    except BadAnswer as error:  # the next look may be answered better
        return JobPoll(attempt, f"unreadable ({error.message})")
    if report.terminal:
        _failed(attempt, report, store)
    return JobPoll(attempt, report.status, report.queue_position, ended=report.terminal)


def _server_id(attempt: Attempt) -> str:
    return attempt.ids[0]


def _store(
    attempt: Attempt,
    report: JobReport,
    session: Session,
    store: Store,
    circuits: Mapping[str, NativeCircuit],
    retry: Retry,
    memory: Collection[str],
) -> JobPoll:
    """Counts and shots, the server's report, then the event that names them."""
    from iqm_spec.server_api.errors import BadAnswer, NoResults

    keys = [key for key, _ in attempt.parts]
    try:
        shots, lacks = results_of(attempt, report.id, session, circuits, retry, memory)
    except NoResults:
        return JobPoll(attempt, _LATE)
    except BadAnswer as error:
        trouble = f"job {report.id}: {error.message}"
        return JobPoll(attempt, report.status, ended=True, trouble=trouble)
    counts = [one.counts for one in shots]
    lines = (
        MeasuredRecord(
            key=record_key(key, attempt.job, attempt.number, report.id),
            counts=one,
            shots_returned=sum(one.values()),
            calibration_set_id=report.calibration_set_id,
        )
        for key, one in zip(keys, counts, strict=True)
    )
    stage = StageName(attempt.intent.stage)
    records = store.put_pack(records_kind(stage), {}, lines)
    store.job(attempt.job).add(
        JobCompleted(
            attempt=attempt.number,
            id=report.id,
            status=report.status,
            records=records,
            memory=put_shots(store, attempt, report.id, shots),
            report=_keep_report(report, store),
            calibration_set_id=report.calibration_set_id,
            qpu_seconds=report.qpu_seconds,
            server_estimate_seconds=report.estimate_seconds,
            at=event_time(),
        )
    )
    return JobPoll(attempt, report.status, ended=True, lacks=lacks)


def results_of(
    attempt: Attempt,
    job_id: str,
    session: Session,
    circuits: Mapping[str, NativeCircuit],
    retry: Retry,
    memory: Collection[str],
) -> tuple[list[Shots], str]:
    """What a completed job brought, by part, and in words what is missing.

    Counts are what is paid for: they are had from the server's other answer where it does not give
    the shots.
    """
    from iqm_spec.errors import Refused, Unreachable
    from iqm_spec.server_api.errors import BadAnswer
    from iqm_spec.server_api.results import Shots, read_counts, read_shots
    from iqm_spec.server_api.retry import RESULT_READS

    asked = [circuits[key] for key, _ in attempt.parts]
    with_shots = {number for number, (key, _) in enumerate(attempt.parts) if key in memory}
    why = ""
    if with_shots and attempt.intent.stage == StageName.HARDWARE.value:
        try:
            shots = read_shots(
                session.connection, job_id, asked, retry.within(RESULT_READS.deadline), with_shots
            )
            _require_asked(shots, attempt)
        except (BadAnswer, Refused, Unreachable) as error:
            why = error.message
        else:
            why = next((one.why for one in shots if one.why), "")
            return shots, _lacks(job_id, shots, why)
    shots = [Shots(counts) for counts in read_counts(session.connection, job_id, asked, retry)]
    _require_asked(shots, attempt)
    return shots, _lacks(job_id, shots, why)


def _require_asked(results: Sequence[Shots], attempt: Attempt) -> None:
    """BadAnswer for more shots than were asked for; heralding makes fewer of them."""
    from iqm_spec.server_api.errors import BadAnswer

    asked = attempt.intent.shots
    for number, one in enumerate(results, 1):
        if (got := sum(one.counts.values())) > asked:
            raise BadAnswer(f"circuit {number} has {got:,} shots, {asked:,} were asked for")


def _lacks(job_id: str, results: Sequence[Shots], why: str) -> str:
    """What is missing of a job's results, in words; `why` its shots are."""
    reasons = [f"its shots are not kept ({why})"] if why else []
    if empty := sum(1 for one in results if not any(one.counts.values())):
        reasons.append(f"{count(empty, 'circuit')} came back without a single shot")
    return f"job {job_id}: {'; '.join(reasons)}" if reasons else ""


def put_shots(store: Store, attempt: Attempt, job_id: str, shots: Sequence[Shots]) -> str | None:
    """Store the shots of a job's circuits; the pack's digest, None where none are wanted."""
    lines: list[dict[str, Json]] = [
        {"key": record_key(key, attempt.job, attempt.number, job_id), **one.packed}
        for (key, _), one in zip(attempt.parts, shots, strict=True)
        if one.packed is not None
    ]
    return store.put_pack(HARDWARE_MEMORY, {}, lines) if lines else None


def _failed(attempt: Attempt, report: JobReport, store: Store) -> None:
    store.job(attempt.job).add(
        JobFailure(
            attempt=attempt.number,
            id=report.id,
            status=report.status,
            message=why_failed(report),
            report=_keep_report(report, store),
            calibration_set_id=report.calibration_set_id,
            qpu_seconds=report.qpu_seconds,
            server_estimate_seconds=report.estimate_seconds,
            at=event_time(),
        )
    )


def _keep_report(report: JobReport, store: Store) -> str:
    """Stores all that the server reports of a job; returns the object's digest."""
    return store.put(JobReportObject(cast("Mapping[str, Json]", report.raw)))


def why_failed(report: JobReport) -> str:
    """The server's reason in a line."""
    reasons = [*report.errors, *report.messages]
    return (
        "; ".join(reasons) if reasons else f"the server says `{report.status}` and gives no reason"
    )


# --- shots of jobs whose counts alone are in the folder ------------------------------------------


def fetch_missing_shots(
    session: Session,
    store: Store,
    work: ServerWork,
    wanted: Collection[str],
    missing: dict[AttemptId, str],
    report_pause: Callable[[str, float], None],
) -> None:
    """Store the shots that the server still has of completed jobs; never submits.

    `wanted` are point keys. Jobs in `missing` have been tried already; those whose shots cannot be
    had are added, with the reason.
    """
    attempts = [
        attempt
        for attempt in work.attempts(Phase.COMPLETED)
        if (attempt.job, attempt.number) not in missing and _lacks_shots(store, attempt, wanted)
    ]
    circuits = circuits_of_attempts(store, attempts)
    for attempt in attempts:
        if why := _fetch_shots(session, store, attempt, circuits, wanted, report_pause):
            missing[attempt.job, attempt.number] = why


def _lacks_shots(store: Store, attempt: Attempt, wanted: Collection[str]) -> bool:
    keys = [_record(attempt, key) for key, _ in attempt.parts if key in wanted]
    return store.holders(HARDWARE_MEMORY, keys).keys() < set(keys)


def _fetch_shots(
    session: Session,
    store: Store,
    attempt: Attempt,
    circuits: Mapping[str, NativeCircuit],
    wanted: Collection[str],
    report_pause: Callable[[str, float], None],
) -> str:
    """Store the shots of one job; why they cannot be had, or an empty string."""
    from iqm_spec.errors import Refused, Unreachable
    from iqm_spec.server_api.errors import BadAnswer
    from iqm_spec.server_api.results import read_shots
    from iqm_spec.server_api.retry import RESULT_READS, Retry

    job_id = attempt.completion.id
    asked = [circuits[key] for key, _ in attempt.parts]
    numbers = {number for number, (key, _) in enumerate(attempt.parts) if key in wanted}
    retry = Retry(RESULT_READS, report_pause)
    try:
        shots = read_shots(session.connection, job_id, asked, retry, numbers)
    except (BadAnswer, Refused, Unreachable) as error:
        return f"the shots of job {job_id} could not be had: {error.message}"
    keys = [_record(attempt, key) for key, _ in attempt.parts]
    kind = records_kind(StageName(attempt.intent.stage))
    stored = store.find(kind, keys, within=[attempt.completion.records])
    for key, circuit_shots in zip(keys, shots, strict=True):
        counts = stored[key].record.counts if key in stored else {}
        if without_spaces(circuit_shots.counts) != without_spaces(counts):
            return f"job {job_id}: the server has other shots now than were counted; none are kept"
    if pack := put_shots(store, attempt, job_id, shots):
        store.job(attempt.job).add(JobMemory(attempt.number, job_id, pack))
    return next((f"job {job_id}: its shots are not kept ({s.why})" for s in shots if s.why), "")


def _record(attempt: Attempt, key: str) -> str:
    return record_key(key, attempt.job, attempt.number, attempt.completion.id)
