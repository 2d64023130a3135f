"""OpenQASM text to a circuit, with every way in which the parsers fail turned into a place."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from contextlib import redirect_stderr
from typing import TYPE_CHECKING, Any

from iqm_spec.circuits.angles import HINT, strange_angles
from iqm_spec.circuits.qasm.literals import compare_bits_with_booleans
from iqm_spec.circuits.qasm.problem import QasmInvalid, QasmProblem
from iqm_spec.circuits.qasm.survey import Survey
from iqm_spec.circuits.qasm.syntax import unexpected
from iqm_spec.circuits.qasm.words import in_words

if TYPE_CHECKING:
    import qiskit_qasm3_import
    from qiskit import QuantumCircuit
    from qiskit.circuit import Instruction

Place = tuple[int, int]

_PLACE_OF_2 = re.compile(r"^<input>:(\d+),(\d+): (.*)", re.DOTALL)
_PLACE_OF_3 = re.compile(r"^(\d+),(\d+): (.*)", re.DOTALL)
_PLACE_OF_LEXER = re.compile(r"^L(\d+):C(\d+): (.*)", re.DOTALL)


_UNDEFINED_GATE = re.compile(r"\bnot defined\b")
_INCLUDES = (
    'is the name right, and does the file include "qelib1.inc" (2.0) or "stdgates.inc" (3.0)?'
)


def parse(text: str, survey: Survey) -> QuantumCircuit:
    """The circuit of surveyed `text`; raises `QasmInvalid`, with a place, where it has none."""
    circuit = _parse_2(text, survey) if survey.version == 2 else _parse_3(text)
    for gate, value in strange_angles(circuit):
        place = survey.calls.get(gate, (1, 1))
        raise _invalid(place, f"an angle of `{gate}` comes out as {value}", HINT)
    return circuit


def _invalid(place: Place, message: str, hint: str = "") -> QasmInvalid:
    return QasmInvalid([QasmProblem(*place, "S402", message.strip(), hint)])


# --- OpenQASM 2 ----------------------------------------------------------------------------------


def _parse_2(text: str, survey: Survey) -> QuantumCircuit:
    from qiskit import qasm2

    try:
        circuit = qasm2.loads(
            text,
            include_path=(),
            custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS,
            custom_classical=qasm2.LEGACY_CUSTOM_CLASSICAL,
        )
    except qasm2.QASM2ParseError as error:
        raise _located(_PLACE_OF_2, error.message, (1, 1)) from error
    except Exception as error:
        raise _invalid((1, 1), f"{type(error).__name__}: {error}") from error
    _evaluate_definitions(circuit, survey.calls)
    return circuit


def _evaluate_definitions(circuit: QuantumCircuit, calls: Mapping[str, Place]) -> None:
    """Angles inside of defined gates are evaluated late: a division by zero shows here."""
    for instruction in circuit.data:
        if instruction.is_standard_gate():
            continue
        operation = instruction.operation
        try:
            _evaluate(operation)
        except Exception as error:
            place = calls.get(operation.name, (1, 1))
            message = f"the gate `{operation.name}` cannot be evaluated: {error}"
            raise _invalid(place, message, "look at the angles it is given") from error


def _evaluate(operation: Instruction) -> None:
    for body in getattr(operation, "blocks", ()):
        for inner in body.data:
            _evaluate(inner.operation)
    definition = operation.definition
    for inner in () if definition is None else definition.data:
        if not inner.is_standard_gate():
            _evaluate(inner.operation)


# --- OpenQASM 3 ----------------------------------------------------------------------------------


def _parse_3(text: str) -> QuantumCircuit:
    import openqasm3.parser
    import qiskit_qasm3_import

    try:
        with redirect_stderr(io.StringIO()):  # the lexer prints what it also raises
            program = openqasm3.parser.parse(text)
    except openqasm3.parser.QASM3ParsingError as error:
        raise _syntax_error(error, text) from error
    except Exception as error:
        raise _invalid((1, 1), _reason(error), "the parser gave no place") from error
    compare_bits_with_booleans(program)
    try:
        return qiskit_qasm3_import.convert(program)
    except qiskit_qasm3_import.ConversionError as error:
        raise _converted(error, text) from error
    except Exception as error:
        raise _invalid(_last_node(error), *in_words(_reason(error))) from error


def _syntax_error(error: Exception, text: str) -> QasmInvalid:
    """The lexer tells its place in the text, the parser in the cause's offending token."""
    if str(error):
        return _located(_PLACE_OF_LEXER, str(error), (1, 1))
    cause = error.__cause__
    cause = cause.args[0] if cause is not None and cause.args else cause
    token = getattr(cause, "offendingToken", None)
    if token is None:
        return _invalid((1, 1), "the file is no OpenQASM 3")
    found = "" if token.text == "<EOF>" else token.text
    return QasmInvalid([unexpected(text, token.line, token.column + 1, found)])


def _last_node(error: BaseException) -> Place:
    """The place of the statement that the converter was at when it failed without saying where."""
    place = (1, 1)
    trace = error.__traceback__
    while trace is not None:
        span: Any = getattr(trace.tb_frame.f_locals.get("node"), "span", None)
        if span is not None:
            place = (span.start_line, span.start_column + 1)
        trace = trace.tb_next
    return place


def _reason(error: Exception) -> str:
    """What a Python error of the converter means in the file."""
    if isinstance(error, RecursionError):
        return "statements are nested too deep"
    if isinstance(error, ZeroDivisionError):
        return "an angle comes out as inf" if "infinite" in str(error) else "division by zero"
    if isinstance(error, IndexError):
        return "an index is outside of its register"
    if isinstance(error, TypeError):
        return f"a gate or value is used wrongly ({error})"  # `in_words` knows most of them
    return getattr(error, "message", str(error)) or type(error).__name__


def _located(pattern: re.Pattern[str], text: str, otherwise: Place) -> QasmInvalid:
    """`line,column: message` taken apart; both parsers count columns from 0."""
    match = pattern.match(text)
    if match is None:
        return _invalid(otherwise, text)
    line, column, message = int(match[1]), int(match[2]) + 1, match[3]
    hint = _INCLUDES if _UNDEFINED_GATE.search(message) else ""
    return _invalid((line, column), message, hint)


def _converted(error: qiskit_qasm3_import.ConversionError, text: str) -> QasmInvalid:
    """What the converter said; its place of a name may lie far behind the line's end."""
    match = _PLACE_OF_3.match(error.message)
    line, column, complaint = (
        (int(match[1]), int(match[2]) + 1, match[3]) if match else (1, 1, error.message)
    )
    message, hint = in_words(complaint)
    lines = text.split("\n")
    if line <= len(lines) and column > len(lines[line - 1]):
        named = re.search(r"[`'](\w+)[`']", message)
        word = named and re.search(rf"\b{named[1]}\b", lines[line - 1])
        column = word.start() + 1 if word else 1
    if not hint and _UNDEFINED_GATE.search(message):
        hint = _INCLUDES
    return _invalid((line, column), message, hint)
