"""The bits of every shot: stored where a spec says `memory: true`, and read back by row.

Simulated shots are independent draws, so their order is random: it is drawn from the record's key
once the counts are there, and is the same wherever and whenever that is done. Measured ones come
from the server in its order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from iqm_spec import packed_shots
from iqm_spec.canonical import digest
from iqm_spec.errors import StoreCorrupt
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.stages.rows import Row
from iqm_spec.store import Store
from iqm_spec.store.records import (
    AER_MEMORY,
    AER_RECORDS,
    HARDWARE_MEMORY,
    CountsRecord,
    ShotsRecord,
)

if TYPE_CHECKING:
    from iqm_spec.packed_shots import Bits

_AT_ONCE = 256
"""Points in one pack of simulated shots: as many can be lost when the program is killed."""


def keys_with_memory(points: Sequence[PlannedPoint], keys: Sequence[str]) -> frozenset[str]:
    """The keys of those points whose shots are to be kept."""
    pairs = zip(points, keys, strict=True)
    return frozenset(key for point, key in pairs if point.memory)


def keep_simulated(store: Store, keys: Collection[str]) -> Iterator[str]:
    """Store the shots of records of the Aer stage that have none yet; yields the packs' digests."""
    left = iter(sorted(set(keys) - store.holders(AER_MEMORY, keys).keys()))
    while batch := list(islice(left, _AT_ONCE)):
        records = store.find(AER_RECORDS, batch)
        if records:
            yield store.put_pack(
                AER_MEMORY,
                {},
                (
                    ShotsRecord(key, **in_order(key, stored.record))
                    for key, stored in records.items()
                ),
            )


def in_order(key: str, record: CountsRecord) -> dict[str, Any]:
    """The packed shots of a simulated record, in the order that its key draws."""
    seed = int(digest({"format": "iqm-spec/shot-order/1", "record": key})[:15], 16)
    return packed_shots.in_random_order(record.counts, seed)


def shot_packs(store: Store, rows: Iterable[Row]) -> dict[str, str]:
    """The pack that holds the shots of each record of some rows, by the record's key."""
    simulated: list[str] = []
    measured: list[str] = []
    for row in rows:
        (simulated if row.stage == "aer" else measured).extend(_sources(row))
    return {**store.holders(AER_MEMORY, simulated), **store.holders(HARDWARE_MEMORY, measured)}


def shots_of(store: Store, row: Row) -> Bits | None:
    """A row's shots in order, column i for classical bit i; None where not all of them are kept.

    StoreCorrupt where they cannot be read, or do not agree with the counts.
    """
    import numpy as np

    sources = _sources(row)
    if row.record is None or row.stage not in ("aer", "hardware") or not sources:
        return None
    stored = store.find(AER_MEMORY if row.stage == "aer" else HARDWARE_MEMORY, sources)
    if len(stored) < len(set(sources)):
        return None
    try:
        records = [stored[key].record for key in sources]
        parts = [packed_shots.unpack(record.shots, record.width, record.bits) for record in records]
        bits: Bits = parts[0] if len(parts) == 1 else np.concatenate(parts)
    except ValueError as error:
        raise _corrupt(row, str(error)) from error
    if not packed_shots.agrees(bits, row.counts):
        raise _corrupt(row, "they do not agree with the counts")
    return bits


def _sources(row: Row) -> Sequence[str]:
    """Keys of the records that a row is made of."""
    if row.record is None:
        return []
    return [row.key] if row.stage == "aer" else row.sources


def _corrupt(row: Row, why: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"the shots of point {row.point.id} ({row.stage}) cannot be used: {why}",
        hint="`iqm-spec verify` names the file",
    )
