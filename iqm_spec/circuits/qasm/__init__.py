"""OpenQASM 2 and 3 files: any bytes to facts or problems, and to a circuit.

`survey` bounds the text before a parser reads it, and `parse` makes the circuit. Of an OpenQASM 3
program `lower` works out what is known before it runs: with `operations` (gates and measurements),
`expressions` (values and bits) and `meanings` (names in their scopes).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import evolve

from iqm_spec.circuits.circuit_files import LARGEST_FILE
from iqm_spec.circuits.conditionals import inexpressible
from iqm_spec.circuits.facts import facts_of
from iqm_spec.circuits.problems import CircuitFileProblem, InvalidCircuitFile
from iqm_spec.circuits.qasm.parse import parse
from iqm_spec.circuits.qasm.survey import Survey, inputs_of, language_version, survey
from iqm_spec.circuits.qasm.tokens import tokenize
from iqm_spec.model import CircuitFacts, Feature
from iqm_spec.source.text import merge_conflicts

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def inspect_qasm(data: bytes) -> tuple[CircuitFacts | None, tuple[CircuitFileProblem, ...]]:
    """Facts of an OpenQASM 2 or 3 file, or None and what is wrong with it: S402, S403.

    Any bytes give one or the other. No other file is read, and nothing is built that is larger
    than the limits of `circuit_files`.
    """
    try:
        circuit, surveyed, features = _load(data)
    except InvalidCircuitFile as invalid:
        return None, invalid.problems
    facts = facts_of(circuit)
    if facts.measured == 0:
        hint = (
            "end it with `measure q -> c;`" if surveyed.version == 2 else "end it: `c = measure q;`"
        )
        return None, (CircuitFileProblem(1, 1, "S403", "the circuit measures nothing", hint),)
    inputs = surveyed.inputs if surveyed.version == 3 else ()
    # features with their lines, each line once, then those that only the circuit shows
    placed = tuple(dict.fromkeys((*features, *_unsupported_conditionals(features, circuit))))
    kinds = {feature.kind for feature in placed}
    others = (feature for feature in facts.features if feature.kind not in kinds)
    return evolve(facts, inputs=inputs, features=(*placed, *others)), ()


def circuit_of_qasm(data: bytes) -> QuantumCircuit:
    """A new circuit from an OpenQASM file; raises `InvalidCircuitFile`."""
    return _load(data)[0].copy()


def scan_inputs(data: bytes) -> tuple[str, ...]:
    """Names of an OpenQASM 3 file's `input` parameters, in order, without importing qiskit.

    Empty for OpenQASM 2 and for what is no OpenQASM; agrees with `inspect_qasm` on what parses.
    """
    text = data[:LARGEST_FILE].decode("utf-8", errors="replace")
    tokens = tokenize(text.replace("\r", "\n"))
    return inputs_of(tokens) if language_version(tokens) == 3 else ()


@lru_cache(maxsize=8)
def _load(data: bytes) -> tuple[QuantumCircuit, Survey, tuple[Feature, ...]]:
    """The circuit, the survey of its text, its features; cached: a sweep reads its file once."""
    text = _decode(data)
    markers = merge_conflicts(text)
    if markers:
        raise InvalidCircuitFile(
            [
                CircuitFileProblem(m.span.line, m.span.column, m.code, m.message, m.hint)
                for m in markers
            ]
        )
    surveyed = survey(text)
    circuit, features = parse(text, surveyed)
    return circuit, surveyed, features


def _decode(data: bytes) -> str:
    if len(data) > LARGEST_FILE:
        message = f"the file is larger than {LARGEST_FILE // 2**20} MiB"
        raise InvalidCircuitFile.at((1, 1), message, code="S411")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
        hint = "a QPY file is named by `qpy:`" if data.startswith(b"QISKIT") else ""
        raise InvalidCircuitFile.at((line, column), message, hint) from error
    # both parsers and the survey end a line, and so a comment, at a lone CR
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _unsupported_conditionals(
    in_text: tuple[Feature, ...], circuit: QuantumCircuit
) -> list[Feature]:
    """What no machine does under a condition, each at the line of its `if`."""
    lines = [feature.line for feature in in_text if feature.kind == "if_else"]
    if not lines:
        return []
    kinds = inexpressible(circuit)
    if len(kinds) != len(lines):  # a condition in a loop or in a box
        lines = [lines[0]] * len(kinds)
    return [Feature(kind, line) for kind, line in zip(kinds, lines, strict=True) if kind]
