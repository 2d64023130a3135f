"""OpenQASM 3 as a program: the parsed text carried out, statement by statement.

Versions of the language define `U`, `u2` and `u3` with different global phases, which matter under
a control or in a broken power: a text in which they may matter has two readings.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from iqm_spec.crosscheck.program import MOST_STEPS, Branch, Condition, NotReadable, Program, Step
from iqm_spec.crosscheck.reader3 import Reader
from iqm_spec.crosscheck.values3 import Qubits, Value, evaluate, number, span, truth

if TYPE_CHECKING:
    from openqasm3 import ast


@frozen(eq=False)
class _Subroutine:
    arguments: Sequence[Any]
    body: Sequence[Any]


def read_qasm3(text: str, inputs: Mapping[str, float]) -> list[Program]:
    """The one or two readings of OpenQASM 3 `text`. Raises `NotReadable`."""
    program = _parsed(text)
    found = []
    for phased in (False, True):
        reader = _Interpreter(dict(inputs), phased)
        try:
            registers = reader.declare(program)
            reader.run(program.statements, reader.steps)
        except (ArithmeticError, ValueError):
            raise NotReadable("an angle that cannot be computed") from None
        except RecursionError:
            raise NotReadable("nested too deep") from None
        found.append(Program(registers, tuple(reader.steps)))
        if not reader.phase_matters:
            break
    return found


@lru_cache(maxsize=4)
def _parsed(text: str) -> ast.Program:
    import openqasm3.parser

    try:
        with redirect_stderr(io.StringIO()):  # the lexer prints what it also raises
            return openqasm3.parser.parse(text)
    except Exception as error:
        raise NotReadable("a text that cannot be parsed") from error


@define(eq=False)
class _Interpreter(Reader):
    _routines: dict[str, _Subroutine] = field(factory=dict)
    _rounds: int = 0

    @contextmanager
    def _inner(self) -> Iterator[None]:
        """Names declared from here on are forgotten at the end."""
        outer = self._scope
        self._scope = dict(outer)
        try:
            yield
        finally:
            self._scope = outer

    def _block(self, nodes: Sequence[Any]) -> tuple[Step, ...]:
        steps: list[Step] = []
        with self._inner():
            self.run(nodes, steps)
        return tuple(steps)

    def _on_BranchingStatement(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        if self._depth:
            raise NotReadable("a condition in a gate")
        found = evaluate(node.condition, self._scope)
        if isinstance(found, bool | int | float):
            out += self._block(node.if_block if found else node.else_block)
            return
        held = truth(found)
        condition = Condition(held.bits, lambda state: bool(held.value(state)))
        out.append(Branch(condition, self._block(node.if_block), self._block(node.else_block)))

    def _on_WhileLoop(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        found = evaluate(node.while_condition, self._scope)
        if not isinstance(found, bool) or found:
            raise NotReadable("a `while` loop")

    def _on_ForInLoop(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        from openqasm3 import ast

        given = node.set_declaration
        if isinstance(given, ast.RangeDefinition):
            values: Sequence[int | float] = span(given, self._scope)
        elif isinstance(given, ast.DiscreteSet):
            values = [number(one, self._scope) for one in given.values]
        else:
            raise NotReadable("a loop over such a value")
        for value in values:
            self._rounds += 1
            if self._rounds > MOST_STEPS:
                raise NotReadable(f"more than {MOST_STEPS:,} rounds of loops")
            with self._inner():
                self._scope[node.identifier.name] = self._typed(node.type, value)
                self.run(node.block, out)

    def _on_Box(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        with self._inner():
            self.run(node.body, out)

    def _on_CompoundStatement(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        with self._inner():
            self.run(node.statements, out)

    # --- subroutines ------------------------------------------------------------------------------

    def _on_SubroutineDefinition(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        if node.return_type is not None:
            raise NotReadable("a subroutine that returns something")
        self._routines[node.name.name] = _Subroutine(node.arguments, node.body)

    def _on_ExpressionStatement(self, node: Any, out: list[Step]) -> None:  # noqa: N802
        from openqasm3 import ast

        call = node.expression
        routine = isinstance(call, ast.FunctionCall) and self._routines.get(call.name.name)
        if not routine or len(routine.arguments) != len(call.arguments) or self._depth:
            raise NotReadable("an expression as a statement")
        given = [
            self._argument(argument, value)
            for argument, value in zip(routine.arguments, call.arguments, strict=True)
        ]
        with self._inner():
            self._scope = {
                name: value
                for name, value in self._scope.items()
                if name in self._fixed and name in self._scope
            }
            for argument, value in zip(routine.arguments, given, strict=True):
                self._scope[argument.name.name] = value
            self.run(routine.body, out)

    def _argument(self, argument: Any, given: Any) -> Value:
        from openqasm3 import ast

        if not isinstance(argument, ast.QuantumArgument):
            return self._typed(argument.type, number(given, self._scope))
        value = evaluate(given, self._scope)
        size = None if argument.size is None else number(argument.size, self._scope)
        fits = isinstance(value, Qubits) and (
            value.single if size is None else not value.single and len(value.places) == size
        )
        if not fits:
            raise NotReadable("an argument of another kind or size")
        return value  # type: ignore[return-value]
