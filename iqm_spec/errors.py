"""Every error of iqm-spec, and its exit code.

Nothing here exits or prints: `iqm_spec.cli` catches `IqmSpecError` once and makes it text or JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from iqm_spec.diagnostics import Diagnostic, render


class ExitCode(IntEnum):
    """Exit codes of the command line (docs/errors.md). 1 is Python's own and never ours."""

    DONE = 0
    USAGE = 2
    SPEC = 3
    REFUSED = 4
    FAILED = 5
    UNREACHABLE = 6
    CORRUPT = 7
    UNKNOWN = 8
    WAITING = 9
    BUG = 70
    INTERRUPTED = 130


MOST_URGENT_FIRST = (
    ExitCode.BUG,
    ExitCode.CORRUPT,
    ExitCode.UNKNOWN,
    ExitCode.INTERRUPTED,
    ExitCode.FAILED,
    ExitCode.UNREACHABLE,
    ExitCode.REFUSED,
    ExitCode.WAITING,
)
"""Exit codes by urgency: of several errors the first in this list decides."""


class Terminated(KeyboardInterrupt):
    """SIGTERM came: the end of a batch system's walltime. Like Ctrl-C, but nobody is watching."""


class IqmSpecError(Exception):
    """Base of all errors: `message` says what is wrong, `hint` what to do next.

    `code` is a stable word for scripts (`refused.memory`), `exit_code` the process's exit code.
    """

    exit_code = ExitCode.FAILED
    code = "failed"

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or type(self).code
        if hint:
            self.add_note(f"hint: {hint}")  # shown below a traceback, in notebooks


class UsageError(IqmSpecError):
    """The command line cannot be understood."""

    exit_code = ExitCode.USAGE
    code = "usage"


class SpecError(IqmSpecError):
    """A spec is wrong; `diagnostics` holds every mistake, in file order.

    `overrides` are the texts of `--set`, in which mistakes may be.
    `line_of(file, line)` gives source lines to show below the mistakes.
    """

    exit_code = ExitCode.SPEC
    code = "spec"

    def __init__(
        self,
        diagnostics: tuple[Diagnostic, ...],
        overrides: tuple[str, ...] = (),
        line_of: Callable[[str, int], str | None] = lambda file, line: None,
    ) -> None:
        count = len(diagnostics)
        super().__init__(f"{count} error{'s' if count != 1 else ''} in the spec")
        self.diagnostics = diagnostics
        self.overrides = overrides
        self.line_of = line_of

    def __str__(self) -> str:
        """All mistakes with their places: what a notebook or a log shows."""
        return f"{self.message}\n{render(self.diagnostics, self.line_of)}"


class Refused(IqmSpecError):
    """Something that needs other limits, consent or requirements first."""

    exit_code = ExitCode.REFUSED
    code = "refused"


class JobFailed(IqmSpecError):
    """The simulator, the server or the local disk failed a job."""


class WrongCircuit(IqmSpecError):
    """A transpiled circuit does not do what its source says: a bug of this program or Qiskit."""

    exit_code = ExitCode.BUG
    code = "bug.circuit"


class Unreachable(IqmSpecError):
    """The server cannot be reached; nothing was lost, and the command can be given again."""

    exit_code = ExitCode.UNREACHABLE
    code = "unreachable"


class UnknownOutcome(IqmSpecError):
    """Whether something was submitted is unknown."""

    exit_code = ExitCode.UNKNOWN
    code = "unknown"


class Interrupted(IqmSpecError):
    """The user or the batch system ended the command."""

    exit_code = ExitCode.INTERRUPTED
    code = "interrupted"


class StoreCorrupt(IqmSpecError):
    """A file of the results folder is missing, cannot be read, or has a checksum mismatch."""

    exit_code = ExitCode.CORRUPT
    code = "corrupt"
