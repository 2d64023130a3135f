"""Whether the kept shots of points are those that their counts tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from iqm_spec import memory
from iqm_spec.canonical import canonical, sha256
from iqm_spec.errors import StoreCorrupt
from iqm_spec.json_types import Json
from iqm_spec.store import records as types
from iqm_spec.store.packs import read_records
from iqm_spec.store.structure import MisfitError, structure_known

COUNTS_OF: Mapping[str, str] = {
    "aer-memory": "aer-records",
    "hardware-memory": "hardware-records",
}
"""Kind of the packs that hold shots to the kind of those with their counts, key by key."""

Wrong = tuple[Path, str]
"""A pack, and what is wrong with it in words."""


def wrong_shots(kind: str, shots: Sequence[Path], counts: Sequence[Path]) -> Iterator[Wrong]:
    """What does not agree of the packs `shots`, of one kind, with those of their `counts`.

    One record is in memory at a time. Shots whose counts are not there are no concern of theirs.
    """
    told: dict[str, list[tuple[Path, str]]] = {}
    for path in shots:
        for key, record in _sound(path, kind):
            try:
                bits = memory.unpack(record.shots, record.width, record.bits)
                found = _digest(memory.counted(bits))
            except ValueError as error:
                yield path, f"has the shots of {key}, which cannot be read: {error}"
            else:
                told.setdefault(key, []).append((path, found))
    for path in counts if told else ():
        for key, record in _sound(path, COUNTS_OF[kind]):
            if key in told:
                wanted = _digest(memory.without_spaces(record.counts))
                for holder, found in told[key]:
                    if found != wanted:
                        yield holder, f"has other shots of {key} than {path.name} counts"


def _sound(path: Path, kind: str) -> Iterator[tuple[str, Any]]:
    """Records of the right type; others are reported where every file is scanned."""
    try:
        for _, _, record in read_records(path):
            with suppress(MisfitError):
                yield str(record["key"]), structure_known(types.RECORDS, kind, record)
    except StoreCorrupt:
        return


def _digest(counts: Mapping[str, int]) -> str:
    told: dict[str, Json] = {**counts}
    return sha256(canonical(told))
