"""Meanings of names while an OpenQASM 3 program is lowered, and errors with their places."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from attrs import define, field, frozen
from openqasm3 import ast

from iqm_spec.circuits.problems import InvalidCircuitFile
from iqm_spec.circuits.qasm.constants import Constant


@frozen
class Bits:
    """Qubits or classical bits: (register, index), the index None where it stands alone."""

    items: tuple[tuple[str, int | None], ...]
    single: bool


@frozen
class Number:
    """A value known before the circuit runs; `constant`: it cannot be changed."""

    type: ast.ClassicalType
    value: Constant | tuple[Constant, ...] | None
    constant: bool


@frozen
class Duration:
    """A length of time in seconds, milliseconds and so on, or in samples: `dt`."""

    value: float
    unit: str


@frozen
class Symbol:
    """A name that stands for `node`, or for itself where that is None."""

    node: ast.Expression | None = None


Meaning = Bits | Number | Duration | Symbol


@define
class Scope:
    """Names and their meanings. `waits`: its statements run only if a measured bit says so."""

    parent: Scope | None = None
    waits: bool = False
    names: dict[str, Meaning] = field(factory=dict)
    returned: tuple[str, Bits | None] | None = None
    """In a subroutine: the name of the bits that it returns, and the bits that they become."""
    depth: int = 0
    repeats: bool = False
    """Inside of a loop that the circuit itself runs."""

    def find(self, name: str) -> Meaning | None:
        """The meaning of a name, here or in a scope around; None for an unknown name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def holder(self, name: str) -> Scope:
        """The scope that declares a name; the outermost one for an unknown name."""
        scope = self
        while name not in scope.names and scope.parent is not None:
            scope = scope.parent
        return scope

    def inside(self, *, waits: bool = False, repeats: bool = False) -> Scope:
        """A new scope for a block of this one."""
        return Scope(
            self,
            self.waits or waits,
            returned=self.returned,
            depth=self.depth,
            repeats=self.repeats or repeats,
        )


def refuse(node: Any, message: str, hint: str = "") -> NoReturn:
    """Raise `InvalidCircuitFile` at the place of `node`."""
    span = node.span
    place = (1, 1) if span is None else (span.start_line, span.start_column + 1)
    raise InvalidCircuitFile.at(place, message, hint)


_Node = TypeVar("_Node", bound=ast.QASMNode)


def like(node: ast.QASMNode, made: _Node) -> _Node:
    """`made` with the place and the annotations of `node`."""
    made.span = node.span
    if isinstance(node, ast.Statement) and isinstance(made, ast.Statement):
        made.annotations = node.annotations
    return made


def line_of(node: ast.QASMNode) -> int:
    """The line on which `node` begins."""
    return 1 if node.span is None else node.span.start_line
