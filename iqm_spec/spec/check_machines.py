"""Machines of a spec: known, or given by a file; with a noise profile where Aer needs one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from attrs import frozen

from iqm_spec.circuits import CircuitFileError, read_circuit_file
from iqm_spec.diagnostics import Problem, nearest
from iqm_spec.model import Spec, StageName
from iqm_spec.spec.reporter import Reporter, field_path
from iqm_spec.spec.sweep_points import CircuitPoints
from iqm_spec.targets import (
    Architecture,
    ErrorProfile,
    architecture,
    architecture_from_json,
    error_profile,
    error_profile_from_json,
    known_targets,
)

Machines = dict[str, Architecture]
Profiles = dict[str, ErrorProfile | None]


def built_in_architecture(alias: str) -> Architecture | None:
    """The architecture of a machine that comes with the program, or None."""
    return architecture(alias) if alias in known_targets() else None


@frozen
class MachineSource:
    """Where the machines of a spec come from; each function gives None for what it has not.

    `error_profile` raises ValueError where a machine's figures are not enough for a profile.
    """

    architecture: Callable[[str], Architecture | None] = built_in_architecture
    error_profile: Callable[[str], ErrorProfile | None] = error_profile


BUILT_IN_MACHINES = MachineSource()
"""The machines that come with the program."""


def beside_built_in(
    architecture: Callable[[str], Architecture | None],
    profile: Callable[[str], ErrorProfile | None],
) -> MachineSource:
    """The machines that come with the program, and others from elsewhere."""
    return MachineSource(
        lambda alias: built_in_architecture(alias) or architecture(alias),
        lambda alias: error_profile(alias) or profile(alias),
    )


def check_machines(
    spec: Spec, circuits: Sequence[CircuitPoints], report: Reporter, source: MachineSource
) -> tuple[Machines, Profiles]:
    """Architectures and noise profiles (None: ideal) by alias; reports S501, S506, S507."""
    file_architecture = _given_architecture(spec, report)
    machines: Machines = {}
    # targets of the spec, each with the first circuit that names it
    circuit_by_alias: dict[str, CircuitPoints] = {}
    for circuit in circuits:
        template = circuit.templates["target"]
        for values in circuit.assignments(template.axes):
            alias = template.fill(dict(values))
            if isinstance(alias, str):  # else the schema has said so
                circuit_by_alias.setdefault(alias, circuit)
    for alias, circuit in circuit_by_alias.items():
        machine = file_architecture or source.architecture(alias)
        if machine is not None:
            machines[alias] = machine
        elif spec.architecture is None:
            hint = nearest(alias, known_targets()) or (
                f"built in are {', '.join(known_targets())}; any other is read from the server "
                "that lists it (`run` with credentials), or from `architecture: FILE.json`"
            )
            where = field_path(report.source, circuit.circuit, "target")
            report(Problem(where, "S501", f"the machine `{alias}` is not known here", hint))
    if file_architecture is not None and len(circuit_by_alias) > 1:
        names = ", ".join(circuit_by_alias)
        text = f"one architecture file cannot stand for several targets ({names})"
        report(Problem(("architecture",), "S506", text))
    # figures of a server are of its own architecture, not of one in a file
    profile_of = error_profile if file_architecture is not None else source.error_profile
    return machines, _profiles(spec, machines, report, profile_of)


def _given_architecture(spec: Spec, report: Reporter) -> Architecture | None:
    if spec.architecture is None:
        return None
    alias = spec.target if isinstance(spec.target, str) else "machine"
    try:
        return _parsed(spec.architecture, report, lambda data: architecture_from_json(data, alias))
    except ValueError as error:
        report(Problem(("architecture",), "S506", str(error)))
        return None


def _profiles(
    spec: Spec,
    machines: Mapping[str, Architecture],
    report: Reporter,
    profile_of: Callable[[str], ErrorProfile | None],
) -> Profiles:
    if StageName.AER not in spec.stages or spec.aer.noise == "ideal":
        return dict.fromkeys(machines)
    if spec.aer.noise == "device":
        return {alias: _device_profile(alias, report, profile_of) for alias in machines}
    try:
        profile = _parsed(spec.aer.noise, report, error_profile_from_json)
    except ValueError as error:
        report(Problem(("aer", "noise"), "S507", str(error)))
        return dict.fromkeys(machines)
    for alias, machine in machines.items():
        missing = [qubit for qubit in machine.qubits if qubit not in profile.readout]
        if missing:
            text = f"`{spec.aer.noise}` says nothing of {', '.join(missing[:3])} of {alias}"
            report(Problem(("aer", "noise"), "S507", text))
    return dict.fromkeys(machines, profile)


def _device_profile(
    alias: str, report: Reporter, profile_of: Callable[[str], ErrorProfile | None]
) -> ErrorProfile | None:
    why = f"no noise profile of `{alias}` is built in"
    try:
        profile = profile_of(alias)
    except ValueError as error:
        profile, why = None, f"{why}, and none can be made: {error}"
    if profile is None:
        hint = "write `aer: {noise: ideal}`, or the path of a profile (docs/targets.md)"
        report(Problem(("aer", "noise"), "S507", why, hint))
    return profile


T = TypeVar("T")


def _parsed(path: str, report: Reporter, parse: Callable[[Any], T]) -> T:
    """What `parse` makes of a JSON file beside the spec; ValueError in words where it cannot."""
    try:
        return parse(json.loads(read_circuit_file(report.source.folder, path)))
    except CircuitFileError as error:
        raise ValueError(error.message) from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"`{path}` is not JSON: {error}") from error
    except ValueError as error:
        raise ValueError(f"`{path}`: {error}") from error
