"""Jobs at a server: when they waited and ran, and what they cost beside what was predicted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from attrs import frozen

from iqm_spec.cost.words import amount
from iqm_spec.errors import StoreCorrupt
from iqm_spec.model import Stage
from iqm_spec.report.document import Block, Column, Figure, Figures, Section, Table, Text
from iqm_spec.report.figures.timeline import MOST_JOBS, Bar, timeline
from iqm_spec.report.subject import Subject
from iqm_spec.report.words import clean, seconds
from iqm_spec.server.errors import BadAnswer
from iqm_spec.server.jobs import parse_job
from iqm_spec.stages.server.spending import Counting, Entry, entry_of
from iqm_spec.stages.server.state import Attempt, Phase
from iqm_spec.store import Store

_MOST_ROWS = 200


@frozen
class _Job:
    """A job with its times, seconds of POSIX time; None where the server told none."""

    attempt: Attempt
    entry: Entry
    created: float | None
    started: float | None
    ended: float | None

    @property
    def name(self) -> str:
        told = f"{self.entry.computer}{' (emulated)' if self.entry.emulated else ''}"
        return clean(told, 60)


def jobs(subject: Subject) -> Section | None:
    """Timeline and costs; None for a run that asked no server."""
    found = [_job(subject.store, one) for stage in Stage for one in subject.jobs.get(stage, ())]
    if not found:
        return None
    blocks: list[Block] = []
    bars = [
        Bar(job.name, job.created, job.started, job.ended, _tip(job))
        for job in found
        if job.created is not None
    ]
    if bars:
        told = f"{len(bars):,} jobs from their submission on: how long they waited and ran."
        if len(bars) > MOST_JOBS:
            told += f" The first {MOST_JOBS} are drawn."
        if any(job.entry.emulated for job in found):
            told += " Emulated: no machine was used."
        blocks.append(Figures((Figure("jobs", told, timeline(bars, told)),)))
    blocks += [_table(found), *_costs(found)]
    return Section("jobs", "Jobs, time and cost", tuple(blocks))


def _job(store: Store, attempt: Attempt) -> _Job:
    times = _times(store, attempt)
    return _Job(
        attempt=attempt,
        entry=entry_of(attempt, Counting()),
        created=times.get("created") or _posix(attempt.intent.get("at")),
        started=times.get("execution_started"),
        ended=times.get("execution_ended"),
    )


def _times(store: Store, attempt: Attempt) -> dict[str, float]:
    """The server's own timeline, where it told one."""
    name = attempt.fields.get("report")
    if not isinstance(name, str):
        return {}
    try:
        told: Any = store.get_json(name)
        report = parse_job(told["job"])
    except (StoreCorrupt, BadAnswer, KeyError, TypeError):
        return {}
    found: dict[str, float] = {}
    for _, status, when in report.timeline:
        time = _posix(when)
        if time is not None:
            found.setdefault(status, time)
    return found


def _posix(when: object) -> float | None:
    try:
        return datetime.fromisoformat(str(when)).timestamp()
    except ValueError:
        return None


def _tip(job: _Job) -> str:
    return clean(
        f"{job.name}, {job.entry.circuits} circuits, waited {_waited(job)}, ran {_ran(job)}"
    )


def _waited(job: _Job) -> str:
    known = job.created is not None and job.started is not None
    return seconds(job.started - job.created) if known else "not told"  # type: ignore[operator]


def _ran(job: _Job) -> str:
    if job.started is not None and job.ended is not None:
        return seconds(job.ended - job.started)
    return seconds(job.entry.measured_seconds)


def _table(found: list[_Job]) -> Table:
    rows = [tuple(_row(job)) for job in found[:_MOST_ROWS]]
    columns = (
        Column("job", mono=True),
        *(Column(title) for title in ("computer", "status", "submitted (UTC)")),
        *(Column(title, number=True) for title in ("circuits", "shots", "waited", "ran")),
        *(Column(title, number=True) for title in ("predicted s", "measured s", "credits")),
        Column("calibration set", mono=True),
    )
    rest = len(found) - len(rows)
    left_out = f"{rest:,} more jobs are not listed." if rest else ""
    return Table("Jobs", columns, tuple(rows), left_out)


def _row(job: _Job) -> Iterator[str]:
    attempt, entry = job.attempt, job.entry
    mock = attempt.intent.get("stage") == Stage.MOCK.value
    yield clean(", ".join(attempt.ids) or attempt.job[:12], 80)
    yield job.name
    yield clean(attempt.fields.get("status", attempt.phase.value), 30)
    yield clean(str(attempt.intent.get("at", "")).replace("T", " ").rstrip("Z"), 30)
    yield f"{entry.circuits:,}"
    yield f"{int(attempt.intent.get('shots', 0)):,}"
    yield _waited(job)
    yield _ran(job)
    told = entry.predicted
    yield "" if told is None else f"{amount(told.low)} to {amount(told.high)}"
    yield "" if entry.measured_seconds is None else amount(entry.measured_seconds)
    yield (
        "free" if mock else "" if entry.measured_credits is None else amount(entry.measured_credits)
    )
    fields = attempt.fields
    yield clean(
        fields.get("calibration_set_id") or attempt.intent.get("calibration_set_id") or "", 40
    )


def _costs(found: list[_Job]) -> Iterator[Block]:
    paid = [job.entry for job in found if job.attempt.intent.get("stage") == Stage.HARDWARE.value]
    done = [one for one in paid if one.measured_seconds is not None]
    if not paid:
        return
    compared = [one for one in done if one.predicted is not None]
    inside = sum(
        1
        for one in compared
        if one.predicted and one.predicted.low <= (one.measured_seconds or 0) <= one.predicted.high
    )
    told = f"Measured on the machine: {amount(sum(one.measured_seconds or 0 for one in done))} s"
    told += f" and {amount(sum(one.measured_credits or 0 for one in done))} credits at the price"
    told += " known at submission."
    if compared:
        expected = sum(one.predicted.expected for one in compared if one.predicted)
        told += f" Predicted for the same jobs: {amount(expected)} s; {inside} of {len(compared)}"
        told += " took a time within the range predicted."
    waiting = [job for job in found if job.attempt.phase in (Phase.SUBMITTED, Phase.UNKNOWN)]
    if waiting:
        told += f" {len(waiting):,} jobs have not ended, or their outcome is not known."
    if any(one.emulated for one in paid):
        told += " Emulated jobs cost nothing: these are the figures of the rehearsal."
    yield Text(told)
