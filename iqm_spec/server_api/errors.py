"""What can go wrong on the way to a server and back."""

from __future__ import annotations

from iqm_spec.errors import ExitCode, JobFailed, Refused, Unreachable
from iqm_spec.server.fields import shown

_LONGEST = 2000
"""Characters of a message."""


class NoReply(Unreachable):
    """A request without a whole answer; `why` says so in words."""

    def __init__(self, why: str, *, hint: str = "") -> None:
        super().__init__(why, hint=hint)
        self.why = why


class NotSent(NoReply):
    """No byte of the request left this machine: the server cannot have acted on it."""


class Misconfigured(NotSent):
    """Nothing can be sent until somebody mends what `why` and `hint` name: waiting is no help."""

    exit_code = ExitCode.REFUSED
    code = "refused.network"

    def __init__(self, why: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(why, hint=hint)
        self.code = code or type(self).code

    def refusal(self, where: str) -> Refused:
        """The error that ends a command; `where` is what was being done or asked."""
        return Refused(f"{where}: {self.why}", hint=self.hint, code=self.code)


class Lost(NoReply):
    """The request was sent, at least in part, and no whole answer came: nobody knows."""


class TooLarge(Lost):
    """The answer is larger than is ever read."""


class BadAnswer(JobFailed):
    """The server answered, but not what its interface promises.

    The message can hold the server's own words: it is made fit to be shown and stored.
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
