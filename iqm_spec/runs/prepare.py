"""A spec made ready for a server: planned against its machines as the server describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import evolve, frozen

from iqm_spec.check import Checked, built_in
from iqm_spec.model import Stage
from iqm_spec.runs.load import Tell, load
from iqm_spec.stages.server.counter import Counter
from iqm_spec.stages.server.desk import Session
from iqm_spec.stages.server.machines import MachinesAsk, keep_machines, kept_machines
from iqm_spec.store import Store
from iqm_spec.targets import Architecture


@frozen
class Prepared:
    """A checked spec, and the calibration set that each of its machines was read under."""

    checked: Checked
    pins: Mapping[str, str | None]


@frozen
class Given:
    """What a user says of a spec."""

    path: Path
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

    def machine(alias: str) -> Architecture | None:
        known = built_in(alias)
        if known is not None or counter is None:
            return known
        return counter.architecture(alias).architecture

    checked = load(given.path, given.overrides, given.allowed_code, store, machine, tell)
    if session is None or counter is None or not _goes_to_server(checked, given.until):
        return Prepared(checked, {})
    ask = MachinesAsk(checked.digest, session.realm)
    machines = None if replan else kept_machines(store, ask)
    if machines is None:
        if offline:
            return Prepared(checked, {})
        machines = _read(checked, counter)
        keep_machines(store, ask, machines, replan=replan)
    pins = {alias: one.calibration_set_id for alias, one in machines.items()}
    if checked.spec.architecture is not None:
        return Prepared(checked, pins)
    if all(machines[a].digest == one.digest for a, one in checked.architectures.items()):
        return Prepared(evolve(checked, architectures=machines), pins)
    again = load(given.path, given.overrides, given.allowed_code, store, machines.get)
    return Prepared(again, pins)


def _goes_to_server(checked: Checked, until: Stage | None) -> bool:
    order = list(Stage)
    last = len(order) if until is None else order.index(until) + 1
    return any(s is not Stage.AER and s in order[:last] for s in checked.spec.stages)


def _read(checked: Checked, counter: Counter) -> dict[str, Architecture]:
    policy = checked.spec.calibration
    named = "default" if policy in ("pin", "latest") else policy
    return {
        alias: counter.architecture(alias, named).architecture for alias in checked.architectures
    }
