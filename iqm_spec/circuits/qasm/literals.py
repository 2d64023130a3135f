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
            waiting += statement.body if isinstance(statement, ast.Box) else statement.block


def _compare(condition: Any, single: set[str]) -> None:
    from openqasm3 import ast

    if not isinstance(condition, ast.BinaryExpression):
        return
    left, right = condition.lhs, condition.rhs
    if _is_bit(left, single) and isinstance(right, ast.IntegerLiteral) and right.value in (0, 1):
        condition.rhs = ast.BooleanLiteral(bool(right.value))
    if _is_bit(right, single) and isinstance(left, ast.IntegerLiteral) and left.value in (0, 1):
        condition.lhs = ast.BooleanLiteral(bool(left.value))


def _is_bit(node: Any, single: set[str]) -> bool:
    from openqasm3 import ast

    if isinstance(node, ast.Identifier):
        return node.name in single
    if not isinstance(node, ast.IndexExpression) or not isinstance(node.index, list):
        return False
    return len(node.index) == 1 and not isinstance(node.index[0], ast.RangeDefinition)
