"""From a path to a checked spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import evolve, frozen

from iqm_spec.circuits import CircuitError
from iqm_spec.diagnostics import Diagnostic
from iqm_spec.engine.run import SpecRun
from iqm_spec.errors import SpecError
from iqm_spec.model import StageName
from iqm_spec.plan.keys import plan_key
from iqm_spec.source import Source, line_reader
from iqm_spec.spec.check import CheckedSpec, check_on
from iqm_spec.spec.check_machines import BUILT_IN_MACHINES, MachineSource, beside_built_in
from iqm_spec.spec.examine import IsPlanned, examine
from iqm_spec.stages.interface import RunInputs, RunOptions
from iqm_spec.stages.registry import any_needs_server, stages_until
from iqm_spec.stages.server.server_info import ServerInfo, Session
from iqm_spec.stages.server.stored_machines import (
    Machines,
    keep_machines,
    machines_key,
    stored_machines,
)
from iqm_spec.store import Store
from iqm_spec.targets import Architecture, ErrorProfile, known_targets

Notify = Callable[[str], None]
"""Receives a message for people."""


def load(
    path: Path | Source,
    overrides: Sequence[str] = (),
    allowed_code: Sequence[str] = (),
    store: Store | None = None,
    machine_source: MachineSource = BUILT_IN_MACHINES,
    notify: Notify = lambda _: None,
) -> CheckedSpec:
    """The checked spec of a file, or of a text that was read; SpecError with every mistake.

    A spec with a plan in `store` was checked when that was made. `notify` receives notices.
    """
    is_planned = _is_planned_in(store)
    checked, diagnostics, notices = examine(
        path, overrides, allowed_code, is_planned, machine_source
    )
    if checked is None:
        raise _spec_error(path, diagnostics, overrides)
    for notice in notices:
        notify(f"note: {notice}")
    return checked


def _spec_error(
    path: Path | Source, mistakes: Sequence[Diagnostic], overrides: Sequence[str]
) -> SpecError:
    texts = {path.file: path.text} if isinstance(path, Source) else {}
    mistakes = sorted(set(mistakes))
    return SpecError(tuple(mistakes), tuple(overrides), line_reader(overrides, texts))


def _is_planned_in(store: Store | None) -> IsPlanned:
    def is_planned(checked: CheckedSpec) -> bool:
        try:
            return store is not None and store.find_answer(plan_key(checked)) is not None
        except CircuitError:  # a missing generator: the full check reports it
            return False

    return is_planned


@frozen
class OnMachines:
    """A checked spec, and the calibration set that each of its machines was read under."""

    checked: CheckedSpec
    calibration_sets: Mapping[str, str | None]


@frozen
class UserSpec:
    """A spec as a user gives it: a file or a text, with overrides; `until` is the last stage."""

    path: Path | Source
    overrides: Sequence[str] = ()
    allowed_code: Sequence[str] = ()
    until: StageName | None = None


def prepare_run(
    user_spec: UserSpec,
    store: Store,
    session: Session | None,
    options: RunOptions,
    notify: Notify,
    *,
    why_no_server: str = "",
    offline: bool = False,
) -> SpecRun:
    """What a run of a spec needs beside its plan; arguments as in `prepare`.

    UsageError where the spec has no stage `until`.
    """
    ready = prepare(user_spec, store, session, notify, replan=options.replan, offline=offline)
    spec = ready.checked.spec
    inputs = RunInputs(
        budget=spec.budget,
        error_profiles=ready.checked.profiles,
        calibration_sets=ready.calibration_sets,
        executor=spec.executor,
        fail_fast=spec.fail_fast,
    )
    stages = stages_until(spec.stages, user_spec.until)
    return SpecRun(ready.checked, stages, inputs, options, session, why_no_server)


def prepare(
    user_spec: UserSpec,
    store: Store,
    session: Session | None,
    notify: Notify,
    *,
    replan: bool,
    offline: bool = False,
) -> OnMachines:
    """Check the spec; where stages go to a server, against its quantum computers.

    The machines that an earlier run of the spec was planned for are taken from the folder, unless
    `replan`. Otherwise the server is asked: Unreachable after a minute, Refused where it does not
    list a machine. With `offline` it is only asked for machines that are not built in. `notify`
    receives notices and pauses.
    """

    def pause(why: str, seconds: float) -> None:
        notify(f"{why}; trying again in {seconds:.0f} s")

    server = None if session is None else ServerInfo(session, pause)
    source = BUILT_IN_MACHINES
    if server is not None:
        source = beside_built_in(
            lambda alias: server.architecture(alias).architecture, server.error_profile
        )
    checked = load(
        user_spec.path, user_spec.overrides, user_spec.allowed_code, store, source, notify
    )
    if session is None or server is None:
        return OnMachines(checked, {})
    # a stage goes to a server, or the server alone knows one of the machines
    has_unknown = not set(checked.architectures) <= set(known_targets())
    needs_server = (checked.spec.architecture is None and has_unknown) or any_needs_server(
        stages_until(checked.spec.stages, user_spec.until)
    )
    if not needs_server:
        return OnMachines(checked, {})
    key = machines_key(checked.digest, session.server_id)
    machines = None if replan else stored_machines(store, key)
    if machines is None:
        if offline:
            return OnMachines(checked, {})
        machines = _read_machines(checked, server)
        keep_machines(store, key, machines, replan=replan)
    pins = machines.calibration_sets
    if checked.spec.architecture is not None:
        return OnMachines(checked, pins)
    stored_architectures = machines.architectures
    if all(
        stored_architectures[alias].digest == architecture.digest
        for alias, architecture in checked.architectures.items()
    ):
        profiles = {**checked.profiles, **machines.profiles}
        return OnMachines(
            evolve(checked, architectures=stored_architectures, profiles=profiles), pins
        )
    stored_source = MachineSource(
        machines.architectures.get,
        lambda alias: machines.profiles.get(alias) or BUILT_IN_MACHINES.error_profile(alias),
    )
    rechecked, mistakes = check_on(checked, stored_source, _is_planned_in(store))
    if rechecked is None:
        raise _spec_error(user_spec.path, mistakes, user_spec.overrides)
    return OnMachines(rechecked, pins)


def _read_machines(checked: CheckedSpec, server: ServerInfo) -> Machines:
    """The machines under the calibration sets that the spec names."""
    policy = checked.spec.calibration
    calibration_set = "default" if policy in ("pin", "latest") else policy
    simulates_device = checked.spec.architecture is None and checked.spec.aer.noise == "device"
    architectures: dict[str, Architecture] = {}
    profiles: dict[str, ErrorProfile] = {}
    for alias in checked.architectures:
        architectures[alias] = server.architecture(alias, calibration_set).architecture
    for alias in checked.architectures if simulates_device else ():
        if alias not in known_targets() and checked.profiles.get(alias) is not None:
            profiles[alias] = server.error_profile(alias, calibration_set)
    return Machines(architectures, profiles)
