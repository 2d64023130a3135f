"""Counts and shots of a completed job, from either form in which the server gives them."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from iqm_spec import packed_shots
from iqm_spec.errors import Unreachable
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit
from iqm_spec.server_api.connection import Connection, read_parsed, segment
from iqm_spec.server_api.errors import BadAnswer, NoResults, Unreadable, refusal
from iqm_spec.server_api.payload import measurement_keys
from iqm_spec.server_api.reply import LARGEST, Reply
from iqm_spec.server_api.retry import RESULT_READS, UNREADABLE_TRIES, Retry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Integers = NDArray[np.int64]

Counts = dict[str, int]
"""Bitstrings (last register first, highest bit first, a space between registers) to shots."""

_T = TypeVar("_T")

_ZERO, _SPACE = ord("0"), ord(" ")

_TEXTS_AT_A_TIME = 1 << 14
"""Outcomes that are made into strings at once: numpy's own take four bytes a bit."""

Items = Iterator[Json] | Json
"""A body of JSON: its elements, where it is a list."""

_Decode = Callable[[Items, Sequence[NativeCircuit]], list[Counts]]


@frozen
class Shots:
    """Counts of a circuit, and its shots in their order, packed (`iqm_spec.packed_shots`).

    `packed` is None where the shots were not asked for, or are left out for the reason in `why`.
    """

    counts: Counts
    packed: Mapping[str, Json] | None = None
    why: str = ""


def read_counts(
    connection: Connection, job_id: str, circuits: Sequence[NativeCircuit], retry: Retry
) -> list[Counts]:
    """Counts of each circuit of a completed job. Bits that are not measured are 0.

    BadAnswer says what does not fit the circuits: their number, a key, a length. With heralding the
    counts may sum to fewer shots than were asked for.
    """
    path = f"jobs/{segment(job_id)}/artifacts"

    def read(kind: str, decode: _Decode, retry: Retry) -> tuple[Reply, list[Counts] | None]:
        def parse(reply: Reply) -> list[Counts]:
            return decode(reply.elements(), circuits)

        return read_parsed(connection, f"{path}/{kind}", None, retry, _limited(parse))

    misfit: BadAnswer | None = None
    counts = None
    try:
        reply, counts = read("measurement_counts", counts_of, retry.within(RESULT_READS.deadline))
    except Unreachable:
        pass
    except BadAnswer as error:
        misfit = error
    else:
        if reply.status == 401:
            raise refusal(reply, f"results of job {job_id}")
    if counts is None:
        try:
            reply, counts = read("measurements", counts_of_measurements, retry)
        except BadAnswer as error:
            raise misfit or error from None
    if counts is None and reply.status == 404 and misfit is None:
        raise NoResults(f"the server has no results of job {job_id}")
    if counts is None:
        raise misfit or refusal(reply, f"results of job {job_id}")
    return counts


def _limited(parse: Callable[[Reply], _T]) -> Callable[[Reply], _T]:
    """`parse`, with a BadAnswer for the last of `UNREADABLE_TRIES` answers that are not JSON.

    The same results exist in another form: a long wait for this one is not worth it.
    """
    tries = 0

    def parse_counted(reply: Reply) -> _T:
        nonlocal tries
        tries += 1
        try:
            return parse(reply)
        except Unreadable as error:
            if tries < UNREADABLE_TRIES:
                raise
            raise BadAnswer(error.message) from None

    return parse_counted


def read_shots(
    connection: Connection,
    job_id: str,
    circuits: Sequence[NativeCircuit],
    retry: Retry,
    with_shots: Collection[int],
) -> list[Shots]:
    """As `read_counts`, with the shots of the circuits whose numbers (from 0) are `with_shots`.

    Refused where the server has no such job (any more).
    """

    def parse(reply: Reply) -> list[Shots]:
        return shots_of_measurements(reply.elements(), circuits, with_shots)

    path = f"jobs/{segment(job_id)}/artifacts/measurements"
    reply, shots = read_parsed(connection, path, None, retry, _limited(parse))
    if shots is None:
        raise refusal(reply, f"shots of job {job_id}")
    return shots


def shots_of_measurements(
    items: Items, circuits: Sequence[NativeCircuit], with_shots: Collection[int]
) -> list[Shots]:
    """Counts and shots of `{key: [[bit], ...]}` per circuit; one circuit is unpacked at a time."""
    import numpy as np

    def decode(item: Any, circuit: NativeCircuit, place: _Place) -> Shots:
        table, order = _table(item, circuit, place)
        counts = _counted(table, np.ones(len(table), dtype=np.int64), order)
        if place.number not in with_shots:
            return Shots(counts)
        if why := packed_shots.too_large(len(table), circuit.num_clbits):
            return Shots(counts, why=why)
        return Shots(counts, packed_shots.pack(_by_bit(item, table, circuit), len(table)))

    return _decode_each(items, circuits, decode)


def _by_bit(item: Mapping[str, Any], table: Bytes, circuit: NativeCircuit) -> Iterator[Bytes]:
    """The outcomes of each classical bit, 0 where it is not measured."""
    import numpy as np

    bits = measurement_keys(circuit).bits
    column = {bits[key]: number for number, key in enumerate(item) if key in bits}
    for bit in range(circuit.num_clbits):
        if bit in column:
            yield table[:, column[bit]] & np.uint8(1)
        else:
            yield np.zeros(len(table), dtype=np.uint8)


def counts_of(items: Items, circuits: Sequence[NativeCircuit]) -> list[Counts]:
    """From `{"measurement_keys": [...], "counts": {bitstring: n}}` per circuit.

    The items of an iterator are emptied on the way, to save memory.
    """

    def decode(item: Any, circuit: NativeCircuit, place: _Place) -> Counts:
        return _from_counts(item, circuit, place, keep=not isinstance(items, Iterator))

    return _decode_each(items, circuits, decode)


def counts_of_measurements(items: Items, circuits: Sequence[NativeCircuit]) -> list[Counts]:
    """From `{key: [[bit], ...]}` per circuit, a row per shot."""
    import numpy as np

    def decode(item: Any, circuit: NativeCircuit, place: _Place) -> Counts:
        table, order = _table(item, circuit, place)
        return _counted(table, np.ones(len(table), dtype=np.int64), order)

    return _decode_each(items, circuits, decode)


@frozen
class _Place:
    """A circuit of the job, named in messages."""

    number: int
    """From 0."""

    def wrong(self, what: str) -> BadAnswer:
        return BadAnswer(f"results of circuit {self.number + 1} of the job: {what}")


def _decode_each(
    items: Items,
    circuits: Sequence[NativeCircuit],
    decode: Callable[[Any, NativeCircuit, _Place], _T],
) -> list[_T]:
    if not isinstance(items, list | Iterator):
        raise BadAnswer("the server's results are no list")
    results: list[_T] = []
    first_error: BadAnswer | None = None
    number = 0
    for number, item in enumerate(items, 1):
        if number <= len(circuits) and first_error is None:
            try:
                results.append(decode(item, circuits[number - 1], _Place(number - 1)))
            except BadAnswer as error:  # a wrong number of results says more
                first_error = error
    if number != len(circuits):
        raise BadAnswer(f"the server gave results of {number} circuits, {len(circuits)} were sent")
    if first_error is not None:
        raise first_error
    return results


def _from_counts(item: Any, circuit: NativeCircuit, place: _Place, *, keep: bool) -> Counts:
    import numpy as np

    keys = item.get("measurement_keys") if isinstance(item, dict) else None
    counts = item.get("counts") if isinstance(item, dict) else None
    if not isinstance(keys, list) or not isinstance(counts, dict):
        raise place.wrong("no measurement_keys with counts")
    order = _order(keys, circuit, place)
    for shots in counts.values():
        if type(shots) is not int or not 0 <= shots <= LARGEST:
            outcome = next(text for text, number in counts.items() if number is shots)
            raise place.wrong(f"{_short(shots)} shots of {outcome[:80]!r}")
    table = _bits_of(list(counts), len(keys), place)
    numbers = np.fromiter(counts.values(), dtype=np.int64, count=len(counts))
    if not keep:
        counts.clear()  # as large as what is made of them
    if not numbers.all():
        table, numbers = table[numbers > 0], numbers[numbers > 0]
    return _counted(table, numbers, order)


def _bits_of(texts: Sequence[str], width: int, place: _Place) -> Bytes:
    """A row per text, a column per bit, of the characters 0 and 1."""
    import numpy as np

    data = "".join(texts).encode("utf-8", "surrogatepass")
    if set(map(len, texts)) <= {width} and len(data) == width * len(texts):
        table = np.frombuffer(data, dtype=np.uint8).reshape(len(texts), width)
        if not table.size or (table.min() >= _ZERO and table.max() <= _ZERO + 1):
            return table
    wrong = next(text for text in texts if len(text) != width or set(text) - {"0", "1"})
    raise place.wrong(f"the outcome {wrong[:80]!r} is not {width} bits")


def _table(item: Any, circuit: NativeCircuit, place: _Place) -> tuple[Bytes, list[int]]:
    """A row per shot with a character per key, and where each character of a bitstring is."""
    import numpy as np

    if not isinstance(item, dict):
        raise place.wrong("no measurements by key")
    order = _order(list(item), circuit, place)
    columns = [_column(key, rows, place) for key, rows in item.items()]
    if len({column.size for column in columns}) > 1:
        sizes = ", ".join(f"{key}: {c.size}" for key, c in zip(item, columns, strict=True))
        raise place.wrong(f"keys have different numbers of shots ({sizes[:300]})")
    if not columns:
        return np.empty((0, 0), dtype=np.uint8), order
    return np.stack(columns, axis=1), order


def _column(key: str, rows: Any, place: _Place) -> Bytes:
    """Outcomes of the one qubit that a key measures, by shot, as characters."""
    import numpy as np

    if not isinstance(rows, list):
        raise place.wrong(f"{key} has no list of shots")
    are_single = set(map(type, rows)) <= {list} and set(map(len, rows)) <= {1}
    flat = list(chain.from_iterable(rows)) if are_single else []
    if not are_single or not set(map(type, flat)) <= {int}:
        row = next(r for r in rows if type(r) is not list or len(r) != 1 or type(r[0]) is not int)
        raise place.wrong(f"a shot of {key} is {_short(row)}, not one qubit's bit")
    if others := set(flat) - {0, 1}:
        raise place.wrong(f"a shot of {key} is in the state {_short(min(others))}, neither 0 nor 1")
    return np.array(flat, dtype=np.uint8) + _ZERO


def _short(value: Any) -> str:
    """A value in at most 80 characters."""
    return reprlib.repr(value)[:80]


def _counted(table: Bytes, shots: Integers, order: Sequence[int]) -> Counts:
    """Counts of bitstrings: `order` gives the column of `table` of each character.

    `table` has a row per outcome with `shots` of it; equal bitstrings are added up.
    """
    import numpy as np

    if not len(table) or not order:
        return {"": int(shots.sum())} if len(table) else {}
    width = table.shape[1]
    spread = np.empty((len(table), len(order)), dtype=np.uint8)
    for column, source in enumerate(order):
        spread[:, column] = table[:, source] if source < width else (_ZERO, _SPACE)[source - width]
    first, member = _distinct(spread)
    total = np.zeros(len(first), dtype=np.int64)
    np.add.at(total, member, shots)
    texts_of = spread.view(f"S{len(order)}").ravel()
    counts: Counts = {}
    for start in range(0, len(first), _TEXTS_AT_A_TIME):
        chosen = texts_of[first[start : start + _TEXTS_AT_A_TIME]]
        texts = chosen.astype(f"U{len(order)}").tolist()
        counts.update(zip(texts, total[start : start + _TEXTS_AT_A_TIME].tolist(), strict=True))
    return counts


def _distinct(spread: Bytes) -> tuple[Integers, Integers]:
    """The first row of each bitstring, in their order, and which of them each row is."""
    import numpy as np

    bits = spread[:, spread[0] != _SPACE]
    names: Any = spread.view(f"S{spread.shape[1]}").ravel()
    if bits.shape[1] <= 64:  # integers in the order of the texts, sorted much more quickly
        packed = np.zeros((len(bits), 8), dtype=np.uint8)
        packed_bytes = np.packbits(bits & np.uint8(1), axis=1)
        packed[:, : packed_bytes.shape[1]] = packed_bytes
        names = packed.view(">u8").ravel().astype(np.uint64)
    _, first, member = np.unique(names, return_index=True, return_inverse=True)
    return first, member


def _order(keys: Sequence[Any], circuit: NativeCircuit, place: _Place) -> list[int]:
    """Where each character of a bitstring over all registers is: a key's place, a 0 or a space."""
    known = measurement_keys(circuit)
    expected = {*known.bits, *known.hidden}
    if not all(isinstance(key, str) for key in keys) or len(set(keys)) < len(keys):
        raise place.wrong("its measurement keys are no list of different names")
    missing, unknown = sorted(expected - set(keys)), sorted(set(keys) - expected)
    if missing or unknown:
        differences = [f"without {', '.join(missing)[:200]}"] if missing else []
        differences += [f"with {', '.join(unknown)[:200]}"] if unknown else []
        raise place.wrong(f"its measurement keys do not fit: {' and '.join(differences)}")
    position = {known.bits[key]: i for i, key in enumerate(keys) if key in known.bits}
    zero, space = len(keys), len(keys) + 1
    order: list[int] = []
    low = 0
    for _, size in circuit.registers:
        if size:
            part = [position.get(bit, zero) for bit in range(low, low + size)]
            order = part[::-1] + ([space] if order else []) + order
        low += size
    return order
