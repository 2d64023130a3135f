"""Machines of a spec: known, or given by a file; with a noise profile where Aer needs one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from attrs import evolve, frozen

from iqm_spec.circuits import CircuitFileError, read_circuit_file
from iqm_spec.diagnostics import Problem, nearest
from iqm_spec.model import CALIBRATED, AerOptions, Spec, StageName
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
    restricted,
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
    `calibrated` gives the errors by which circuits are placed and predicted: those of a calibration
    set where there is one, else the built-in ones.
    """

    architecture: Callable[[str], Architecture | None] = built_in_architecture
    error_profile: Callable[[str], ErrorProfile | None] = error_profile
    calibrated: Callable[[str], ErrorProfile | None] = error_profile


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


@frozen
class SpecMachines:
    """The machines of a spec by alias.

    `whole` are their architectures, `architectures` these without what the spec avoids. `profiles`
    are the errors of the simulation (None is ideal), `calibrated` those by which circuits are
    placed (None where nothing is known).
    """

    whole: Machines
    architectures: Machines
    profiles: Profiles
    calibrated: Profiles


def check_machines(
    spec: Spec, circuits: Sequence[CircuitPoints], report: Reporter, source: MachineSource
) -> SpecMachines:
    """The machines of a spec; reports S501, S503, S504, S506, S507."""
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
    if file_architecture is not None:
        source = BUILT_IN_MACHINES
    calibrated = {alias: _covering(source.calibrated(alias), machines[alias]) for alias in machines}
    usable = {alias: _restricted(machine, spec, report) for alias, machine in machines.items()}
    profiles = _profiles(spec, usable, report, source, calibrated)
    return SpecMachines(machines, usable, profiles, calibrated)


def _covering(profile: ErrorProfile | None, machine: Architecture) -> ErrorProfile | None:
    """The profile, if it has the figures of every qubit of the machine."""
    if profile is None or not set(machine.qubits) <= profile.readout.keys():
        return None
    return profile


def _restricted(machine: Architecture, spec: Spec, report: Reporter) -> Architecture:
    """The machine without what `avoid` and `region` keep circuits out of; reports S503."""
    try:
        return restricted(machine, spec.avoid, spec.region)
    except ValueError as error:
        unknown = [
            (field, index)
            for field in ("avoid", "region")
            for index, name in enumerate(getattr(spec, field))
            if not _has(machine, field, name)
        ]
        for field, index in unknown:
            name = getattr(spec, field)[index]
            text = f"{machine.alias} has no {name}"
            report(Problem((field, index), "S503", text, nearest(name, machine.qubits)))
        if not unknown:
            report(Problem(("region" if spec.region else "avoid",), "S504", str(error)))
        return machine


def _has(machine: Architecture, field: str, name: str) -> bool:
    """Whether a machine has what `avoid` or `region` names."""
    couplings = {
        frozenset(locus) for gate in ("cz", "move") for locus in machine.gates.get(gate, ())
    }
    is_coupling = field == "avoid" and frozenset(name.split("-")) in couplings
    return is_coupling or name in machine.qubits


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
    source: MachineSource,
    calibrated: Profiles,
) -> Profiles:
    if StageName.AER not in spec.stages or spec.aer.noise == "ideal":
        return dict.fromkeys(machines)
    profiles: Profiles
    if spec.aer.noise == "device":
        profiles = {
            alias: _device_profile(alias, report, source.error_profile) for alias in machines
        }
    elif spec.aer.noise == CALIBRATED:
        profiles = dict(calibrated)
    else:
        profiles = dict.fromkeys(machines, _file_profile(spec.aer.noise, machines, report))
    return {alias: with_idle(profile, spec.aer) for alias, profile in profiles.items()}


def with_idle(profile: ErrorProfile | None, aer: AerOptions) -> ErrorProfile | None:
    """The profile with or without idle noise, as the spec says; if it does not, a file's own."""
    if profile is None or (aer.idle is None and aer.noise != CALIBRATED):
        return profile
    return evolve(profile, idle=aer.has_idle_noise)


def _file_profile(
    path: str, machines: Mapping[str, Architecture], report: Reporter
) -> ErrorProfile | None:
    try:
        profile = _parsed(path, report, error_profile_from_json)
    except ValueError as error:
        report(Problem(("aer", "noise"), "S507", str(error)))
        return None
    for alias, machine in machines.items():
        missing = [qubit for qubit in machine.qubits if qubit not in profile.readout]
        if missing:
            text = f"`{path}` says nothing of {', '.join(missing[:3])} of {alias}"
            report(Problem(("aer", "noise"), "S507", text))
    return profile


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
