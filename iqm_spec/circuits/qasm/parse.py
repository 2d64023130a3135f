"""OpenQASM text to a circuit, with every way in which the parsers fail turned into a place."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iqm_spec.circuits.angles import HINT, non_finite_angles
from iqm_spec.circuits.errors import CircuitError
from iqm_spec.circuits.facts import PHYSICAL
from iqm_spec.circuits.qasm.problem import QasmInvalid, QasmProblem
from iqm_spec.circuits.qasm.survey import Survey
from iqm_spec.circuits.qasm.syntax import unexpected
from iqm_spec.circuits.qasm.words import in_words
from iqm_spec.circuits.sealed import OWN, sealed
from iqm_spec.model import Feature

if TYPE_CHECKING:
    import qiskit_qasm3_import
    from qiskit import QuantumCircuit, qasm2
    from qiskit.circuit import Instruction

_ADVICE = {
    "gphase": "remove it: OpenQASM 2 has no global phase, and it changes no outcome",
    "sxdg": "stdgates.inc has no `sxdg`: add `gate sxdg a { inv @ sx a; }`",
}
"""What to do about gates that other programs write and no library of the language has."""

Place = tuple[int, int]

_PLACE_OF_2 = re.compile(r"^<input>:(\d+),(\d+): (.*)", re.DOTALL)
_PLACE_OF_3 = re.compile(r"^(\d+),(\d+): (.*)", re.DOTALL)
_PLACE_OF_LEXER = re.compile(r"^L(\d+):C(\d+): (.*)", re.DOTALL)


_DELAY = "delay"
"""Qiskit's own word in OpenQASM 2: a file has it by `opaque delay(t) q;`."""

_UNDEFINED_GATE = re.compile(r"\bnot defined\b")
_INCLUDES = (
    'is the name right, and does the file include "qelib1.inc" (2.0) or "stdgates.inc" (3.0)?'
)


def parse(text: str, survey: Survey) -> tuple[QuantumCircuit, tuple[Feature, ...]]:
    """The circuit of surveyed `text` and what not every machine can do of it.

    Its gates are Qiskit's own: what the file defines is expanded. Raises `QasmInvalid`, with a
    place, where the text has no circuit.
    """
    circuit, features = (_parse_2 if survey.version == 2 else _parse_3)(text, survey)
    for gate, value in non_finite_angles(circuit):
        name = gate.partition(OWN)[0]
        place = survey.calls.get(name, (1, 1))
        raise _invalid(place, f"an angle of `{name}` comes out as {value}", HINT)
    try:
        return sealed(circuit), features
    except CircuitError as error:
        raise _invalid((1, 1), str(error), error.hint) from error


def _invalid(place: Place, message: str, hint: str = "") -> QasmInvalid:
    return QasmInvalid([QasmProblem(*place, "S402", message.strip(), hint)])


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
    _evaluate_definitions(circuit, survey.calls)
    return circuit, survey.features


def _library_of_2(text: str, survey: Survey) -> tuple[str, list[qasm2.CustomInstruction]]:
    """The gates that the file does not define, and the text that is read with them.

    Qiskit would take its own gate for one of the same name that the file defines. Where the file
    defines one of qelib1.inc, the include is blanked out and the others are built in.
    """
    from qiskit import qasm2

    own = survey.defined
    library = [each for each in qasm2.LEGACY_CUSTOM_INSTRUCTIONS if each.name not in own]
    included = {each.name for each in qasm2.LEGACY_CUSTOM_INSTRUCTIONS if not each.builtin}
    if own.isdisjoint(included - {_DELAY}):
        return text, library
    for start, end in survey.includes:
        text = text[:start] + " " * (end - start) + text[end:]
    if survey.includes:
        library = [each if each.name == _DELAY else replace(each, builtin=True) for each in library]
    return text, library


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
        raise _converted(error, text) from error
    except QasmInvalid:
        raise
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
    return _invalid((line, column), message, _advice(message))


def _converted(error: qiskit_qasm3_import.ConversionError, text: str) -> QasmInvalid:
    """What the converter said; its place of a name may lie far behind the line's end."""
    match = _PLACE_OF_3.match(error.message)
    line, column, complaint = (
        (int(match[1]), int(match[2]) + 1, match[3]) if match else (1, 1, error.message)
    )
    message, hint = in_words(re.sub(rf"(\w){OWN}\d+", r"\1", complaint))
    lines = text.split("\n")
    if line <= len(lines) and column > len(lines[line - 1]):
        named = re.search(r"[`'](\w+)[`']", message)
        word = named and re.search(rf"\b{named[1]}\b", lines[line - 1])
        column = word.start() + 1 if word else 1
    return _invalid((line, column), message, hint or _advice(message))


def _advice(message: str) -> str:
    """What to do about a gate that is not defined."""
    if not _UNDEFINED_GATE.search(message):
        return ""
    named = re.search(r"'(\w+)'", message)
    return _ADVICE.get(named[1] if named else "", _INCLUDES)
