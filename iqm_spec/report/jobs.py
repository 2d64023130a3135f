"""Jobs at a server: when they waited and ran, and what they cost beside what was predicted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from attrs import frozen

from iqm_spec.cost.ranges import amount
from iqm_spec.errors import StoreCorrupt
from iqm_spec.model import StageName
from iqm_spec.plan.label import count
from iqm_spec.plots.timeline import MOST_JOBS, JobTimes, timeline
from iqm_spec.report.document import Block, CaptionedPicture, Column, Pictures, Section, Table, Text
from iqm_spec.report.names import clean, left_out, seconds
from iqm_spec.report.subject import Subject
from iqm_spec.server_api.errors import BadAnswer
from iqm_spec.server_api.jobs import parse_stored
from iqm_spec.stages.registry import stage_named
from iqm_spec.stages.server.attempts import Attempt, Phase
from iqm_spec.stages.server.budget import Counting, Entry, entry_of
from iqm_spec.store import Store
from iqm_spec.store.objects import JobReportObject

_MOST_ROWS = 200


@frozen
class _Job:
    """A job with its times, seconds of POSIX time; None where the server reports none."""

    attempt: Attempt
    entry: Entry
    created: float | None
    started: float | None
    ended: float | None
    estimate: float | None = None
    """The server's own estimate of the run, seconds."""
    given_up: bool = False
    """The server took it and gave no result, and its stage failed by that."""

    @property
    def name(self) -> str:
        computer = f"{self.entry.computer}{' (emulated)' if self.entry.emulated else ''}"
        return clean(computer, 60)


def jobs(subject: Subject) -> Section | None:
    """Timeline and costs; None for a run without jobs at a server."""
    failed = {state.stage for state in subject.saved.stages if state.status == "failed"}
    shown = []
    for stage in StageName:
        for attempt in subject.jobs.get(stage, ()):
            times = _times(subject.store, attempt)
            estimate = attempt.end.server_estimate_seconds if attempt.end else None
            job = _Job(
                attempt=attempt,
                entry=entry_of(attempt, Counting()),
                estimate=None if estimate is None else float(estimate),
                created=times.get("created") or _posix(attempt.intent.at),
                started=times.get("execution_started"),
                ended=times.get("execution_ended"),
                given_up=stage.value in failed and attempt.phase is Phase.SUBMITTED,
            )
            shown.append(job)
    if not shown:
        return None
    blocks: list[Block] = []
    bars = []
    for job in shown:
        if job.created is not None:
            what = f"{job.name}, {count(job.entry.circuits, 'circuit')}"
            tip = clean(f"{what}, waited {_waited(job)}, ran {_ran(job)}")
            bars.append(JobTimes(job.name, job.created, job.started, job.ended, tip))
    if bars:
        caption = f"{count(len(bars), 'job')} from submission on: time of waiting and of running."
        if len(bars) > MOST_JOBS:
            caption += f" The first {MOST_JOBS} are drawn."
        if any(job.entry.emulated for job in shown):
            caption += " Emulated: no machine was used."
        blocks.append(Pictures((CaptionedPicture.of("jobs", timeline(bars), caption),)))
    blocks += [_table(shown), *_costs(shown)]
    return Section("jobs", "Jobs, time and cost", tuple(blocks))


def _times(store: Store, attempt: Attempt) -> dict[str, float]:
    """The server's own timeline, where it reports one."""
    name = attempt.end.report if attempt.end else None
    if name is None:
        return {}
    try:
        report = parse_stored(store.get(name, JobReportObject).job)
    except (StoreCorrupt, BadAnswer):
        return {}
    times: dict[str, float] = {}
    for _, status, when in report.timeline:
        time = _posix(when)
        if time is not None:
            times.setdefault(status, time)
    return times


def _posix(when: object) -> float | None:
    try:
        return datetime.fromisoformat(str(when)).timestamp()
    except (ValueError, OverflowError):
        return None


def _waited(job: _Job) -> str:
    known = job.created is not None and job.started is not None
    return seconds(job.started - job.created) if known else "not reported"  # type: ignore[operator]


def _ran(job: _Job) -> str:
    if job.started is not None and job.ended is not None:
        return seconds(job.ended - job.started)
    return seconds(job.entry.measured_seconds)


def _table(shown: list[_Job]) -> Table:
    estimated = any(job.estimate is not None for job in shown)
    rows = [tuple(_row(job, estimated=estimated)) for job in shown[:_MOST_ROWS]]
    columns = (
        Column("job", mono=True),
        *(Column(title) for title in ("computer", "status", "submitted (UTC)")),
        *(Column(title, number=True) for title in ("circuits", "shots", "waited", "ran")),
        Column("predicted s", number=True),
        *([Column("server estimate s", number=True)] if estimated else []),
        *(Column(title, number=True) for title in ("measured s", "credits")),
        Column("calibration set", mono=True),
    )
    return Table("Jobs", columns, tuple(rows), left_out(len(shown) - len(rows), "job"))


def _row(job: _Job, *, estimated: bool) -> Iterator[str]:
    attempt, entry = job.attempt, job.entry
    mock = stage_named(attempt.intent.stage).counts_are_random
    yield clean(", ".join(attempt.ids) or attempt.job[:12], 80)
    yield job.name
    phase = "no result given" if job.given_up else attempt.phase.value
    yield clean(phase if attempt.status is None else attempt.status, 30)
    # as in the drawing: the server's time of creation, else that of the submission
    created = None if job.created is None else datetime.fromtimestamp(job.created, UTC)
    yield "" if created is None else created.strftime("%Y-%m-%d %H:%M:%S")
    yield f"{entry.circuits:,}"
    yield f"{attempt.intent.shots:,}"
    yield _waited(job)
    yield _ran(job)
    predicted = entry.predicted
    yield "" if predicted is None else f"{amount(predicted.low)} to {amount(predicted.high)}"
    if estimated:
        yield "" if job.estimate is None else amount(job.estimate)
    yield "" if entry.measured_seconds is None else amount(entry.measured_seconds)
    yield (
        "free" if mock else "" if entry.measured_credits is None else amount(entry.measured_credits)
    )
    yield clean(attempt.calibration_set_id or attempt.intent.calibration_set_id or "", 40)


def _costs(shown: list[_Job]) -> Iterator[Block]:
    paid = [job.entry for job in shown if stage_named(job.attempt.intent.stage).spends_credits]
    done = [entry for entry in paid if entry.measured_seconds is not None]
    if not paid:
        return
    compared = [(e.predicted, e.measured_seconds or 0) for e in done if e.predicted is not None]
    inside = sum(predicted.low <= measured <= predicted.high for predicted, measured in compared)
    text = "No job has a measured time yet."
    if done:
        measured_seconds = amount(sum(entry.measured_seconds or 0 for entry in done))
        measured_credits = amount(sum(entry.measured_credits or 0 for entry in done))
        text = f"Measured: {measured_seconds} s of machine time and {measured_credits} credits at"
        text += " the price known at submission."
    if compared:
        expected = sum(predicted.expected for predicted, _ in compared)
        text += f" Predicted for the same jobs: {amount(expected)} s; {inside} of {len(compared)}"
        text += " took a time within the range predicted."
    waiting = [job for job in shown if job.attempt.phase in (Phase.SUBMITTED, Phase.UNKNOWN)]
    if waiting:
        text += f" Without an end that is known: {count(len(waiting), 'job')}."
    if any(entry.emulated for entry in paid):
        text += " Emulated: no machine was used and nothing was paid."
    yield Text(text)
