"""The spec of a stored run, read again from the folder alone, and its points.

Code of the spec's author (`python:`) is never run, and no file is read but those in the folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from iqm_spec.circuits import CircuitError, identity, inspect_qpy, scan_inputs
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.engine.inputs import Inputs, read_inputs
from iqm_spec.engine.saved import SavedRun
from iqm_spec.errors import IqmSpecError, SpecError
from iqm_spec.json_types import Json
from iqm_spec.model import CircuitSpec, LayoutChoice, SourceKind, Spec, SpecPoint
from iqm_spec.plan.circuits import natives_of
from iqm_spec.plan.keys import circuit_key
from iqm_spec.plan.placing import is_placed
from iqm_spec.plan.prediction import placement_profiles
from iqm_spec.source import Source, parse_source
from iqm_spec.spec.circuit_files import circuit_refs
from iqm_spec.spec.extends import EXTENDS, merge_base
from iqm_spec.spec.load import build_source, stored_file_reader
from iqm_spec.spec.sweep_blocks import MAX_POINTS
from iqm_spec.spec.sweep_points import all_points, circuit_points
from iqm_spec.spec.template import TemplateError
from iqm_spec.store import Store
from iqm_spec.store.objects import StoredText
from iqm_spec.targets import ErrorProfile, restricted


@frozen
class StoredSpec:
    """A spec with the circuit files and machines stored with its run; `parameters` written out.

    `errors` are those by which circuits were placed, by target, `regions` the qubits that points of
    a circuit share, by circuit and target.
    """

    spec: Spec
    files: Mapping[str, bytes]
    inputs: Inputs
    errors: Mapping[str, ErrorProfile]
    regions: Mapping[tuple[str, str], tuple[str, ...]]

    def points(self) -> Iterator[SpecPoint]:
        """Its points, in order."""
        for point in all_points(self.spec):
            if point.layout_choice is LayoutChoice.SHARED:
                yield evolve(point, region=self.regions.get((point.name, point.target), ()))
            else:
                yield point

    def source_of(self, point: SpecPoint) -> tuple[Any, ...] | None:
        """Kind, name, file, arguments and parameters of a point's circuit.

        None where it is made by code that is not part of this program, or its file was not stored.
        """
        kind = self.spec.circuits[point.circuit].kind
        data = self.files.get(point.ref)
        if kind is SourceKind.GENERATOR and point.ref not in BUILT_IN:
            return None
        if kind is not SourceKind.GENERATOR and data is None:
            return None
        return kind, point.ref, data, point.args, point.parameters

    def circuit_key(self, point: SpecPoint) -> str | None:
        """Key of a point's circuit, computed again; None where that is not possible."""
        source, machine = self.source_of(point), self.inputs.architectures.get(point.target)
        if source is None or machine is None:
            return None
        errors = self.errors.get(point.target)
        is_chosen = errors is not None and is_placed(point, source[0], source[2])
        placed_by = errors.digest if errors is not None and is_chosen else None
        try:
            machine = restricted(machine, self.spec.avoid, self.spec.region)
            machine = restricted(machine, region=point.region)
            source_identity: Json = identity(*source)
            return circuit_key(source[0], point, source_identity, machine.digest, placed_by)
        except (IqmSpecError, CircuitError, ValueError):
            return None


def source_of_run(store: Store, saved: SavedRun) -> Source | None:
    """The spec's text as a tree, with the file that it extends.

    None where this version cannot read it.
    """
    stored = store.get(saved.state.start.text, StoredText)
    if stored.language is None:
        return None
    try:
        source = parse_source(stored.text.encode(), Path(f"spec.{stored.language}"))
    except SpecError:
        return None
    inputs_digest = saved.state.start.inputs
    if EXTENDS not in source.tree or inputs_digest is None:
        return source
    merged, mistakes = merge_base(
        source, stored_file_reader(_files(store, read_inputs(store, inputs_digest)))
    )
    return None if mistakes else merged


def respec(store: Store, saved: SavedRun, source: Source | None = None) -> StoredSpec | None:
    """The run's spec; None where too little of it is stored, or this version cannot read it."""
    source = source or source_of_run(store, saved)
    inputs_digest = saved.state.start.inputs
    if source is None or inputs_digest is None:
        return None
    overridden = saved.state.start.set or {}
    sets = [f"{path}={json.dumps(value)}" for path, value in overridden.items()]
    inputs = read_inputs(store, inputs_digest)
    files = _files(store, inputs)
    _, spec, mistakes, _ = build_source(source, sets, stored_file_reader(files))
    if spec is None or any(mistake.severity == "error" for mistake in mistakes):
        return None
    try:
        circuits = tuple(_bound(circuit, spec, files) for circuit in spec.circuits)
        count = sum(circuit_points(circuit, spec.sweep).count() for circuit in circuits)
    except (TemplateError, KeyError, CircuitError):
        return None
    if count > MAX_POINTS:
        return None
    return StoredSpec(
        spec=evolve(spec, circuits=circuits),
        files=files,
        inputs=inputs,
        errors=placement_profiles(store, saved.plan),
        regions=_shared_regions(store, saved, spec),
    )


def _shared_regions(
    store: Store, saved: SavedRun, spec: Spec
) -> dict[tuple[str, str], tuple[str, ...]]:
    """The qubits that the points of circuits use together, in the machine's order."""
    shared = {circuit.name for circuit in spec.circuits if isinstance(circuit.layout, dict)}
    points = [point for point in saved.plan.points if point.name in shared]
    natives = natives_of(store, saved.plan, points)
    used: dict[tuple[str, str], dict[str, None]] = {}
    for point in points:
        circuit = natives[point.circuit_key].template.structure
        resonators = {circuit.components[op.qubits[1]] for op in circuit.ops if op.name == "move"}
        qubits = [name for name in circuit.components if name not in resonators]
        used.setdefault((point.name, point.target), {}).update(dict.fromkeys(qubits))
    return {key: tuple(names) for key, names in used.items()}


def _files(store: Store, inputs: Inputs) -> dict[str, bytes]:
    return {path: store.get_file(digest) for path, digest in inputs.files.items()}


def _bound(circuit: CircuitSpec, spec: Spec, files: Mapping[str, bytes]) -> CircuitSpec:
    """A circuit with `parameters: by-name` written out."""
    if not circuit.by_name:
        return circuit
    names: dict[str, None] = {}
    for ref in circuit_refs(circuit_points(circuit, spec.sweep)):
        data = files[ref]
        if circuit.kind is SourceKind.QASM:
            names |= dict.fromkeys(scan_inputs(data))
        elif circuit.kind is SourceKind.QPY:
            facts, _ = inspect_qpy(data)
            names |= {} if facts is None else dict.fromkeys(facts.inputs)
    return evolve(circuit, parameters={name: f"${{{name}}}" for name in names})
