"""OpenQASM text to a circuit; every failure of the parsers becomes a problem with a place."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iqm_spec.circuits.angles import ANGLE_HINT, non_finite_angles
from iqm_spec.circuits.expand import NAME_MARK, expand_definitions
from iqm_spec.circuits.facts import PHYSICAL
from iqm_spec.circuits.problems import CircuitError, CircuitFileProblem, InvalidCircuitFile
from iqm_spec.circuits.qasm.survey import Survey
from iqm_spec.circuits.qasm.tokens import Lines, QasmToken, tokenize
from iqm_spec.model import Feature

if TYPE_CHECKING:
    from qiskit import QuantumCircuit, qasm2
    from qiskit.circuit import Instruction


_ADVICE = {
    "gphase": "remove it: OpenQASM 2 has no global phase, and it changes no outcome",
    "sxdg": "stdgates.inc has no `sxdg`: add `gate sxdg a { inv @ sx a; }`",
}
"""Hints for gates that other programs write and no library of the language has."""

TextPlace = tuple[int, int]

_PLACE_OF_2 = re.compile(r"^<input>:(\d+),(\d+): (.*)", re.DOTALL)
_PLACE_OF_3 = re.compile(r"^(\d+),(\d+): (.*)", re.DOTALL)
_PLACE_OF_LEXER = re.compile(r"^L(\d+):C(\d+): (.*)", re.DOTALL)


_DELAY = "delay"
"""Qiskit's own instruction in OpenQASM 2, declared by `opaque delay(t) q;`."""

_UNDEFINED_GATE = re.compile(r"\bnot defined\b")
_INCLUDES = (
    'is the name right, and does the file include "qelib1.inc" (2.0) or "stdgates.inc" (3.0)?'
)


def parse(text: str, survey: Survey) -> tuple[QuantumCircuit, tuple[Feature, ...]]:
    """The circuit of surveyed `text` in standard gates, and what not every machine can run of it.

    Raises `InvalidCircuitFile`.
    """
    circuit, features = (_parse_2 if survey.version == 2 else _parse_3)(text, survey)
    for gate, value in non_finite_angles(circuit):
        name = gate.partition(NAME_MARK)[0]
        place = survey.calls.get(name, (1, 1))
        raise _invalid(place, f"an angle of `{name}` comes out as {value}", ANGLE_HINT)
    try:
        return expand_definitions(circuit), features
    except CircuitError as error:
        raise _invalid((1, 1), str(error), error.hint) from error


def _invalid(place: TextPlace, message: str, hint: str = "") -> InvalidCircuitFile:
    return InvalidCircuitFile.at(place, message.strip(), hint)


# --- OpenQASM 2 ----------------------------------------------------------------------------------


def _parse_2(text: str, survey: Survey) -> tuple[QuantumCircuit, tuple[Feature, ...]]:
    from qiskit import qasm2

    text, library = _library_of_2(text, survey)
    try:
        circuit = qasm2.loads(
            text,
            include_path=(),
            custom_instructions=library,
            custom_classical=qasm2.LEGACY_CUSTOM_CLASSICAL,
        )
    except qasm2.QASM2ParseError as error:
        raise _located(_PLACE_OF_2, error.message, (1, 1)) from error
    except Exception as error:
        raise _invalid((1, 1), f"{type(error).__name__}: {error}") from error
    # evaluate the angles inside of defined gates, where a division by zero shows only now
    for instruction in circuit.data:
        if instruction.is_standard_gate():
            continue
        operation = instruction.operation
        try:
            _evaluate(operation)
        except Exception as error:
            place = survey.calls.get(operation.name, (1, 1))
            message = f"the gate `{operation.name}` cannot be evaluated: {error}"
            raise _invalid(place, message, "look at the angles it is given") from error
    return circuit, survey.features


def _library_of_2(text: str, survey: Survey) -> tuple[str, list[qasm2.CustomInstruction]]:
    """The gates that the file does not define, and the text that is read with them.

    Qiskit prefers its own gate to one of the same name that the file defines. Where the file
    defines a gate of qelib1.inc, the include is blanked out and the other gates are built in.
    """
    from qiskit import qasm2

    legacy = qasm2.LEGACY_CUSTOM_INSTRUCTIONS
    library = [gate for gate in legacy if gate.name not in survey.defined]
    included = {gate.name for gate in legacy if not gate.builtin}
    if survey.defined.isdisjoint(included - {_DELAY}):
        return text, library
    for start, end in survey.includes:
        text = text[:start] + " " * (end - start) + text[end:]
    if survey.includes:
        library = [gate if gate.name == _DELAY else replace(gate, builtin=True) for gate in library]
    return text, library


def _evaluate(operation: Instruction) -> None:
    for body in getattr(operation, "blocks", ()):
        for inner in body.data:
            _evaluate(inner.operation)
    definition = operation.definition
    for inner in () if definition is None else definition.data:
        if not inner.is_standard_gate():
            _evaluate(inner.operation)


# --- OpenQASM 3 ----------------------------------------------------------------------------------


def _parse_3(text: str, survey: Survey) -> tuple[QuantumCircuit, tuple[Feature, ...]]:
    import openqasm3.parser
    import qiskit_qasm3_import

    from iqm_spec.circuits.qasm.lower import features_of, lower

    try:
        with redirect_stderr(io.StringIO()):  # the lexer prints what it also raises
            program = openqasm3.parser.parse(text)
    except openqasm3.parser.QASM3ParsingError as error:
        raise _syntax_error(error, text) from error
    except Exception as error:
        raise _invalid((1, 1), _reason(error), "the parser gave no place") from error
    try:
        lowered = lower(program)
        circuit = qiskit_qasm3_import.convert(lowered)
        if circuit.layout is not None:  # the converter's sign of `$0`
            circuit.metadata = {PHYSICAL: True}
        return circuit, features_of(lowered.statements)
    except qiskit_qasm3_import.ConversionError as error:
        # the converter's column of a name may be beyond the end of the line
        match = _PLACE_OF_3.match(error.message)
        line, column, complaint = (
            (int(match[1]), int(match[2]) + 1, match[3]) if match else (1, 1, error.message)
        )
        message, hint = explain_conversion_error(re.sub(rf"(\w){NAME_MARK}\d+", r"\1", complaint))
        lines = text.split("\n")
        if line <= len(lines) and column > len(lines[line - 1]):
            quoted = re.search(r"[`'](\w+)[`']", message)
            name = quoted and re.search(rf"\b{quoted[1]}\b", lines[line - 1])
            column = name.start() + 1 if name else 1
        raise _invalid((line, column), message, hint or _advice(message)) from error
    except InvalidCircuitFile:
        raise
    except Exception as error:
        # the converter gives no place: take that of the statement at which it failed
        place = (1, 1)
        trace = error.__traceback__
        while trace is not None:
            span: Any = getattr(trace.tb_frame.f_locals.get("node"), "span", None)
            if span is not None:
                place = (span.start_line, span.start_column + 1)
            trace = trace.tb_next
        raise _invalid(place, *explain_conversion_error(_reason(error))) from error


def _syntax_error(error: Exception, text: str) -> InvalidCircuitFile:
    """The lexer has its place in the message, the parser in the offending token of the cause."""
    if str(error):
        return _located(_PLACE_OF_LEXER, str(error), (1, 1))
    cause = error.__cause__
    cause = cause.args[0] if cause is not None and cause.args else cause
    token = getattr(cause, "offendingToken", None)
    if token is None:
        return _invalid((1, 1), "the file is no OpenQASM 3")
    unexpected = "" if token.text == "<EOF>" else token.text
    problem = explain_syntax_error(text, token.line, token.column + 1, unexpected)
    return InvalidCircuitFile([problem])


def _reason(error: Exception) -> str:
    """The meaning of a Python error of the converter."""
    if isinstance(error, RecursionError):
        return "statements are nested too deep"
    if isinstance(error, ZeroDivisionError):
        return "an angle comes out as inf" if "infinite" in str(error) else "division by zero"
    if isinstance(error, IndexError):
        return "an index is outside of its register"
    if isinstance(error, TypeError):
        return f"a gate or value is used wrongly ({error})"
    return getattr(error, "message", str(error)) or type(error).__name__


def _located(pattern: re.Pattern[str], text: str, otherwise: TextPlace) -> InvalidCircuitFile:
    """The problem of a message `line,column: ...`; both parsers count columns from 0."""
    match = pattern.match(text)
    if match is None:
        return _invalid(otherwise, text)
    line, column, message = int(match[1]), int(match[2]) + 1, match[3]
    return _invalid((line, column), message, _advice(message))


def _advice(message: str) -> str:
    """A hint for a gate that is not defined; empty for other messages."""
    if not _UNDEFINED_GATE.search(message):
        return ""
    quoted = re.search(r"'(\w+)'", message)
    return _ADVICE.get(quoted[1] if quoted else "", _INCLUDES)


# --- what the parsers' errors mean ----------------------------------------------------------------

_CLOSES = {"(": ")", "[": "]", "{": "}"}


def explain_syntax_error(text: str, line: int, column: int, unexpected: str) -> CircuitFileProblem:
    """The likely mistake where a parser met `unexpected`, which is empty at the end of the file."""
    lines = Lines(text)
    before = [token for token in tokenize(text) if token.text.strip()]
    if unexpected:
        before = [token for token in before if lines.place(token.start) < (line, column)]
    opened = _opened(before)
    inside = next((token for token in reversed(opened) if token.text in "(["), None)
    if inside is not None:
        return _never_closed(lines, inside)
    last = before[-1] if before else None
    if last is not None and last.text not in (";", "{", "}"):
        place = lines.place(last.start)
        if not unexpected or place[0] < line:
            message = f"a `;` is missing after `{last.text[:40]}`"
            return CircuitFileProblem(place[0], place[1] + len(last.text), "S402", message)
    if not unexpected and opened:
        return _never_closed(lines, opened[-1])
    message = f"unexpected `{unexpected[:40]}`" if unexpected else "unexpected end of the file"
    hint = "is a `;` or a bracket missing before it?"
    return CircuitFileProblem(line, column, "S402", message, hint)


def _opened(tokens: list[QasmToken]) -> list[QasmToken]:
    """Brackets that are still open behind `tokens`."""
    opened: list[QasmToken] = []
    for token in tokens:
        if token.kind != "symbol":
            continue
        if token.text in _CLOSES:
            opened.append(token)
        elif opened and token.text == _CLOSES[opened[-1].text]:
            opened.pop()
    return opened


def _never_closed(lines: Lines, token: QasmToken) -> CircuitFileProblem:
    message = f"this `{token.text}` is never closed"
    hint = f"add the `{_CLOSES[token.text]}`"
    return CircuitFileProblem(*lines.place(token.start), "S402", message, hint)


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

_MessageAndHint = tuple[str, str]


def _statement(match: re.Match[str]) -> _MessageAndHint:
    kind = _STATEMENTS.get(match[1], f"statements of the kind {match[1]}")
    return f"OpenQASM 3's {kind} are not supported", _INSTEAD.get(match[1], "remove them")


def _expression(match: re.Match[str]) -> _MessageAndHint:
    what = "functions" if match[1] == "FunctionCall" else "such expressions"
    return f"{what} are not supported in OpenQASM 3", _CONSTANT


def _qubits(match: re.Match[str]) -> _MessageAndHint:
    takes, applied = match[3], match[1]
    return f"the gate takes {takes} qubit{'s' * (takes != '1')}, here it is given {applied}", ""


_COMPLAINTS: tuple[tuple[str, Callable[[re.Match[str]], _MessageAndHint]], ...] = (
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


def explain_conversion_error(complaint: str) -> tuple[str, str]:
    """Message and hint for the converter's `complaint`; an unknown complaint as it is."""
    for pattern, explain in _COMPLAINTS:
        match = re.search(pattern, complaint)
        if match is not None:
            return explain(match)
    return complaint, ""
