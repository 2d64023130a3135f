"""The quantum computers of a plan as a server describes them, under a calibration set each.

Stored in the results folder under a key of spec and server id, so that the next run of the same
spec needs no server to find its plan and pins the same calibration sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from attrs import field, frozen

from iqm_spec.calibration.stored import set_key
from iqm_spec.canonical import digest
from iqm_spec.errors import IqmSpecError
from iqm_spec.stages.rows import Row
from iqm_spec.stages.server.server_info import Session
from iqm_spec.store import Store
from iqm_spec.store.objects import StoredCalibration, StoredMachines
from iqm_spec.store.structure import JsonObject
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
    built in and are simulated with `noise: device`. `calibrated` are those of the calibration sets,
    by which circuits are placed and, with `noise: calibration`, simulated.
    """

    architectures: Mapping[str, Architecture]
    profiles: Mapping[str, ErrorProfile] = field(factory=dict)
    calibrated: Mapping[str, ErrorProfile] = field(factory=dict)

    @property
    def calibration_sets(self) -> dict[str, str | None]:
        """The calibration sets that the architectures were read under, by alias."""
        return {
            alias: architecture.calibration_set_id
            for alias, architecture in self.architectures.items()
        }


def machines_key(spec: str, server_id: str) -> str:
    """The key of stored machines: of the digest of a spec's meaning, and a server id."""
    return digest({"format": "iqm-spec/machines-ask/1", "spec": spec, "realm": server_id})


def stored_machines(store: Store, key: str) -> Machines | None:
    """The machines that an earlier run stored under `machines_key`, or None."""
    digest_of_machines = store.find_answer(key)
    if digest_of_machines is None:
        return None
    stored = store.get(digest_of_machines, StoredMachines)
    return Machines(
        {alias: architecture_from_json(data, alias) for alias, data in stored.machines.items()},
        _profiles(stored.profiles),
        _profiles(stored.calibrated),
    )


def _profiles(stored: Mapping[str, JsonObject] | None) -> dict[str, ErrorProfile]:
    return {alias: error_profile_from_json(data) for alias, data in (stored or {}).items()}


def keep_machines(store: Store, key: str, machines: Machines, *, replan: bool) -> str:
    """Stores machines under `machines_key`; returns the digest of the object that holds them."""
    profiles = {alias: profile.to_json() for alias, profile in machines.profiles.items()}
    calibrated = {alias: profile.to_json() for alias, profile in machines.calibrated.items()}
    stored = store.put(
        StoredMachines(
            {alias: machine.to_json() for alias, machine in machines.architectures.items()},
            profiles or None,
            calibrated or None,
        )
    )
    store.link_answer(key, stored, replan=replan)
    return stored


UsedSet = tuple[str, str]
"""A machine's alias and a calibration set of it."""


def used_sets(rows: Iterable[Row]) -> list[UsedSet]:
    """The sets that rows were measured under, in order."""
    sets = ((row.point.target, row.calibration_set_id) for row in rows)
    return list(
        dict.fromkeys(
            (target, calibration_set) for target, calibration_set in sets if calibration_set
        )
    )


def keep_calibrations(
    store: Store, session: Session, used: Iterable[UsedSet], *, ask_server: bool
) -> list[str]:
    """Digests of the objects with the metrics; `ask_server` reads missing ones from the server."""
    digests = []
    for alias, calibration in used:
        key = set_key(session.server_id, alias, calibration)
        stored = store.find_answer(key)
        if stored is None and ask_server:
            stored = _read_calibration(store, session, alias, calibration)
            if stored is not None:
                store.link_answer(key, stored)
        if stored is not None:
            digests.append(stored)
    return digests


def read_calibrations(store: Store, digests: Iterable[str]) -> Iterator[StoredCalibration]:
    """The stored quality metrics of calibration sets."""
    return (store.get(calibration, StoredCalibration) for calibration in digests)


def _read_calibration(store: Store, session: Session, alias: str, calibration: str) -> str | None:
    from iqm_spec.server_api.computers import read_metrics
    from iqm_spec.server_api.retry import SINGLE_READ, Retry

    try:
        metrics = read_metrics(session.connection, alias, calibration, Retry(SINGLE_READ))
        if metrics is None:
            return None
        return store.put(StoredCalibration(alias, calibration, metrics))
    except (IqmSpecError, ValueError):  # no metrics, or metrics that JSON cannot hold
        return None
