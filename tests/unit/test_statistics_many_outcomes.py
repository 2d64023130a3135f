"""Many outcomes: what is computed in blocks equals what is computed at once, in little memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iqm_spec.analysis.expectation import expectation, value_of
from iqm_spec.analysis.readout_mitigation import Flip, mitigate
from iqm_spec.analysis.volume import heavy_outputs
from iqm_spec.statistics import intervals, sampling
from iqm_spec.statistics.comparison import compare
from iqm_spec.statistics.intervals import distance_intervals
from iqm_spec.statistics.sampling import multinomial_sums, tabled_distances
from iqm_spec.statistics.significance import compare_counts

SEED = 20_261_128
OUTCOMES = 50_000
WIDTH = 20


def overlap(count: Any, p: Any) -> Any:
    return np.sqrt(p * count / 1000)


def apart(count: Any, p: Any) -> Any:
    return np.abs(count / 1000 - p) / 2


def row_by_row(ideal: Any, drawn: Any, shots: int) -> list[sampling.Sum]:
    """Each outcome alone, without blocks or groups."""
    parts = np.zeros((2, 3, drawn.size))
    for i, d in enumerate(drawn):
        spread = shots * d * (1 - d)
        points = sampling._each_number if spread <= sampling._NARROW else sampling._grid
        counts, weights = points(np.array([d]), shots)
        for part, function in zip(parts, (overlap, apart), strict=True):
            values = function(counts, ideal[i])
            mean = (weights * values).sum()
            centred = counts - shots * d
            slope = (weights * values * centred).sum() / spread if spread > 0 else 0.0
            rest = values - mean - slope * centred
            remainder = np.sqrt((weights * rest**2).sum()) if spread > 0 else 0.0
            part[:, i] = mean, slope, remainder
    return [sampling.sum_of(part, drawn, shots, np.ones_like(drawn)) for part in parts]


@st.composite
def samples(draw: st.DrawFn) -> tuple[Any, Any, int]:
    """Ideal probabilities and counts of some outcomes, many of them alike."""
    size = draw(st.integers(1, 40))
    kinds = draw(st.lists(st.integers(1, 500), min_size=1, max_size=4))
    counts = draw(st.lists(st.sampled_from(kinds), min_size=size, max_size=size))
    weights = st.sampled_from([0.0, 1.0, 2.5, draw(st.floats(0.1, 9))])
    ideal = draw(st.lists(weights, min_size=size, max_size=size))
    total = max(1.0, sum(ideal)) * draw(st.sampled_from([1.0, 1.5]))
    return np.array(ideal) / total, np.array(counts), sum(counts)


@settings(max_examples=50)
@given(samples(), st.sampled_from([1, 3, 256]))
def test_blocks_and_groups_change_no_bit(sample: tuple[Any, Any, int], rows: int) -> None:
    ideal, counts, shots = sample
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "_ROWS", rows)
        got = multinomial_sums((overlap, apart), ideal, counts / shots, shots)
    assert got == row_by_row(ideal, counts / shots, shots)


@given(samples())
def test_tables_agree_with_each_outcome_by_itself(sample: tuple[Any, Any, int]) -> None:
    ideal, counts, shots = sample
    each = sampling.sampled_distances(ideal, counts / shots, shots)
    for one, other in zip(tabled_distances(ideal, counts / shots, shots), each, strict=True):
        assert one.mean == pytest.approx(other.mean, rel=1e-12, abs=1e-15)
        assert one.variance == pytest.approx(other.variance, rel=1e-4, abs=1e-12)


def at_once(drawn: Any, ideal: Any, unseen: float, shots: int, seed: int) -> list[Any]:
    """Basic intervals with all resamples in one matrix."""
    rows = np.random.default_rng(seed).multinomial(shots, drawn, size=1000) / shots
    found = []
    for table in (drawn[None, :], rows):
        root = np.minimum(1.0, np.sqrt(table * ideal).sum(axis=1)) ** 2
        found.append((root, (np.abs(table - ideal).sum(axis=1) + unseen) / 2))
    told = []
    for (value,), again in zip(*found, strict=True):
        low, high = np.quantile(again, [(1 - 0.95) / 2, 1 - (1 - 0.95) / 2])
        told.append((min(value, max(0.0, 2 * value - high)), max(value, min(1.0, 2 * value - low))))
    return told


@settings(max_examples=40)
@given(samples(), st.integers(0, 2**60), st.sampled_from([1, 77, 1 << 20]))
def test_resamples_in_blocks_are_those_of_one_call(
    sample: tuple[Any, Any, int], seed: int, cells: int
) -> None:
    ideal, counts, shots = sample
    named = {format(i, "06b"): int(n) for i, n in enumerate(counts)}
    p = dict(zip(named, ideal.tolist(), strict=True))
    unseen = max(0.0, 1.0 - float(ideal.sum()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "_CELLS", cells)
        got = distance_intervals(named, p, seed)
    assert list(got) == at_once(counts / shots, ideal, unseen, shots, seed)


@pytest.mark.parametrize("ideal_of", ["close", "far"])
def test_computed_intervals_are_those_of_resamples(
    ideal_of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(SEED)
    p = draw.exponential(size=4000)
    p /= p.sum()
    source = p if ideal_of == "close" else np.full(p.size, 1 / p.size)
    counts = {format(i, "012b"): int(n) for i, n in enumerate(draw.multinomial(6000, source)) if n}
    ideal = {bits: float(p[int(bits, 2)]) for bits in counts}
    resampled = distance_intervals(counts, ideal, SEED)
    monkeypatch.setattr(intervals, "MOST_RESAMPLED", 10)
    computed = distance_intervals(counts, ideal, SEED)
    for (low, high), (other_low, other_high) in zip(computed, resampled, strict=True):
        scatter = 0.15 * (other_high - other_low)  # of quantiles of 1,000 resamples
        assert (low, high) == (
            pytest.approx(other_low, abs=scatter),
            pytest.approx(other_high, abs=scatter),
        )


_TERMS = st.dictionaries(
    st.text("IZ", min_size=5, max_size=5), st.floats(-3, 3), min_size=1, max_size=4
)


@given(
    st.dictionaries(st.text("01", min_size=5, max_size=5), st.integers(1, 99), min_size=1),
    _TERMS,
    st.booleans(),
)
def test_expectation_values_change_no_bit(
    plain: dict[str, int], terms: dict[str, float], registers: bool
) -> None:
    counts = {f"{bits[:2]} {bits[2:]}" if registers else bits: n for bits, n in plain.items()}
    shots = sum(counts.values())
    mean = sum(n * value_of(bits, terms) for bits, n in counts.items()) / shots
    assert expectation(counts, terms).value == mean


def test_a_pauli_string_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="ZZZ has 3 letters for 2 bits"):
        expectation({"00": 1}, {"ZZZ": 1.0})


def test_heavy_outputs_of_fifty_qubits_need_no_list_of_all() -> None:
    assert heavy_outputs({"0" * 50: 0.5, "1" * 50: 0.5}, 50) == {"0" * 50, "1" * 50}
    assert heavy_outputs({"00": 0.25, "01": 0.25, "10": 0.25, "11": 0.25}, 2) == frozenset()
    assert heavy_outputs({"00": 0.1, "01": 0.2, "10": 0.3, "11": 0.4}, 2) == {"10", "11"}


def peak(work: Callable[[], object]) -> int:
    """Bytes that a call takes at its highest, beyond what was there before it."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def counted() -> tuple[dict[str, int], dict[str, float]]:
    """Counts of different outcomes, most seen once, and an ideal probability for each."""
    print(f"seed {SEED}")
    draw = np.random.default_rng(SEED)
    outcomes = draw.permutation(1 << WIDTH)[:OUTCOMES].tolist()
    hits = draw.choice([1, 1, 1, 2, 5, 90], OUTCOMES).tolist()
    ideal = (draw.exponential(size=OUTCOMES) / OUTCOMES / 1.5).tolist()
    names = [format(outcome, f"0{WIDTH}b") for outcome in outcomes]
    return dict(zip(names, hits, strict=True)), dict(zip(names, ideal, strict=True))


@pytest.mark.parametrize(
    ("what", "most"),
    [("compare", 250), ("intervals", 250), ("expectation", 200), ("homogeneity", 300)],
)
def test_bytes_per_outcome_are_few(
    what: str, most: int, counted: tuple[dict[str, int], dict[str, float]]
) -> None:
    counts, ideal = counted
    terms = {"Z" * WIDTH: 1.0, "Z" + "I" * (WIDTH - 1): 0.5}
    work: dict[str, Callable[[], object]] = {
        "compare": lambda: compare(counts, ideal, complete=False),
        "intervals": lambda: distance_intervals(counts, ideal, SEED),
        "expectation": lambda: expectation(counts, terms),
        "homogeneity": lambda: compare_counts(counts, counts),
    }
    few = dict.fromkeys(list(counts)[:10], 100)
    compare_counts(few, few)  # so that no import is counted
    assert peak(work[what]) / OUTCOMES < most


def test_resampling_holds_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {format(i, "013b"): 1 + i % 3 for i in range(8000)}
    ideal = dict.fromkeys(counts, 1 / 8192)
    monkeypatch.setattr(intervals, "_CELLS", 80_000)
    assert peak(lambda: distance_intervals(counts, ideal, SEED)) < 8_000_000


def test_the_matrix_of_the_readout_is_there_once() -> None:
    counts = {format(i, "010b"): 3 for i in range(1000)}
    size = 8 * len(counts) ** 2
    mitigated: list[Any] = []
    made = peak(lambda: mitigated.append(mitigate(counts, [Flip(0.01, 0.02, 0.001, 0.001)] * 10)))
    assert made < 1.5 * size
    one = next(iter(mitigated[0].resampled(SEED)))
    assert sum(one.values()) == pytest.approx(1.0)
