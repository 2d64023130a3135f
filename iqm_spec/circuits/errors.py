"""Errors of circuit sources, with the codes of docs/errors.md."""

from __future__ import annotations

from iqm_spec.errors import ExitCode, IqmSpecError


class CircuitError(IqmSpecError):
    """No circuit can be built from its source; `code` is the diagnostic's (S401 to S411)."""

    exit_code = ExitCode.SPEC
    code = "S402"

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, code=code)


class CircuitFileError(CircuitError):
    """A circuit file cannot be read: S401 missing, S408 outside the folder, S411 too large."""


class UnknownGenerator(CircuitError):
    """No generator has that name (S405), or its code is not allowed (S409)."""
