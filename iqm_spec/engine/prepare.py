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
from iqm_spec.spec.check import CheckedSpec, check_on, check_spec
from iqm_spec.spec.check_machines import BUILT_IN_MACHINES, MachineSource, beside_built_in
from iqm_spec.stages.interface import RunInputs, RunOptions
from iqm_spec.stages.registry import any_needs_server, stages_until
from iqm_spec.stages.server.machines import (
    Machines,
    MachinesAsk,
    keep_machines,
    kept_machines,
)
from iqm_spec.stages.server.server_info import ServerInfo, Session
from iqm_spec.store import Store
from iqm_spec.targets import known_targets

Seen = Callable[[CheckedSpec], bool]
Tell = Callable[[str], None]
"""Hears a line for people."""


def load(
    path: Path | Source,
    overrides: Sequence[str] = (),
    allowed_code: Sequence[str] = (),
    store: Store | None = None,
    machines: MachineSource = BUILT_IN_MACHINES,
    tell: Tell = lambda _: None,
) -> CheckedSpec:
    """The spec of a file, or of a text that was read, checked through and through.

    Raises SpecError with every mistake.

    What `store` holds a plan of was checked when it was planned. `machines` are where its machines
    come from; `tell` hears notices.
    """
    seen = _planned_in(store)
    checked, diagnostics, notices = examine(path, overrides, allowed_code, seen, machines)
    if checked is None:
        raise _spec_error(path, diagnostics, overrides)
    for notice in notices:
        tell(f"note: {notice}")
    return checked


def _spec_error(
    path: Path | Source, mistakes: Sequence[Diagnostic], overrides: Sequence[str]
) -> SpecError:
    texts = {path.file: path.text} if isinstance(path, Source) else {}
    mistakes = sorted(set(mistakes))
    return SpecError(tuple(mistakes), tuple(overrides), line_reader(overrides, texts))


def _planned_in(store: Store | None) -> Seen:
    def seen(checked: CheckedSpec) -> bool:
        try:
            return store is not None and store.find_answer(plan_key(checked)) is not None
        except CircuitError:  # a generator that is not there: the full check says so
            return False

    return seen


def examine(
    path: Path | Source,
    overrides: Sequence[str] = (),
    allowed_code: Sequence[str] = (),
    seen: Seen = lambda _: False,
    machines: MachineSource = BUILT_IN_MACHINES,
) -> tuple[CheckedSpec | None, list[Diagnostic], tuple[str, ...]]:
    """As `load`, but the mistakes come back as data."""
    from iqm_spec.spec.load import build_source, read_and_build

    read = build_source if isinstance(path, Source) else read_and_build
    source, spec, diagnostics, notices = read(path, overrides)  # type: ignore[arg-type]
    checked = None
    if source is not None and spec is not None:
        checked, more = check_spec(spec, source, frozenset(allowed_code), seen, machines)
        diagnostics = [*diagnostics, *more]
    found = sorted(set(diagnostics))
    return None if found else checked, found, tuple(notices)


@frozen
class OnMachines:
    """A checked spec, and the calibration set that each of its machines was read under."""

    checked: CheckedSpec
    calibration_sets: Mapping[str, str | None]


@frozen
class GivenSpec:
    """A spec as a user gives it: a file or a text, with overrides; `until` is the last stage."""

    path: Path | Source
    overrides: Sequence[str] = ()
    allowed_code: Sequence[str] = ()
    until: StageName | None = None


def prepare_run(
    given: GivenSpec,
    store: Store,
    session: Session | None,
    options: RunOptions,
    tell: Tell,
    *,
    why_no_server: str = "",
    offline: bool = False,
) -> SpecRun:
    """Everything that a run of a spec needs but its plan; arguments as in `prepare`.

    UsageError where the spec has no stage `until`.
    """
    ready = prepare(given, store, session, tell, replan=options.replan, offline=offline)
    spec = ready.checked.spec
    inputs = RunInputs(
        budget=spec.budget,
        error_profiles=ready.checked.profiles,
        calibration_sets=ready.calibration_sets,
        executor=spec.executor,
        fail_fast=spec.fail_fast,
    )
    stages = stages_until(spec.stages, given.until)
    return SpecRun(ready.checked, stages, inputs, options, session, why_no_server)


def prepare(
    given: GivenSpec,
    store: Store,
    session: Session | None,
    tell: Tell,
    *,
    replan: bool,
    offline: bool = False,
) -> OnMachines:
    """Check the spec; where stages go to a server, against its machines as they are there.

    The machines that an earlier run of the spec was planned for are taken from the folder, unless
    `replan`. Otherwise the server is asked: Unreachable after a minute, Refused where it does not
    list a machine. With `offline` it is asked for machines that are not built in alone. `tell`
    hears notices and pauses.
    """

    def pause(why: str, seconds: float) -> None:
        tell(f"{why}; trying again in {seconds:.0f} s")

    server = None if session is None else ServerInfo(session, pause)
    source = BUILT_IN_MACHINES if server is None else _listed(server)
    checked = load(given.path, given.overrides, given.allowed_code, store, source, tell)
    if session is None or server is None or not _needs_server(checked, given.until):
        return OnMachines(checked, {})
    ask = MachinesAsk(checked.digest, session.realm)
    machines = None if replan else kept_machines(store, ask)
    if machines is None:
        if offline:
            return OnMachines(checked, {})
        machines = _read(checked, server)
        keep_machines(store, ask, machines, replan=replan)
    pins = machines.calibration_sets
    if checked.spec.architecture is not None:
        return OnMachines(checked, pins)
    kept = machines.architectures
    if all(kept[alias].digest == one.digest for alias, one in checked.architectures.items()):
        profiles = {**checked.profiles, **machines.profiles}
        return OnMachines(evolve(checked, architectures=kept, profiles=profiles), pins)
    again, mistakes = check_on(checked, _kept(machines), _planned_in(store))
    if again is None:
        raise _spec_error(given.path, mistakes, given.overrides)
    return OnMachines(again, pins)


def _listed(server: ServerInfo) -> MachineSource:
    """The machines that come with the program, and those that a server lists."""
    return beside_built_in(
        lambda alias: server.architecture(alias).architecture, server.error_profile
    )


def _kept(machines: Machines) -> MachineSource:
    """The machines that the folder holds."""
    return MachineSource(
        machines.architectures.get,
        lambda alias: machines.profiles.get(alias) or BUILT_IN_MACHINES.error_profile(alias),
    )


def _needs_server(checked: CheckedSpec, until: StageName | None) -> bool:
    """Whether a stage goes to a server, or a machine is known from there alone."""
    if checked.spec.architecture is None and not set(checked.architectures) <= set(known_targets()):
        return True
    stages = checked.spec.stages
    return any_needs_server(stages_until(stages, until))


def _read(checked: CheckedSpec, server: ServerInfo) -> Machines:
    """The machines under the calibration sets that the spec asks for."""
    policy = checked.spec.calibration
    named = "default" if policy in ("pin", "latest") else policy
    return Machines(
        {alias: server.architecture(alias, named).architecture for alias in checked.architectures},
        {
            alias: server.error_profile(alias, named)
            for alias in checked.architectures
            if alias not in known_targets() and _has_measured_noise(checked, alias)
        },
    )


def _has_measured_noise(checked: CheckedSpec, alias: str) -> bool:
    is_of_a_server = checked.spec.architecture is None and checked.spec.aer.noise == "device"
    return is_of_a_server and checked.profiles.get(alias) is not None
