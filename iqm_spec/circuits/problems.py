"""Errors of circuit sources; codes are those of docs/errors.md."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

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


@frozen(order=True)
class CircuitFileProblem:
    """A mistake at a line and column of a circuit file, both counted from 1."""

    line: int
    column: int
    code: str
    message: str
    hint: str = ""


class InvalidCircuitFile(Exception):
    """A circuit file holds no circuit that this program reads; `problems` are sorted by place."""

    def __init__(self, problems: Sequence[CircuitFileProblem]) -> None:
        super().__init__(problems[0].message)
        self.problems = tuple(sorted(set(problems)))

    @classmethod
    def at(
        cls, place: tuple[int, int], message: str, hint: str = "", code: str = "S402"
    ) -> InvalidCircuitFile:
        """The error of a single problem at a (line, column)."""
        return cls([CircuitFileProblem(*place, code, message, hint)])
