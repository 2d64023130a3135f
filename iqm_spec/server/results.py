"""Counts of a job, as Qiskit prints them, out of either form in which the server gives them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from attrs import evolve, frozen

from iqm_spec.errors import Unreachable
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit
from iqm_spec.server.advice import refusal
from iqm_spec.server.errors import BadAnswer
from iqm_spec.server.keys import measured_keys
from iqm_spec.server.patience import Patience, read
from iqm_spec.server.transport import Connection, segment

__all__ = ["BadAnswer", "Counts", "counts_of", "counts_of_measurements", "read_counts"]

Counts = dict[str, int]
"""Bitstrings (last register first, highest bit first, a space between registers) to shots."""

_COUNTS_SECONDS = 60.0
"""How long counts are tried for before the measurements they are made of are read instead."""


def read_counts(
    connection: Connection, job_id: str, circuits: Sequence[NativeCircuit], patience: Patience
) -> list[Counts]:
    """Counts of each circuit of a completed job. Bits that are not measured are 0.

    BadAnswer says what does not fit the circuits: their number, a key, a length. With heralding the
    counts may sum to fewer shots than were asked for.
    """
    path = f"jobs/{segment(job_id)}/artifacts"
    total = _COUNTS_SECONDS if patience.total is None else min(_COUNTS_SECONDS, patience.total)
    try:
        reply = read(connection, f"{path}/measurement_counts", None, evolve(patience, total=total))
    except Unreachable:
        reply = None
    if reply is not None and reply.ok:
        return counts_of(reply.json(), circuits)
    if reply is not None and reply.status == 401:
        raise refusal(reply, f"results of job {job_id}")
    reply = read(connection, f"{path}/measurements", None, patience)
    if not reply.ok:
        raise refusal(reply, f"results of job {job_id}")
    return counts_of_measurements(reply.json(), circuits)


def counts_of(data: Json, circuits: Sequence[NativeCircuit]) -> list[Counts]:
    """From `{"measurement_keys": [...], "counts": {bitstring: n}}` per circuit."""
    return _each(data, circuits, _from_counts)


def counts_of_measurements(data: Json, circuits: Sequence[NativeCircuit]) -> list[Counts]:
    """From `{key: [[bit], ...]}` per circuit, a row per shot."""
    return _each(data, circuits, _from_measurements)


@frozen
class _Place:
    """Names a circuit in messages."""

    number: int

    def wrong(self, what: str) -> BadAnswer:
        return BadAnswer(f"results of circuit {self.number + 1} of the job: {what}")


_Read = Callable[[Any, NativeCircuit, _Place], Counts]


def _each(data: Any, circuits: Sequence[NativeCircuit], one: _Read) -> list[Counts]:
    if not isinstance(data, list):
        raise BadAnswer("the server's results are no list")
    if len(data) != len(circuits):
        raise BadAnswer(
            f"the server gave results of {len(data)} circuits, {len(circuits)} were sent"
        )
    return [
        one(item, circuit, _Place(i))
        for i, (item, circuit) in enumerate(zip(data, circuits, strict=True))
    ]


def _from_counts(item: Any, circuit: NativeCircuit, place: _Place) -> Counts:
    keys = item.get("measurement_keys") if isinstance(item, dict) else None
    counts = item.get("counts") if isinstance(item, dict) else None
    if not isinstance(keys, list) or not isinstance(counts, dict):
        raise place.wrong("no measurement_keys with counts")
    to_bits = _spread(keys, circuit, place)
    found: Counts = {}
    for text, shots in counts.items():
        if len(text) != len(keys) or not set(text) <= {"0", "1"}:
            raise place.wrong(f"the outcome {text[:80]!r} is not {len(keys)} bits")
        if type(shots) is not int or shots < 0:
            raise place.wrong(f"{shots!r} shots of {text[:80]!r}")
        if shots:
            found[to_bits(text)] = shots
    return dict(sorted(found.items()))


def _from_measurements(item: Any, circuit: NativeCircuit, place: _Place) -> Counts:
    if not isinstance(item, dict):
        raise place.wrong("no measurements by key")
    to_bits = _spread(list(item), circuit, place)
    columns = [_column(key, rows, place) for key, rows in item.items()]
    if len({len(column) for column in columns}) > 1:
        told = ", ".join(f"{key}: {len(c)}" for key, c in zip(item, columns, strict=True))
        raise place.wrong(f"keys have different numbers of shots ({told[:300]})")
    outcomes = Counter(map("".join, zip(*columns, strict=True)))
    return dict(sorted((to_bits(text), shots) for text, shots in outcomes.items()))


_BIT = {0: "0", 1: "1"}


def _column(key: str, rows: Any, place: _Place) -> list[str]:
    """Outcomes of the one qubit that a key measures, by shot."""
    if not isinstance(rows, list):
        raise place.wrong(f"{key} has no list of shots")
    found = []
    for row in rows:
        if not isinstance(row, list) or len(row) != 1 or type(row[0]) is not int:
            raise place.wrong(f"a shot of {key} is {str(row)[:80]}, not one qubit's bit")
        if row[0] not in _BIT:
            raise place.wrong(f"a shot of {key} is in the state {row[0]}, neither 0 nor 1")
        found.append(_BIT[row[0]])
    return found


def _spread(keys: Sequence[Any], circuit: NativeCircuit, place: _Place) -> Callable[[str], str]:
    """What turns bits in the order of `keys` into a bitstring over all of a circuit's registers."""
    bits = measured_keys(circuit)
    _require_same(keys, bits, place)
    position = {bits[key]: i for i, key in enumerate(keys)}
    zero, space = len(keys), len(keys) + 1
    order: list[int] = []
    low = 0
    for _, size in circuit.registers:
        if size:
            part = [position.get(bit, zero) for bit in range(low, low + size)]
            order = part[::-1] + ([space] if order else []) + order
        low += size
    if not order:
        return lambda text: ""
    pick = itemgetter(*order)
    return lambda text: "".join(pick(f"{text}0 "))


def _require_same(keys: Sequence[Any], bits: Mapping[str, int], place: _Place) -> None:
    if not all(isinstance(key, str) for key in keys) or len(set(keys)) < len(keys):
        raise place.wrong("its measurement keys are no list of different names")
    missing, strange = sorted(set(bits) - set(keys)), sorted(set(keys) - set(bits))
    if missing or strange:
        told = [
            f"{word} {', '.join(names)[:200]}"
            for word, names in (("without", missing), ("with", strange))
            if names
        ]
        raise place.wrong(f"its measurement keys do not fit: {' and '.join(told)}")
