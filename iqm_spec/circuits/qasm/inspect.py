"""An OpenQASM file's facts, or its problems."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import evolve

from iqm_spec.circuits.conditions import inexpressible
from iqm_spec.circuits.facts import facts_of
from iqm_spec.circuits.files import LARGEST_FILE
from iqm_spec.circuits.qasm.parse import parse
from iqm_spec.circuits.qasm.problem import QasmInvalid, QasmProblem
from iqm_spec.circuits.qasm.survey import Survey, header, inputs_of, survey
from iqm_spec.circuits.qasm.tokens import tokenize
from iqm_spec.diagnostics import Span
from iqm_spec.model import CircuitFacts, Feature
from iqm_spec.source.text import merge_conflicts

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def inspect_qasm(data: bytes) -> tuple[CircuitFacts | None, tuple[QasmProblem, ...]]:
    """Facts of an OpenQASM 2 or 3 file, or None and what is wrong with it: S402, S403.

    Any bytes give one or the other. No other file is read, and nothing is built that is larger
    than the limits of `qasm.sizes`.
    """
    try:
        circuit, surveyed, features = _load(data)
    except QasmInvalid as invalid:
        return None, invalid.problems
    facts = facts_of(circuit)
    if facts.measured == 0:
        hint = (
            "end it with `measure q -> c;`" if surveyed.version == 2 else "end it: `c = measure q;`"
        )
        return None, (QasmProblem(1, 1, "S403", "the circuit measures nothing", hint),)
    inputs = surveyed.inputs if surveyed.version == 3 else ()
    return evolve(facts, inputs=inputs, features=_features(features, facts, circuit)), ()


def circuit_of_qasm(data: bytes) -> QuantumCircuit:
    """A circuit of one's own from an OpenQASM file; raises `QasmInvalid` where it has none."""
    return _load(data)[0].copy()


def scan_inputs(data: bytes) -> tuple[str, ...]:
    """Names of an OpenQASM 3 file's `input` parameters, in order, without importing qiskit.

    Empty for OpenQASM 2 and for what is no OpenQASM; agrees with `inspect_qasm` on what parses.
    """
    text = data[:LARGEST_FILE].decode("utf-8", errors="replace")
    tokens = tokenize(text.replace("\r", "\n"))
    return inputs_of(tokens) if header(tokens) == 3 else ()


@lru_cache(maxsize=8)
def _load(data: bytes) -> tuple[QuantumCircuit, Survey, tuple[Feature, ...]]:
    """The circuit, what its text declares, its features. A sweep reads its file once."""
    text = _decode(data)
    left = merge_conflicts(text)
    if left:
        raise QasmInvalid([QasmProblem(*_begin(m.span), m.code, m.message, m.hint) for m in left])
    surveyed = survey(text)
    circuit, features = parse(text, surveyed)
    return circuit, surveyed, features


def _decode(data: bytes) -> str:
    if len(data) > LARGEST_FILE:
        message = f"the file is larger than {LARGEST_FILE // 2**20} MiB"
        raise QasmInvalid([QasmProblem(1, 1, "S411", message)])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
        hint = "a QPY file is named by `qpy:`" if data.startswith(b"QISKIT") else ""
        raise QasmInvalid([QasmProblem(line, column, "S402", message, hint)]) from error
    # a lone CR ends a line, and so a comment, for everybody who reads the text
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _begin(span: Span) -> tuple[int, int]:
    return span.line, span.column


def _features(
    read: tuple[Feature, ...], facts: CircuitFacts, circuit: QuantumCircuit
) -> tuple[Feature, ...]:
    """Features with their lines, each line once, and those that only the circuit shows."""
    features = tuple(dict.fromkeys((*read, *_beyond(read, circuit))))
    found = {feature.kind for feature in features}
    return (*features, *(item for item in facts.features if item.kind not in found))


def _beyond(read: tuple[Feature, ...], circuit: QuantumCircuit) -> list[Feature]:
    """What no machine does under a condition, each at the line of its `if`."""
    lines = [feature.line for feature in read if feature.kind == "if_else"]
    if not lines:
        return []
    kinds = inexpressible(circuit)
    if len(kinds) != len(lines):  # a condition in a loop or in a box
        lines = [lines[0]] * len(kinds)
    return [Feature(kind, line) for kind, line in zip(kinds, lines, strict=True) if kind]
