"""`check(spec, source)`: everything that is wrong beyond the schema, or a spec ready to plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from iqm_spec.canonical import digest
from iqm_spec.circuits import (
    CircuitError,
    FamilyPoint,
    build_circuit,
    family_point,
    find_generator,
    identity,
    parametric_circuit,
)
from iqm_spec.diagnostics import Diagnostic, Problem
from iqm_spec.errors import SpecError
from iqm_spec.json_types import Json
from iqm_spec.model import CALIBRATED, CIRCUIT_FILES, SourceKind, Spec, SpecPoint
from iqm_spec.source import Source
from iqm_spec.spec.check_analyses import check_analysis
from iqm_spec.spec.check_axes import check_axes, check_sizes, check_values
from iqm_spec.spec.check_circuits import CircuitChecks, GeneratedFacts
from iqm_spec.spec.check_machines import (
    BUILT_IN_MACHINES,
    MachineSource,
    check_machines,
)
from iqm_spec.spec.circuit_files import CircuitFiles, bind_by_name, circuit_refs
from iqm_spec.spec.reporter import Reporter, field_path
from iqm_spec.spec.sweep_points import CircuitPoints
from iqm_spec.targets import Architecture, ErrorProfile

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter


_Arguments = Mapping[str, Json]
_SourceOf = tuple[SourceKind, str, bytes | None, _Arguments, _Arguments | None, frozenset[str]]
"""Kind, generator or path, file, arguments, parameters and allowed modules of one circuit."""


@frozen
class CheckedSpec:
    """A spec without mistakes, with all that it names: circuit files, machines, noise profiles.

    `source` is its file; `files` are the bytes of circuit and data files, and of the file that it
    extends, by path, as they were when checked. A profile of None stands for ideal simulation.
    `machines` are whole, `architectures` without what the spec avoids. `calibrated` are the errors
    by which circuits are placed and predicted, None where unknown.
    """

    spec: Spec
    source: Source
    circuits: tuple[CircuitPoints, ...]
    files: Mapping[str, bytes]
    machines: Mapping[str, Architecture]
    architectures: Mapping[str, Architecture]
    profiles: Mapping[str, ErrorProfile | None]
    calibrated: Mapping[str, ErrorProfile | None]
    allowed_code: frozenset[str]
    generated: GeneratedFacts = field(factory=dict, eq=False, repr=False)
    """Facts of the circuits that generators made while the spec was checked."""

    @property
    def text(self) -> str:
        """The file's text."""
        return self.source.text

    @property
    def language(self) -> str:
        """`yaml` or `toml`."""
        return self.source.format

    @property
    def digest(self) -> str:
        """Sha256 of what the spec means, contents of circuit files in place of their paths."""
        return digest({"format": "iqm-spec/spec/1", **self.meaning})

    @property
    def meaning(self) -> dict[str, Json]:
        """The spec's fields less paths, and the identity of every circuit source it names."""
        fields = dict(self.spec.meaning)
        fields.pop("architecture", None)
        aer = fields.get("aer")
        if isinstance(aer, Mapping) and aer.get("noise") not in ("ideal", "device", CALIBRATED):
            fields["aer"] = {**aer, "noise": "file"}
        names: list[Json] = [circuit.name for circuit in self.spec.circuits]
        sources: list[Json] = []
        for points in self.circuits:
            kind = points.circuit.kind
            sources.append([self._source(kind, ref) for ref in circuit_refs(points)])
        return {
            "spec": _without_paths(fields),
            "circuits": names,
            "sources": sources,
        }

    def identity(self, point: SpecPoint) -> Json:
        """What tells a point's logical circuit from every other, known without qiskit."""
        return identity(*self._source_of(point))

    def build(self, point: SpecPoint) -> QuantumCircuit:
        """The logical circuit of a point, its parameters bound.

        What shows only when a circuit is built raises SpecError, at the place of the circuit.
        """
        try:
            circuit = build_circuit(*self._source_of(point))
        except CircuitError as error:
            circuit = self.spec.circuits[point.circuit]
            field = {"S406": "args", "S407": "parameters"}.get(error.code, "ref")
            where = field_path(self.source, circuit, field)
            if where == circuit.path:
                where = field_path(self.source, circuit, "ref")
            values = ", ".join(f"{axis} = {value}" for axis, value in point.values)
            at = f" (at {values})" if values else ""
            raise SpecError(
                (self.source.diagnose(Problem(where, error.code, error.message + at, error.hint)),)
            ) from error
        circuit.name = point.name
        return circuit

    def parts(self, point: SpecPoint) -> FamilyPoint | None:
        """What a point's circuit shares with others and its own numbers; None where it has none."""
        kind, ref, _, args, parameters, _ = self._source_of(point)
        return family_point(kind, ref, args, parameters)

    def build_free(self, point: SpecPoint) -> tuple[QuantumCircuit, list[Parameter]] | None:
        """The circuit of a point with its numbers free, in the order of its `parts`.

        None where it cannot be had: `build` tells why.
        """
        try:
            return parametric_circuit(*self._source_of(point))
        except CircuitError:
            return None

    def _source_of(self, point: SpecPoint) -> _SourceOf:
        kind = self.spec.circuits[point.circuit].kind
        data = self.files.get(point.ref)
        return kind, point.ref, data, point.args, point.parameters, self.allowed_code

    def _source(self, kind: SourceKind, ref: str) -> Json:
        """The identity of a source that a circuit's `ref` means, arguments aside."""
        if kind is SourceKind.GENERATOR and not ref.startswith("python:"):
            generator = find_generator(ref, self.allowed_code)
            return {"version": generator.version, "source": generator.source}
        return identity(kind, ref, self.files.get(ref), {}, None, self.allowed_code)


def check_spec(
    spec: Spec,
    source: Source,
    allowed_code: frozenset[str] = frozenset(),
    seen: Callable[[CheckedSpec], bool] = lambda _: False,
    machines: MachineSource = BUILT_IN_MACHINES,
) -> tuple[CheckedSpec | None, list[Diagnostic]]:
    """`spec` with all that it names, or None, and every mistake (S3xx, S4xx, S5xx).

    `seen` says whether the same spec on the same machines passed before: its circuits are then not
    checked again, which would load qiskit. `machines` are where its machines come from.
    """
    report = Reporter(source)
    files = CircuitFiles(report)
    spec = evolve(spec, circuits=tuple(bind_by_name(c, spec.sweep, files) for c in spec.circuits))
    circuits = check_axes(spec, report)
    expandable = circuits if check_sizes(circuits, report) else ()
    check_analysis(spec, circuits, report)
    sound = [points for points in expandable if check_values(points, report)]
    found = check_machines(spec, sound, report, machines)
    for points in sound:
        files.read_all(points)
    checked = CheckedSpec(
        spec=spec,
        source=source,
        circuits=circuits,
        files={**source.files, **files.contents},
        machines=found.whole,
        architectures=found.architectures,
        profiles=found.profiles,
        calibrated=found.calibrated,
        allowed_code=allowed_code,
    )
    if not report and seen(checked):
        return checked, []
    checks = CircuitChecks(
        found.architectures,
        files,
        allowed_code,
        report,
        checked.generated,
        is_restricted=bool(spec.avoid or spec.region),
    )
    for points in sound:
        checks.check(points)
    return None if report else checked, list(report.diagnostics())


def check_on(
    checked: CheckedSpec,
    machines: MachineSource,
    seen: Callable[[CheckedSpec], bool] = lambda _: False,
) -> tuple[CheckedSpec | None, list[Diagnostic]]:
    """A checked spec on other machines, or every mistake; reads and generates nothing again.

    Circuits are checked only where an architecture differs. `seen` as in `check_spec`.
    """
    report = Reporter(checked.source)
    found = check_machines(checked.spec, checked.circuits, report, machines)
    again = evolve(
        checked,
        machines=found.whole,
        architectures=found.architectures,
        profiles=found.profiles,
        calibrated=found.calibrated,
    )
    before = {alias: machine.digest for alias, machine in checked.architectures.items()}
    is_alike = before == {alias: machine.digest for alias, machine in found.architectures.items()}
    if not report and (is_alike or seen(again)):
        return again, []
    files = CircuitFiles(report, checked.files)
    checks = CircuitChecks(
        found.architectures,
        files,
        checked.allowed_code,
        report,
        checked.generated,
        is_restricted=bool(checked.spec.avoid or checked.spec.region),
    )
    for points in checked.circuits:
        checks.check(points)
    return None if report else again, list(report.diagnostics())


def _without_paths(fields: dict[str, Json]) -> dict[str, Json]:
    """Circuit files stand in the identity with their contents; where they lie is no meaning."""
    entries = fields.get("circuits")
    if not isinstance(entries, list | tuple):
        return fields
    circuits = [
        {key: value for key, value in entry.items() if key not in CIRCUIT_FILES}
        for entry in entries
        if isinstance(entry, Mapping)
    ]
    return {**fields, "circuits": circuits}
