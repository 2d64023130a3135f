"""The OpenQASM 3 converter's complaints in words of the file they are about."""

from __future__ import annotations

import re
from collections.abc import Callable

_STATEMENTS = {
    "CalibrationDefinition": "calibrations (`defcal`)",
    "CalibrationGrammarDeclaration": "calibration grammars (`defcalgrammar`)",
    "CalibrationStatement": "calibration blocks (`cal`)",
    "ClassicalAssignment": "assignments to variables",
    "EndStatement": "`end` statements",
    "ExpressionStatement": "expressions as statements",
    "ExternDeclaration": "`extern` functions",
    "Pragma": "pragmas",
    "ReturnStatement": "`return` statements",
    "SubroutineDefinition": "subroutines (`def`)",
    "SwitchStatement": "`switch` statements",
}
_INSTEAD = {
    "ClassicalAssignment": "keep results by `c = measure q;`",
    "ExternDeclaration": "define it by `gate`",
    "SubroutineDefinition": "define it by `gate`",
    "SwitchStatement": "write it with `if`",
}
_CONSTANT = "write the number, or declare `input float` and give the value in the spec"
_UNROLL = "write the statements out, or use a generator"
_CONDITION = "compare a bit with true or false, or a register with a number"
_DECLARED = "declare it before it is used"

_SAYS = tuple[str, str]


def _statement(match: re.Match[str]) -> _SAYS:
    named = _STATEMENTS.get(match[1], f"statements of the kind {match[1]}")
    return f"OpenQASM 3's {named} are not supported", _INSTEAD.get(match[1], "remove them")


def _expression(match: re.Match[str]) -> _SAYS:
    what = "functions" if match[1] == "FunctionCall" else "such expressions"
    return f"{what} are not supported in OpenQASM 3", _CONSTANT


def _qubits(match: re.Match[str]) -> _SAYS:
    wanted, given = match[3], match[1]
    return f"the gate takes {wanted} qubit{'s' * (wanted != '1')}, here it is given {given}", ""


_COMPLAINTS: tuple[tuple[str, Callable[[re.Match[str]], _SAYS]], ...] = (
    (r"node of type (\w+) is not supported", _statement),
    (r"'(\w+)' cannot be resolved into a Qiskit value", _expression),
    (r"The amount of qubit\((\d+)\)/clbit\((\d+)\) arguments .*\((\d+)\)", _qubits),
    (
        r"declarations of type '(.*)' are not supported",
        lambda match: (f"variables of type `{match[1]}` are not supported", _CONSTANT),
    ),
    (r"[Uu]ndefined symbol '(.*)'", lambda match: (f"`{match[1]}` is not declared", _DECLARED)),
    (
        r"un(?:handled|supported) (?:binary|unary) operat(?:or|ion) '(.*)'",
        lambda match: (f"the operator `{match[1]}` is not supported here", ""),
    ),
    (
        r"Symbol '(\w+)' already inserted",
        lambda match: (
            f"`{match[1]}` is declared already, or a gate of stdgates.inc",
            "choose another name",
        ),
    ),
    (r"conditions must be", lambda _: ("such a condition is not supported", _CONDITION)),
    (
        r"type error",
        lambda _: (
            "the operator does not take values of these types",
            "an `angle` takes numbers as factors only: declare the input as `input float[64]`",
        ),
    ),
    (
        r"index must be int, slice or list",
        lambda _: ("an index must be a number: a loop's variable is none", _UNROLL),
    ),
    (
        r"label expects a string|positional argument|expected \d+ parameters|parameters?, got",
        lambda _: ("the gate is given another number of angles than it takes", ""),
    ),
    (
        r"the 'output' keyword is not supported",
        lambda _: (
            "`output` is not supported",
            "remove the word: every `bit` register is returned",
        ),
    ),
    (
        r"measurements must save their result",
        lambda _: ("the result of a measurement must be kept", "write `c = measure q;`"),
    ),
    (r"required a constant (.*)", lambda match: (f"a constant {match[1]} is needed here", "")),
)


def in_words(complaint: str) -> tuple[str, str]:
    """Message and hint for what the converter says; its own words where they are unknown."""
    for pattern, told in _COMPLAINTS:
        match = re.search(pattern, complaint)
        if match is not None:
            return told(match)
    return complaint, ""
