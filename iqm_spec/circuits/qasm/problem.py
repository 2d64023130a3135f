"""A mistake in an OpenQASM file, and the error that carries several of them."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen


@frozen(order=True)
class QasmProblem:
    """A mistake at a line and column of the OpenQASM file, both counted from 1."""

    line: int
    column: int
    code: str
    message: str
    hint: str = ""


class QasmInvalid(Exception):
    """The text is no circuit that this program reads."""

    def __init__(self, problems: Sequence[QasmProblem]) -> None:
        super().__init__(problems[0].message)
        self.problems = tuple(sorted(set(problems)))
