"""A submission and what became of it: accepted, rejected, not accepted, or unknown."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from attrs import field, frozen

from iqm_spec.errors import Refused
from iqm_spec.json_types import Json
from iqm_spec.server.advice import advice
from iqm_spec.server.errors import Lost, Misconfigured, NoReply, NotSent, Unreadable
from iqm_spec.server.reply import Reply
from iqm_spec.server.transport import Connection, segment

LONGEST_TAG = 50
"""Characters."""

_UNSURE = (408, 425, 499)
"""4xx that tell of the connection, not of the job."""


@frozen
class Accepted:
    """The server has the job; `raw` is the job as it was answered."""

    job_id: str
    raw: Json


@frozen
class Rejected:
    """The server will not have the job: submitting it again as it is would do no good."""

    status: int
    code: str
    message: str
    hint: str


@frozen
class NotAccepted:
    """The server does not have the job: it may be submitted again, after `retry_after` seconds.

    `refusal` is there where no try will do better until somebody mends what it names.
    """

    why: str
    retry_after: float | None
    refusal: Refused | None = field(default=None, eq=False)


@frozen
class Unknown:
    """Nobody knows whether the server has the job: it must not be submitted again."""

    why: str


Outcome = Accepted | Rejected | NotAccepted | Unknown


def submit(
    connection: Connection, alias: str, body: bytes, use_timeslot: bool, tag: str
) -> Outcome:
    """Submits a job, once. A mistake of the caller (a tag too long) is a ValueError."""
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
        return _accepted(answer)
    words, hint = advice(answer)
    if answer.status == 429:
        return NotAccepted(words, answer.retry_after)
    if 300 <= answer.status < 500 and answer.status not in _UNSURE:
        return Rejected(answer.status, answer.error.code, words, hint)
    return Unknown(words)


def _accepted(reply: Reply) -> Outcome:
    try:
        raw: Any = reply.json()
    except Unreadable as error:
        return Unknown(error.message)
    found = raw.get("id") if isinstance(raw, dict) else None
    try:
        return Accepted(str(UUID(found)), raw)
    except (ValueError, TypeError, AttributeError):
        return Unknown(f"the server answered {reply.status} without the id of a job")


__all__ = [
    "LONGEST_TAG",
    "Accepted",
    "Lost",
    "NotAccepted",
    "NotSent",
    "Outcome",
    "Rejected",
    "Unknown",
    "classify",
    "submit",
]
