"""From a path to a checked spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import evolve, frozen

from iqm_spec.calibration.stored import (
    keep_as_newest,
    keep_calibration_set,
    newest_calibration_set,
)
from iqm_spec.circuits import CircuitError
from iqm_spec.diagnostics import Diagnostic
from iqm_spec.engine.run import SpecRun
from iqm_spec.errors import (
    IqmSpecError,
    JobFailed,
    Refused,
    SpecError,
    StoreCorrupt,
    Unreachable,
)
from iqm_spec.model import CALIBRATED, StageName
from iqm_spec.plan.keys import plan_key
from iqm_spec.source import Source, line_reader
from iqm_spec.spec.check import CheckedSpec, check_on
from iqm_spec.spec.check_machines import (
    BUILT_IN_MACHINES,
    MachineSource,
    beside_built_in,
    with_idle,
)
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
    server_id: str = "",
) -> SpecRun:
    """What a run of a spec needs beside its plan; arguments as in `prepare`.

    UsageError where the spec has no stage `until`.
    """
    ready = prepare(
        user_spec,
        store,
        session,
        notify,
        replan=options.replan,
        offline=offline,
        server_id=server_id,
    )
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
    server_id: str = "",
) -> OnMachines:
    """Check the spec; where stages go to a server, against its quantum computers.

    The machines that an earlier run of the spec was planned for are taken from the folder, unless
    `replan`. Otherwise the server is asked: Unreachable after a minute, Refused where it does not
    list a machine. With `offline` it is asked for a few seconds, nothing is kept, and built-in
    machines take its place where it does not answer. Without a session `noise: calibration` is that
    of the set which the folder kept last of the server `server_id`, else of any. `notify` receives
    notices and pauses.
    """
    no_credentials = Refused(
        "`aer: {noise: calibration}` needs the calibration of the machine, and there are no "
        "credentials",
        code="refused.token",
    )

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
    wants_calibration = _is_simulated_as_calibrated(checked, user_spec.until)
    if session is None or server is None:
        if wants_calibration:
            checked = _with_stored_calibrations(checked, store, server_id, no_credentials, notify)
        return OnMachines(checked, {})
    # a stage goes to a server, or the server alone knows one of the machines
    has_unknown = not set(checked.architectures) <= set(known_targets())
    has_server_stage = any_needs_server(stages_until(checked.spec.stages, user_spec.until))
    needs_machine = checked.spec.architecture is None and has_unknown
    if not (has_server_stage or needs_machine or wants_calibration):
        return OnMachines(checked, {})
    key = machines_key(checked.digest, session.server_id)
    machines = None if replan else stored_machines(store, key)
    if machines is not None and wants_calibration and not machines.calibrated:
        machines = None  # of an earlier version
    if machines is None:
        from iqm_spec.server_api.retry import SHORT_READS

        asked = ServerInfo(session, pause, policy=SHORT_READS) if offline else server
        keep_in = None if offline else store
        try:
            machines = _read_machines(checked, asked, keep_in, required=wants_calibration)
        except IqmSpecError as error:
            if offline and not wants_calibration:
                return OnMachines(checked, {})
            if has_server_stage or needs_machine or not isinstance(error, Unreachable):
                raise
            notify(f"note: {error.message}")
            checked = _with_stored_calibrations(checked, store, session.server_id, error, notify)
            return OnMachines(checked, {})
        if not offline:
            keep_machines(store, key, machines, replan=True)
    pins = machines.calibration_sets
    if checked.spec.architecture is not None:
        return OnMachines(checked, pins)
    rechecked, mistakes = check_on(checked, _stored_source(machines), _is_planned_in(store))
    if rechecked is None:
        raise _spec_error(user_spec.path, mistakes, user_spec.overrides)
    return OnMachines(rechecked, pins)


def _stored_source(machines: Machines) -> MachineSource:
    """The machines as they were read from a server; built-in figures where it gave none."""
    return MachineSource(
        machines.architectures.get,
        lambda alias: machines.profiles.get(alias) or BUILT_IN_MACHINES.error_profile(alias),
        lambda alias: machines.calibrated.get(alias) or BUILT_IN_MACHINES.calibrated(alias),
    )


def _is_simulated_as_calibrated(checked: CheckedSpec, until: StageName | None) -> bool:
    stages = stages_until(checked.spec.stages, until)
    return StageName.AER in stages and checked.spec.aer.noise == CALIBRATED


def _with_stored_calibrations(
    checked: CheckedSpec, store: Store, server_id: str, why: IqmSpecError, notify: Notify
) -> CheckedSpec:
    """The spec with the calibration that the folder kept last; raises `why` where it has none.

    Where the server `server_id` gave none, that of any other server is used.
    """
    calibrated = {}
    for alias in checked.architectures:
        newest = newest_calibration_set(store, server_id, alias)
        newest = newest or newest_calibration_set(store, None, alias)
        if newest is None:
            hint = f"`iqm-spec calibration {alias}` reads it from the server and keeps it"
            raise type(why)(
                f"{why.message}, and the folder has no calibration of {alias}", hint=hint
            )
        notify(f"note: {alias} is simulated with calibration set {newest.id}, which the folder has")
        calibrated[alias] = newest.error_profile()
    profiles = {alias: with_idle(calibrated[alias], checked.spec.aer) for alias in calibrated}
    return evolve(checked, profiles=profiles, calibrated=calibrated)


def _read_machines(
    checked: CheckedSpec, server: ServerInfo, store: Store | None, *, required: bool
) -> Machines:
    """The machines under the calibration sets that the spec names, with the figures of these sets.

    Where a server does not give the figures, built-in ones take their place unless `required`. The
    sets are kept in `store`, if there is one.
    """
    policy = checked.spec.calibration
    calibration_set = "default" if policy in ("pin", "latest") else policy
    simulates_device = checked.spec.architecture is None and checked.spec.aer.noise == "device"
    architectures: dict[str, Architecture] = {}
    profiles: dict[str, ErrorProfile] = {}
    calibrated: dict[str, ErrorProfile] = {}
    for alias in checked.architectures:
        architectures[alias] = server.architecture(alias, calibration_set).architecture
        keep = keep_as_newest if calibration_set == "default" else keep_calibration_set
        try:
            read = server.calibration_set(alias, calibration_set, required=required)
            profile = read.error_profile()
            if store is not None:
                keep(store, server.session.server_id, read)  # ValueError for what JSON cannot hold
        except (ValueError, IqmSpecError) as error:
            if not required:
                continue
            if isinstance(error, Unreachable | StoreCorrupt | JobFailed):
                raise
            why = error.message if isinstance(error, IqmSpecError) else str(error)
            hint = "simulate with `aer: {noise: device}`, or name another calibration set"
            raise Refused(why, hint=hint, code="refused.calibration") from None
        calibrated[alias] = profile
    for alias in checked.architectures if simulates_device else ():
        if alias not in known_targets() and checked.profiles.get(alias) is not None:
            profiles[alias] = server.error_profile(alias, calibration_set)
    return Machines(architectures, profiles, calibrated)
