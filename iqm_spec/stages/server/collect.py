"""Waits for submitted jobs, and stores their results in the folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from attrs import evolve, frozen

from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, StageName
from iqm_spec.packed_shots import without_spaces
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
    """The answer to one poll of a job; `status` is the server's word.

    `ended`: the job needs no further poll. `trouble` says why its results are not in the folder
    and will not come. `lacks` says what is missing of its results: the shots in their order, or
    any shots at all.
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
    report_pause: Callable[[str, float], None],
    keys_with_shots: Collection[str] = (),
) -> Iterator[JobPoll]:
    """Polls jobs until all have ended or the deadline (of `time.monotonic`) is over.

    Yields a job whenever its status or its place in the queue has changed; the results of what has
    ended are in the folder by then. `circuits` are those of every point key that the attempts
    carry, `keys_with_shots` the point keys whose shots are stored.
    """
    from iqm_spec.server_api.retry import (
        LATE_RESULTS_SECONDS,
        POLLS,
        POLLS_PER_SECOND,
        Backoff,
        Retry,
    )

    unfinished = list(waiting)
    last_polls: dict[str, JobPoll] = {}
    completed_since: dict[str, float] = {}
    left = None if deadline is None else deadline - time.monotonic()
    backoff = Backoff(Retry(POLLS.within(left)))
    while unfinished:
        for attempt in list(unfinished):
            poll = _poll(attempt, session, store, circuits, deadline, report_pause, keys_with_shots)
            if poll is None:
                return
            if poll.status == _LATE:
                since = completed_since.setdefault(attempt.job, time.monotonic())
                seconds = time.monotonic() - since
                if seconds >= LATE_RESULTS_SECONDS:  # `resume` asks for them again
                    trouble = (
                        f"job {attempt.ids[0]}: the server calls it completed, and has given no "
                        f"results of it for {seconds / 60:.0f} min"
                    )
                    poll = evolve(poll, ended=True, trouble=trouble)
            if poll.ended:
                unfinished.remove(attempt)
            if last_polls.get(attempt.job) != poll:
                last_polls[attempt.job] = poll
                backoff.reset()
                yield poll
            time.sleep(1 / POLLS_PER_SECOND if len(unfinished) > 1 else 0)
        if unfinished and not backoff.pause():
            return


def _poll(
    attempt: Attempt,
    session: Session,
    store: Store,
    circuits: Mapping[str, NativeCircuit],
    deadline: float | None,
    report_pause: Callable[[str, float], None],
    keys_with_shots: Collection[str],
) -> JobPoll | None:
    """Poll a job once; None where the deadline was over before the server answered."""
    from iqm_spec.errors import Unreachable
    from iqm_spec.server_api.errors import BadAnswer, UnknownJob
    from iqm_spec.server_api.jobs import read_job
    from iqm_spec.server_api.retry import LEAST_POLL_SECONDS, WAITING_READS, Retry

    seconds = None if deadline is None else max(LEAST_POLL_SECONDS, deadline - time.monotonic())
    retry = Retry(WAITING_READS.within(seconds), report_pause)
    try:
        report = read_job(session.connection, attempt.ids[0], retry)
        if report.status == "completed":
            return _store_results(attempt, report, session, store, circuits, retry, keys_with_shots)
    except Unreachable:
        return None
    except UnknownJob as error:
        return JobPoll(attempt, "lost", ended=True, trouble=error.message)
    except BadAnswer as error:  # the next answer may be better
        return JobPoll(attempt, f"unreadable ({error.message})")
    if report.terminal:
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
    return JobPoll(attempt, report.status, report.queue_position, ended=report.terminal)


def _store_results(
    attempt: Attempt,
    report: JobReport,
    session: Session,
    store: Store,
    circuits: Mapping[str, NativeCircuit],
    retry: Retry,
    keys_with_shots: Collection[str],
) -> JobPoll:
    """Store counts, shots and the server's report, then the event that names them."""
    from iqm_spec.server_api.errors import BadAnswer, NoResults

    keys = [key for key, _ in attempt.parts]
    try:
        shots, lacks = results_of(attempt, report.id, session, circuits, retry, keys_with_shots)
    except NoResults:
        return JobPoll(attempt, _LATE)
    except BadAnswer as error:
        trouble = f"job {report.id}: {error.message}"
        return JobPoll(attempt, report.status, ended=True, trouble=trouble)
    lines = (
        MeasuredRecord(
            key=record_key(key, attempt.job, attempt.number, report.id),
            counts=circuit_shots.counts,
            shots_returned=sum(circuit_shots.counts.values()),
            calibration_set_id=report.calibration_set_id,
        )
        for key, circuit_shots in zip(keys, shots, strict=True)
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
    keys_with_shots: Collection[str],
) -> tuple[list[Shots], str]:
    """The results of a completed job, by part, and a message of what is missing.

    Where the server does not give the shots, the counts come from its other answer: they are what
    is paid for.
    """
    from iqm_spec.errors import Refused, Unreachable
    from iqm_spec.server_api.errors import BadAnswer
    from iqm_spec.server_api.results import Shots, read_counts, read_shots
    from iqm_spec.server_api.retry import RESULT_READS

    job_circuits = [circuits[key] for key, _ in attempt.parts]
    with_shots = {number for number, (key, _) in enumerate(attempt.parts) if key in keys_with_shots}
    why = ""
    if with_shots and attempt.intent.stage == StageName.HARDWARE.value:
        try:
            shots = read_shots(
                session.connection,
                job_id,
                job_circuits,
                retry.within(RESULT_READS.deadline),
                with_shots,
            )
            _require_within_request(shots, attempt)
        except (BadAnswer, Refused, Unreachable) as error:
            why = error.message
        else:
            why = next((circuit_shots.why for circuit_shots in shots if circuit_shots.why), "")
            return shots, _lacks(job_id, shots, why)
    shots = [
        Shots(counts) for counts in read_counts(session.connection, job_id, job_circuits, retry)
    ]
    _require_within_request(shots, attempt)
    return shots, _lacks(job_id, shots, why)


def _require_within_request(results: Sequence[Shots], attempt: Attempt) -> None:
    """BadAnswer for more shots than were requested; with heralding there are fewer."""
    from iqm_spec.server_api.errors import BadAnswer

    requested = attempt.intent.shots
    for number, circuit_shots in enumerate(results, 1):
        if (returned := sum(circuit_shots.counts.values())) > requested:
            raise BadAnswer(
                f"circuit {number} has {returned:,} shots, {requested:,} were requested"
            )


def _lacks(job_id: str, results: Sequence[Shots], why: str) -> str:
    """A message of what is missing of a job's results; `why` is the reason for missing shots."""
    reasons = [f"its shots are not kept ({why})"] if why else []
    if empty := sum(1 for circuit_shots in results if not any(circuit_shots.counts.values())):
        reasons.append(f"{count(empty, 'circuit')} came back without shots")
    return f"job {job_id}: {'; '.join(reasons)}" if reasons else ""


def put_shots(store: Store, attempt: Attempt, job_id: str, shots: Sequence[Shots]) -> str | None:
    """Store the shots of a job's circuits; the pack's digest, None where there are none."""
    lines: list[dict[str, Json]] = [
        {"key": record_key(key, attempt.job, attempt.number, job_id), **circuit_shots.packed}
        for (key, _), circuit_shots in zip(attempt.parts, shots, strict=True)
        if circuit_shots.packed is not None
    ]
    return store.put_pack(HARDWARE_MEMORY, {}, lines) if lines else None


def _keep_report(report: JobReport, store: Store) -> str:
    """Stores the server's whole report of a job; returns the object's digest."""
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
    keys_with_shots: Collection[str],
    missing: dict[AttemptId, str],
    report_pause: Callable[[str, float], None],
) -> None:
    """Store the shots that the server still has of completed jobs; never submits.

    `keys_with_shots` are point keys. Jobs in `missing` have been tried already; those whose shots
    cannot be fetched are added, with the reason.
    """
    attempts = []
    for attempt in work.attempts(Phase.COMPLETED):
        keys = {_record_key(attempt, key) for key, _ in attempt.parts if key in keys_with_shots}
        is_tried = (attempt.job, attempt.number) in missing
        if not is_tried and store.holders(HARDWARE_MEMORY, keys).keys() < keys:
            attempts.append(attempt)
    circuits = circuits_of_attempts(store, attempts)
    for attempt in attempts:
        if why := _fetch_shots(session, store, attempt, circuits, keys_with_shots, report_pause):
            missing[attempt.job, attempt.number] = why


def _fetch_shots(
    session: Session,
    store: Store,
    attempt: Attempt,
    circuits: Mapping[str, NativeCircuit],
    keys_with_shots: Collection[str],
    report_pause: Callable[[str, float], None],
) -> str:
    """Store the shots of one job; the reason where that fails, else an empty string."""
    from iqm_spec.errors import Refused, Unreachable
    from iqm_spec.server_api.errors import BadAnswer
    from iqm_spec.server_api.results import read_shots
    from iqm_spec.server_api.retry import RESULT_READS, Retry

    job_id = attempt.completion.id
    job_circuits = [circuits[key] for key, _ in attempt.parts]
    numbers = {number for number, (key, _) in enumerate(attempt.parts) if key in keys_with_shots}
    retry = Retry(RESULT_READS, report_pause)
    try:
        shots = read_shots(session.connection, job_id, job_circuits, retry, numbers)
    except (BadAnswer, Refused, Unreachable) as error:
        return f"the shots of job {job_id} could not be fetched: {error.message}"
    keys = [_record_key(attempt, key) for key, _ in attempt.parts]
    kind = records_kind(StageName(attempt.intent.stage))
    stored = store.find(kind, keys, within=[attempt.completion.records])
    for key, circuit_shots in zip(keys, shots, strict=True):
        counts = stored[key].record.counts if key in stored else {}
        if without_spaces(circuit_shots.counts) != without_spaces(counts):
            return f"job {job_id}: the server's shots do not agree with the counts; none are kept"
    if pack := put_shots(store, attempt, job_id, shots):
        store.job(attempt.job).add(JobMemory(attempt.number, job_id, pack))
    return next((f"job {job_id}: its shots are not kept ({s.why})" for s in shots if s.why), "")


def _record_key(attempt: Attempt, key: str) -> str:
    return record_key(key, attempt.job, attempt.number, attempt.completion.id)
