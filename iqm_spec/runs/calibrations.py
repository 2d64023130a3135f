"""The figures of the calibration sets that a machine's counts were measured under, kept with them.

The server tells them as long as it knows the set. They are asked for once, after the jobs: nothing
of a run depends on them, so a server that does not tell is no trouble.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iqm_spec.canonical import digest
from iqm_spec.errors import IqmSpecError
from iqm_spec.runs.rows import Row
from iqm_spec.stages.server.desk import Session
from iqm_spec.store import Store
from iqm_spec.store.objects import StoredCalibration

Used = tuple[str, str]
"""A machine's alias and a calibration set of it."""


def used_sets(rows: Iterable[Row]) -> list[Used]:
    """The sets that rows were measured under, in order."""
    found = ((row.point.target, row.calibration_set_id) for row in rows)
    return list(dict.fromkeys((target, one) for target, one in found if one))


def keep_calibrations(
    store: Store, session: Session, used: Iterable[Used], *, ask: bool
) -> list[str]:
    """Digests of the objects that hold the figures; with `ask` the server is asked for the rest."""
    kept = []
    for alias, calibration in used:
        key = _key(session.realm, alias, calibration)
        found = store.find_answer(key)
        if found is None and ask:
            found = _read(store, session, alias, calibration)
            if found is not None:
                store.link_answer(key, found)
        if found is not None:
            kept.append(found)
    return kept


def read_calibrations(store: Store, digests: Iterable[str]) -> Iterator[StoredCalibration]:
    """The stored figures of calibration sets."""
    return (store.get(one, StoredCalibration) for one in digests)


def _key(realm: str, alias: str, calibration: str) -> str:
    named = {"realm": realm, "alias": alias, "calibration_set_id": calibration}
    return digest({"format": "iqm-spec/calibration-ask/1", **named})


def _read(store: Store, session: Session, alias: str, calibration: str) -> str | None:
    from iqm_spec.server.computers import read_metrics

    try:
        metrics = read_metrics(session.connection, alias, calibration)
        if metrics is None:
            return None
        return store.put(StoredCalibration(alias, calibration, metrics))
    except (IqmSpecError, ValueError):  # no figures, or such as no JSON holds
        return None
