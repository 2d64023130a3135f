"""What a server's refusal means for the user, and what to do next: one table for all calls."""

from __future__ import annotations

from collections.abc import Mapping

from iqm_spec.errors import IqmSpecError, Refused
from iqm_spec.server.errors import BadAnswer
from iqm_spec.server.reply import Reply

_SIGN_IN = "set IQM_TOKEN (or IQM_TOKENS_FILE) to a token that is valid now, then `iqm-spec resume`"
_SMALLER = "split the job: fewer circuits or shots in one"

_BY_CODE: Mapping[str, tuple[str, str]] = {
    "not_enough_credits": (
        "there are not enough credits",
        "ask the project's PI for credits; `iqm-spec run --dry-run` shows what the run needs",
    ),
    "quota_exceeded": (
        "the quota is used up",
        "wait until it is renewed, or ask the project's PI to raise it",
    ),
    "no_booked_timeslots": (
        "no timeslot is booked",
        "have the project's PI (role Scheduler) book one, or write `mode: pay-as-you-go`",
    ),
    "timeslot_required": (
        "the quantum computer takes jobs in timeslots only",
        "write `mode: timeslot`, and have a timeslot booked",
    ),
    "illegal_job_status": ("the job has ended already", ""),
    "rate_limit_exceeded": ("too many requests", "wait half a minute"),
    "request_payload_too_large": ("the job is too large for the server", _SMALLER),
    "invalid_job_payload": ("the server does not take the job", ""),
}
"""Codes of the server's errors, in the words of its interface's description."""

_BY_STATUS: Mapping[int, tuple[str, str]] = {
    400: ("the server does not take the request", ""),
    401: ("the server does not accept the token: it is missing, wrong or expired", _SIGN_IN),
    403: (
        "the server forbids it to this token",
        "ask the project's PI which quantum computers and roles the token is for",
    ),
    404: (
        "the server knows no such quantum computer, job or calibration set",
        "`iqm-spec doctor` lists the quantum computers; `--replan` takes today's calibration set",
    ),
    413: ("the job is too large for the server", _SMALLER),
    422: (
        "the server finds the job invalid",
        "`iqm-spec doctor SPEC` checks it against the server",
    ),
}
_REDIRECTED = (
    "the server redirects the request, and a submission never follows",
    "give the server's present address with --server",
)


def advice(reply: Reply) -> tuple[str, str]:
    """What was refused, in one line with the server's own words and request id; and a hint."""
    error = reply.error
    words, hint = _BY_CODE.get(error.code) or _BY_STATUS.get(reply.status) or ("", "")
    if 300 <= reply.status < 400:
        words, hint = _REDIRECTED
        target = reply.headers.get("location", "")[:200]
        error_text = f"to {target}" if target else ""
    else:
        error_text = error.message
    words = words or f"the server answered {reply.status}"
    told = f": {error_text}" if error_text else ""
    request = f" (request {error.request_id})" if error.request_id else ""
    return f"{words}{told}{request}", hint


def refusal(reply: Reply, what: str) -> IqmSpecError:
    """The error of a read that was answered other than 2xx; `what` was asked for."""
    words, hint = advice(reply)
    message = f"{what}: {words}"
    if reply.status == 401:
        return Refused(message, hint=hint, code="refused.token")
    if reply.status in (403, 404):
        return Refused(message, hint=hint, code="refused.server")
    return BadAnswer(message, hint=hint)
