"""Circuit files of a spec: read once, inspected once, their inputs bound by name where asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from iqm_spec.check.reporter import Reporter, place
from iqm_spec.check.verdicts import recall, remember
from iqm_spec.circuits import (
    CircuitError,
    CircuitFileError,
    inspect_qasm,
    inspect_qpy,
    inspect_stim,
    read_circuit_file,
    scan_inputs,
)
from iqm_spec.diagnostics import Diagnostic, Problem, Span
from iqm_spec.model import Block, CircuitFacts, CircuitSpec, SourceKind
from iqm_spec.source import beside
from iqm_spec.sweep.expand import CircuitPoints, circuit_points
from iqm_spec.sweep.template import TemplateError

_INSPECT = {
    SourceKind.QASM: inspect_qasm,
    SourceKind.QPY: inspect_qpy,
    SourceKind.STIM: inspect_stim,
}


class CircuitFiles:
    """Bytes and facts of the circuit files that a spec names, by path; mistakes are told once."""

    def __init__(self, report: Reporter, contents: Mapping[str, bytes] | None = None) -> None:
        self._report = report
        self._bytes: dict[str, bytes | None] = dict(contents or {})
        self._facts: dict[str, CircuitFacts | None] = {}

    def read(self, circuit: CircuitSpec, ref: str) -> bytes | None:
        """Bytes of a file, or None where it cannot be had."""
        if ref not in self._bytes:
            try:
                self._bytes[ref] = read_circuit_file(self._report.source.folder, ref)
            except CircuitFileError as error:
                self._bytes[ref] = None
                where = place(self._report.source, circuit, "ref")
                self._report(Problem(where, error.code, error.message, error.hint))
        return self._bytes[ref]

    def read_all(self, points: CircuitPoints) -> None:
        """Read every file that a circuit's path means over the sweep."""
        if points.circuit.kind is not SourceKind.GENERATOR:
            for ref in refs(points):
                self.read(points.circuit, ref)

    def facts(self, circuit: CircuitSpec, ref: str) -> CircuitFacts | None:
        """Facts of a file's circuit, or None where it does not parse."""
        if ref not in self._facts:
            data = self.read(circuit, ref)
            self._facts[ref] = None if data is None else self._inspect(circuit, ref, data)
        return self._facts[ref]

    def inputs(self, circuit: CircuitSpec, ref: str) -> Sequence[str]:
        """Names of a file's free parameters, as far as they can be told."""
        if circuit.kind is SourceKind.QASM:  # no parser is needed
            data = self.read(circuit, ref)
            return () if data is None else scan_inputs(data)
        facts = self.facts(circuit, ref)
        return () if facts is None else facts.inputs

    def _inspect(self, circuit: CircuitSpec, ref: str, data: bytes) -> CircuitFacts | None:
        known = recall(circuit.kind.value, data)
        if known is not None:
            return known
        try:
            facts, problems = _INSPECT[circuit.kind](data)
        except CircuitError as error:
            where = place(self._report.source, circuit, "ref")
            self._report(Problem(where, error.code, error.message, error.hint))
            return None
        if facts is not None and not problems:
            remember(circuit.kind.value, data, facts)
        file = circuit_path(self._report, ref)
        for item in problems:
            span = Span(item.line, item.column, item.column + 1)
            self._report.add(Diagnostic(file, span, item.code, item.message, item.hint))
        return None if problems else facts

    @property
    def contents(self) -> dict[str, bytes]:
        """Everything that was read, by the path in the spec."""
        return {ref: data for ref, data in self._bytes.items() if data is not None}


def circuit_path(report: Reporter, ref: str) -> str:
    """A circuit file's path as it is shown: beside the spec's own."""
    return beside(report.source.file, ref)


def bind_by_name(circuit: CircuitSpec, sweep: Sequence[Block], files: CircuitFiles) -> CircuitSpec:
    """`circuit` with `parameters: by-name` written out: every input takes the axis of its name."""
    if not circuit.by_name:
        return circuit
    names: dict[str, None] = {}
    for ref in _refs_so_far(circuit, sweep):
        names.update(dict.fromkeys(files.inputs(circuit, ref)))
    return evolve(circuit, parameters={name: f"${{{name}}}" for name in names})


def refs(points: CircuitPoints) -> list[str]:
    """The generators or files that a circuit's `ref` means over the sweep."""
    template = points.templates["ref"]
    return [str(template.fill(dict(values))) for values in points.assignments(template.axes)]


def _refs_so_far(circuit: CircuitSpec, sweep: Sequence[Block]) -> list[str]:
    """As `refs`, before axes are checked: none where they are unsound."""
    try:
        return refs(circuit_points(circuit, sweep))
    except (TemplateError, KeyError):
        return []
