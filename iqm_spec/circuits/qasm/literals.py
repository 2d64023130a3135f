"""OpenQASM 3 lets a bit be compared with 0 and 1; the converter knows true and false alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openqasm3 import ast


def compare_bits_with_booleans(program: ast.Program) -> None:
    """Makes `if (c[0] == 1)` of a program `if (c[0] == true)`, in place."""
    from openqasm3 import ast

    single = {
        statement.identifier.name
        for statement in program.statements
        if isinstance(statement, ast.ClassicalDeclaration)
        and isinstance(statement.type, ast.BitType)
        and statement.type.size is None
    }
    waiting: list[Any] = list(program.statements)
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, ast.BranchingStatement):
            _compare(statement.condition, single)
            waiting += [*statement.if_block, *statement.else_block]
        elif isinstance(statement, ast.ForInLoop | ast.WhileLoop | ast.Box):
            waiting += getattr(statement, "block", None) or getattr(statement, "body", ())


def _compare(condition: Any, single: set[str]) -> None:
    from openqasm3 import ast

    if not isinstance(condition, ast.BinaryExpression):
        return
    for bit, literal, side in (
        (condition.lhs, condition.rhs, "rhs"),
        (condition.rhs, condition.lhs, "lhs"),
    ):
        is_number = isinstance(literal, ast.IntegerLiteral) and literal.value in (0, 1)
        if is_number and _is_bit(bit, single):
            setattr(condition, side, ast.BooleanLiteral(bool(literal.value)))


def _is_bit(node: Any, single: set[str]) -> bool:
    from openqasm3 import ast

    if isinstance(node, ast.Identifier):
        return node.name in single
    if not isinstance(node, ast.IndexExpression) or not isinstance(node.index, list):
        return False
    return len(node.index) == 1 and not isinstance(node.index[0], ast.RangeDefinition)
