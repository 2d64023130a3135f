"""Circuit files of a spec: read once, inspected once, their inputs bound by name.

Facts of sound files are remembered in the user's cache by sha256, since parsing one takes qiskit a
second. Only facts are stored there, no part of a circuit.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from attrs import asdict, evolve

from iqm_spec.canonical import cache_folder, digest, sha256
from iqm_spec.circuits import (
    READING_VERSION,
    CircuitError,
    CircuitFileError,
    inspect_qasm,
    inspect_qpy,
    inspect_stim,
    read_circuit_file,
    scan_inputs,
)
from iqm_spec.diagnostics import Diagnostic, Problem, Span
from iqm_spec.json_types import Json
from iqm_spec.model import Block, CircuitFacts, CircuitSpec, Feature, SourceKind
from iqm_spec.source import path_beside
from iqm_spec.spec.reporter import Reporter, field_path
from iqm_spec.spec.sweep_points import CircuitPoints, circuit_points
from iqm_spec.spec.template import TemplateError
from iqm_spec.version import __version__

_INSPECT = {
    SourceKind.QASM: inspect_qasm,
    SourceKind.QPY: inspect_qpy,
    SourceKind.STIM: inspect_stim,
}


class CircuitFiles:
    """Bytes and facts of the circuit files of a spec, by path; mistakes are reported once."""

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
                where = field_path(self._report.source, circuit, "ref")
                self._report(Problem(where, error.code, error.message, error.hint))
        return self._bytes[ref]

    def read_all(self, points: CircuitPoints) -> None:
        """Read every file that a circuit's path means over the sweep."""
        if points.circuit.kind is not SourceKind.GENERATOR:
            for ref in circuit_refs(points):
                self.read(points.circuit, ref)

    def facts(self, circuit: CircuitSpec, ref: str) -> CircuitFacts | None:
        """Facts of a file's circuit, or None where it does not parse."""
        if ref not in self._facts:
            data = self.read(circuit, ref)
            self._facts[ref] = None if data is None else self._inspect(circuit, ref, data)
        return self._facts[ref]

    def inputs(self, circuit: CircuitSpec, ref: str) -> Sequence[str]:
        """Names of a file's free parameters, as far as they are known."""
        if circuit.kind is SourceKind.QASM:  # no parser is needed
            data = self.read(circuit, ref)
            return () if data is None else scan_inputs(data)
        facts = self.facts(circuit, ref)
        return () if facts is None else facts.inputs

    def _inspect(self, circuit: CircuitSpec, ref: str, data: bytes) -> CircuitFacts | None:
        known = recall_facts(circuit.kind.value, data)
        if known is not None:
            return known
        try:
            facts, problems = _INSPECT[circuit.kind](data)
        except CircuitError as error:
            where = field_path(self._report.source, circuit, "ref")
            self._report(Problem(where, error.code, error.message, error.hint))
            return None
        if facts is not None and not problems:
            remember_facts(circuit.kind.value, data, facts)
        file = shown_circuit_path(self._report, ref)
        for item in problems:
            span = Span(item.line, item.column, item.column + 1)
            self._report.add(Diagnostic(file, span, item.code, item.message, item.hint))
        return None if problems else facts

    @property
    def contents(self) -> dict[str, bytes]:
        """Everything that was read, by the path in the spec."""
        return {ref: data for ref, data in self._bytes.items() if data is not None}


def shown_circuit_path(report: Reporter, ref: str) -> str:
    """A circuit file's path as it is shown: beside the spec's own."""
    return path_beside(report.source.file, ref)


def bind_by_name(circuit: CircuitSpec, sweep: Sequence[Block], files: CircuitFiles) -> CircuitSpec:
    """`circuit` with `parameters: by-name` written out: every input takes the axis of its name."""
    if not circuit.by_name:
        return circuit
    names: dict[str, None] = {}
    try:
        refs = circuit_refs(circuit_points(circuit, sweep))
    except (TemplateError, KeyError):  # its axes are unsound, which is reported later
        refs = []
    for ref in refs:
        names.update(dict.fromkeys(files.inputs(circuit, ref)))
    return evolve(circuit, parameters={name: f"${{{name}}}" for name in names})


def circuit_refs(points: CircuitPoints) -> list[str]:
    """The generators or files that a circuit's `ref` means over the sweep."""
    template = points.templates["ref"]
    return [str(template.fill(dict(values))) for values in points.assignments(template.axes)]


# --- facts remembered in the cache ---------------------------------------------------------------

_MAX_CACHED_BYTES = 1 << 20
_FACTS_VERSION = 2
"""Raised whenever facts say more of the same file."""


def recall_facts(kind: str, data: bytes) -> CircuitFacts | None:
    """The facts of a file that the same versions inspected without mistakes, or None."""
    path = _path(kind, data)
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            stored = json.loads(file.read(_MAX_CACHED_BYTES))
        return CircuitFacts(
            num_qubits=int(stored["num_qubits"]),
            num_clbits=int(stored["num_clbits"]),
            measured=int(stored["measured"]),
            inputs=tuple(map(str, stored["inputs"])),
            features=tuple(Feature(str(item["kind"]), item["line"]) for item in stored["features"]),
            physical=bool(stored["physical"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def remember_facts(kind: str, data: bytes, facts: CircuitFacts) -> None:
    """Keep the facts of a sound file, in one step; a full disk or none at all is no matter."""
    path = _path(kind, data)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(facts), file)
        os.replace(part, path)
    except OSError:
        return


def _path(kind: str, data: bytes) -> Path | None:
    folder = cache_folder()
    if folder is None:
        return None
    versions: list[Json] = [READING_VERSION, _FACTS_VERSION, *_versions()]
    name = digest({"file": sha256(data), "kind": kind, "versions": versions})
    return folder / "verdicts" / name[:2] / f"{name}.json"


@cache
def _versions() -> tuple[str, ...]:
    """Versions of what parses: another one may think otherwise."""
    from importlib.metadata import PackageNotFoundError, version

    versions = [__version__]
    for name in ("qiskit", "qiskit-qasm3-import"):
        try:
            versions.append(version(name))
        except PackageNotFoundError:
            versions.append("")
    return tuple(versions)
