"""Calibration sets of servers: read once, kept in the results folder, found there afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iqm_spec.calibration.calibration_set import CalibrationSet
from iqm_spec.canonical import digest
from iqm_spec.errors import StoreCorrupt
from iqm_spec.store import Store
from iqm_spec.store.objects import StoredCalibration
from iqm_spec.targets import architecture_from_json

if TYPE_CHECKING:
    from iqm_spec.server_api.computers import ArchitectureRead
    from iqm_spec.server_api.connection import Connection
    from iqm_spec.server_api.retry import Retry


def read_calibration_set(
    connection: Connection, alias: str, set_id: str, retry: Retry
) -> CalibrationSet:
    """A calibration set of a quantum computer from its server; `set_id` may be `default`.

    Raises `CalibrationGone` where the server does not have the set, ValueError where it gives no
    quality metrics of it.
    """
    from iqm_spec.server_api.computers import read_architecture

    return read_figures(connection, read_architecture(connection, alias, set_id, retry), retry)


def read_figures(connection: Connection, read: ArchitectureRead, retry: Retry) -> CalibrationSet:
    """The set under which an architecture was read; ValueError where there are no metrics of it."""
    from iqm_spec.server_api.computers import read_calibration_values, read_metrics

    alias = read.architecture.alias
    metrics = read_metrics(connection, alias, read.calibration_set_id, retry)
    if metrics is None:
        raise ValueError(f"the server gives no quality metrics of {alias}")
    values = read_calibration_values(connection, alias, read.calibration_set_id, retry)
    return CalibrationSet(
        alias, read.calibration_set_id, read.architecture, metrics, values, read.raw
    )


def keep_calibration_set(store: Store, server_id: str, calibration: CalibrationSet) -> str:
    """Stores a set that was read from a server; returns the digest of the object."""
    stored = store.put(
        StoredCalibration(
            calibration.target,
            calibration.id,
            calibration.metrics,
            calibration.observations,
            calibration.raw_architecture,
        )
    )
    store.link_answer(set_key(server_id, calibration.target, calibration.id), stored, replan=True)
    return stored


def keep_as_newest(store: Store, server_id: str, calibration: CalibrationSet) -> None:
    """Remembers the set as the last one that the server had by default."""
    stored = keep_calibration_set(store, server_id, calibration)
    for where in (server_id, None):
        store.link_answer(_newest_key(where, calibration.target), stored, replan=True)


def stored_calibration_set(
    store: Store, server_id: str, alias: str, set_id: str
) -> CalibrationSet | None:
    """A set that the folder holds whole, or None."""
    return _stored(store, set_key(server_id, alias, set_id))


def newest_calibration_set(
    store: Store, server_id: str | None, alias: str
) -> CalibrationSet | None:
    """The last default set of a quantum computer that was read into the folder, or None.

    A `server_id` of None stands for any server.
    """
    return _stored(store, _newest_key(server_id, alias))


def _stored(store: Store, key: str) -> CalibrationSet | None:
    found = store.find_answer(key)
    if found is None:
        return None
    stored = store.get(found, StoredCalibration)
    if stored.architecture is None:  # of an earlier version
        return None
    try:
        architecture = architecture_from_json(stored.architecture, stored.alias)
    except ValueError as error:
        raise StoreCorrupt(
            f"the object {found} holds no calibration set: {error}",
            hint="`iqm-spec verify` reports what else is wrong",
        ) from error
    return CalibrationSet(
        stored.alias,
        stored.calibration_set_id,
        architecture,
        stored.metrics,
        stored.observations,
        stored.architecture,
    )


def set_key(server_id: str, alias: str, set_id: str) -> str:
    """The key under which a set of a server is stored."""
    return digest(
        {
            "format": "iqm-spec/calibration-ask/1",
            "realm": server_id,
            "alias": alias,
            "calibration_set_id": set_id,
        }
    )


def _newest_key(server_id: str | None, alias: str) -> str:
    named = {"format": "iqm-spec/newest-calibration-ask/1", "realm": server_id, "alias": alias}
    return digest(named)
