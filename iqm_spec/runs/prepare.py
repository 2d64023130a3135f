"""A spec made ready for a server: planned against its machines as the server describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import evolve, frozen

from iqm_spec.model import Stage
from iqm_spec.runs.load import Tell, load
from iqm_spec.source import Source
from iqm_spec.spec.check import CheckedSpec
from iqm_spec.spec.check_machines import BUILT_IN_MACHINES, MachineSource, beside_built_in
from iqm_spec.stages.server.counter import Counter
from iqm_spec.stages.server.desk import Session
from iqm_spec.stages.server.machines import (
    Machines,
    MachinesAsk,
    keep_machines,
    kept_machines,
)
from iqm_spec.store import Store
from iqm_spec.targets import known_targets


@frozen
class Prepared:
    """A checked spec, and the calibration set that each of its machines was read under."""

    checked: CheckedSpec
    pins: Mapping[str, str | None]


@frozen
class Given:
    """What a user says of a spec."""

    path: Path | Source
    overrides: Sequence[str]
    allowed_code: Sequence[str]
    until: Stage | None


def prepare(
    given: Given,
    store: Store,
    session: Session | None,
    tell: Tell,
    *,
    replan: bool,
    offline: bool = False,
) -> Prepared:
    """Check the spec; where stages go to a server, against its machines as they are there.

    The machines that an earlier run of the spec was planned for are taken from the folder, unless
    `replan`. Otherwise the server is asked: Unreachable after a minute, Refused where it does not
    list a machine. With `offline` it is asked for machines that are not built in alone. `tell`
    hears notices and pauses.
    """

    def pause(why: str, seconds: float) -> None:
        tell(f"{why}; trying again in {seconds:.0f} s")

    counter = None if session is None else Counter(session, pause)
    source = BUILT_IN_MACHINES if counter is None else _listed(counter)
    checked = load(given.path, given.overrides, given.allowed_code, store, source, tell)
    if session is None or counter is None or not _needs_server(checked, given.until):
        return Prepared(checked, {})
    ask = MachinesAsk(checked.digest, session.realm)
    machines = None if replan else kept_machines(store, ask)
    if machines is None:
        if offline:
            return Prepared(checked, {})
        machines = _read(checked, counter)
        keep_machines(store, ask, machines, replan=replan)
    pins = machines.calibration_sets
    if checked.spec.architecture is not None:
        return Prepared(checked, pins)
    kept = machines.architectures
    if all(kept[alias].digest == one.digest for alias, one in checked.architectures.items()):
        profiles = {**checked.profiles, **machines.profiles}
        return Prepared(evolve(checked, architectures=kept, profiles=profiles), pins)
    again = load(given.path, given.overrides, given.allowed_code, store, _kept(machines))
    return Prepared(again, pins)


def _listed(counter: Counter) -> MachineSource:
    """The machines that come with the program, and those that a server lists."""
    return beside_built_in(
        lambda alias: counter.architecture(alias).architecture, counter.error_profile
    )


def _kept(machines: Machines) -> MachineSource:
    """The machines that the folder holds."""
    return MachineSource(
        machines.architectures.get,
        lambda alias: machines.profiles.get(alias) or BUILT_IN_MACHINES.error_profile(alias),
    )


def _needs_server(checked: CheckedSpec, until: Stage | None) -> bool:
    """Whether a stage goes to a server, or a machine is known from there alone."""
    if checked.spec.architecture is None and not set(checked.architectures) <= set(known_targets()):
        return True
    order = list(Stage)
    last = len(order) if until is None else order.index(until) + 1
    return any(s is not Stage.AER and s in order[:last] for s in checked.spec.stages)


def _read(checked: CheckedSpec, counter: Counter) -> Machines:
    """The machines under the calibration sets that the spec asks for."""
    policy = checked.spec.calibration
    named = "default" if policy in ("pin", "latest") else policy
    return Machines(
        {alias: counter.architecture(alias, named).architecture for alias in checked.architectures},
        {
            alias: counter.error_profile(alias, named)
            for alias in checked.architectures
            if alias not in known_targets() and _has_measured_noise(checked, alias)
        },
    )


def _has_measured_noise(checked: CheckedSpec, alias: str) -> bool:
    is_of_a_server = checked.spec.architecture is None and checked.spec.aer.noise == "device"
    return is_of_a_server and checked.profiles.get(alias) is not None
