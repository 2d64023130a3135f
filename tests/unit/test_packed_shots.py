"""Shots in a record: what is packed comes back, counts are those of the shots, bounds hold."""

from __future__ import annotations

import base64
import zlib
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from iqm_spec import packed_shots
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.server_api.results import counts_of_measurements, shots_of_measurements

tables = st.tuples(st.integers(0, 70), st.integers(0, 12)).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 1))
)
counts = st.integers(1, 6).flatmap(
    lambda width: st.dictionaries(
        st.text("01", min_size=width, max_size=width), st.integers(1, 30), min_size=1
    )
)


@given(tables)
def test_what_is_packed_comes_back(bits: packed_shots.Bits) -> None:
    record = packed_shots.pack(iter(bits.T), len(bits))
    assert (packed_shots.unpack(**record) == bits).all()
    assert packed_shots.unpack(**record).shape == bits.shape
    rows = ["".join(map(str, shot[::-1])) for shot in bits.tolist()]
    assert packed_shots.counted(bits) == {row: rows.count(row) for row in sorted(set(rows))}


@given(counts, st.integers(0, 2**60))
def test_shots_in_random_order_are_those_of_the_counts(found: dict[str, int], seed: int) -> None:
    record = packed_shots.in_random_order(found, seed)
    bits = packed_shots.unpack(**record)
    assert packed_shots.agrees(bits, found)
    assert packed_shots.in_random_order(found, seed) == record


def test_every_order_is_as_likely() -> None:
    first = [
        packed_shots.unpack(**packed_shots.in_random_order({"0": 2, "1": 1}, n))[:, 0]
        for n in range(3000)
    ]
    places = np.bincount([int(shots.argmax()) for shots in first], minlength=3)
    assert (abs(places - 1000) < 5 * np.sqrt(3000 * 2 / 9)).all()


def test_a_bit_is_the_column_of_its_number() -> None:
    bits = packed_shots.unpack(**packed_shots.in_random_order({"01 100": 3}, 1))
    assert bits.tolist() == [[0, 0, 1, 1, 0]] * 3
    assert packed_shots.agrees(bits, {"01 100": 3})
    assert not packed_shots.agrees(bits, {"01 101": 3})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"shots": 9}, "more or fewer"),
        ({"width": 2}, "more or fewer"),
        ({"shots": 7}, "behind the last shot"),
        ({"bits": "%"}, "not zlib"),
        ({"bits": base64.b64encode(b"abc").decode()}, "not zlib"),
        ({"bits": base64.b64encode(zlib.compress(bytes(1 << 20))).decode()}, "more or fewer"),
        ({"shots": 10**9}, "are more than"),
        ({"width": 10**9}, "are more than"),
    ],
)
def test_what_a_stranger_wrote_is_bounded_and_told(change: dict[str, object], why: str) -> None:
    record = packed_shots.pack([np.ones(8, dtype=np.uint8)], 8)
    with pytest.raises(ValueError, match=why):
        packed_shots.unpack(**{**record, **change})


def test_shots_too_many_are_refused_before_they_are_made() -> None:
    with pytest.raises(ValueError, match="are more than"):
        packed_shots.in_random_order({"0": 10**12}, 0)


def test_a_hundred_points_of_random_bits_are_below_ten_megabytes() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (20_000, 20), np.uint8)
    record = packed_shots.pack(iter(bits.T), len(bits))
    assert 100 * len(str(record["bits"])) < 7e6


@given(st.integers(1, 5), st.integers(0, 20), st.randoms(use_true_random=False))
def test_shots_of_a_server_are_those_it_counts(width: int, shots: int, random: object) -> None:
    rng = np.random.default_rng(abs(hash(str(random))) % 2**32)
    clbits = rng.permutation(width + 1)[:width].tolist()  # one bit is never measured
    ops = tuple(Op("measure", (q,), (), (c,)) for q, c in enumerate(clbits))
    names = tuple(f"QB{q}" for q in range(width))
    circuit = NativeCircuit(names, (("a", 1), ("b", width)), ops)
    keys = [f"a_1_0_{c}" if c == 0 else f"b_{width}_1_{c - 1}" for c in clbits]
    bits = rng.integers(0, 2, (shots, width))
    answer = [{key: bits[:, [q]].tolist() for q, key in enumerate(keys)}]
    (found,) = shots_of_measurements(iter(answer), [circuit], {0})
    assert [found.counts] == counts_of_measurements(iter(answer), [circuit])
    assert found.packed is not None
    unpacked = packed_shots.unpack(**found.packed)
    assert (unpacked[:, clbits] == bits).all()
    assert unpacked.sum() == sum(chain.from_iterable(bits.tolist()))
    assert packed_shots.agrees(unpacked, found.counts)
    (without,) = shots_of_measurements(iter(answer), [circuit], set())
    assert without.packed is None
