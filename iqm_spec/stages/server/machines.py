"""The machines of a plan as a server describes them, under the calibration sets that were taken.

Kept in the results folder as the answer to an ask (spec and realm), so that the next run of the
same spec needs no server to find its plan and pins the same calibration sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from attrs import field, frozen

from iqm_spec.canonical import digest
from iqm_spec.errors import IqmSpecError
from iqm_spec.stages.rows import Row
from iqm_spec.stages.server.server_info import Session
from iqm_spec.store import Store
from iqm_spec.store.objects import StoredCalibration, StoredMachines
from iqm_spec.targets import (
    Architecture,
    ErrorProfile,
    architecture_from_json,
    error_profile_from_json,
)


@frozen
class Machines:
    """Architectures by alias, each with the calibration set that it was read under.

    `profiles` are the error profiles that were made of quality metrics: of machines that are not
    built in and are simulated with `noise: device`.
    """

    architectures: Mapping[str, Architecture]
    profiles: Mapping[str, ErrorProfile] = field(factory=dict)

    @property
    def calibration_sets(self) -> dict[str, str | None]:
        """The calibration sets that the architectures were read under, by alias."""
        return {alias: one.calibration_set_id for alias, one in self.architectures.items()}


@frozen
class MachinesAsk:
    """What leads to stored machines: the meaning of a spec, and the realm of a server."""

    spec: str
    realm: str

    @property
    def key(self) -> str:
        """The ask key."""
        return digest({"format": "iqm-spec/machines-ask/1", "spec": self.spec, "realm": self.realm})


def kept_machines(store: Store, ask: MachinesAsk) -> Machines | None:
    """The machines that an earlier run of the spec kept, or None."""
    digest_of_machines = store.find_answer(ask.key)
    if digest_of_machines is None:
        return None
    stored = store.get(digest_of_machines, StoredMachines)
    profiles = (stored.profiles or {}).items()
    return Machines(
        {alias: architecture_from_json(one, alias) for alias, one in stored.machines.items()},
        {alias: error_profile_from_json(one) for alias, one in profiles},
    )


def keep_machines(store: Store, ask: MachinesAsk, machines: Machines, *, replan: bool) -> str:
    """Keeps machines for the runs to come; returns the digest of the object that holds them."""
    profiles = {alias: one.to_json() for alias, one in machines.profiles.items()}
    stored = store.put(
        StoredMachines(
            {alias: one.to_json() for alias, one in machines.architectures.items()},
            profiles or None,
        )
    )
    store.link_answer(ask.key, stored, replan=replan)
    return stored


UsedSet = tuple[str, str]
"""A machine's alias and a calibration set of it."""


def used_sets(rows: Iterable[Row]) -> list[UsedSet]:
    """The sets that rows were measured under, in order."""
    sets = ((row.point.target, row.calibration_set_id) for row in rows)
    return list(dict.fromkeys((target, one) for target, one in sets if one))


def keep_calibrations(
    store: Store, session: Session, used: Iterable[UsedSet], *, ask: bool
) -> list[str]:
    """Digests of the objects that hold the figures; with `ask` the server is asked for the rest."""
    kept = []
    for alias, calibration in used:
        key = _key(session.realm, alias, calibration)
        stored = store.find_answer(key)
        if stored is None and ask:
            stored = _read(store, session, alias, calibration)
            if stored is not None:
                store.link_answer(key, stored)
        if stored is not None:
            kept.append(stored)
    return kept


def read_calibrations(store: Store, digests: Iterable[str]) -> Iterator[StoredCalibration]:
    """The stored figures of calibration sets."""
    return (store.get(one, StoredCalibration) for one in digests)


def _key(realm: str, alias: str, calibration: str) -> str:
    named = {"realm": realm, "alias": alias, "calibration_set_id": calibration}
    return digest({"format": "iqm-spec/calibration-ask/1", **named})


def _read(store: Store, session: Session, alias: str, calibration: str) -> str | None:
    from iqm_spec.server_api.computers import read_metrics
    from iqm_spec.server_api.retry import SINGLE_READ, Retry

    try:
        metrics = read_metrics(session.connection, alias, calibration, Retry(SINGLE_READ))
        if metrics is None:
            return None
        return store.put(StoredCalibration(alias, calibration, metrics))
    except (IqmSpecError, ValueError):  # no figures, or such as no JSON holds
        return None
