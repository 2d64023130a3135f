"""Jobs at a server: submitted once, looked at, their payload read, cancelled.

A submission is accepted, rejected, not accepted (it may be made again), or unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import evolve, field, frozen

from iqm_spec.canonical import canonical
from iqm_spec.diagnostics import printable
from iqm_spec.errors import Refused
from iqm_spec.json_types import Json
from iqm_spec.server_api.connection import Connection, read, read_parsed, segment
from iqm_spec.server_api.errors import (
    BadAnswer,
    Misconfigured,
    NoReply,
    NotSent,
    UnknownJob,
    Unreadable,
    advice,
    refusal,
    shown,
)
from iqm_spec.server_api.reply import Reply, count_of, time_of, word_of
from iqm_spec.server_api.retry import Retry

_CIRCUITS = "circuit"
"""The type of jobs that hold circuits; those of pulses are of the type `run`."""

_LONGEST_STATUS, _LONGEST_TEXT = 40, 2000
"""Characters that are kept of a status, and of a reason why a job failed."""

_TERMINAL = {
    *("completed", "failed", "cancelled"),
    *("aborted", "canceled", "deleted", "error", "expired", "rejected", "timed_out", "timeout"),
}
"""Statuses after which nothing more happens: IQM's own, and words that can mean nothing else.
`aborted` is known from timelines."""


@frozen
class JobReport:
    """A job as the server describes it, None or empty wherever it does not.

    `status` is `waiting`, `processing`, `completed`, `failed`, `cancelled`, or a word that is newer
    than this program and counts as a job that goes on. `timeline` holds (source, status, time) in
    the server's order. `execution_seconds` lie between the timeline's `execution_started` and
    `execution_ended`: what was measured, which need not be what is billed. `estimate_seconds` is
    the compiler's estimate of the run. `raw` is the server's JSON, or that as `text` where it holds
    what canonical JSON cannot.
    """

    id: str
    status: str
    terminal: bool
    queue_position: int | None
    calibration_set_id: str | None
    messages: tuple[str, ...]
    errors: tuple[str, ...]
    timeline: tuple[tuple[str, str, str], ...]
    execution_seconds: float | None
    runtime_ms: int | None
    estimate_seconds: float | None
    raw: Json

    @property
    def qpu_seconds(self) -> float | None:
        """How long it ran: by the timeline, or by its `runtime_ms` where that is incomplete."""
        if self.execution_seconds is not None or self.runtime_ms is None:
            return self.execution_seconds
        return self.runtime_ms / 1000

    @property
    def created(self) -> datetime | None:
        """When the server made it, UTC; None where it does not say."""
        times = (time_of(when) for _, status, when in self.timeline if status == "created")
        return next(times, None)


def parse_job(raw: Json) -> JobReport:
    """A report from the server's JSON, whatever it lacks; BadAnswer where it is no job."""
    data: Any = raw
    if not isinstance(data, dict) or not isinstance(data.get("status"), str) or not data["status"]:
        raise BadAnswer("the server's answer is no job: it has no status")
    compilation = data.get("compilation")
    compilation = compilation if isinstance(compilation, dict) else {}
    estimate = count_of(compilation.get("execution_runtime_estimate_ms"))
    status = shown(data["status"], _LONGEST_STATUS).lower()
    entries = data.get("timeline")
    timeline = tuple(
        (_text(item, "source"), _text(item, "status"), _text(item, "timestamp"))
        for item in (entries if isinstance(entries, list) else ())
        if isinstance(item, dict)
    )
    try:
        canonical(raw)
        storable = raw
    except ValueError:  # an integer beyond 2^53, half of a character
        storable = {"text": json.dumps(raw)}
    return JobReport(
        id=_text(data, "id"),
        status=status,
        terminal=status in _TERMINAL,
        queue_position=count_of(data.get("queue_position")),
        calibration_set_id=word_of(compilation.get("calibration_set_id")),
        messages=_messages(data.get("messages")),
        errors=_messages(data.get("errors")),
        timeline=timeline,
        execution_seconds=_seconds(timeline),
        runtime_ms=count_of(data.get("runtime_ms")),
        estimate_seconds=None if estimate is None else estimate / 1000,
        raw=storable,
    )


def parse_stored(raw: Json) -> JobReport:
    """A report from what the results folder holds of it: `JobReport.raw`."""
    text = raw.get("text") if isinstance(raw, dict) and "status" not in raw else None
    if not isinstance(text, str):
        return parse_job(raw)
    try:
        return parse_job(json.loads(text))
    except (ValueError, RecursionError):
        raise BadAnswer("the stored text of the server's report is not JSON") from None


def read_job(connection: Connection, job_id: str, retry: Retry) -> JobReport:
    """Where a job stands.

    UnknownJob where the server has none of this id; Refused where the token is not accepted;
    BadAnswer where the answer is no job, or another one.
    """
    reply = read(connection, f"jobs/{segment(job_id)}", None, retry)
    _require_job(reply, job_id)
    report = parse_job(reply.json())
    if report.id and report.id.lower() != job_id.lower():
        raise BadAnswer(f"the server's answer for job {job_id} is of another job")
    return evolve(report, id=job_id)


def read_payload(connection: Connection, job_id: str, retry: Retry) -> Json:
    """What was submitted, as the server has it; see `iqm_spec.server_api.payload`.

    Refused where it is no JSON but what a job of pulses holds.
    """

    def parse(reply: Reply) -> Json:
        require_circuits(
            job_id,
            "its payload",
            reply.headers.get("iqm-job-type", ""),
            code="refused.payload",
            is_binary=reply.is_binary,
        )
        return reply.json()

    path = f"jobs/{segment(job_id)}/payload"
    reply, payload = read_parsed(connection, path, None, retry, parse)
    _require_job(reply, job_id)
    return payload


def require_circuits(
    job_id: str, subject: str, kind: str, *, code: str, is_binary: bool = False
) -> None:
    """Refused, with `code`, where a job holds no circuits, but pulses for instance.

    `kind` is the type that the server gives of the job or its payload (the `subject`), empty where
    it gives none.
    """
    if kind not in ("", _CIRCUITS):
        what = f"is of the type `{printable(kind)[:40]}`"
    elif is_binary:
        what = "holds bytes"
    else:
        return
    raise Refused(
        f"job {job_id} does not hold circuits: {subject} {what}",
        hint="only jobs of circuits can be those of a spec",
        code=code,
    )


def cancel(connection: Connection, job_id: str) -> tuple[bool, str]:
    """Ask once to cancel a job: whether the server agreed, and what it said.

    Refused where nothing can be sent until the user mends what the error names.
    """
    try:
        reply = connection.post(f"jobs/{segment(job_id)}/cancel", b"")
    except Misconfigured as error:
        raise error.refusal(f"job {job_id} is not cancelled") from None
    except NoReply as error:
        return False, error.why
    return (True, "cancelled") if reply.ok else (False, advice(reply)[0])


def _require_job(reply: Reply, job_id: str) -> None:
    if reply.status == 404:
        raise UnknownJob(
            f"the server knows no job {job_id}",
            hint="is it the id of another server or project? `--server` names the server",
        )
    if not reply.ok:
        raise refusal(reply, f"job {job_id}")


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return shown(value, _LONGEST_TEXT) if isinstance(value, str) else ""


def _messages(value: Any) -> tuple[str, ...]:
    """Messages or errors as `source: message (code)`."""
    messages = []
    for item in value if isinstance(value, list) else []:
        if isinstance(item, str):
            messages.append(shown(item, _LONGEST_TEXT))
        elif isinstance(item, dict):
            source, code = _text(item, "source"), _text(item, "error_code")
            message = _text(item, "message") or code
            tail = f" ({code})" if code and code != message else ""
            messages.append(f"{source}: {message}{tail}" if source else f"{message}{tail}")
    return tuple(messages)


def _seconds(timeline: Iterable[tuple[str, str, str]]) -> float | None:
    """From the first start of execution to its last end."""
    starts = [time_of(when) for _, status, when in timeline if status == "execution_started"]
    ends = [time_of(when) for _, status, when in timeline if status == "execution_ended"]
    if not starts or not ends or None in starts or None in ends:
        return None
    seconds = (max(filter(None, ends)) - min(filter(None, starts))).total_seconds()
    return seconds if seconds >= 0 else None


LONGEST_TAG = 50
"""Characters."""

_OF_THE_CONNECTION = (408, 425, 499)
"""4xx that say something of the connection, not of the job."""


@frozen
class Accepted:
    """The server has the job; `raw` is the job as it was answered."""

    job_id: str
    raw: Json


@frozen
class Rejected:
    """The server does not take the job, and would not if it were submitted again as it is."""

    status: int
    code: str
    message: str
    hint: str


@frozen
class NotAccepted:
    """The server does not have the job: it may be submitted again, after `retry_after` seconds.

    With a `refusal` no try will do better until the user mends what it names.
    """

    why: str
    retry_after: float | None
    refusal: Refused | None = field(default=None, eq=False)


@frozen
class Unknown:
    """Whether the server has the job is unknown: it must not be submitted again."""

    why: str


Outcome = Accepted | Rejected | NotAccepted | Unknown


def submit(
    connection: Connection, alias: str, body: bytes, use_timeslot: bool, tag: str
) -> Outcome:
    """Submit a job, once. ValueError for a tag that is too long."""
    if len(tag) > LONGEST_TAG:
        raise ValueError(f"a tag has at most {LONGEST_TAG} characters, got {len(tag)}")
    params: dict[str, str | bool] = {"use_timeslot": use_timeslot}
    if tag:
        params["tag"] = tag
    try:
        return classify(connection.post(f"jobs/{segment(alias)}/circuit", body, params))
    except NoReply as error:
        return classify(error)


def classify(answer: Reply | NoReply) -> Outcome:
    """What an answer to a submission, or its absence, says about the job. In doubt `Unknown`."""
    if isinstance(answer, Misconfigured):
        return NotAccepted(answer.why, None, answer.refusal("the job was not sent"))
    if isinstance(answer, NotSent):
        return NotAccepted(answer.why, None)
    if isinstance(answer, NoReply):
        return Unknown(answer.why)
    if answer.ok:
        try:
            raw: Any = answer.json()
        except Unreadable as error:
            return Unknown(error.message)
        job_id = raw.get("id") if isinstance(raw, dict) else None
        try:
            return Accepted(str(UUID(job_id)), raw)
        except (ValueError, TypeError, AttributeError):
            return Unknown(f"the server answered {answer.status} without the id of a job")
    meaning, hint = advice(answer)
    if answer.status == 429:
        return NotAccepted(meaning, answer.retry_after)
    if 300 <= answer.status < 500 and answer.status not in _OF_THE_CONNECTION:
        return Rejected(answer.status, answer.error.code, meaning, hint)
    return Unknown(meaning)
