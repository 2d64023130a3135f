"""Counts as Qiskit prints them, from either form; whatever does not fit is said."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import Answer, Scripted, http

from iqm_spec.errors import JobFailed, Refused
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.server_api.address import Server
from iqm_spec.server_api.connection import connect
from iqm_spec.server_api.errors import BadAnswer, NoResults
from iqm_spec.server_api.payload import measurement_keys
from iqm_spec.server_api.results import counts_of, counts_of_measurements, read_counts
from iqm_spec.server_api.retry import READS, WAITING_READS, Clock, Retry

HASTY = Retry(evolve(READS, first_delay=0.01, deadline=0.05))


def measuring(registers: tuple[tuple[str, int], ...], *clbits: int) -> NativeCircuit:
    components = tuple(f"QB{i + 1}" for i in range(len(clbits)))
    ops = tuple(Op("measure", (i,), (), (bit,)) for i, bit in enumerate(clbits))
    return NativeCircuit(components, registers, ops)


TWO = measuring((("c", 2), ("d", 1)), 0, 2)


def test_bitstrings_are_qiskits() -> None:
    data = [{"measurement_keys": ["d_1_1_0", "c_2_0_0"], "counts": {"10": 3, "01": 4, "00": 0}}]
    assert counts_of(data, [TWO]) == [{"0 01": 4, "1 00": 3}]
    shots = [{"c_2_0_0": [[1], [0]], "d_1_1_0": [[0], [1]]}]
    assert counts_of_measurements(shots, [TWO]) == [{"0 01": 1, "1 00": 1}]


def test_empty_registers_leave_no_trace() -> None:
    native = measuring((("a", 0), ("b", 1), ("e", 0)), 0)
    assert counts_of([{"measurement_keys": ["b_1_1_0"], "counts": {"1": 2}}], [native]) == [
        {"1": 2}
    ]


def test_no_shots_left_by_heralding() -> None:
    keys = list(measurement_keys(TWO).bits)
    assert counts_of([{"measurement_keys": keys, "counts": {}}], [TWO]) == [{}]
    assert counts_of_measurements([{key: [] for key in keys}], [TWO]) == [{}]


KEYS = ["c_2_0_0", "d_1_1_0"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "no list"),
        (None, "no list"),
        ([], "0 circuits, 1 were sent"),
        ([{}, {}], "2 circuits, 1 were sent"),
        ([[]], "no measurement_keys"),
        ([{"measurement_keys": KEYS}], "no measurement_keys"),
        ([{"measurement_keys": ["c_2_0_0"], "counts": {}}], "without d_1_1_0"),
        ([{"measurement_keys": [*KEYS, "x"], "counts": {}}], "with x"),
        (
            [{"measurement_keys": ["m", "n"], "counts": {}}],
            "without c_2_0_0, d_1_1_0 and with m, n",
        ),
        ([{"measurement_keys": [*KEYS, KEYS[0]], "counts": {}}], "different names"),
        ([{"measurement_keys": [7, 8], "counts": {}}], "different names"),
        ([{"measurement_keys": KEYS, "counts": {"0": 1}}], "not 2 bits"),
        ([{"measurement_keys": KEYS, "counts": {"02": 1}}], "not 2 bits"),
        ([{"measurement_keys": KEYS, "counts": {"0 1": 1}}], "not 2 bits"),
        ([{"measurement_keys": KEYS, "counts": {"01": -1}}], "-1 shots"),
        ([{"measurement_keys": KEYS, "counts": {"01": 1.5}}], "1.5 shots"),
        ([{"measurement_keys": KEYS, "counts": {"01": True}}], "True shots"),
    ],
)
def test_counts_that_do_not_fit(data: Any, words: str) -> None:
    with pytest.raises(BadAnswer, match=words) as caught:
        counts_of(data, [TWO])
    assert isinstance(caught.value, JobFailed)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ([], "no measurements by key"),
        ({"c_2_0_0": [[0]]}, "without d_1_1_0"),
        ({"c_2_0_0": [[0]], "d_1_1_0": [[0], [1]]}, "different numbers of shots"),
        ({"c_2_0_0": 7, "d_1_1_0": []}, "no list of shots"),
        ({"c_2_0_0": [[0, 1]], "d_1_1_0": [[0]]}, "not one qubit"),
        ({"c_2_0_0": [0], "d_1_1_0": [[0]]}, "not one qubit"),
        ({"c_2_0_0": [[True]], "d_1_1_0": [[0]]}, "not one qubit"),
        ({"c_2_0_0": [[2]], "d_1_1_0": [[0]]}, "neither 0 nor 1"),
    ],
)
def test_measurements_that_do_not_fit(item: Any, words: str) -> None:
    with pytest.raises(BadAnswer, match=words):
        counts_of_measurements([item], [TWO])


@st.composite
def measured(draw: st.DrawFn) -> tuple[NativeCircuit, list[str]]:
    """A circuit that measures some bits in some order, and shots as Qiskit would print them."""
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    registers = tuple((f"r_{i}", size) for i, size in enumerate(sizes))
    bits = draw(st.permutations(range(sum(sizes))))
    clbits = bits[: draw(st.integers(0, len(bits)))]
    rows = draw(st.lists(st.tuples(*[st.integers(0, 1) for _ in clbits]), max_size=20))
    shots = []
    for row in rows:
        values = dict(zip(clbits, row, strict=True))
        words, low = [], 0
        for size in sizes:
            words.append("".join(str(values.get(bit, 0)) for bit in range(low, low + size))[::-1])
            low += size
        shots.append(" ".join(word for word in reversed(words) if word))
    return measuring(registers, *clbits), shots


@given(measured(), st.randoms())
@settings(max_examples=150, deadline=None)
def test_both_forms_agree_with_qiskits_strings(
    case: tuple[NativeCircuit, list[str]], random: Any
) -> None:
    native, shots = case
    bits = measurement_keys(native).bits
    keys = list(bits)
    random.shuffle(keys)
    plain = [shot.replace(" ", "")[::-1] for shot in shots]
    outcomes = ["".join(shot[bits[key]] for key in keys) for shot in plain]
    counted = [{"measurement_keys": keys, "counts": dict(Counter(outcomes))}]
    assert counts_of(counted, [native]) == [dict(sorted(Counter(shots).items()))]
    if keys:
        by_key = [{key: [[int(shot[bits[key]])] for shot in plain] for key in keys}]
        assert counts_of_measurements(by_key, [native]) == counts_of(counted, [native])


COUNTED = [{"measurement_keys": KEYS, "counts": {"11": 5}}]
SHOTS = [{"c_2_0_0": [[1]], "d_1_1_0": [[1]]}]


def fetched(*answers: Answer) -> tuple[list[dict[str, int]], list[str]]:
    with Scripted(answers) as server:
        connection = connect(Server("test", server.url), None, 1.0)
        found = read_counts(connection, "some-job", [TWO], HASTY)
        return found, [request.split(b" ")[1].decode() for request in server.requests]


def test_counts_are_preferred() -> None:
    found, paths = fetched(http(200, COUNTED))
    assert found == [{"1 01": 5}]
    assert paths == ["/api/v1/jobs/some-job/artifacts/measurement_counts"]


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_measurements_where_there_are_no_counts(status: int) -> None:
    found, paths = fetched(http(status), http(200, SHOTS))
    assert found == [{"1 01": 1}]
    assert paths[1] == "/api/v1/jobs/some-job/artifacts/measurements"


def test_measurements_where_counts_cannot_be_read() -> None:
    answers = [http(200, b"<html>")] * 3 + [http(200, SHOTS)]
    with Scripted(answers) as server:
        connection = connect(Server("test", server.url), None, 1.0)
        slept: list[float] = []
        clock = iter([0.0, 1.0, 2.0, 70.0, 71.0, 72.0, 73.0])
        retry = Retry(WAITING_READS, clock=Clock(sleep=slept.append, now=lambda: next(clock)))
        assert read_counts(connection, "some-job", [TWO], retry) == [{"1 01": 1}]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Refused), (403, Refused), (404, NoResults), (400, BadAnswer)]
)
def test_results_that_cannot_be_had(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="results of job some-job"):
        fetched(http(status), http(status))


def test_keys_of_overwritten_bits_are_left_out_of_the_counts() -> None:
    ops = (
        Op("measure", (0,), (), (0,)),
        Op("cc_r", (1,), (1.0, 0.0), (0,)),
        Op("measure", (1,), (), (0,)),
    )
    native = NativeCircuit(("QB1", "QB2"), (("c", 1),), ops)
    keys = ["overwritten_1_1_0", "c_1_0_0"]
    data: Any = [{"measurement_keys": keys, "counts": {"01": 3, "11": 4, "10": 5}}]
    assert counts_of(data, [native]) == [{"0": 5, "1": 7}]
    with pytest.raises(BadAnswer, match="without overwritten_1_1_0"):
        counts_of([{"measurement_keys": keys[1:], "counts": {"1": 7}}], [native])


def test_a_million_bits_are_decoded_beside_little_else() -> None:
    width, outcomes = 20, 50_000
    native = measuring((("c", width),), *range(width))
    keys = list(measurement_keys(native).bits)
    stride = 65_537  # odd: all outcomes differ, in no order
    texts = [format(i * stride % (1 << width), f"0{width}b") for i in range(outcomes)]
    expected = {text[::-1]: 1 + place % 3 for place, text in enumerate(texts)}

    def answer() -> Iterator[Any]:
        counts = {text: 1 + place % 3 for place, text in enumerate(texts)}
        yield {"measurement_keys": keys, "counts": counts}

    counts_of(answer(), [native])  # so that no import is counted
    tracemalloc.start()
    try:
        (found,) = counts_of(answer(), [native])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == expected
    assert list(found) == sorted(found)
    assert peak < 350 * outcomes
