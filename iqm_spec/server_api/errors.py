"""What can go wrong between this machine and a server, and what a refusal means for the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from iqm_spec.diagnostics import printable
from iqm_spec.errors import ExitCode, IqmSpecError, JobFailed, Refused, Unreachable

if TYPE_CHECKING:
    from iqm_spec.server_api.reply import Reply


_LONGEST = 2000
"""Characters of a message."""


class NoReply(Unreachable):
    """A request without a complete answer, for the reason in `why`."""

    def __init__(self, why: str, *, hint: str = "") -> None:
        super().__init__(why, hint=hint)
        self.why = why


class NotSent(NoReply):
    """No byte of the request left this machine: the server cannot have acted on it."""


class Misconfigured(NotSent):
    """Nothing can be sent until the user mends what `why` and `hint` name."""

    exit_code = ExitCode.REFUSED
    code = "refused.network"

    def __init__(self, why: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(why, hint=hint)
        self.code = code or type(self).code

    def refusal(self, where: str) -> Refused:
        """The error that ends a command; `where` is what was being done or asked."""
        return Refused(f"{where}: {self.why}", hint=self.hint, code=self.code)


class Lost(NoReply):
    """The request was sent, at least in part, without a complete answer: its effect is unknown."""


class TooLarge(Lost):
    """The answer is larger than is ever read."""


class BadAnswer(JobFailed):
    """The server answered, but not as its interface promises.

    The message can hold the server's own words, without control characters and cut at 2000.
    """

    code = "failed.answer"

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(shown(message, _LONGEST), hint=hint, code=code)


class Unreadable(BadAnswer):
    """An answer that is not JSON."""

    code = "failed.unreadable"


class NoResults(BadAnswer):
    """The server has no results of a job that it calls completed: they may come."""

    code = "failed.results"


class CalibrationGone(Refused):
    """The server does not know the calibration set (any more)."""

    code = "refused.calibration"


class UnknownJob(BadAnswer):
    """The server does not know a job of this id."""

    code = "failed.unknown_job"


def shown(text: str, longest: int) -> str:
    """A text for a terminal: without control characters, cut where it is longer."""
    text = printable(text[: longest + 1])
    return text if len(text) <= longest else f"{text[:longest]}..."


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
    """What a refusal means, in one line with the server's own words and request id; and a hint."""
    error = reply.error
    meaning, hint = _BY_CODE.get(error.code) or _BY_STATUS.get(reply.status) or ("", "")
    details = error.message
    if 300 <= reply.status < 400:
        meaning, hint = _REDIRECTED
        location = reply.headers.get("location", "")[:200]
        details = f"to {location}" if location else ""
    meaning = meaning or f"the server answered {reply.status}"
    details = f": {details}" if details else ""
    request = f" (request {error.request_id})" if error.request_id else ""
    return f"{meaning}{details}{request}", hint


def refusal(reply: Reply, what: str) -> IqmSpecError:
    """The error of a read of `what` whose answer is not 2xx."""
    meaning, hint = advice(reply)
    message = f"{what}: {meaning}"
    if reply.status == 401:
        return Refused(message, hint=hint, code="refused.token")
    if reply.status in (403, 404):
        return Refused(message, hint=hint, code="refused.server")
    return BadAnswer(message, hint=hint)
