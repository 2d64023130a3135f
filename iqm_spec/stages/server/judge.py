"""The verdict of a server stage, with messages that say what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from operator import attrgetter

from attrs import define, field, frozen

from iqm_spec.errors import ExitCode
from iqm_spec.model import StageName
from iqm_spec.plan.label import count
from iqm_spec.stages.server.attempts import Attempt, AttemptId, Phase, ServerWork
from iqm_spec.store.events import JobFailure, JobRejected, JobUnknown


@frozen
class ServerVerdict:
    """`status` as in the answer of `run --json`, the reasons, and the exit code."""

    status: str
    reasons: tuple[str, ...]
    code: ExitCode


_CREDENTIALS = 401


@define
class Findings:
    """What a run learned about a stage, beside what the folder has.

    Args:
        rejected: attempts that the server rejected.
        troubles: jobs that were completed and whose results could not be read.
        untestable: keys of points that no mock can run.
        stopped: why polling ended early.
        not_submitted: why some jobs were not submitted.
        submitted: number of jobs that this run submitted.
        polled: whether this run asked the server for results.
        missing_shots: jobs whose shots could not be fetched, with the reason.
    """

    rejected: list[Attempt] = field(factory=list)
    troubles: list[str] = field(factory=list)
    notes: list[str] = field(factory=list)
    untestable: frozenset[str] = frozenset()
    stopped: str = ""
    not_submitted: str = ""
    submitted: int = 0
    polled: bool = False
    missing_shots: dict[AttemptId, str] = field(factory=dict)


def judge_server(
    work: ServerWork, stage: StageName, findings: Findings, now: datetime | None = None
) -> ServerVerdict:
    """The verdict of what the folder has of a stage at the time `now`."""
    unknown = work.attempts(Phase.UNKNOWN)
    failed = work.attempts(Phase.FAILED) or _last_mocks(work, stage, Phase.FAILED)
    waiting = work.attempts(Phase.SUBMITTED)
    reasons = [
        *(paid_twice(work) if stage is StageName.HARDWARE else ()),
        *(_unknown(attempt) for attempt in unknown),
        *(_lost_mock(attempt) for attempt in _last_mocks(work, stage, Phase.UNKNOWN)),
        *(f"job {a.ids[0] if a.ids else short_job_key(a)} {why_failed(a)}" for a in failed),
        *(f"rejected: {_why_rejected(attempt)}" for attempt in findings.rejected),
        *findings.troubles,
        *([findings.stopped] if findings.stopped else []),
        *([findings.not_submitted] if findings.not_submitted else []),
        *_waiting(waiting, findings.troubles),
        *(_being_submitted(attempt) for attempt in work.attempts(Phase.INTENDED)),
    ]
    code = _code(work, findings)
    status = _STATUS[code]
    if status == "passed":
        reasons = [*_passed(work, stage, now or datetime.now(UTC)), *reasons]
    elif not reasons:
        indexed = enumerate(work.keys)
        left = {k for i, k in indexed if k not in findings.untestable and not work.has(i)}
        points = count(len(left), "point")
        reasons = [f"{points} not submitted; the same `run` submits what is left"]
    if findings.untestable:
        number = sum(1 for key in work.keys if key in findings.untestable)
        points = count(number, "point")
        reasons.append(f"not testable: {points} act where the mock has no calibrated gate")
    reasons += findings.notes
    return ServerVerdict(status, tuple(reasons), code)


_STATUS = {
    ExitCode.UNKNOWN: "unknown",
    ExitCode.REFUSED: "refused",
    ExitCode.FAILED: "failed",
    ExitCode.WAITING: "waiting",
    ExitCode.DONE: "passed",
}


def _code(work: ServerWork, findings: Findings) -> ExitCode:
    if work.attempts(Phase.UNKNOWN):
        return ExitCode.UNKNOWN
    if any(attempt.status == _CREDENTIALS for attempt in findings.rejected):
        return ExitCode.REFUSED
    if work.attempts(Phase.FAILED) or findings.rejected or findings.troubles:
        return ExitCode.FAILED
    if findings.stopped or findings.not_submitted:
        return ExitCode.REFUSED
    if work.attempts(Phase.SUBMITTED, Phase.INTENDED):
        return ExitCode.WAITING
    complete = all(
        work.has(index) or key in findings.untestable for index, key in enumerate(work.keys)
    )
    return ExitCode.DONE if complete else ExitCode.FAILED


def _passed(work: ServerWork, stage: StageName, now: datetime) -> Iterator[str]:
    """How many points, when, and under which calibration sets."""
    by_set: dict[str, list[Attempt]] = {}
    for attempt in work.attempts(Phase.COMPLETED):
        calibration_set = (
            attempt.calibration_set_id or attempt.intent.calibration_set_id or "not reported"
        )
        by_set.setdefault(calibration_set, []).append(attempt)
    what = "accepted (counts of a mock are random bits)" if stage is StageName.MOCK else "measured"
    for calibration, attempts in by_set.items():
        keys = {key for attempt in attempts for key, _ in attempt.parts}
        points = sum(1 for key in work.keys if key in keys)
        times = sorted(attempt.completion.at for attempt in attempts)
        yield (
            f"{count(points, 'point')} {what} {age(times[0], now)}, calibration set {calibration}"
        )


def age(time: str, now: datetime) -> str:
    """`2026-11-20 (3 days ago)`."""
    days = (now - datetime.fromisoformat(time)).days
    ago = "today" if days < 1 else f"{count(days, 'day')} ago"
    return f"{time[:10]} ({ago})"


def lasting(reason: str) -> str:
    """A verdict's reason without what holds on that day alone."""
    return reason.replace(" (today)", "")


def paid_twice(work: ServerWork) -> list[str]:
    """A message for each set of jobs that have the same circuits without `--fresh`."""
    ids: dict[tuple[str, int, int], set[str]] = {}
    for attempt in work.all_attempts:
        if attempt.phase not in _PAID:
            continue
        for part in attempt.parts:
            # with --fresh, a part is another submission than those before
            submission = (*part, attempt.number if attempt.intent.fresh else 0)
            ids.setdefault(submission, set()).update(attempt.ids)
    jobs = dict.fromkeys(tuple(sorted(of_part)) for of_part in ids.values() if len(of_part) > 1)
    return [
        f"paid twice: the same circuits are in the jobs {', '.join(job_ids)}" for job_ids in jobs
    ]


_PAID = (Phase.SUBMITTED, Phase.COMPLETED)


def _unknown(attempt: Attempt) -> str:
    run = attempt.intent.run
    return (
        f"job {short_job_key(attempt)}: whether it was submitted is unknown "
        f"({_why_unknown(attempt)}). Look for it on the server's dashboard, then `iqm-spec adopt "
        f"{run} JOB_ID`; if it is not there, "
        f"`iqm-spec release {run} {short_job_key(attempt)}`"
    )


def _being_submitted(attempt: Attempt) -> str:
    """For an intent of a living process: `settled_work` marks those of processes that ended."""
    return (
        f"job {short_job_key(attempt)}: another process is submitting it; `iqm-spec resume "
        f"{attempt.intent.run}` brings the results in, as does the same `run`"
    )


def _lost_mock(attempt: Attempt) -> str:
    return (
        f"job {short_job_key(attempt)}: whether the mock accepts it is unknown "
        f"({_why_unknown(attempt)}); the same `run` submits it again"
    )


def _why_unknown(attempt: Attempt) -> str:
    why = attempt.outcome.why if isinstance(attempt.outcome, JobUnknown) else None
    return why or "no reason given"


def _last_mocks(work: ServerWork, stage: StageName, phase: Phase) -> list[Attempt]:
    """The last attempts of a phase at points that a mock has not accepted: the next run retries."""
    if stage is not StageName.MOCK:
        return []
    left = {key for index, key in enumerate(work.keys) if not work.has(index)}
    last: dict[str, Attempt] = {}
    for attempt in work.all_attempts:
        if any(key in left for key, _ in attempt.parts):
            last[attempt.job] = max(
                last.get(attempt.job, attempt), attempt, key=attrgetter("number")
            )
    return [attempt for attempt in last.values() if attempt.phase is phase]


def why_failed(attempt: Attempt) -> str:
    """The server's status of a job that failed, and its reason."""
    message = attempt.outcome.message if isinstance(attempt.outcome, JobFailure) else None
    return f"{attempt.status or 'failed'}: {message or 'no reason given'}"


def _why_rejected(attempt: Attempt) -> str:
    rejected = attempt.outcome
    if not isinstance(rejected, JobRejected):
        return attempt.phase
    return f"{rejected.message}{f' ({rejected.hint})' if rejected.hint else ''}"


def _waiting(waiting: Sequence[Attempt], troubles: Sequence[str]) -> Iterator[str]:
    if waiting and not troubles:
        ids = ", ".join(attempt.ids[0] for attempt in waiting[:3])
        more = f" and {len(waiting) - 3} more" if len(waiting) > 3 else ""
        yield (
            f"still at the server: {ids}{more}; `iqm-spec resume {waiting[0].intent.run}` "
            "brings the results in, as does the same `run`"
        )


def short_job_key(attempt: Attempt) -> str:
    """The start of a job's key: the name of a job without an id."""
    return attempt.job[:12]
